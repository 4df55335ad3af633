"""Goes through the whole ledger and names the first entry that is not as it was sealed (security.md 2)."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import connection, connections, transaction
from django.utils import timezone
from psycopg import Cursor
from psycopg.pq import Format

from consents import checkpoints, notes
from consents.hashing import NOTHING, root, seal_hash
from consents.judging import FIELDS, Judge
from consents.parting import first_unfounded

PAGE = 5_000
SPREAD = 4
"""Entries that lie no farther apart than so many times their count are read as one run of keys."""
WORTH_SHARING = 100_000
"""So many entries are worth a process each."""
PARTS = 8
"""In so many parts each process looks at its share; after each it is told how far it has come."""
Progress = Callable[[int], object]
PATIENCE = timedelta(hours=1)
"""So long an entry may wait for its seal, and an erased record for its entry, before it is a sign of a fault."""

_NUMBERED = "SELECT number, entry_id FROM consents_position WHERE number BETWEEN %s AND %s ORDER BY number"
_ENTRIES = f"""
SELECT e.id, {FIELDS}
FROM consents_entry e LEFT JOIN consents_record r ON r.entry_id = e.id AND r.entry_id {{which}}
LEFT JOIN consents_erasedrecord g ON g.entry_id = e.id
WHERE e.id {{which}}
"""  # noqa: S608
_UNSEALED = f"""
SELECT e.id, {FIELDS}
FROM consents_entry e LEFT JOIN consents_record r ON r.entry_id = e.id
LEFT JOIN consents_erasedrecord g ON g.entry_id = e.id
WHERE NOT EXISTS (SELECT 1 FROM consents_position x WHERE x.entry_id = e.id) ORDER BY e.id
"""  # noqa: S608
_BEYOND = """
SELECT entry_id FROM consents_position WHERE number > (SELECT coalesce(max(last), 0) FROM consents_seal)
ORDER BY number LIMIT 1
"""
_UNLISTED = """
SELECT g.entry_id FROM consents_erasedrecord g JOIN consents_entry e ON e.id = g.entry_id
WHERE g.by_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM (SELECT entry_id, unnest(entries) AS uuid FROM consents_erasureproof) l
    WHERE l.entry_id = g.by_id AND l.uuid = e.uuid
) ORDER BY g.entry_id LIMIT 1
"""


@dataclass
class Verdict:
    """What was found, as commands.md prints it; `why` says what is wrong with the first broken entry."""

    entries: int = 0
    seals: int = 0
    ok: bool = True
    first_broken: int | None = None
    erased: int = 0
    checkpoint: str | None = None
    unsealed: int = 0
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """The keys of the contract, and more."""
        return asdict(self)

    def blame(self, entry: int | None, why: str) -> None:
        """Note what is broken, unless something before it is."""
        if self.ok:
            self.ok, self.first_broken, self.why = False, entry, why

    def join(self, later: Verdict) -> None:
        """Take over what was found in what comes after."""
        self.entries += later.entries
        self.erased += later.erased
        self.unsealed += later.unsealed
        if not later.ok:
            self.blame(later.first_broken, later.why)


Row = tuple[Any, ...]
_Numbered = tuple[int, int | None, Row | None]
"""A number, the entry under it, and what was read of it: None where it is gone."""


class _Seal(NamedTuple):
    """One seal as it is stored."""

    number: int
    first: int
    last: int
    root: bytes
    previous: bytes
    hash: bytes


def verify(processes: int = 1, progress: Progress = lambda entries: None) -> Verdict:
    """Verify the whole ledger against its seals and checkpoints, in bounded memory.

    With several processes a large ledger is shared among them; what is not committed they do not see. `progress` hears
    of how many more sealed entries were looked at.
    """
    verdict = Verdict()
    seals, broken = _seals()
    verdict.seals = len(seals)
    # What stands before a broken seal is looked at first: the first broken entry is named.
    for found in _shared(seals, processes):
        verdict.join(found)
        progress(found.entries)
    if broken is not None:
        verdict.blame(*broken)
    if verdict.ok:
        verdict.join(check_unsealed())
    _check_beside(verdict)
    return verdict


def _seals() -> tuple[list[_Seal], tuple[int | None, str] | None]:
    """The seals in order as far as each names the one before it, and what is wrong with the next."""
    seals: list[_Seal] = []
    number, last, previous = 0, 0, NOTHING
    with connection.cursor() as cursor:
        cursor.execute("SELECT number, first, last, root, previous, hash FROM consents_seal ORDER BY number")
        for found in cursor.fetchall():
            seal = _Seal(*found[:3], *map(bytes, found[3:]))
            if seal.number != number + 1 or seal.first != last + 1 or seal.last < seal.first:
                return seals, (_entry_at(last + 1), f"seal {number + 1} is missing or out of order")
            if seal.previous != previous or seal_hash(*seal[:5]) != seal.hash:
                return seals, (_entry_at(seal.first), f"seal {seal.number} was changed")
            seals.append(seal)
            number, last, previous = seal.number, seal.last, seal.hash
    return seals, None


def _entry_at(number: int) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT entry_id FROM consents_position WHERE number = %s", [number])
        row = cursor.fetchone()
    return row[0] if row else None


def _shared(seals: list[_Seal], processes: int) -> Iterator[Verdict]:
    entries = seals[-1].last if seals else 0
    processes = min(processes, entries // WORTH_SHARING)
    if processes < 2:
        for part in _parts(seals, entries, entries // WORTH_SHARING + 1):
            found = check_sealed(part)
            yield found
            if not found.ok:
                return
        return
    # A process of its own begins without our connection; it would speak in both at once.
    connections.close_all()
    # Nothing here makes cycles, and to look for them among a page of rows takes a fifteenth of the time.
    pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("fork"), initializer=gc.disable)
    with pool:
        yield from pool.map(check_sealed, _parts(seals, entries, processes * PARTS))


def _parts(seals: list[_Seal], entries: int, count: int) -> list[list[_Seal]]:
    """The seals in as many runs, of about as many entries each."""
    parts: list[list[_Seal]] = [[] for _part in range(count)]
    for seal in seals:
        parts[min(seal.first * count // (entries + 1), count - 1)].append(seal)
    return parts


def check_sealed(seals: Sequence[_Seal]) -> Verdict:
    """Look at everything under a run of seals, up to the first thing that is broken."""
    verdict = Verdict()
    if not seals:
        return verdict
    judge = Judge(timezone.now() - PATIENCE)
    with transaction.atomic():
        sealed = _sealed(seals[0].first, seals[-1].last)
        for seal in seals:
            _check_seal(verdict, judge, sealed, seal)
            if not verdict.ok:
                break
    verdict.erased = judge.erased
    return verdict


def _check_seal(verdict: Verdict, judge: Judge, sealed: Iterator[_Numbered], seal: _Seal) -> None:
    leaves, begins = [], None
    for place in range(seal.first, seal.last + 1):
        number, entry, row = next(sealed, (0, None, None))
        if number != place or row is None:
            verdict.blame(entry if number == place else None, f"the entry sealed under the number {place} is gone")
            return
        if why := judge.fault_of(row):
            verdict.blame(entry, why)
            return
        begins = begins or entry
        leaves.append(judge.leaf)
        verdict.entries += 1
    if root(leaves) != seal.root:
        verdict.blame(begins, f"seal {seal.number} does not hold these entries in this order")


def check_unsealed() -> Verdict:
    """Look at what waits for its seal."""
    verdict, judge = Verdict(), Judge(timezone.now() - PATIENCE)
    with transaction.atomic():
        for row in _unsealed():
            verdict.entries += 1
            verdict.unsealed += 1
            if why := judge.fault_of(row) or judge.impatience_with(row):
                verdict.blame(row[0], why)
                break
    verdict.erased = judge.erased
    return verdict


def _check_beside(verdict: Verdict) -> None:
    """Numbers without a seal, records that no erasure names, and what was signed outside the database."""
    for question, why in (
        (_BEYOND, "it is numbered, but the seal is gone"),
        (_UNLISTED, "its record is gone, and no erasure in the ledger names it"),
    ):
        with connection.cursor() as cursor:
            cursor.execute(question)
            if (row := cursor.fetchone()) is not None:
                verdict.blame(row[0], why)
    if verdict.ok and (parted := first_unfounded()) is not None:
        verdict.blame(parted, "its record was parted from its person, and no erasure did it")
    key = checkpoints.verifying_key()
    for text in checkpoints.written():
        try:
            checkpoint = notes.read(text, key)
        except notes.NoteForged:
            verdict.blame(None, "a checkpoint was forged")
            return
        if checkpoints.hash_at(checkpoint.size) != checkpoint.hash:
            verdict.blame(_entry_at(checkpoint.size), f"the ledger is not what was signed at {checkpoint.at}")
            return
        verdict.checkpoint = checkpoint.at


def _sealed(first: int, last: int) -> Iterator[_Numbered]:
    """The entries under these numbers in their order, a page at a time."""
    connection.ensure_connection()
    for begin in range(first, last + 1, PAGE):
        with Cursor(connection.connection) as cursor:
            cursor.format = Format.BINARY  # bytes as bytes
            cursor.execute(_NUMBERED, [begin, min(begin + PAGE - 1, last)])
            numbered = cursor.fetchall()
            rows = {row[0]: row for row in _read(cursor, sorted(entry for _number, entry in numbered))}
        for number, entry in numbered:
            yield number, entry, rows.get(entry)


def _read(cursor: Cursor, entries: list[int]) -> list[Row]:
    """These entries with what hangs on them. Entries follow each other nearly as their numbers do, and to walk along
    the keys of both tables is faster than to look each row up."""
    if not entries:
        return []
    first, last = entries[0], entries[-1]
    which = "BETWEEN %(first)s AND %(last)s" if last - first < SPREAD * len(entries) else "= ANY(%(entries)s)"
    cursor.execute(_ENTRIES.format(which=which), {"first": first, "last": last, "entries": entries})
    return cursor.fetchall()


def _unsealed() -> Iterator[Row]:
    """What has no number yet, through a cursor on the server."""
    connection.ensure_connection()
    with connection.connection.cursor(name="consents_unsealed", binary=True) as cursor:
        cursor.itersize = PAGE
        cursor.execute(_UNSEALED)
        while rows := cursor.fetchmany(PAGE):
            yield from rows
