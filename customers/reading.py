"""Reads single values as the world writes them: e-mail, phone, birthday, country, form of address, postcode."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache
from typing import Any

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers.phonemetadata import PhoneMetadata
from stdnum.eu import vat

from customers.countries import ISO2
from customers.normalizing import fold

_ATOM = re.compile(r"[a-zA-Z0-9_!#$%&'*+\-/=?^`{|}~]+(?:\.[a-zA-Z0-9_!#$%&'*+\-/=?^`{|}~]+)*")
_PHONE_MARKS = str.maketrans("", "", " -/().\u00a0")
_DAY_MONTH_YEAR = re.compile(r"(\d{1,2})\.\s*(\d{1,2})\.?(?:\s*(\d{4}|\d{2}))?")
_MONTH_DAY = re.compile(r"(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?")
_DASHED = re.compile(r"(?:(\d{4})-|--)?(\d{1,2})-(\d{1,2})(?:[T ].*)?")
_SHORT_DE_POSTCODE = re.compile(r"[1-9][0-9]{3}")
# Control and format characters that no name or address holds; line breaks and tabs become spaces.
_BREAKS = re.compile(r"[\t\r\n\x0b\x0c\x85\u2028\u2029]+")

SALUTATIONS: dict[str, str] = {
    **dict.fromkeys(("mr", "herr", "hr", "herrn", "m", "male", "mann", "mister", "sir", "maennlich"), "mr"),
    **dict.fromkeys(
        ("ms", "mrs", "miss", "frau", "fr", "w", "f", "female", "madam", "mme", "weiblich", "fraeulein"), "ms"
    ),
    **dict.fromkeys(("neutral", "divers", "diverse", "d", "x", "mx", "other", "nonbinary", "non-binary"), "neutral"),
    **dict.fromkeys(
        (
            "",
            "not_specified",
            "not specified",
            "not stated",
            "keine angabe",
            "none",
            "undefined",
            "-",
            "unknown",
        ),
        "",
    ),
}


def clean_text(value: str) -> tuple[str, bool]:
    """The text without control characters and broken surrogates, trimmed; True where something was taken out."""
    if value.isprintable():
        return value.strip(), False
    text = _BREAKS.sub(" ", value).strip(" \ufeff\u00a0")
    kept = "".join(c for c in text if c >= " " and not "\x7f" <= c <= "\x9f" and not "\ud800" <= c <= "\udfff")
    return kept.strip(), kept != text


def clean_note(value: str) -> tuple[str, bool]:
    """Like `clean_text`, but a free text keeps its line breaks."""
    lines = [clean_text(line) for line in value.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return "\n".join(text for text, _ in lines).strip(), any(lost for _, lost in lines)


@lru_cache(maxsize=20_000)
def _domain_is_valid(domain: str) -> bool:
    return _valid_email(f"a@{domain}")


def _valid_email(value: str) -> bool:
    try:
        validate_email(value, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


def is_email(value: str) -> bool:
    """Whether email-validator (without DNS) takes the address; the usual shape costs one look at its domain."""
    local, at, domain = value.rpartition("@")
    if at and len(value) <= 254 and domain.isascii() and _ATOM.fullmatch(local):
        return _domain_is_valid(domain)
    return len(value) <= 1000 and _valid_email(value)


def _german_pattern() -> re.Pattern[str]:
    """Every national number that is valid in Germany, from the library's own metadata."""
    metadata: Any = PhoneMetadata.metadata_for_region("DE")
    kinds = (
        "fixed_line",
        "mobile",
        "toll_free",
        "premium_rate",
        "shared_cost",
        "voip",
        "personal_number",
        "pager",
    )
    descriptions = [getattr(metadata, kind) for kind in (*kinds, "uan", "voicemail")]
    patterns = [d.national_number_pattern for d in descriptions if d is not None and d.national_number_pattern]
    general = metadata.general_desc.national_number_pattern
    return re.compile(rf"(?=(?:{general})\Z)(?:{'|'.join(f'(?:{p})' for p in patterns)})\Z")


_GERMAN = _german_pattern()


def read_phone(value: str, region: str = "DE") -> str | None:
    """The number in E.164, or None where it is no valid number of its country."""
    digits = value.translate(_PHONE_MARKS)
    if digits.startswith("+49"):
        national = digits[3:]
    elif region == "DE" and digits[:1] == "0" and digits[1:2] != "0":
        national = digits[1:]
    else:
        national = ""
    if national.isascii() and national.isdigit() and national[0] != "0" and _GERMAN.match(national):
        return f"+49{national}"
    if region == "DE" and digits[:1] not in ("0", "+"):
        # Without area code, or with its zero eaten: the library would read "(5) 555-4729" as a number in Lower Saxony.
        return None
    return _parse_phone(value, region)


def _parse_phone(value: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(value, region or "DE")
        # An extension dialled after the call is answered is no part of E.164, so the value stays as typed.
        if number.extension or not phonenumbers.is_valid_number(number):
            return None
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    except (phonenumbers.NumberParseException, ValueError, IndexError, TypeError):
        return None


def phone_pattern(number: str) -> str | None:
    """A regular expression, for Python and PostgreSQL alike, of the ways people write an E.164 number: with 00 or the
    0 of the country itself, with blanks, brackets, dashes and slashes. None for what is no E.164 number."""
    if not number.startswith("+"):
        return None
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    between = r"[ ()/.\-]*"
    country, national = (between.join(str(part)) for part in (parsed.country_code, parsed.national_number))
    abroad = rf"(?:\+|00){between}{country}{between}(?:0{between})?"
    at_home = rf"(?<![0-9])0{between}"
    return rf"(?:{abroad}|{at_home}){national}(?![0-9])"


def spaced(number: str) -> str:
    """A phone number as people read it, "+49 40 5550142"; what is no E.164 number stays as typed."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


@lru_cache(maxsize=4096)
def read_birthday(value: str) -> tuple[int, int] | None:
    """Day and month of 1980-02-29, 02-29, 15.03.1980 or 03/15 (month first); the year is not kept."""
    if found := _DAY_MONTH_YEAR.fullmatch(value):
        day, month = int(found[1]), int(found[2])
    elif found := _MONTH_DAY.fullmatch(value):
        month, day = int(found[1]), int(found[2])
        # 15/03/1980 can only be day first; 03/04 stays month first, as the platforms write it.
        if month > 12 >= day:
            day, month = month, day
    elif found := _DASHED.fullmatch(value):
        month, day = int(found[2]), int(found[3])
    else:
        return None
    year = found[1] if found.re is _DASHED else found[3]
    full = int(year) if year and len(year) == 4 else 2000
    try:
        date(max(full, 1), month, day)
    except ValueError:
        return None
    return day, month


@lru_cache(maxsize=4096)
def read_country(value: str) -> str | None:
    """ISO 3166 alpha-2 of a code or a German or English name; None where it is neither."""
    return ISO2.get(fold(value).replace(".", ""))


def read_vat_id(value: str) -> tuple[str, bool]:
    """The VAT id, one of the EU as its country writes it, and whether it is one of the EU."""
    text = "".join(value.split()).upper()
    return (vat.compact(text), True) if vat.is_valid(text) else (text, False)


@lru_cache(maxsize=1024)
def read_salutation(value: str) -> str | None:
    """`Customer.Salutation` of a form of address; None where it is not known."""
    text = fold(value.replace("ä", "ae").replace("Ä", "ae")).rstrip(".")
    return SALUTATIONS.get(text.removesuffix("[dot]"))


def pad_postcode(value: str, country: str) -> str:
    """A postcode of this country; a German one whose leading zero a spreadsheet has eaten gets it back."""
    return f"0{value}" if country == "DE" and _SHORT_DE_POSTCODE.fullmatch(value) else value


def same_letters(value: str) -> str:
    """NFC, so that a letter typed in two ways is stored in one."""
    return value if value.isascii() else unicodedata.normalize("NFC", value)
