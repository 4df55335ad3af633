"""The list of endpoints that must not be written to: kept as keyed hashes, asked by every way in and every send."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from customers.models import Suppression
from customers.normalizing import email_key, phone_key
from datamap import journal
from datamap.preparing import ask
from vault.keyring import keyring

ADVERTISING = "advertising"
SCOPE = "customers.suppression"
WORDS_OF_PEOPLE = frozenset(
    {Suppression.Reason.UNSUBSCRIBED, Suppression.Reason.OBJECTION, Suppression.Reason.COMPLAINT}
)
"""Reasons by which somebody said no; who is erased, or cannot be reached, has not."""
FIRST = """least(x.since, (SELECT min(m.since) FROM customers_suppressionmention m WHERE m.entry_id = x.id))"""
"""SQL over an entry `x`: since when it counts. A list may tell late of a day before the one that stands."""
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


def first_days(marks: Collection[bytes], *, scope: str = ADVERTISING) -> dict[bytes, datetime]:
    """Since when those of these hashes count that stand on the list now."""
    if not marks:
        return {}
    rows = ask(
        f"SELECT x.endpoint, min({FIRST}) FROM customers_suppression x "  # noqa: S608 - words of ours
        "WHERE x.endpoint = ANY (%s) AND x.scope = %s AND x.ended_at IS NULL GROUP BY 1",
        [list(marks), scope],
    )
    return {bytes(mark): day for mark, day in rows}


def told_earlier(said: Mapping[bytes, datetime], origin_id: int | None, *, scope: str = ADVERTISING) -> set[bytes]:
    """Those of these hashes (-> since when somebody says now) that count from a later day as yet.

    Not what the same import has brought or named before: of one file the first word counts.
    """
    if not said:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT x.endpoint FROM unnest(%s::bytea[], %s::timestamptz[]) AS n (endpoint, since) "  # noqa: S608
            "JOIN customers_suppression x ON x.endpoint = n.endpoint "
            f"WHERE x.scope = %s AND x.ended_at IS NULL AND n.since < {FIRST} "
            "AND (x.origin_id IS NULL OR x.origin_id IS DISTINCT FROM %s::bigint) AND NOT EXISTS "
            "(SELECT FROM customers_suppressionmention o WHERE o.entry_id = x.id AND o.origin_id = %s::bigint)",
            [list(said), list(said.values()), scope, origin_id, origin_id],
        )
        return {bytes(mark) for (mark,) in cursor.fetchall()}


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

    Whoever names an endpoint that stands there is noted beside the entry: undoing the import that brought it then
    leaves it (an objection stands, Art. 21(3) GDPR).
    """
    key = key_of(channel, endpoint)
    if not key:
        return False
    entry = Entry(hasher(channel)(key), channel, scope, reason, since or timezone.now())
    with transaction.atomic():
        # Locked, so that no undo ends the entry between the look and the note.
        standing = list(_standing(channel, endpoint, scope).select_for_update().values_list("endpoint", flat=True))
        if not standing and insert([entry], origin_id=origin_id):
            return True
        marks = map(bytes, standing or [entry.endpoint])
        mention(dict.fromkeys(marks, (entry.reason, entry.since)), origin_id, scope=scope)
    return False


def suppress_many(
    endpoints: Iterable[tuple[str, str]], *, reason: str, since: datetime, scope: str = ADVERTISING
) -> int:
    """Put endpoints (channel, value) on the list as a set; answers how many are new. See `suppress`."""
    entries = {
        Entry(hasher(channel)(key), channel, scope, reason, since)
        for channel, endpoint in endpoints
        if (key := key_of(channel, endpoint))
    }
    with transaction.atomic():
        new = insert(sorted(entries))
        mention({entry.endpoint: (reason, since) for entry in entries}, None, scope=scope)
    return new


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
    # Each entry waits for its turn (migration 0021 of consents): in the order in which everybody takes turns.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_suppression (endpoint, channel, scope, reason, since, origin_id, recorded_at) "
            "SELECT n.endpoint, n.channel, n.scope, n.reason, n.since, %s, now() "
            "FROM unnest(%s::bytea[], %s::text[], %s::text[], %s::text[], %s::timestamptz[]) "
            "AS n (endpoint, channel, scope, reason, since) "
            "ORDER BY get_byte(n.endpoint, octet_length(n.endpoint) - 1), n.endpoint ON CONFLICT DO NOTHING "
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


def mention(said: Mapping[bytes, tuple[str, datetime]], origin_id: int | None, *, scope: str = ADVERTISING) -> int:
    """Note who names these endpoints too, beside the entries that others made or for another reason; how many are new.

    Of one that no import brought the word of a person goes before what only keeps mails from arriving, and an earlier
    word before a later one where the entry has the later one too. One statement; hash of the endpoint -> reason, since.
    """
    if not said:
        return 0
    reasons, since = zip(*said.values(), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_suppressionmention AS m (entry_id, reason, since, origin_id) "
            "SELECT s.id, n.reason, n.since, %s::bigint FROM unnest(%s::bytea[], %s::text[], %s::timestamptz[]) "
            "AS n (endpoint, reason, since) JOIN customers_suppression s ON s.endpoint = n.endpoint "
            "WHERE s.scope = %s AND s.ended_at IS NULL "
            "AND (s.origin_id IS DISTINCT FROM %s::bigint "
            "OR (s.origin_id IS NULL AND (s.reason <> n.reason OR n.since < s.since))) "
            "ORDER BY s.id ON CONFLICT (entry_id, origin_id) DO UPDATE SET reason = excluded.reason, "
            "since = excluded.since WHERE m.origin_id IS NULL AND excluded.reason = ANY (%s) AND (m.reason <> ALL (%s) "
            "OR (excluded.since < m.since AND EXISTS (SELECT FROM customers_suppression e "
            "WHERE e.id = m.entry_id AND e.since >= m.since AND e.reason = ANY (%s))))",
            [origin_id, list(said), list(reasons), list(since), scope, origin_id, *[sorted(WORDS_OF_PEOPLE)] * 3],
        )
        return cursor.rowcount


def undo_mentions(origin_id: int, *, keep: bool = False) -> tuple[int, list[int]]:
    """Take back what one import said, inside the caller's transaction: how many entries went, and which stay.

    An entry that others name too passes to the first of them, with its reason and date; so it does not go before
    the last mention. `keep` leaves every entry: a later list may name it that was not noted line by line.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM customers_suppression WHERE origin_id = %s ORDER BY id FOR UPDATE", [origin_id])
        own = [pk for (pk,) in cursor.fetchall()]
        cursor.execute("DELETE FROM customers_suppressionmention WHERE origin_id = %s", [origin_id])
        cursor.execute(
            "WITH heir AS (SELECT DISTINCT ON (entry_id) * FROM customers_suppressionmention WHERE entry_id = ANY(%s) "
            "ORDER BY entry_id, id), moved AS (UPDATE customers_suppression s SET origin_id = h.origin_id, "
            "reason = h.reason, since = h.since FROM heir h WHERE s.id = h.entry_id) "
            "DELETE FROM customers_suppressionmention m USING heir h WHERE m.id = h.id RETURNING m.entry_id",
            [own],
        )
        left = {pk for (pk,) in cursor.fetchall()}
        if keep:
            return 0, own
        cursor.execute("DELETE FROM customers_suppression WHERE origin_id = %s", [origin_id])
        return cursor.rowcount, [pk for pk in own if pk in left]


def end(channel: str, endpoint: str, *, scope: str = ADVERTISING) -> int:
    """A new confirmed consent for this scope ends the entry; it is kept as proof (never deleted here).

    The journal knows of the end too, so that a restore does not put back what the person has ended. One transaction.
    Raises JournalError, with nothing ended, where the journal cannot be written.
    """
    with transaction.atomic():
        standing = _standing(channel, endpoint, scope).select_for_update().order_by("pk")
        ended, at = dict(standing.values_list("pk", "endpoint")), timezone.now()
        Suppression.objects.filter(pk__in=ended).update(ended_at=at)
        said = {"scope": scope, "at": at.isoformat()}
        journal.write_many("suppression_ended", [{"endpoint": bytes(mark).hex()} | said for mark in ended.values()])
    return len(ended)


def replay_ends(payloads: Sequence[journal.Payload]) -> int:
    """End entries again that were ended after the backup; those that are younger stand. Returns how many were news."""
    ends = [
        (bytes.fromhex(str(said["endpoint"])), said["scope"], datetime.fromisoformat(str(said["at"])))
        for said in payloads
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_suppression s SET ended_at = n.at "
            "FROM unnest(%s::bytea[], %s::text[], %s::timestamptz[]) AS n (endpoint, scope, at) "
            "WHERE s.endpoint = n.endpoint AND s.scope = n.scope AND s.ended_at IS NULL AND s.since <= n.at",
            [list(column) for column in zip(*ends, strict=True)],
        )
        return cursor.rowcount


def _standing(channel: str, endpoint: str, scope: str) -> QuerySet[Suppression]:
    return Suppression.objects.filter(endpoint__in=hashes_of(channel, endpoint), scope=scope, ended_at__isnull=True)
