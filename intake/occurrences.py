"""Counts how often a key has come by, in bounded memory: most keys are seen again soon or never."""

from __future__ import annotations

import hashlib
import sqlite3

KEPT = 200_000


class Occurrences:
    """A counter of keys; beyond KEPT of them it goes to a private file of hashes that vanishes when it is closed."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._recent: dict[bytes, int] = {}
        self._store: sqlite3.Connection | None = None

    def next(self, key: str) -> int:
        """How often this key has come by now: 1 at first."""
        mark = hashlib.blake2b(key.encode(), digest_size=12).digest()
        count = self._recent.get(mark)
        if count is None:
            count = self._stored(mark)
        self._recent[mark] = count + 1
        if len(self._recent) >= self._kept:
            self._spill()
        return count + 1

    def _stored(self, mark: bytes) -> int:
        if self._store is None:
            return 0
        row = self._store.execute("SELECT seen FROM marks WHERE mark = ?", (mark,)).fetchone()
        return row[0] if row else 0

    def _spill(self) -> None:
        if self._store is None:
            # An empty name: a file of SQLite's own, unlinked at once.
            self._store = sqlite3.connect("", isolation_level=None)
            self._store.execute("PRAGMA journal_mode = OFF")
            self._store.execute("CREATE TABLE marks (mark BLOB PRIMARY KEY, seen INTEGER) WITHOUT ROWID")
        self._store.execute("BEGIN")
        self._store.executemany("INSERT OR REPLACE INTO marks VALUES (?, ?)", self._recent.items())
        self._store.execute("COMMIT")
        self._recent.clear()
