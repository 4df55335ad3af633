"""Reads what a page of the shop reports: strict, small, and without anything that could name somebody."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime

from datamap.workdays import is_on_earth
from tracking.models import Device

MAX_BYTES = 16 * 1024
MAX_VISITS = 50
AHEAD = timedelta(minutes=5)
"""A device's clock may be so far ahead; the visit counts as now."""
BEHIND = timedelta(days=2)
"""So old may a visit be that a page reports late."""
_DEVICE = re.compile(r"[A-Za-z0-9._~-]{16,128}")
_WORDING = re.compile(r"([A-Za-z0-9_-]{1,60}):([1-9][0-9]{0,5})")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_CAMPAIGN = re.compile(r"[\w.+~-]{1,64}")


class Unreadable(ValueError):
    """A report that is not taken: what is wrong, in one sentence, and the status of the answer."""

    def __init__(self, sentence: str, status: int = 422) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Consent:
    """What was agreed to on the device: key and number of the wording, the language shown, and when by its clock."""

    text: str
    number: int
    language: str
    given_at: datetime


@dataclass(frozen=True)
class Seen:
    """One page that was seen."""

    at: datetime
    path: str
    referrer: str
    campaign: str


@dataclass(frozen=True)
class Report:
    """What one device reports. consent: None where nobody agreed, False where somebody said no."""

    device: str
    kind: str
    consent: Consent | None | bool
    visits: tuple[Seen, ...]


def read_report(body: bytes, now: datetime) -> Report:
    """The report of a device. Raises Unreadable."""
    if len(body) > MAX_BYTES:
        raise Unreadable(f"A report has at most {MAX_BYTES} bytes.", 413)
    said = _object(read_json(body), "The report", {"device", "kind", "consent", "visits"})
    device = said.get("device")
    if not isinstance(device, str) or not _DEVICE.fullmatch(device):
        raise Unreadable("device: 16 to 128 letters, digits or . _ ~ - are needed.")
    kind = said.get("kind", "")
    if kind not in Device.Kind.values:
        raise Unreadable("kind: computer, phone, tablet or nothing.")
    visits = said.get("visits", [])
    if not isinstance(visits, list) or len(visits) > MAX_VISITS:
        raise Unreadable(f"visits: a list of at most {MAX_VISITS} is needed.")
    consent = _consent(said.get("consent"), now)
    since = consent.given_at if isinstance(consent, Consent) else None
    seen = [_seen(one, now, since) for one in visits]
    return Report(device, kind, consent, tuple(one for one in seen if one is not None))


def read_json(body: bytes) -> Any:
    """The JSON of a body. Raises Unreadable for anything else, twice-named fields and NaN included."""
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Unreadable("The body is not JSON in UTF-8.", 400) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field is named twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _object(value: Any, what: str, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable(f"{what} is an object.")
    if set(value) - known:
        raise Unreadable(f"{what} has only the fields {', '.join(sorted(known))}.")
    return value


def _consent(value: Any, now: datetime) -> Consent | None | bool:
    if value is None or value is False:
        return value
    said = _object(value, "consent", {"wording", "language", "given_at"})
    wording = said.get("wording")
    named = _WORDING.fullmatch(wording) if isinstance(wording, str) else None
    if named is None:
        raise Unreadable("consent.wording: the key and the version of the text shown are needed, as in tracking:3.")
    if said.get("language") not in ("de", "en"):
        raise Unreadable("consent.language: de or en, as the text was shown.")
    return Consent(named[1], int(named[2]), said["language"], _instant(said.get("given_at"), "consent.given_at", now))


def _seen(value: Any, now: datetime, since: datetime | None) -> Seen | None:
    """A visit, never later than now; None where it was before the yes, by the clock that has told both."""
    said = _object(value, "A visit", {"at", "path", "referrer", "campaign"})
    told = _instant(said["at"], "at", now) if "at" in said else None
    if told is not None and told < now - BEHIND:
        raise Unreadable(f"at: a visit is reported within {BEHIND.days} days.")
    seen = Seen(
        min(told or now, now),
        _path(said.get("path")),
        _referrer(said.get("referrer", "")),
        _campaign(said.get("campaign", "")),
    )
    return None if told is not None and since is not None and told < since else seen


def _instant(value: Any, field: str, now: datetime) -> datetime:
    """An instant with its offset, as the device's clock has it: little later than now at most."""
    try:
        at = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or not is_on_earth(at) or not 2000 < at.year < 9000:
        raise Unreadable(f"{field}: an instant with its offset is needed, as in 2026-11-24T10:00:00+01:00.")
    if at > now + AHEAD:
        raise Unreadable(f"{field}: this lies in the future; the device's clock is wrong.")
    return at


def _path(value: Any) -> str:
    """A path names a page, nobody: no query, no fragment, no address in it."""
    if not isinstance(value, str) or not value.startswith("/") or len(value) > 500 or not value.isprintable():
        raise Unreadable("path: the path of the page is needed, at most 500 characters, as in /coffee/espresso.")
    if "?" in value or "#" in value:
        raise Unreadable("path: without the query and without the fragment; they often hold personal data.")
    if "@" in value or "%40" in value:
        raise Unreadable("path: no e-mail address belongs into it.")
    return value


def _referrer(value: Any) -> str:
    host = value.lower() if isinstance(value, str) else None
    if host is None or (host and not _HOST.fullmatch(host)):
        raise Unreadable("referrer: the name of the host alone, as in www.example.org.")
    return host


def _campaign(value: Any) -> str:
    if not isinstance(value, str) or (value and not _CAMPAIGN.fullmatch(value)):
        raise Unreadable("campaign: one word of at most 64 letters, digits or . _ + ~ -.")
    return value
