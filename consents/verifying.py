"""Goes through the whole ledger and names the first entry that is not as it was sealed (security.md 2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction
from django.utils import timezone

from consents import checkpoints, notes
from consents.hashing import NOTHING, canonical, commitment, leaf, root, seal_hash
from consents.models import Record
from consents.recording import instant
from vault.keyring import SealError, keyring

_PROOF: Any = Record._meta.get_field("proof")
PAGE = 5_000
PATIENCE = timedelta(hours=1)
"""So long an entry may wait for its seal, and an erased record for its entry, before it is a sign of a fault."""

_WHAT = """
SELECT {number}, {entry}, e.uuid, (extract(epoch FROM e.ts) * 1000000)::bigint, e.kind, e.purpose, e.text_sha256,
    e.actor_ref, e.ref_id, e.commitment, e.leaf, r.entry_id, r.proof, r.kind, r.channel, r.endpoint_index, r.source,
    r.occurred_at, r.late, r.confirmed, c.number, g.by_id, g.at, f.salt, f.entries
FROM {source}
LEFT JOIN consents_record r ON r.entry_id = {entry}
LEFT JOIN customers_customer c ON c.id = r.customer_id
LEFT JOIN consents_erasedrecord g ON g.entry_id = {entry}
LEFT JOIN consents_erasureproof f ON f.entry_id = {entry}
"""
_SEALED = (
    _WHAT.format(
        number="p.number",
        entry="p.entry_id",
        source="consents_position p LEFT JOIN consents_entry e ON e.id = p.entry_id",
    )
    + "WHERE p.number <= %s ORDER BY p.number"
)
_UNSEALED = (
    _WHAT.format(number="0", entry="e.id", source="consents_entry e")  # noqa: S608
    + "WHERE NOT EXISTS (SELECT 1 FROM consents_position x WHERE x.entry_id = e.id) ORDER BY e.id"
)
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


class _Seal(NamedTuple):
    """One seal as it is stored."""

    number: int
    first: int
    last: int
    root: bytes
    previous: bytes
    hash: bytes


class _Row:
    """One entry as the database has it, with what hangs on it."""

    __slots__ = (
        "actor", "by", "channel", "committed", "confirmed", "customer", "endpoint_index", "entries", "erased_at", "id",
        "kind", "late", "leaf", "micros", "number", "occurred_at", "proof", "purpose", "record", "record_kind", "ref",
        "salt", "sha256", "source", "uuid",
    )  # fmt: skip

    def __init__(self, row: tuple[Any, ...]) -> None:
        (
            self.number, self.id, self.uuid, self.micros, self.kind, self.purpose, self.sha256, self.actor, self.ref,
            self.committed, self.leaf, self.record, self.proof, self.record_kind, self.channel, self.endpoint_index,
            self.source, self.occurred_at, self.late, self.confirmed, self.customer, self.by, self.erased_at, self.salt,
            self.entries,
        ) = row  # fmt: skip


def verify() -> Verdict:
    """Verify the whole ledger against its seals and checkpoints, in one pass and bounded memory."""
    verdict = Verdict()
    with transaction.atomic():
        seals, broken = _seals()
        verdict.seals = len(seals)
        _check_sealed(verdict, seals)
        # What stands before a broken seal was looked at first: the first broken entry is named.
        if broken is not None:
            verdict.blame(*broken)
        _check_unsealed(verdict)
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


def _check_sealed(verdict: Verdict, seals: list[_Seal]) -> None:
    judge, rows = _Judge(), _rows(_SEALED, [seals[-1].last if seals else 0])
    for seal in seals:
        _check_seal(verdict, judge, rows, seal)
        if not verdict.ok:
            return


def _check_seal(verdict: Verdict, judge: _Judge, rows: Iterator[_Row], seal: _Seal) -> None:
    leaves, begins = [], None
    for place in range(seal.first, seal.last + 1):
        row = next(rows, None)
        if row is None or row.number != place or row.uuid is None:
            missing = row.id if row is not None and row.number == place else None
            verdict.blame(missing, f"the entry sealed under the number {place} is gone")
            return
        if why := judge.fault_of(row, verdict):
            verdict.blame(row.id, why)
            return
        begins = begins or row.id
        leaves.append(row.leaf)
        verdict.entries += 1
    if root(leaves) != seal.root:
        verdict.blame(begins, f"seal {seal.number} does not hold these entries in this order")


def _check_unsealed(verdict: Verdict) -> None:
    if not verdict.ok:
        return
    judge = _Judge()
    for row in _rows(_UNSEALED, []):
        verdict.entries += 1
        verdict.unsealed += 1
        if why := judge.fault_of(row, verdict) or judge.impatience_with(row):
            verdict.blame(row.id, why)
            return


class _Judge:
    """Looks at single entries."""

    def __init__(self) -> None:
        self._open = keyring().opener(_PROOF.label)
        index: Any = Record._meta.get_field("endpoint_index")
        self._blinds = index.candidates
        self._now = timezone.now()

    def fault_of(self, row: _Row, verdict: Verdict) -> str:
        """What is wrong with an entry and what hangs on it; "" where nothing is. Counts erased records."""
        ref = row.ref.hex if row.ref else ""
        clear = [row.uuid.hex, row.micros, row.kind, row.purpose, row.sha256, row.actor, ref]
        if leaf(clear, row.committed) != row.leaf:
            return "a clear field was changed"
        if row.kind == "erased":
            return _fault_of_erasure(row)
        if row.record is not None:
            return self._fault_of_record(row)
        if row.erased_at is None:
            return "its record is gone, and no erasure took it"
        if row.by is None and self._now - row.erased_at > PATIENCE:
            return "its record went by an erasure that was never entered"
        verdict.erased += 1
        return ""

    def impatience_with(self, row: _Row) -> str:
        """Whether an entry waits for its seal for too long."""
        late = self._now.timestamp() - row.micros / 1_000_000 > PATIENCE.total_seconds()
        return "it was never sealed" if late else ""

    def _fault_of_record(self, row: _Row) -> str:
        try:
            proof = self._open(row.proof)
            salt, payload = bytes.fromhex(proof[:64].decode()), proof[64:]
        except (SealError, ValueError):
            return "its record does not open"
        if commitment(salt, payload) != row.committed:
            return "its record was changed"
        said = orjson.loads(payload)
        fits = (
            row.record_kind == row.kind
            and said["channel"] == row.channel
            and said["source"] == row.source
            and said["late"] == row.late
            and said["confirmed"] == row.confirmed
            and said["at"] == instant(row.occurred_at)
            and (row.customer is None or said["customer"] == row.customer)
            and self._is_endpoint(said["endpoint"], row.endpoint_index)
        )
        return "" if fits else "what its record says in clear is not what was sealed"

    def _is_endpoint(self, endpoint: str, index: bytes | None) -> bool:
        found = self._blinds(endpoint) if endpoint else []
        return index in found if found else index is None


def _fault_of_erasure(row: _Row) -> str:
    if row.salt is None:
        return "the list of what was erased is gone"
    listed = canonical([uuid.hex for uuid in row.entries])
    return "" if commitment(row.salt, listed) == row.committed else "the list of what was erased was changed"


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


def _rows(statement: str, params: list[Any]) -> Iterator[_Row]:
    """The rows of a statement through a cursor on the server, bytes as bytes."""
    connection.ensure_connection()
    with connection.connection.cursor(name=f"consents_{len(statement)}", binary=True) as cursor:
        cursor.itersize = PAGE
        cursor.execute(statement, params)
        while rows := cursor.fetchmany(PAGE):
            yield from map(_Row, rows)
