"""Reads the head of a mail that was pasted whole: who wrote it and when it was sent. A suggestion, a person decides."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import parseaddr, parsedate_to_datetime
from typing import NamedTuple

from django.utils import timezone

from customers.normalizing import email_key, fold
from datamap.controlling import legal_zone
from privacy.instants import PICKER

# Stars stand for bold where a formatted mail was pasted as text; a long head goes on in indented lines.
_LINE = r"^[>* \t]*(?:{names})\s*:[ \t*]*(?P<said>.+(?:\n[ \t]+(?![a-z][\w-]*\s*:)\S.*)*)$"
_FROM = re.compile(_LINE.format(names="von|from|absender"), re.IGNORECASE | re.MULTILINE)
_SENT = re.compile(_LINE.format(names="datum|date|gesendet|sent"), re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(r"[^\s<>\[\]()\"':;,]+@[^\s<>\[\]()\"':;,]+")
# The form of mails themselves (RFC 5322 3.3), told by its zone.
_ZONED = re.compile(r"\d:\d{2}\s*(?:[+-]\d{4}\b|(?:gmt|utc?)(?![+-]))")
_CLOCK = r"(?:\D{0,6}(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::\d{2})?(?: ?(?P<half>[ap])m)?)?"
_YEAR = r"(?P<year>\d{4}|\d{2})(?![\d:])"
# "Montag, 23. November 2026 14:03", "Mo., 23. Nov. 2026 um 14:03 Uhr", "23.11.2026, 14:03 Uhr", "23 Nov 2026 at 14:03".
_DAY_FIRST = re.compile(rf"(?P<day>\d{{1,2}})\.?\s*(?P<month>\d{{1,2}}\.|[a-z]{{3,}})\.?\s*{_YEAR}{_CLOCK}")
# "Monday, November 23, 2026 2:03 PM", "Mon, Nov 23, 2026 at 2:03 PM".
_MONTH_FIRST = re.compile(rf"(?P<month>[a-z]{{3,}})\.? (?P<day>\d{{1,2}}),? {_YEAR}{_CLOCK}")
_MONTHS = {name: month for month, names in enumerate(
    ("jan", "feb", "mar", "apr", "mai may", "jun", "jul", "aug", "sep", "okt oct", "nov", "dez dec"), start=1
) for name in names.split()}  # fmt: skip


class Pasted(NamedTuple):
    """What the head says; "" where it does not. `sent` is as the form's picker writes it, by the shop's clock."""

    name: str
    email: str
    sent: str


def read_mail(text: str) -> Pasted:
    """The first sender and the first date named in lines such as "Von:" and "Datum:"; no date that lies ahead."""
    who, when = _FROM.search(text), _SENT.search(text)
    name, email = _sender(_decoded(_said(who))) if who else ("", "")
    at = _moment(_said(when)) if when else None
    zone = legal_zone()
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=zone)
    if at is None or at > timezone.now():
        return Pasted(name, email, "")
    return Pasted(name, email, at.astimezone(zone).strftime(PICKER))


def _said(line: re.Match[str]) -> str:
    """One line, and no longer than a head can be (RFC 5322 2.1.1)."""
    return " ".join(line["said"].split())[:998]


def _decoded(text: str) -> str:
    """A head as it travels, in words: "=?UTF-8?Q?J=C3=BCrgen?=" is Jürgen (RFC 2047)."""
    try:
        return str(make_header(decode_header(text)))
    except (LookupError, ValueError, HeaderParseError):
        return text


def _sender(text: str) -> tuple[str, str]:
    name, email = parseaddr(text)
    if email_key(email) is None:
        # "Zoe Groß [mailto:zoe@laden.example]"
        found = _ADDRESS.search(text)
        name, email = re.split(r"[<\[(]", text)[0], found[0] if found else ""
    name = name.strip(" \"'")
    return ("" if "@" in name else name)[:300], email if email_key(email) else ""


def _moment(text: str) -> datetime | None:
    with suppress(ValueError):
        return datetime.fromisoformat(text)
    folded = fold(text)
    if not _ZONED.search(folded) and (found := _DAY_FIRST.search(folded) or _MONTH_FIRST.search(folded)):
        return _read(found)
    # It reads anything that resembles the form of mails, so it comes last.
    with suppress(ValueError, TypeError, IndexError):
        return parsedate_to_datetime(text)
    return None


def _read(found: re.Match[str]) -> datetime | None:
    word, year = found["month"].rstrip("."), int(found["year"])
    month = int(word) if word.isdigit() else _MONTHS.get(word[:3], 0)
    hour, minute = int(found["hour"] or 0), int(found["minute"] or 0)
    if found["half"]:
        hour = hour % 12 + (12 if found["half"] == "p" else 0)
    with suppress(ValueError):
        return datetime(year if year > 99 else 2000 + year, month, int(found["day"]), hour, minute)
    return None
