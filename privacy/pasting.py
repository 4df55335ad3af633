"""Reads the head of a mail that was pasted whole: who wrote it and when it was sent. A suggestion, a person decides."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from email.utils import parseaddr, parsedate_to_datetime
from typing import NamedTuple

from django.utils import timezone

from customers.normalizing import email_key, fold
from datamap.controlling import legal_zone
from privacy.instants import PICKER

_FROM = re.compile(r"^[>\s]*(?:von|from|absender)\s*:\s*(?P<who>.+)$", re.IGNORECASE | re.MULTILINE)
_SENT = re.compile(r"^[>\s]*(?:datum|date|gesendet|sent)\s*:\s*(?P<when>.+)$", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(r"[^\s<>\[\]()\"':;,]+@[^\s<>\[\]()\"':;,]+")
# "Montag, 23. November 2026 14:03", "23.11.2026, 14:03 Uhr", "23.11.2026 um 14:03".
_GERMAN = re.compile(
    r"(?P<day>\d{1,2})\.\s*(?P<month>\d{1,2}\.|[a-z]{3,})\s*(?P<year>\d{4})(?:\D{0,6}(?P<hour>\d{1,2}):(?P<minute>\d{2}))?"
)
_MONTHS = ("jan", "feb", "mar", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "dez")
_OUTLOOK = ("%A, %B %d, %Y %I:%M %p", "%A, %B %d, %Y %H:%M", "%A, %d %B %Y %H:%M")


class Pasted(NamedTuple):
    """What the head says; "" where it does not. `sent` is as the form's picker writes it, by the shop's clock."""

    name: str
    email: str
    sent: str


def read_mail(text: str) -> Pasted:
    """The first sender and the first date named in lines such as "Von:" and "Datum:"; no date that lies ahead."""
    who, when = _FROM.search(text), _SENT.search(text)
    name, email = _sender(who["who"].strip()) if who else ("", "")
    at = _moment(when["when"].strip()) if when else None
    zone = legal_zone()
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=zone)
    if at is None or at > timezone.now():
        return Pasted(name, email, "")
    return Pasted(name, email, at.astimezone(zone).strftime(PICKER))


def _sender(text: str) -> tuple[str, str]:
    name, email = parseaddr(text)
    if email_key(email) is None:
        # "Zoe Groß [mailto:zoe@laden.example]"
        found = _ADDRESS.search(text)
        name, email = re.split(r"[<\[(]", text)[0], found[0] if found else ""
    name = name.strip(" \"'")
    return ("" if "@" in name else name)[:300], email if email_key(email) else ""


def _moment(text: str) -> datetime | None:
    for form in _OUTLOOK:
        with suppress(ValueError):
            return datetime.strptime(text, form)
    with suppress(ValueError):
        return datetime.fromisoformat(text)
    if found := _GERMAN.search(fold(text)):
        word = found["month"].rstrip(".")[:3]
        month = int(word) if word.isdigit() else _MONTHS.index(word) + 1 if word in _MONTHS else 0
        hour, minute = int(found["hour"] or 0), int(found["minute"] or 0)
        with suppress(ValueError):
            return datetime(int(found["year"]), month, int(found["day"]), hour, minute)
        return None
    # The form of mails themselves (RFC 5322); it reads anything that resembles it, so it comes last.
    with suppress(ValueError, TypeError, IndexError):
        return parsedate_to_datetime(text)
    return None
