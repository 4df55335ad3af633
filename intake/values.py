"""Reads single values as shops and spreadsheets write them: instants, amounts, opt-in words, names, lists.

An instant without an offset is local time of the shop, Europe/Berlin, unless the source says otherwise.
"""

from __future__ import annotations

import csv
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.utils import timezone

from datamap.workdays import is_on_earth

COMMA, POINT = "comma", "point"
BERLIN = ZoneInfo("Europe/Berlin")

_APOSTROPHE = re.compile(r"'(?=[0-9+]|\([0-9+])")
_GERMAN_DATE = re.compile(
    r"([0-9]{1,2})\.\s?([0-9]{1,2})\.\s?([0-9]{4}|[0-9]{2})(?:,?\s+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?:\s?Uhr)?)?"
)
_SLASHED_DATE = re.compile(r"([0-9]{4})/([0-9]{2})/([0-9]{2})(?=[T ]|$)")
_SPACED_OFFSET = re.compile(r"(.*[0-9]) ?(UTC|GMT|Z|[+-][0-9]{2}:?[0-9]{2})$")
# A computed price has many figures behind its point; who stores it rounds it.
_AMOUNT = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{0,20})?|[+-]?\.[0-9]{1,20}")
_COMMA_DECIMAL = re.compile(r"[+-]?[0-9]{1,15},(?:[0-9]{1,2}|[0-9]{4,20})")
_POINT_GROUPS = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]{1,20}|[+-]?[0-9]{1,3}(?:\.[0-9]{3}){2,}")
_COMMA_GROUPS = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]{1,20}|[+-]?[0-9]{1,3}(?:,[0-9]{3}){2,}")
# With a point before the decimals and commas between thousands, as it stands or after the two were swapped.
_GROUPED = re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,15})(?:\.[0-9]{0,20})?|[+-]?\.[0-9]{1,20}")
_SWAPPED = str.maketrans(",.", ".,")
_ONE_GROUP = re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}")
_SPACE_GROUPS = re.compile(r"(?<=[0-9])[ '\u00a0\u202f’](?=[0-9]{3}(?![0-9]))")
_CURRENCY = re.compile(r"^(?:€|EUR|\$|USD|CHF)\s*|\s*(?:€|EUR|\$|USD|CHF)$")

YES = frozenset({"yes", "true", "1", "ja", "y", "wahr", "subscribed", "x", "on", "opted in", "opted_in"})
NO = frozenset(
    {"no", "false", "0", "nein", "n", "falsch", "not_subscribed", "not subscribed", "unsubscribed", "off", "cleaned",
     "nonsubscribed", "non-subscribed", "opted out", "opted_out", "redacted", "invalid"}
)  # fmt: skip
PENDING = frozenset({"pending", "unconfirmed", "ausstehend"})

_PARTICLES = frozenset(
    [
        "von",
        "van",
        "der",
        "den",
        "de",
        "del",
        "della",
        "dello",
        "di",
        "da",
        "dal",
        "do",
        "dos",
        "das",
        "du",
        "zu",
        "zum",
        "zur",
        "vom",
        "ter",
        "ten",
        "te",
        "la",
        "le",
        "el",
        "al",
        "bin",
        "ibn",
        "af",
        "av",
    ]
)
_FORMS = frozenset({"herr", "frau", "hr", "fr", "mr", "mrs", "ms", "miss", "mx"})
_TITLES = frozenset({"dr", "prof", "dipl", "ing", "mag", "med"})


def without_apostrophe(value: str) -> str:
    """The value without the one apostrophe that Shopify sets before figures; a name like 't Hooft keeps its own."""
    return value[1:] if value[:1] == "'" and _APOSTROPHE.match(value) else value


@lru_cache(maxsize=8192)
def read_moment(value: str) -> datetime | None:
    """An instant from ISO 8601 (also with slashes, or a blank before the offset) or a German date; None where neither.

    A year of two figures is one of 1970 to 2069.
    """
    found: datetime | None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        found = _other_moment(value)
    if found is None or not 1900 <= found.year <= 2200:
        return None
    if found.tzinfo is None:
        return found.replace(tzinfo=BERLIN)
    return found if is_on_earth(found) else None


def _other_moment(value: str) -> datetime | None:
    try:
        if match := _GERMAN_DATE.fullmatch(value):
            day, month, year, hour, minute, second = (int(part or 0) for part in match.groups())
            if len(match[3]) == 2:
                year += 1900 if year >= 70 else 2000
            return datetime.combine(date(year, month, day), time(hour, minute, second))
        if _SLASHED_DATE.match(value):
            return datetime.fromisoformat(value.replace("/", "-", 2))
        if match := _SPACED_OFFSET.fullmatch(value):
            offset = "+00:00" if match[2] in ("UTC", "GMT", "Z") else match[2]
            return datetime.fromisoformat(match[1] + offset)
    except ValueError:
        return None
    return None


@lru_cache(maxsize=8192)
def read_amount(value: str, decimals: str = "") -> Decimal | None:
    """A number as shops (1234.5) and German spreadsheets (1.234,50 €) write it; None where it is none or unclear.

    "1,234" may be either and is refused: a wrong amount is worse than a rejected row. With `decimals` it is said what
    stands before them, COMMA or POINT, and a number that is written in the other way is none.
    """
    if not decimals and _AMOUNT.fullmatch(value):
        return Decimal(value)
    text = _CURRENCY.sub("", value.strip()).replace("\N{MINUS SIGN}", "-")
    text = _SPACE_GROUPS.sub("", text)
    if decimals:
        if decimals == COMMA:
            text = text.translate(_SWAPPED)
        return Decimal(text.replace(",", "")) if _GROUPED.fullmatch(text) else None
    if _COMMA_DECIMAL.fullmatch(text):
        text = text.replace(",", ".")
    elif _POINT_GROUPS.fullmatch(text):
        text = text.replace(".", "").replace(",", ".")
    elif _COMMA_GROUPS.fullmatch(text):
        text = text.replace(",", "")
    return Decimal(text) if _AMOUNT.fullmatch(text) else None


def may_be_thousands(value: str) -> bool:
    """Whether a sum of money such as "1.234" is more likely one thousand in German than money with three decimals."""
    return bool(_ONE_GROUP.fullmatch(_CURRENCY.sub("", value.strip())))


def is_unclear(value: str) -> bool:
    """Whether the one point or comma of a figure may stand before thousands as well as before decimals."""
    return may_be_thousands(value.replace(",", "."))


def is_ahead(at: datetime) -> bool:
    """Whether an instant has not come yet, whatever the zone of whoever wrote it."""
    return at > timezone.now() + timedelta(days=1)


def read_opt_in(value: str) -> str | None:
    """`yes`, `no` or `pending`; None where the word is not known."""
    word = value.casefold()
    if word in YES:
        return "yes"
    if word in NO:
        return "no"
    return "pending" if word in PENDING else None


def is_set(value: str) -> bool:
    """Whether a yes/no column says yes."""
    return value.casefold() in YES


@lru_cache(maxsize=8192)
def split_name(full: str) -> tuple[str, str, str, str]:
    """Salutation, title, first and last name of a whole name: “Müller, Jürgen”, “Frau Dr. Zoë von der Heide”."""
    words = full.split()
    salutation = title = ""
    if words and words[0].rstrip(".").casefold() in _FORMS and len(words) > 1:
        salutation = words.pop(0).rstrip(".")
    while len(words) > 1 and words[0].endswith(".") and words[0].rstrip(".").casefold() in _TITLES:
        title = f"{title} {words.pop(0)}".strip()
    text = " ".join(words)
    last, comma, first = text.partition(",")
    if comma and last.strip() and first.strip() and "," not in first:
        return salutation, title, first.strip(), last.strip()
    cut = next((i for i, word in enumerate(words) if i and word in _PARTICLES), len(words) - 1)
    return salutation, title, " ".join(words[: max(cut, 0)]), " ".join(words[max(cut, 0) :])


def first_of(value: str) -> tuple[str, bool]:
    """The first of several values joined by “ ::: ” or “;”, and whether there were more."""
    parts = [part.strip() for part in re.split(r" ?::: ?|;", value) if part.strip()]
    return (parts[0] if parts else ""), len(parts) > 1


def split_tags(value: str) -> tuple[str, ...]:
    """Tags from a comma list (“VIP, Newsletter”), a quoted one (“"VIP","Newsletter"”) or one joined by “ ::: ”."""
    if ":::" in value:
        parts = value.split(":::")
    else:
        try:
            parts = next(csv.reader([value.replace("\n", " ").replace("\r", " ")], skipinitialspace=True), [])
        except csv.Error:
            parts = value.split(",")
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def split_address(value: str) -> tuple[str, str, str, str]:
    """Street, city, postcode and country of Mailchimp's one-line address, whose parts two blanks keep apart."""
    parts = [part.strip() for part in value.split("  ") if part.strip()]
    if len(parts) < 3:
        return value.strip(), "", "", ""
    postcode, _blank, country = parts[-1].rpartition(" ")
    if not re.fullmatch(r"[A-Z]{2}", country):
        postcode, country = parts[-1], ""
    # street, second line, city, region, postcode CC: the city stands third from the end when there is a region.
    street, city = parts[0], parts[1] if len(parts) < 5 else parts[2]
    if len(parts) >= 5:
        street = f"{parts[0]}, {parts[1]}"
    return street, city, postcode, country
