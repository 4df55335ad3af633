"""The journal as a table of another PostgreSQL cluster, for installations on several hosts."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from datamap.chain import JournalError, Line, decode, encode, new_lines

LOCK = 0x0B447_0003
PAGE = 5000


class TableStore:
    """Lines in the table `obhut_journal`, written over a connection of its own that commits at once."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._local = threading.local()

    def __str__(self) -> str:
        info = psycopg.conninfo.conninfo_to_dict(self.url)
        return f"database {info.get('dbname', '')} on {info.get('host', 'localhost')}"

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        """The connection of this thread; raises JournalError where the cluster does not answer."""
        try:
            if not self._is_usable():
                self._local.owner = os.getpid()
                self._local.connection = psycopg.connect(self.url, autocommit=True, connect_timeout=5)
                self._make_table(self._local.connection)
            yield self._local.connection
        except psycopg.Error as error:
            self.close()
            raise JournalError(f"The journal in {self} cannot be reached ({type(error).__name__}).") from None

    def _is_usable(self) -> bool:
        """Whether this thread has a connection that is alive: over a fork it belongs to the parent, and a cluster that
        was restarted has ended it. Within a transaction nobody asks: what was lost there must fail."""
        if getattr(self._local, "owner", None) != os.getpid() or self._local.connection is None:
            return False
        connection = self._local.connection
        if connection.info.transaction_status not in (TransactionStatus.IDLE, TransactionStatus.UNKNOWN):
            return True
        try:
            connection.execute("SELECT 1")
        except psycopg.Error:
            connection.close()
            return False
        return True

    @staticmethod
    def _make_table(connection: psycopg.Connection) -> None:
        """Once, and by one process: two that find no table must not both make it."""
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            there = connection.execute("SELECT to_regclass('obhut_journal') IS NOT NULL").fetchone()
            if not (there and there[0]):
                connection.execute(
                    "CREATE TABLE obhut_journal "
                    "(seq bigint PRIMARY KEY, at timestamptz NOT NULL, kind text NOT NULL, line text NOT NULL)"
                )

    def close(self) -> None:
        """End this thread's connection."""
        if getattr(self._local, "connection", None) is not None:
            self._local.connection.close()
        self._local.connection = None

    def append(
        self,
        kind: str,
        payloads: Iterable[Mapping[str, Any]],
        *,
        xid: int = 0,
        first: Callable[[bool], int] = lambda empty: 1,
        durable: bool = True,
    ) -> list[Line]:
        """Add lines; they are committed when this returns.

        `first(whether the journal is empty)` is the lowest number they may have.
        """
        with self._connected() as connection, connection.transaction():
            if not durable:
                connection.execute("SET LOCAL synchronous_commit = off")
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            last = self.last()
            lines = new_lines(last, first(last is None), kind, payloads, xid)
            with (
                connection.cursor() as cursor,
                cursor.copy("COPY obhut_journal (seq, at, kind, line) FROM STDIN") as copy,
            ):
                for line in lines:
                    copy.write_row((line.seq, line.at, line.kind, encode(line)))
        return lines

    def last(self) -> Line | None:
        """The newest line."""
        return next(iter(self._found("ORDER BY seq DESC LIMIT 1")), None)

    def newest(self, kind: str, count: int) -> list[Line]:
        """The newest lines of this kind, newest first."""
        return self._found("WHERE kind = %s ORDER BY seq DESC LIMIT %s", kind, count)

    def find(self, seq: int) -> Line | None:
        """The line of this number."""
        return next(iter(self._found("WHERE seq = %s", seq)), None)

    def lines(self, after: int = 0) -> Iterator[Line]:
        """The lines with a number above `after`, oldest first, a page at a time."""
        while found := self._found("WHERE seq > %s ORDER BY seq LIMIT %s", after, PAGE):
            yield from found
            after = found[-1].seq

    def _found(self, condition: LiteralString, *values: object) -> list[Line]:
        with self._connected() as connection:
            found = connection.execute(sql.SQL("SELECT line FROM obhut_journal ") + sql.SQL(condition), values)
            return [decode(text) for (text,) in found.fetchall()]

    def check_reachable(self) -> None:
        """Raises JournalError where the cluster does not answer."""
        self.last()

    def trim(self, before: date) -> int:
        """Delete the lines of months (in UTC) that ended before this day; the newest stays. Returns how many went."""
        with self._connected() as connection:
            return connection.execute(
                "DELETE FROM obhut_journal WHERE at < date_trunc('month', %s::timestamp) AT TIME ZONE 'UTC' "
                "AND seq < (SELECT max(seq) FROM obhut_journal)",
                [before],
            ).rowcount
