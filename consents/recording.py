"""The one way into the ledger: entries, what they are about, and the state that follows, in one statement."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.utils import timezone

from consents.events import CLOSING, GRANTING, WITH_ENDPOINT, Event, Kind
from consents.hashing import canonical, commitment, leaf
from consents.models import Purpose, Record
from consents.opening import OPEN
from consents.reacting import changed
from customers.suppression import hasher, key_of
from datamap import journal
from datamap.preparing import ask
from datamap.workdays import add_months
from vault.keyring import keyring

AT_ONCE = 20
"""So many events travel with their statement; more are staged by COPY first."""
_ENDPOINT: Any = Record._meta.get_field("endpoint")
_INDEX: Any = Record._meta.get_field("endpoint_index")
_PROOF: Any = Record._meta.get_field("proof")
_KINDS = frozenset(Kind.values) - {Kind.ERASED.value}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotRecorded(ValueError):
    """An event that cannot stand in the ledger: unknown purpose or kind, a channel it does not have."""


class NobodyThere(LookupError):
    """The customer of an event is not there: who was erased gets no new entries."""


COLUMNS = {
    "uuid": "uuid",
    "ts": "timestamptz",
    "kind": "text",
    "purpose": "text",
    "text_sha256": "text",
    "actor_ref": "text",
    "ref_id": "uuid",
    "commitment": "bytea",
    "leaf": "bytea",
    "customer_id": "int8",
    "channel": "text",
    "endpoint": "bytea",
    "endpoint_index": "bytea",
    "mark": "bytea",
    "source": "text",
    "since": "timestamptz",
    "late": "bool",
    "confirmed": "bool",
    "proof": "bytea",
}
_CUSTOMER, _INDEXED, _AT = (list(COLUMNS).index(name) for name in ("customer_id", "endpoint_index", "since"))
_NAMES = ", ".join(COLUMNS)
_ONE = "SELECT " + ", ".join(f"%s{'' if kind == 'text' else f'::{kind}'} {name}" for name, kind in COLUMNS.items())
_GIVEN = f"SELECT * FROM unnest({', '.join(f'%s::{kind}[]' for kind in COLUMNS.values())}) AS g ({_NAMES})"  # noqa: S608
_STAGE = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS consents_staged ({", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())})
    ON COMMIT DELETE ROWS
"""
_CLOSING = ", ".join(f"'{kind.value}'" for kind in sorted(CLOSING))
_GRANTING = ", ".join(f"'{kind.value}'" for kind in sorted(GRANTING))
_SAME = (
    "r.customer_id = g.customer_id AND r.purpose_id = g.purpose_id AND r.channel = g.channel "
    "AND r.endpoint_index IS NOT DISTINCT FROM g.endpoint_index"
)
# Whoever writes about a customer waits for whoever restricts, erases or merges them, and the other way round; what is
# read about them is read afterwards, by the next statement.
_LOCK = "SELECT id FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
_RECORD = """
WITH g AS (
    SELECT nextval('consents_entry_id_seq') AS entry_id, s.*, p.id AS purpose_id, t.state IN ({closing}) AS closed,
        t.since AS closed_at, s.kind IN ({closing}) AS closes, s.kind IN ({granting}) AS gives,
        s.since + make_interval(months => p.stale_months) AS fresh, {open} AS open
    FROM {given} s JOIN customers_customer c ON c.id = s.customer_id
    JOIN consents_purpose p ON p.key = s.purpose AND (s.channel = ANY (p.channels) OR s.kind IN ({closing}))
    LEFT JOIN customers_summary k ON k.customer_id = s.customer_id
    LEFT JOIN consents_state t ON t.customer_id = s.customer_id AND t.purpose_id = p.id AND t.channel = s.channel
        AND t.endpoint_index IS NOT DISTINCT FROM s.endpoint_index
),
entries AS (
    INSERT INTO consents_entry (id, uuid, ts, kind, purpose, text_sha256, actor_ref, ref_id, commitment, leaf)
    SELECT entry_id, uuid, ts, kind, purpose, text_sha256, actor_ref, ref_id, commitment, leaf FROM g
),
waiting AS (INSERT INTO consents_unsealed (entry_id) SELECT entry_id FROM g),
records AS (
    INSERT INTO consents_record (entry_id, customer_id, purpose_id, kind, channel, endpoint, endpoint_index, source,
        occurred_at, late, confirmed, proof, ended_at, used_at)
    SELECT entry_id, customer_id, purpose_id, kind, channel, endpoint, endpoint_index, source, since, late, confirmed,
        proof,
        CASE WHEN closes OR kind = 'requested' THEN since WHEN late AND closed AND closed_at > since THEN closed_at END,
        CASE WHEN gives OR kind IN ('requested', 'noticed') THEN since WHEN closes AND channel = 'phone'
            THEN coalesce((SELECT max(r.used_at) FROM consents_record r WHERE {same}), since) END
    FROM g
),
ended AS (
    UPDATE consents_record r SET ended_at = greatest(g.since, r.occurred_at)
    FROM g WHERE g.closes AND {same} AND r.ended_at IS NULL AND (NOT g.late OR r.occurred_at <= g.since)
),
states AS (
    INSERT INTO consents_state AS t (customer_id, purpose_id, channel, endpoint, endpoint_index, mark, state, since,
        late, confirmed, source, entry_id, granted, open, fresh_until)
    SELECT customer_id, purpose_id, channel, endpoint, endpoint_index, mark, kind, since, late, confirmed, source,
        entry_id, gives OR kind = 'noticed', open, CASE WHEN gives OR kind = 'noticed' THEN fresh END
    FROM g
    ON CONFLICT (customer_id, purpose_id, channel, endpoint_index) DO UPDATE SET
        endpoint = excluded.endpoint, mark = excluded.mark, state = excluded.state,
        since = greatest(t.since, excluded.since), late = excluded.late, confirmed = excluded.confirmed,
        source = excluded.source, entry_id = excluded.entry_id, granted = excluded.granted, open = excluded.open,
        fresh_until = excluded.fresh_until
    WHERE (NOT excluded.late OR excluded.since >= t.since OR excluded.granted AND t.state IN ('requested', 'noticed'))
        AND (excluded.state NOT IN ('noticed', 'requested') OR t.state IN ('requested', excluded.state))
)
SELECT uuid, entry_id FROM g
"""


def _statement(given: str) -> str:
    statement = _RECORD.format(given=given, closing=_CLOSING, granting=_GRANTING, open=OPEN.format(s="s"), same=_SAME)
    # psycopg keeps what it read of statements of up to 4,096 signs.
    return " ".join(statement.split()).replace(", ", ",")


_SINGLE, _FEW, _MANY = _statement(f"({_ONE})"), _statement(f"({_GIVEN})"), _statement("consents_staged")


def record(event: Event) -> int:
    """Write one event; answers the id of its entry. See `record_many`."""
    return record_many([event])[0]


def record_many(events: Sequence[Event]) -> list[int]:
    """Write events and the states that follow from them, in the caller's transaction; answers their entries' ids.

    A statement for each set of events of different consents, whatever their number. Raises NotRecorded for an event
    that does not fit its purpose, NobodyThere where a customer is not there; then nothing is written.
    """
    found = [0] * len(events)
    with transaction.atomic():
        for wave in _waves(events):
            rows = made_rows([events[place] for place in wave])
            ids = {row[_CUSTOMER] for row in rows}
            if len(ask(_LOCK, [list(ids)])) < len(ids):
                raise NobodyThere("Somebody whom this is about is not there any more.")
            _follow_index_key([events[place] for place in wave])
            written = _write(rows)
            if len(written) < len(rows):
                _refuse_purposes(events)
            for place, row in zip(wave, rows, strict=True):
                found[place] = written[row[0]]
            _note_in_journal([events[place] for place in wave], rows)
        changed(events)
    return found


def _follow_index_key(events: Sequence[Event]) -> None:
    """While the index key changes, what is known of these endpoints is found under the new one first."""
    if len(keyring().of_kind("index")) < 2:
        return
    moved = [
        (event.customer_id, old, _INDEX.blind(event.endpoint))
        for event in events
        if event.endpoint
        for old in _INDEX.candidates(event.endpoint)
    ]
    moved = [one for one in moved if one[1] != one[2]]
    with connection.cursor() as cursor:
        for table in ("consents_state", "consents_record") if moved else ():
            cursor.execute(
                f"UPDATE {table} t SET endpoint_index = n.new "  # noqa: S608
                "FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[]) AS n (customer_id, old, new) "
                "WHERE t.customer_id = n.customer_id AND t.endpoint_index = n.old",
                [list(column) for column in zip(*moved, strict=True)],
            )


def _note_in_journal(events: Sequence[Event], rows: Sequence[tuple[Any, ...]]) -> None:
    """Every no outlives a restore: ids and a keyed hash, outside the database."""
    journal.write_many(
        "consent_withdrawal",
        [
            {
                "customer": event.customer_id,
                "purpose": event.purpose,
                "channel": event.channel,
                "endpoint": row[_INDEXED].hex() if row[_INDEXED] else "",
                "at": row[_AT].isoformat(),
                "source": event.source,
            }
            for event, row in zip(events, rows, strict=True)
            if event.kind in (Kind.WITHDRAWN, Kind.REFUSED)
        ],
    )


def _waves(events: Sequence[Event]) -> list[list[int]]:
    """Places of events, in sets in which each consent occurs once: what happens to one follows what happened before."""
    waves: list[list[int]] = []
    seen: dict[tuple[Any, ...], int] = {}
    for place, event in enumerate(events):
        wave = seen[event.chain] = seen.get(event.chain, -1) + 1
        if wave == len(waves):
            waves.append([])
        waves[wave].append(place)
    return waves


def _refuse_purposes(events: Sequence[Event]) -> NoReturn:
    """Say which purpose or channel it is that nothing was found for."""
    channels = dict(Purpose.objects.values_list("key", "channels"))
    for event in events:
        if event.purpose not in channels:
            raise NotRecorded(f"There is no purpose {event.purpose}.")
        if event.channel not in channels[event.purpose] and event.kind not in CLOSING:
            raise NotRecorded(f"The purpose {event.purpose} does not use the channel {event.channel}.")
    raise NotRecorded("A purpose was changed meanwhile.")


def made_rows(events: Sequence[Event]) -> list[tuple[Any, ...]]:
    """What is stored of each event: hashed, sealed, in the order of `COLUMNS`. Raises NotRecorded."""
    now = timezone.now()
    marks = {channel: hasher(channel) for channel in {event.channel for event in events if event.endpoint}}
    salts = os.urandom(32 * len(events))
    rows = []
    for n, event in enumerate(events):
        _refuse_unfit(event)
        rows.append(_row(event, now, salts[32 * n : 32 * n + 32], marks))
    return rows


def _refuse_unfit(event: Event) -> None:
    if event.kind not in _KINDS:
        raise NotRecorded(f"{event.kind} is nothing that happens to a consent.")
    if bool(event.endpoint) != (event.channel in WITH_ENDPOINT):
        raise NotRecorded(f"A consent on the channel {event.channel} is about one endpoint, and no other is.")
    if event.at is not None and event.at.tzinfo is None:
        raise NotRecorded("An instant carries its zone.")


def _row(event: Event, now: datetime, salt: bytes, marks: dict[str, Callable[[str], bytes]]) -> tuple[Any, ...]:
    at = event.at or now
    number = uuid4()
    payload = canonical(payload_of(event, at))
    committed = commitment(salt, payload)
    wording = event.wording.sha256 if event.wording else ""
    clear = clear_fields(number, now, event.kind, event.purpose, wording, event.actor, event.ref)
    endpoint = event.endpoint
    key = key_of(event.channel, endpoint) if endpoint else None
    return (
        number, now, event.kind, event.purpose, wording, event.actor, event.ref, committed, leaf(clear, committed),
        event.customer_id, event.channel, _ENDPOINT.seal(endpoint) if endpoint else None,
        _INDEX.blind(endpoint) if endpoint else None, marks[event.channel](key) if key else None, event.source, at,
        event.late, event.confirmed, _PROOF.seal(salt.hex() + payload.decode()),
    )  # fmt: skip


def payload_of(event: Event, at: datetime) -> dict[str, Any]:
    """What an entry commits to, as it is sealed, shown and given to the person."""
    said: dict[str, Any] = {
        "at": instant(at),
        "channel": event.channel,
        "customer": event.number,
        "endpoint": event.endpoint,
        "late": event.late,
        "confirmed": event.confirmed,
        "source": event.source,
        "evidence": dict(event.evidence),
    }
    if event.wording:
        said["wording"] = {"name": event.wording.name, "language": event.wording.language}
    return said


def clear_fields(
    number: UUID, ts: datetime, kind: str, purpose: str, sha256: str, actor: str, ref: UUID | None
) -> list[Any]:
    """The clear fields of an entry in the order in which its leaf holds them."""
    return [number.hex, micros(ts), kind, purpose, sha256, actor, ref.hex if ref else ""]


def micros(at: datetime) -> int:
    """An instant as microseconds since 1970: the form without zones in which it is hashed."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def instant(at: datetime) -> str:
    """An instant as text, in UTC to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def months_later(at: datetime, months: int) -> datetime:
    """The same moment that many months on, clipped to the last day of the month."""
    day = add_months(at.date(), months)
    return at.replace(year=day.year, month=day.month, day=day.day)


def _write(rows: list[tuple[Any, ...]]) -> dict[UUID, int]:
    if len(rows) == 1:
        return dict(ask(_SINGLE, rows[0]))
    if len(rows) <= AT_ONCE:
        return dict(ask(_FEW, [list(column) for column in zip(*rows, strict=True)]))
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        cursor.execute("TRUNCATE consents_staged")
        with cursor.copy(f"COPY consents_staged ({_NAMES}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(list(COLUMNS.values()))
            for row in rows:
                copy.write_row(row)
        cursor.execute("ANALYZE consents_staged")
        cursor.execute(_MANY)
        return dict(cursor.fetchall())
