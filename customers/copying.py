"""How rows of customers reach their tables as sets: ids beforehand, binary COPY, single statements."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection

# Binary COPY: bytes need no hexadecimal detour, and the server parses nothing. Columns not named here are text.
_TYPES = {
    **dict.fromkeys(("id", "customer_id", "origin_id"), "int8"),
    **dict.fromkeys(("birthday_day", "birthday_month"), "int2"),
    **dict.fromkeys(("version", "orders", "open_complaints"), "int4"),
    **dict.fromkeys(("registered_at", "created_at", "last_activity"), "timestamptz"),
    **dict.fromkeys(("is_primary", "is_default", "reachable"), "bool"),
    "revenue": "numeric",
}
_BYTES = frozenset(["street", "street_index", "whole_index", "part_index", "match_index", "text_index"])
_SEALED = {("customers_contactpoint", "value"), ("customers_note", "text")}


def _type(table: str, column: str) -> str:
    if column in _BYTES or (table, column) in _SEALED:
        return "bytea"
    return _TYPES.get(column, "text")


def new_ids(table: str, count: int) -> list[int]:
    """So many ids that nobody has yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count])
        return [id_ for (id_,) in cursor.fetchall()]


def copy(table: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Write these rows by binary COPY."""
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    # COPY speaks to psycopg itself: without the wrapper a lost database would look like an unknown fault.
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as stream:
        stream.set_types([_type(table, column) for column in columns])
        write = stream.write_row
        for row in rows:
            write(row)


def run(query: str, *params: Any) -> None:
    """One statement whose answer nobody needs."""
    with connection.cursor() as cursor:
        cursor.execute(query, list(params))
