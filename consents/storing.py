"""Stores entries, what they are about and the state that follows from them, in one statement whatever their number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, connections

from consents.events import CLOSING, GRANTING, UNSAID
from consents.opening import OPEN
from datamap.preparing import ask

Row = tuple[Any, ...]
"""Values in the order of `COLUMNS`."""

TURNS = 189034514
"""The class of the locks by which the list and the states take turns."""
AT_ONCE = 20
"""So many rows travel with their statement; more are staged by COPY first."""
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
CUSTOMER, INDEXED, MARK, AT = (list(COLUMNS).index(name) for name in ("customer_id", "endpoint_index", "mark", "since"))
CHAIN = tuple(list(COLUMNS).index(name) for name in ("customer_id", "purpose", "channel", "endpoint_index"))
"""Where the values stand that all events of one consent share."""
_NAMES = ", ".join(COLUMNS)
_ONE = "SELECT " + ", ".join(f"${n} AS {name}" for n, name in enumerate(COLUMNS, 1))
_GIVEN = f"SELECT * FROM unnest({', '.join(f'%s::{kind}[]' for kind in COLUMNS.values())}) AS g ({_NAMES})"  # noqa: S608
_STAGE = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS consents_staged ({", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())})
    ON COMMIT DELETE ROWS
"""
_CLOSING = ", ".join(f"'{kind.value}'" for kind in sorted(CLOSING))
_GRANTING = ", ".join(f"'{kind.value}'" for kind in sorted(GRANTING))
_UNSAID = ", ".join(f"'{kind.value}'" for kind in sorted(UNSAID))
_SAME = (
    "r.customer_id = g.customer_id AND r.purpose_id = g.purpose_id AND r.channel = g.channel "
    "AND r.endpoint_index IS NOT DISTINCT FROM g.endpoint_index"
)
# Whoever writes about a customer waits for whoever restricts, erases or merges them, and the other way round; what is
# read about them is read afterwards, by the next statement.
_LOCK = "SELECT id FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
# Whoever changes the suppression list about an address has the same lock alone (migration 0021): what the list says is
# read by the next statement and stands until the transaction ends.
_TURN = f"pg_advisory_xact_lock_shared({TURNS}, get_byte({{mark}}, octet_length({{mark}}) - 1))"
_TURN_OF_EACH = f"""
SELECT pg_advisory_xact_lock{{shared}}({TURNS}, place)
FROM (SELECT DISTINCT get_byte(m, octet_length(m) - 1) AS place FROM unnest(%s::bytea[]) AS m ORDER BY 1) p
"""  # noqa: S608 - words of ours
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
        CASE WHEN closes OR kind IN ('requested', 'lapsed') THEN since
            WHEN late AND closed AND closed_at > since THEN closed_at END,
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
    WHERE (NOT excluded.late OR excluded.since >= t.since
            OR (excluded.granted OR excluded.state IN ({closing})) AND t.state IN ({unsaid})
                AND NOT (excluded.state = 'noticed' AND t.state = 'noticed'))
        AND (excluded.state NOT IN ({unsaid}) OR t.state IN ('lapsed', excluded.state)
            OR (excluded.state, t.state) IN (('noticed', 'requested'), ('lapsed', 'noticed')))
)
SELECT uuid, entry_id FROM g
"""


_MOVE = """
UPDATE {} t SET endpoint_index = n.new FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[]) AS n (customer_id, old, new)
WHERE t.customer_id = n.customer_id AND t.endpoint_index = n.old
"""


def _statement(given: str) -> str:
    kinds = {"closing": _CLOSING, "granting": _GRANTING, "unsaid": _UNSAID}
    return _RECORD.format(given=given, open=OPEN.format(s="s"), same=_SAME, **kinds)


_FEW, _MANY = _statement(f"({_GIVEN})"), _statement("consents_staged")
_APPEND = f"SELECT consents_append({', '.join(['%s'] * len(COLUMNS))})"
# A function, so that to lock and then to read is one question: each statement in it sees what is there when it begins.
FUNCTION = f"""
CREATE OR REPLACE FUNCTION consents_append({", ".join(COLUMNS.values())}) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    appended bigint;
    turn text;
BEGIN
    PERFORM FROM customers_customer WHERE id = ${CUSTOMER + 1} FOR NO KEY UPDATE;
    -- Assigned, since an expression alone is no statement that has to be begun and ended.
    turn := {_TURN.format(mark=f"${MARK + 1}")}::text;
    {_statement(f"({_ONE})").replace("SELECT uuid, entry_id FROM g", "SELECT entry_id INTO appended FROM g")};
    RETURN appended;
END $$
"""  # noqa: S608


def store_one(row: Row) -> int | None:
    """Write one row; the id of its entry, None where its customer or its purpose is not there."""
    return ask(_APPEND, row)[0][0]


def store(rows: Sequence[Row]) -> dict[UUID, int]:
    """Write rows of different consents of customers who are locked; the ids of the entries by the rows' own ids.

    A row whose purpose is not there, or does not use its channel, is left out.
    """
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


def take_turns(marks: Collection[bytes | memoryview | None], *, alone: bool = False) -> None:
    """Have the suppression list about these addresses stay as it is until the transaction ends.

    `alone`: for whoever changes it afterwards, who waits for everybody that writes about them. Asked after customers
    are locked, as imports have it, so that two who are about one address wait in one order.
    """
    if known := [bytes(mark) for mark in marks if mark]:
        ask(_TURN_OF_EACH.format(shared="" if alone else "_shared"), [known])


def lock(customers: Collection[int]) -> int:
    """Let nobody else change what may be sent to these customers until the transaction ends; how many are there."""
    return len(ask(_LOCK, [list(customers)]))


def move_endpoints(moved: Sequence[tuple[int, bytes, bytes]]) -> None:
    """Have what is known of (customer, blind index before) found under another blind index."""
    with connection.cursor() as cursor:
        for table in ("consents_state", "consents_record") if moved else ():
            cursor.execute(_MOVE.format(table), [list(column) for column in zip(*moved, strict=True)])


def install(sender: Any = None, using: str = "default", **kwargs: Any) -> None:
    """Give the database this version of the function; called after each migration."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT to_regclass('consents_state') IS NOT NULL")
        if cursor.fetchone()[0]:
            cursor.execute(FUNCTION)
