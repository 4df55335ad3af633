"""The one way into the ledger: entries, what they are about, and the state that follows, in one statement."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.utils import timezone

from consents.events import CLOSING, GRANTING, WITH_ENDPOINT, Event, Kind
from consents.hashing import canonical, commitment, leaf
from consents.models import Record
from consents.opening import OPEN
from customers.suppression import hasher, key_of
from datamap.preparing import ask
from datamap.workdays import add_months

AT_ONCE = 20
"""So many events travel with their statement; more are staged by COPY first."""
# Planning takes four times as long as writing, and one plan is right for every event; it holds until the event is
# written, and travels with questions that are asked anyway.
_ONE_PLAN = "set_config('plan_cache_mode', 'force_generic_plan', true)"
_ANY_PLAN = "set_config('plan_cache_mode', 'auto', true)"
_ENDPOINT: Any = Record._meta.get_field("endpoint")
_INDEX: Any = Record._meta.get_field("endpoint_index")
_PROOF: Any = Record._meta.get_field("proof")
_KINDS = frozenset(Kind.values) - {Kind.ERASED.value}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotRecorded(ValueError):
    """An event that cannot stand in the ledger: unknown purpose, a channel it does not have, no wording."""


class NobodyThere(LookupError):
    """The customer of an event is not there: who was erased gets no new entries."""


COLUMNS = {
    "n": "int4",
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
    "purpose_id": "int8",
    "channel": "text",
    "endpoint": "bytea",
    "endpoint_index": "bytea",
    "mark": "bytea",
    "source": "text",
    "since": "timestamptz",
    "late": "bool",
    "confirmed": "bool",
    "proof": "bytea",
    "fresh_until": "timestamptz",
}
_NAMES = ", ".join(COLUMNS)
_ONE = "SELECT " + ", ".join(f"%s::{kind} AS {name}" for name, kind in COLUMNS.items())
_GIVEN = f"SELECT * FROM unnest({', '.join(f'%s::{kind}[]' for kind in COLUMNS.values())}) AS g ({_NAMES})"  # noqa: S608
_STAGE = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS consents_staged ({", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())})
    ON COMMIT DELETE ROWS
"""
_CLOSING = ", ".join(f"'{kind.value}'" for kind in sorted(CLOSING))
_GRANTING = ", ".join(f"'{kind.value}'" for kind in sorted(GRANTING))
_SAME = (
    "{a}.customer_id = {b}.customer_id AND {a}.purpose_id = {b}.purpose_id AND {a}.channel = {b}.channel "
    "AND {a}.endpoint_index IS NOT DISTINCT FROM {b}.endpoint_index"
)
# Whoever writes about a customer waits for whoever restricts, erases or merges them, and the other way round.
_RECORD = """
WITH given AS MATERIALIZED ({given}),
people AS MATERIALIZED (
    SELECT c.id, c.restricted_at, c.deactivated_at FROM customers_customer c
    WHERE c.id IN (SELECT customer_id FROM given) ORDER BY c.id FOR NO KEY UPDATE
),
known AS MATERIALIZED (SELECT g.* FROM given g JOIN people c ON c.id = g.customer_id),
entries AS (
    INSERT INTO consents_entry (uuid, ts, kind, purpose, text_sha256, actor_ref, ref_id, commitment, leaf)
    SELECT uuid, ts, kind, purpose, text_sha256, actor_ref, ref_id, commitment, leaf FROM known ORDER BY n
    RETURNING id, uuid
),
waiting AS (INSERT INTO consents_unsealed (entry_id) SELECT id FROM entries),
told AS MATERIALIZED (
    SELECT e.id AS entry_id, g.*, t.state AS before, t.since AS before_since
    FROM known g JOIN entries e USING (uuid) LEFT JOIN consents_state t ON {same_t_g}
),
records AS (
    INSERT INTO consents_record (entry_id, customer_id, purpose_id, kind, channel, endpoint, endpoint_index, source,
        occurred_at, late, confirmed, proof, ended_at, used_at)
    SELECT entry_id, customer_id, purpose_id, kind, channel, endpoint, endpoint_index, source, since, late, confirmed,
        proof,
        CASE WHEN kind IN ({closing}, 'requested') THEN since
             WHEN late AND before IN ({closing}) AND before_since > since THEN before_since END,
        CASE WHEN kind IN ({granting}, 'requested') THEN since
             WHEN kind IN ({closing}) AND channel = 'phone' THEN coalesce((
                SELECT max(r.used_at) FROM consents_record r WHERE {same_r_told}), since) END
    FROM told
),
ended AS (
    UPDATE consents_record r SET ended_at = g.since
    FROM told g
    WHERE g.kind IN ({closing}) AND {same_r_g} AND r.ended_at IS NULL AND r.occurred_at <= g.since
),
states AS (
    INSERT INTO consents_state AS t (customer_id, purpose_id, channel, endpoint, endpoint_index, mark, state, since,
        late, confirmed, source, entry_id, granted, open, fresh_until)
    SELECT g.customer_id, g.purpose_id, g.channel, g.endpoint, g.endpoint_index, g.mark, g.kind, g.since, g.late,
        g.confirmed, g.source, g.entry_id, g.kind IN ({granting}, 'noticed'), {open}, g.fresh_until
    FROM told g JOIN people c ON c.id = g.customer_id JOIN consents_purpose p ON p.id = g.purpose_id
    LEFT JOIN customers_summary k ON k.customer_id = g.customer_id
    ON CONFLICT (customer_id, purpose_id, channel, endpoint_index) DO UPDATE SET
        endpoint = excluded.endpoint, mark = excluded.mark, state = excluded.state,
        since = greatest(t.since, excluded.since), late = excluded.late, confirmed = excluded.confirmed,
        source = excluded.source, entry_id = excluded.entry_id, granted = excluded.granted, open = excluded.open,
        fresh_until = excluded.fresh_until
    WHERE (NOT excluded.late OR excluded.since >= t.since) AND CASE excluded.state
        WHEN 'noticed' THEN t.state IN ('noticed', 'requested')
        WHEN 'requested' THEN t.state = 'requested'
        ELSE true END
)
SELECT uuid, entry_id, {any_plan} FROM told
"""


def _statement(given: str) -> str:
    statement = _RECORD.format(
        given=given,
        any_plan=_ANY_PLAN,
        closing=_CLOSING,
        granting=_GRANTING,
        open=OPEN.format(s="g"),
        same_t_g=_SAME.format(a="t", b="g"),
        same_r_told=_SAME.format(a="r", b="told"),
        same_r_g=_SAME.format(a="r", b="g"),
    )
    # psycopg keeps what it read of statements of up to 4,096 signs.
    return " ".join(statement.split())


_SINGLE, _FEW = _statement(_ONE), _statement(_GIVEN)
_MANY = _statement(f"SELECT {_NAMES} FROM consents_staged")  # noqa: S608


@dataclass(frozen=True)
class _Use:
    """What must be known of a purpose to record something about it."""

    pk: int
    channels: frozenset[str]
    stale_months: int | None


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
            written = _write(rows)
            if len(written) < len(rows):
                raise NobodyThere("Somebody whom this is about is not there any more.")
            for place, row in zip(wave, rows, strict=True):
                found[place] = written[row[1]]
    return found


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


def _uses() -> dict[str, _Use]:
    rows = ask(f"SELECT key, id, channels, stale_months, {_ONE_PLAN} FROM consents_purpose")  # noqa: S608
    return {key: _Use(pk, frozenset(channels), months) for key, pk, channels, months, _plan in rows}


def made_rows(events: Sequence[Event]) -> list[tuple[Any, ...]]:
    """What is stored of each event: hashed, sealed, in the order of `COLUMNS`. Raises NotRecorded."""
    uses = _uses()
    now = timezone.now()
    marks = {channel: hasher(channel) for channel in {event.channel for event in events if event.endpoint}}
    salts = os.urandom(32 * len(events))
    rows = []
    for n, event in enumerate(events):
        use = uses.get(event.purpose)
        _refuse_unfit(event, use)
        assert use is not None
        rows.append(_row(n, event, use, now, salts[32 * n : 32 * n + 32], marks))
    return rows


def _refuse_unfit(event: Event, use: _Use | None) -> None:
    if use is None:
        raise NotRecorded(f"There is no purpose {event.purpose}.")
    if event.channel not in use.channels:
        raise NotRecorded(f"The purpose {event.purpose} does not use the channel {event.channel}.")
    if bool(event.endpoint) != (event.channel in WITH_ENDPOINT):
        raise NotRecorded(f"A consent on the channel {event.channel} is about one endpoint, and no other is.")
    if event.kind not in _KINDS:
        raise NotRecorded(f"{event.kind} is nothing that happens to a consent.")
    if event.at is not None and event.at.tzinfo is None:
        raise NotRecorded("An instant carries its zone.")


def _row(
    n: int, event: Event, use: _Use, now: datetime, salt: bytes, marks: dict[str, Callable[[str], bytes]]
) -> tuple[Any, ...]:
    at = event.at or now
    number = uuid4()
    payload = canonical(payload_of(event, at))
    committed = commitment(salt, payload)
    wording = event.wording.sha256 if event.wording else ""
    clear = clear_fields(number, now, event.kind, event.purpose, wording, event.actor, event.ref)
    key = key_of(event.channel, event.endpoint) if event.endpoint else None
    mark = marks[event.channel](key) if key else None
    stale = event.kind in GRANTING or event.kind == Kind.NOTICED
    fresh = months_later(at, use.stale_months) if stale and use.stale_months else None
    return (
        n, number, now, event.kind, event.purpose, wording, event.actor, event.ref, committed, leaf(clear, committed),
        event.customer_id, use.pk, event.channel, _ENDPOINT.seal(event.endpoint) if event.endpoint else None,
        _INDEX.blind(event.endpoint) if event.endpoint else None, mark, event.source, at, event.late, event.confirmed,
        _PROOF.seal(salt.hex() + payload.decode()), fresh,
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
    if len(rows) > AT_ONCE:
        written = _write_staged(rows)
    elif len(rows) == 1:
        written = ask(_SINGLE, rows[0])
    else:
        written = ask(_FEW, [list(column) for column in zip(*rows, strict=True)])
    return {number: entry for number, entry, _plan in written}


def _write_staged(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        cursor.execute("TRUNCATE consents_staged")
        with cursor.copy(f"COPY consents_staged ({_NAMES}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(list(COLUMNS.values()))
            for row in rows:
                copy.write_row(row)
        cursor.execute("ANALYZE consents_staged")
        cursor.execute(_MANY)
        return cursor.fetchall()
