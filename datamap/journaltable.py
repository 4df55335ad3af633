"""The journal as a table of another PostgreSQL cluster, for installations on several hosts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

import psycopg

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
            if getattr(self._local, "connection", None) is None:
                self._local.connection = psycopg.connect(self.url, autocommit=True, connect_timeout=5)
                self._local.connection.execute(
                    "CREATE TABLE IF NOT EXISTS obhut_journal "
                    "(seq bigint PRIMARY KEY, at timestamptz NOT NULL, line text NOT NULL)"
                )
            yield self._local.connection
        except psycopg.Error as error:
            self.close()
            raise JournalError(f"The journal in {self} cannot be reached ({type(error).__name__}).") from None

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
        begin: Callable[[], int] = lambda: 1,
        durable: bool = True,
    ) -> list[Line]:
        """Add lines; they are committed when this returns. `begin` numbers the first of an empty journal."""
        with self._connected() as connection, connection.transaction():
            if not durable:
                connection.execute("SET LOCAL synchronous_commit = off")
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            last = self.last()
            lines = new_lines(last, 0 if last else begin(), kind, payloads, xid)
            with connection.cursor() as cursor, cursor.copy("COPY obhut_journal (seq, at, line) FROM STDIN") as copy:
                for line in lines:
                    copy.write_row((line.seq, line.at, encode(line)))
        return lines

    def last(self) -> Line | None:
        """The newest line."""
        return next(iter(self.tail(1)), None)

    def tail(self, count: int) -> list[Line]:
        """The newest lines, newest first."""
        with self._connected() as connection:
            found = connection.execute("SELECT line FROM obhut_journal ORDER BY seq DESC LIMIT %s", [count])
            return [decode(text) for (text,) in found.fetchall()]

    def find(self, seq: int) -> Line | None:
        """The line of this number."""
        with self._connected() as connection:
            row = connection.execute("SELECT line FROM obhut_journal WHERE seq = %s", [seq]).fetchone()
            return decode(row[0]) if row else None

    def lines(self, after: int = 0) -> Iterator[Line]:
        """The lines with a number above `after`, oldest first, a page at a time."""
        while True:
            with self._connected() as connection:
                found = connection.execute(
                    "SELECT line FROM obhut_journal WHERE seq > %s ORDER BY seq LIMIT %s", [after, PAGE]
                ).fetchall()
            for (text,) in found:
                yield (line := decode(text))
                after = line.seq
            if len(found) < PAGE:
                return

    def stamp(self) -> Any:
        """Changes whenever a line was added."""
        with self._connected() as connection:
            return connection.execute("SELECT max(seq) FROM obhut_journal").fetchone()

    def check_reachable(self) -> None:
        """Raises JournalError where the cluster does not answer."""
        self.stamp()

    def trim(self, before: date) -> int:
        """Delete the lines of months that ended before this day; the newest stays. Returns how many went."""
        with self._connected() as connection:
            return connection.execute(
                "DELETE FROM obhut_journal WHERE at < date_trunc('month', %s::date) "
                "AND seq < (SELECT max(seq) FROM obhut_journal)",
                [before],
            ).rowcount
