"""The list of endpoints that must not be written to: kept as keyed hashes, asked by every way in and every send."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from customers.models import Suppression
from customers.normalizing import email_key, phone_key
from datamap import journal
from vault.keyring import keyring

ADVERTISING = "advertising"
SCOPE = "customers.suppression"
_KEYS: dict[str, Callable[[str], str | None]] = {
    "email": email_key,
    "phone": phone_key,
    "sms": phone_key,
    "whatsapp": phone_key,
}


def key_of(channel: str, endpoint: str) -> str | None:
    """The text of an endpoint that is hashed; None where it cannot be read."""
    return _KEYS.get(channel, lambda value: value.strip() or None)(endpoint)


def hasher(channel: str) -> Callable[[str], bytes]:
    """Hashes keys of this channel for new entries; a phone number is one endpoint for call, SMS and messenger."""
    return keyring().list_hasher(f"{SCOPE}.{'phone' if channel in ('sms', 'whatsapp') else channel}")


def hashes_of(channel: str, endpoint: str) -> list[bytes]:
    """Under every list key: what an entry for this endpoint may hold."""
    key = key_of(channel, endpoint)
    kind = "phone" if channel in ("sms", "whatsapp") else channel
    return keyring().list_hashes(f"{SCOPE}.{kind}", key) if key else []


def suppressed(channel: str, endpoint: str, *, scope: str = ADVERTISING) -> bool:
    """Whether this endpoint must not be written to."""
    return bool(suppressed_among(channel, [endpoint], scope=scope))


def suppressed_among(channel: str, endpoints: Iterable[str], *, scope: str = ADVERTISING) -> set[str]:
    """Those of the endpoints (as given) that must not be written to; one query for the whole set."""
    asked: dict[bytes, list[str]] = {}
    for endpoint in set(endpoints):
        for mark in hashes_of(channel, endpoint):
            asked.setdefault(mark, []).append(endpoint)
    return {endpoint for mark in entries_among(asked, scope=scope) for endpoint in asked[mark]}


def entries_among(marks: Collection[bytes], *, scope: str = ADVERTISING) -> set[bytes]:
    """Which of these hashes stand on the list now."""
    if not marks:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT endpoint FROM customers_suppression WHERE endpoint = ANY(%s) AND scope = %s AND ended_at IS NULL",
            [list(marks), scope],
        )
        return {bytes(endpoint) for (endpoint,) in cursor.fetchall()}


def suppress(
    channel: str,
    endpoint: str,
    *,
    reason: str,
    since: datetime | None = None,
    scope: str = ADVERTISING,
    origin_id: int | None = None,
) -> bool:
    """Put an endpoint on the list; False where it stands there already or cannot be read.

    Whoever comes second with the same endpoint changes nothing, but for an entry that came with an import: it is no
    longer the import's alone, so undoing that import leaves it (an objection stands, Art. 21(3) GDPR).
    """
    key = key_of(channel, endpoint)
    if not key:
        return False
    if suppressed(channel, endpoint, scope=scope):
        _standing(channel, endpoint, scope).filter(origin__isnull=False).update(origin_id=origin_id)
        return False
    entry = Entry(hasher(channel)(key), channel, scope, reason, since or timezone.now())
    return insert([entry], origin_id=origin_id) == 1


class Entry(NamedTuple):
    """One line of the list before it is stored."""

    endpoint: bytes
    channel: str
    scope: str
    reason: str
    since: datetime


def insert(entries: Sequence[Entry], *, origin_id: int | None = None) -> int:
    """Store those of the entries that are news, as a set, and note them in the journal; returns how many.

    One transaction. Raises JournalError, with nothing stored, where the journal cannot be written.
    """
    if not entries:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_suppression (endpoint, channel, scope, reason, since, origin_id, recorded_at) "
            "SELECT n.endpoint, n.channel, n.scope, n.reason, n.since, %s, now() "
            "FROM unnest(%s::bytea[], %s::text[], %s::text[], %s::text[], %s::timestamptz[]) "
            "AS n (endpoint, channel, scope, reason, since) ON CONFLICT DO NOTHING "
            "RETURNING endpoint, channel, scope, reason, since",
            [origin_id, *(list(column) for column in zip(*entries, strict=True))],
        )
        new = [Entry(bytes(endpoint), *rest) for endpoint, *rest in cursor.fetchall()]
        journal.write_many("suppression", [_payload(entry) for entry in new])
    return len(new)


def _payload(entry: Entry) -> dict[str, str]:
    return entry._asdict() | {"endpoint": entry.endpoint.hex(), "since": entry.since.isoformat()}


def replay(payloads: Sequence[journal.Payload]) -> int:
    """Put entries of the journal on the list again; those that stand there are left. Returns how many were news."""
    return insert([_entry(payload) for payload in payloads])


def _entry(payload: journal.Payload) -> Entry:
    return Entry(
        bytes.fromhex(payload["endpoint"]),
        payload["channel"],
        payload["scope"],
        payload["reason"],
        datetime.fromisoformat(payload["since"]),
    )


def end(channel: str, endpoint: str, *, scope: str = ADVERTISING) -> int:
    """A new confirmed consent for this scope ends the entry; it is kept as proof (never deleted here)."""
    return _standing(channel, endpoint, scope).update(ended_at=timezone.now())


def _standing(channel: str, endpoint: str, scope: str) -> QuerySet[Suppression]:
    return Suppression.objects.filter(endpoint__in=hashes_of(channel, endpoint), scope=scope, ended_at__isnull=True)
