"""Asks what is asked in the same words for every page, so that the server plans it once for each connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor


@contextmanager
def prepared_cursor() -> Iterator[Any]:
    """A cursor that sends the values beside the statement instead of in it; logged and counted like any other.

    Only for statements whose best plan is the same whatever the values are. Planning a page of the customer list takes
    longer than reading it. Where PREPARE_AFTER is not set, nothing is prepared.
    """
    connection.ensure_connection()
    handle = ServerBindingCursor(connection.connection)
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrap(handle) as cursor:
        yield cursor
