"""Takes back what an import said: consents that it brought go from the ledger's records; whatever it ended stays ended.

A file that was the wrong one proves nothing, so its records go as at an erasure, and the entries say so. A withdrawal
stays, whoever told of it, and so does a consent on which something later rests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from consents import intake
from consents.folding import Told, fold
from consents.models import Record, State
from consents.rebuilding import fresh_until
from customers import optins
from customers import undoing as imports

# Of the batch, a yes, and nothing that others said came after it in its consent.
_SAID = """
SELECT r.entry_id, r.customer_id, r.purpose_id, r.channel, r.endpoint_index
FROM consents_entry e JOIN consents_record r ON r.entry_id = e.id
WHERE e.ref_id = %s AND r.customer_id = ANY(%s) AND r.kind IN ('given', 'renewed') AND NOT EXISTS (
    SELECT 1 FROM consents_record n JOIN consents_entry ne ON ne.id = n.entry_id
    WHERE n.customer_id = r.customer_id AND n.purpose_id = r.purpose_id AND n.channel = r.channel
    AND n.endpoint_index IS NOT DISTINCT FROM r.endpoint_index AND n.entry_id > r.entry_id
    AND ne.ref_id IS DISTINCT FROM e.ref_id)
"""
_BEFORE = """
SELECT s.id, r.entry_id, r.kind, r.occurred_at, r.late, r.confirmed, r.source, coalesce(r.fresh_from, r.used_at),
    p.stale_months
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bytea[]) AS c (customer_id, purpose_id, channel, endpoint_index)
JOIN consents_state s ON s.customer_id = c.customer_id AND s.purpose_id = c.purpose_id AND s.channel = c.channel
    AND s.endpoint_index IS NOT DISTINCT FROM c.endpoint_index
JOIN consents_purpose p ON p.id = c.purpose_id
LEFT JOIN consents_record r ON r.customer_id = c.customer_id AND r.purpose_id = c.purpose_id AND r.channel = c.channel
    AND r.endpoint_index IS NOT DISTINCT FROM c.endpoint_index AND r.entry_id <> ALL (%s)
ORDER BY s.id, r.entry_id
"""
_RESTATE = """
UPDATE consents_state s SET state = n.state, since = n.since, late = n.late, confirmed = n.confirmed,
    source = n.source, entry_id = n.entry, granted = n.granted, fresh_until = n.fresh
FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::boolean[], %s::boolean[], %s::text[], %s::bigint[],
    %s::boolean[], %s::timestamptz[]) AS n (id, state, since, late, confirmed, source, entry, granted, fresh)
WHERE s.id = n.id
"""


class _Before(NamedTuple):
    """A state that rested on a record which goes, with one of the records before it; none where there is none."""

    state: int
    entry: int | None
    kind: str
    at: datetime
    late: bool
    confirmed: bool
    source: str
    fresh_from: datetime | None
    stale_months: int | None


def register() -> None:
    """Let imports, and their undoing, speak with the ledger; called from the app's `ready`."""
    optins.register_ledger(LEDGER)
    imports.register(why_kept)
    for model in (State, Record):
        imports.register_side_table(model)


def touched(batch: UUID) -> set[int]:
    """Customers of whom this import told a consent."""
    return {pk for (pk,) in _rows(
        "SELECT DISTINCT r.customer_id FROM consents_entry e JOIN consents_record r ON r.entry_id = e.id "
        "WHERE e.ref_id = %s AND r.customer_id IS NOT NULL", [batch])}  # fmt: skip


def why_kept(batch: UUID, ids: Sequence[int]) -> Mapping[int, str]:
    """Of customers that an import made those whose consents somebody else has told of since."""
    found = _rows(
        "SELECT DISTINCT r.customer_id FROM consents_record r JOIN consents_entry e ON e.id = r.entry_id "
        "WHERE r.customer_id = ANY(%s) AND e.ref_id IS DISTINCT FROM %s",
        [list(ids), batch],
    )
    return dict.fromkeys((pk for (pk,) in found), _("has told of consents since"))


def take_back(batch: UUID, gone: Sequence[int], restored: Sequence[int]) -> None:
    """Remove what a batch said about these, as sets, in the caller's transaction; states follow what is left."""
    said = _rows(_SAID, [batch, [*gone, *restored]])
    if not said:
        return
    _restate([row[0] for row in said], [row[1:] for row in said])
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('obhut.erasing', true)")
        before = cursor.fetchone()[0] or "off"
        cursor.execute("SET LOCAL obhut.erasing = 'on'")
        cursor.execute("DELETE FROM consents_record WHERE entry_id = ANY(%s)", [[row[0] for row in said]])
        cursor.execute("SELECT set_config('obhut.erasing', %s, true)", [before])


def _restate(leaving: Sequence[int], consents: Sequence[tuple[Any, ...]]) -> None:
    """Have the states of these consents say what remains without the leaving records; without any they go."""
    records: dict[int, list[_Before]] = {}
    for row in _rows(_BEFORE, [*(list(column) for column in zip(*consents, strict=True)), list(leaving)]):
        found = _Before._make(row)
        records.setdefault(found.state, []).append(found)
    empty = [state for state, rows in records.items() if rows[0].entry is None]
    rest = [_row(state, rows) for state, rows in records.items() if rows[0].entry is not None]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM consents_state WHERE id = ANY(%s)", [empty])
        if rest:
            cursor.execute(_RESTATE, [list(column) for column in zip(*rest, strict=True)])
            cursor.execute("SELECT consents_refresh(%s)", [sorted({row[0] for row in consents})])


def _row(state: int, rows: Sequence[_Before]) -> tuple[Any, ...]:
    standing = fold(Told(int(row.entry or 0), row.kind, row.at, row.late, row.confirmed) for row in rows)
    assert standing is not None
    own = next(row for row in rows if row.entry == standing.entry)
    fresh = fresh_until(standing, own)
    return (state, standing.kind, standing.since, standing.late, standing.confirmed, own.source, standing.entry,
            standing.granted, fresh)  # fmt: skip


def _rows(statement: str, params: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


LEDGER = optins.Ledger(
    judge=intake.judge,
    take=intake.take,
    overtaken=intake.overtaken,
    unsubscribed=intake.unsubscribed,
    touched=touched,
    take_back=take_back,
)
