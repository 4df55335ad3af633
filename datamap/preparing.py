"""Asks what every page asks in the same words, so that the server plans it once for each connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor


def ask(statement: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """All rows of a statement whose values travel beside it, not in it; counted like any other query.

    Only for statements whose best plan is the same whatever the values are: planning a page of a list takes longer than
    reading it. Where PREPARE_AFTER is not set nothing is kept, and the answer is the same.
    """
    connection.ensure_connection()
    handle: Any = ServerBindingCursor(connection.connection)  # type: ignore[call-arg]
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrap(handle) as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()
