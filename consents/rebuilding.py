"""Builds the states anew from the ledger, or says where they differ: one stream over all records, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection, transaction

from consents.events import Event, Kind, Source
from consents.folding import Standing, Told, fold
from consents.models import Record, State
from consents.opening import OPEN
from consents.reacting import changed
from consents.recording import months_later
from consents.verifying import Progress
from customers.models import Customer
from customers.suppression import hasher, key_of

PAGE = 5_000
_STREAM = """
SELECT r.customer_id, r.purpose_id, r.channel, r.endpoint_index, r.entry_id, r.kind, r.occurred_at, r.late,
    r.confirmed, coalesce(r.fresh_from, r.used_at), p.stale_months, s.id, s.state, s.since, s.entry_id, s.late,
    s.confirmed, s.granted, s.fresh_until
FROM consents_record r JOIN consents_purpose p ON p.id = r.purpose_id
LEFT JOIN consents_state s ON s.customer_id = r.customer_id AND s.purpose_id = r.purpose_id
    AND s.channel = r.channel AND s.endpoint_index IS NOT DISTINCT FROM r.endpoint_index
WHERE r.customer_id IS NOT NULL
ORDER BY r.customer_id, r.purpose_id, r.channel, r.endpoint_index, r.entry_id
"""
_SURPLUS = """
FROM consents_state s WHERE NOT EXISTS (
    SELECT 1 FROM consents_record r WHERE r.customer_id = s.customer_id AND r.purpose_id = s.purpose_id
    AND r.channel = s.channel AND r.endpoint_index IS NOT DISTINCT FROM s.endpoint_index)
-- A no outlives its proof.
AND NOT (s.state IN ('refused', 'withdrawn', 'revoked', 'expired', 'invalidated')
    AND EXISTS (SELECT 1 FROM consents_erasedrecord g WHERE g.entry_id = s.entry_id))
"""
_NOT_OPEN = f"""
FROM consents_state s JOIN customers_customer c ON c.id = s.customer_id
JOIN consents_purpose p ON p.id = s.purpose_id LEFT JOIN customers_summary k ON k.customer_id = s.customer_id
WHERE s.open <> {OPEN.format(s="s")}
"""
_WRITE = """
INSERT INTO consents_state AS t (customer_id, purpose_id, channel, endpoint, endpoint_index, mark, state, since, late,
    confirmed, source, entry_id, granted, open, fresh_until)
SELECT r.customer_id, r.purpose_id, r.channel, r.endpoint, r.endpoint_index, n.mark, r.kind, n.since, r.late,
    r.confirmed, r.source, r.entry_id, n.granted, false, n.fresh_until
FROM unnest(%s::bigint[], %s::timestamptz[], %s::boolean[], %s::timestamptz[], %s::bytea[])
    AS n (entry_id, since, granted, fresh_until, mark) JOIN consents_record r USING (entry_id)
ON CONFLICT (customer_id, purpose_id, channel, endpoint_index) DO UPDATE SET
    mark = excluded.mark, state = excluded.state, since = excluded.since, late = excluded.late,
    confirmed = excluded.confirmed, source = excluded.source, entry_id = excluded.entry_id,
    granted = excluded.granted, fresh_until = excluded.fresh_until
"""


@dataclass
class Comparison:
    """How many consents the ledger knows, and how many states were missing, wrong, too many, or wrongly open."""

    consents: int = 0
    missing: int = 0
    wrong: int = 0
    surplus: int = 0
    wrongly_open: int = 0

    @property
    def ok(self) -> bool:
        """Whether the states say what the ledger says."""
        return not (self.missing or self.wrong or self.surplus or self.wrongly_open)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self) | {"ok": self.ok}


class _Row(NamedTuple):
    customer: int
    purpose: int
    channel: str
    endpoint_index: Any
    entry: int
    kind: str
    at: datetime
    late: bool
    confirmed: bool
    fresh_from: datetime | None
    stale_months: int | None
    state_id: int | None
    state: str | None
    since: datetime | None
    state_entry: int | None
    state_late: bool | None
    state_confirmed: bool | None
    granted: bool | None
    fresh_until: datetime | None


class _Due(NamedTuple):
    """One state as it has to be."""

    entry: int
    since: datetime
    granted: bool
    fresh_until: datetime | None


def compare_states(progress: Progress = lambda records: None) -> Comparison:
    """Where states and ledger differ; nothing is written. `progress` hears of how many more records were read."""
    found = Comparison()
    with transaction.atomic():
        for _due in _differing(found, progress):
            pass
        found.surplus = _count("SELECT count(*)" + _SURPLUS)
        found.wrongly_open = _count("SELECT count(*)" + _NOT_OPEN)
    return found


def rebuild_states(progress: Progress = lambda records: None) -> Comparison:
    """Have the states say what the ledger says; answers what had to be changed. One transaction.

    Whoever reacts to consents hears of each that was changed: where it is a no now, what was kept under the yes goes.
    """
    found = Comparison()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE consents_state IN SHARE ROW EXCLUSIVE MODE")
        waiting = list[_Due]()
        for due in _differing(found, progress):
            waiting.append(due)
            if len(waiting) == PAGE:
                _write(waiting)
                waiting.clear()
        _write(waiting)
        found.surplus = _drop_surplus()
        found.wrongly_open = _count("SELECT count(*)" + _NOT_OPEN)
        _count("SELECT count(consents_refresh(ARRAY(SELECT s.customer_id" + _NOT_OPEN + ")))")  # noqa: S608
    return found


def _drop_surplus() -> int:
    """Delete states of which the ledger knows nothing, a page at a time; answers how many went."""
    gone = 0
    with connection.connection.cursor(name="consents_surplus", binary=True) as cursor:
        cursor.itersize = PAGE
        cursor.execute("SELECT s.id " + _SURPLUS)
        while rows := cursor.fetchmany(PAGE):
            surplus = State.objects.filter(pk__in=[pk for (pk,) in rows])
            events = [
                _event(Kind.INVALIDATED, one.customer, one.purpose.key, one.channel, one.endpoint)
                for one in surplus.select_related("purpose", "customer")
            ]
            gone += surplus.delete()[0]
            changed(events)
    return gone


def _differing(found: Comparison, progress: Progress) -> Iterator[_Due]:
    for _chain, group in groupby(_stream(progress), key=lambda row: row[:4]):
        rows = list(group)
        found.consents += 1
        told = (Told(row.entry, row.kind, row.at, row.late, row.confirmed) for row in rows)
        standing = fold(told)
        assert standing is not None
        row = next(row for row in rows if row.entry == standing.entry)
        due = _Due(standing.entry, standing.since, standing.granted, fresh_until(standing, row))
        if row.state_id is None:
            found.missing += 1
        elif _says(row) != (standing, due.granted, due.fresh_until):
            found.wrong += 1
        else:
            continue
        yield due


def _says(row: _Row) -> tuple[Standing, bool | None, datetime | None]:
    said: Any = (row.state, row.since, row.state_entry, row.state_late, row.state_confirmed)
    return Standing(*said), row.granted, row.fresh_until


def fresh_until(standing: Standing, row: Any) -> datetime | None:
    """Until when a yes holds without being used again; None where it does not become stale."""
    if not standing.granted or not row.stale_months:
        return None
    return months_later(row.fresh_from or row.at, row.stale_months)


def _stream(progress: Progress) -> Iterator[_Row]:
    connection.ensure_connection()
    with connection.connection.cursor(name="consents_rebuilding", binary=True) as cursor:
        cursor.itersize = PAGE
        cursor.execute(_STREAM)
        while rows := cursor.fetchmany(PAGE):
            yield from map(_Row._make, rows)
            progress(len(rows))


def _write(due: list[_Due]) -> None:
    if not due:
        return
    records = Record.objects.select_related("purpose", "customer").in_bulk([one.entry for one in due])
    marks = [_mark(records[one.entry].channel, records[one.entry].endpoint) for one in due]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [*(list(column) for column in zip(*due, strict=True)), marks])
        cursor.execute("SELECT consents_refresh(%s)", [[one.customer_id for one in records.values()]])
    own = [records[one.entry] for one in due]
    # With the state in place, as after each event: a no that was found again is carried out like a new one.
    changed([_event(one.kind, one.customer, one.purpose.key, one.channel, one.endpoint) for one in own if one.customer])


def _event(kind: str, customer: Customer, purpose: str, channel: str, endpoint: str | None) -> Event:
    return Event(kind, customer.pk, customer.number, purpose, channel, endpoint or "", source=Source.SYSTEM)


def _mark(channel: str, endpoint: str | None) -> bytes | None:
    key = key_of(channel, endpoint) if endpoint else None
    return hasher(channel)(key) if key else None


def _count(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]
