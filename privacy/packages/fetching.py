"""Reads statements in steps, each ordered before it is wanted: the server makes it while others are worked with.

One connection does one thing at a time: whatever else Django executes on it first waits for what was ordered.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from itertools import count
from types import TracebackType
from typing import Any

import psycopg
from django.db import connection

_numbers = count()


class Ahead:
    """What was ordered on the connection and has not been taken in. Inside a transaction."""

    def __init__(self) -> None:
        connection.ensure_connection()
        self.handle: psycopg.Connection[Any] = connection.connection
        self._mode = ExitStack()
        self._is_open = False
        self.settled = 0
        """How often everything was waited for."""
        self._others = connection.execute_wrapper(self._before_others)

    def __enter__(self) -> Ahead:
        self._others.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, at: TracebackType | None
    ) -> None:
        self._others.__exit__(kind, raised, at)
        self._leave(kind, raised, at)

    def send(self, cursor: psycopg.Cursor[Any], statement: str, params: Sequence[Any] | None = None, **kw: Any) -> None:
        """Order what this statement answers. Raises what the database raises, as soon as a lost connection shows."""
        with connection.wrap_database_errors:
            if not self._is_open:
                self._mode.enter_context(self.handle.pipeline())
                self._is_open = True
            cursor.execute(statement, params, prepare=False, **kw)
            self.handle.pgconn.flush()

    def make_room(self) -> None:
        """Empty the socket, which holds little, into memory: the server goes on where it was full.

        Raises as `send`."""
        if self._is_open:
            with connection.wrap_database_errors:
                self.handle.pgconn.consume_input()

    def settle(self) -> None:
        """Wait for everything that was ordered. Raises what the database raises."""
        self._leave(None, None, None)

    def _leave(self, *raised: Any) -> None:
        self.settled += 1
        self._is_open = False
        with connection.wrap_database_errors:
            self._mode.__exit__(*raised)

    def _before_others(self, execute: Any, *given: Any) -> Any:
        self.settle()
        return execute(*given)


class Steps:
    """The rows of one statement, step by step."""

    def __init__(self, ahead: Ahead, statement: str, params: Sequence[Any]) -> None:
        self._ahead = ahead
        self._name = f"package_{next(_numbers)}"
        self._cursor = psycopg.Cursor(ahead.handle)
        self.ordered = 0
        # The parameters stand in it, as in what Django asks: PostgreSQL plans with them, and asks for no types.
        cursor = psycopg.ClientCursor(ahead.handle)
        ahead.send(cursor, f"DECLARE {self._name} NO SCROLL CURSOR FOR {statement}", params)

    def order(self, rows: int) -> None:
        """Have the next ones made, so many at most."""
        self.ordered, self._since = rows, self._ahead.settled
        # Sealed values come as they are, not in figures twice as long that have to be read first.
        self._ahead.send(self._cursor, f"FETCH {rows} FROM {self._name}", binary=True)

    def take(self) -> list[tuple[Any, ...]]:
        """Those that were ordered, none at the end. Raises what the database raises."""
        if self._since == self._ahead.settled:
            self._ahead.settle()
        return self._cursor.fetchall()

    def end(self) -> None:
        """No more are wanted; without this it ends with the transaction."""
        self._ahead.send(psycopg.Cursor(self._ahead.handle), f"CLOSE {self._name}")
