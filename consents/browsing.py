"""Reads the ledger for people: entries with their seals, whether an entry fits its hashes, what was signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Max, Min, QuerySet
from django.utils.translation import gettext as _

from consents import checkpoints, notes
from consents.answering import seals_of
from consents.hashing import canonical, commitment, leaf
from consents.models import Entry, ErasedRecord, ErasureProof, Position, Purpose, Record, Seal, Unsealed
from consents.notes import Checkpoint
from consents.recording import clear_fields
from datamap.controlling import legal_zone
from datamap.workdays import day_begins

COUNTED = 1_000


@dataclass(frozen=True)
class Row:
    """One entry with its place in the ledger."""

    entry: Entry
    purpose: str
    number: int | None
    seal: Seal | None
    is_erased: bool


@dataclass(frozen=True)
class Check:
    """Whether an entry is what was hashed: its clear fields, and what it commits to (None where that is erased)."""

    fields_fit: bool
    record_fits: bool | None
    leaf: str
    commitment: str
    checkpoint: str


@dataclass(frozen=True)
class Standing:
    """How far the ledger is sealed and signed; `fault` says what is wrong with the newest checkpoint."""

    entries: int
    seals: int
    waiting: int
    checkpoint: Checkpoint | None
    fault: str
    public_key: str
    origin: str


def rows_of(entries: Sequence[Entry]) -> list[Row]:
    """Entries with their numbers and seals."""
    ids = [entry.pk for entry in entries]
    numbers = dict(Position.objects.filter(entry__in=ids).values_list("entry", "number"))
    seals = seals_of(numbers.values())
    erased = set(ErasedRecord.objects.filter(entry__in=ids).values_list("entry", flat=True))
    names = {purpose.key: purpose.name for purpose in Purpose.objects.all()}
    return [
        Row(
            entry,
            names.get(entry.purpose, entry.purpose),
            number := numbers.get(entry.pk),
            seals.get(number) if number else None,
            entry.pk in erased,
        )
        for entry in entries
    ]


def within(entries: QuerySet[Entry], begin: date | None, end: date | None) -> QuerySet[Entry]:
    """Entries recorded on these days; found by their ids, since a page is read along those."""
    if begin is None and end is None:
        return entries
    zone, timed = legal_zone(), Entry.objects.all()
    if begin is not None:
        timed = timed.filter(ts__gte=day_begins(begin, zone))
    if end is not None:
        timed = timed.filter(ts__lt=day_begins(end + timedelta(days=1), zone))
    bounds = timed.aggregate(first=Min("pk"), last=Max("pk"))
    if bounds["first"] is None:
        return entries.none()
    found = entries.filter(pk__range=(bounds["first"], bounds["last"]))
    # Within the bounds one that was written while another clock ran is judged by its own time.
    if begin is not None:
        found = found.filter(ts__gte=day_begins(begin, zone))
    return found if end is None else found.filter(ts__lt=day_begins(end + timedelta(days=1), zone))


def proof_of(entry: Entry) -> Check:
    """Compute the hashes of an entry anew and compare."""
    clear = clear_fields(
        entry.uuid, entry.ts, entry.kind, entry.purpose, entry.text_sha256, entry.actor_ref, entry.ref_id
    )
    committed, own = bytes(entry.commitment), bytes(entry.leaf)
    return Check(leaf(clear, committed) == own, _fits(entry, committed), own.hex(), committed.hex(), _signed_at(entry))


def _fits(entry: Entry, committed: bytes) -> bool | None:
    erasure = ErasureProof.objects.filter(pk=entry.pk).first()
    if erasure is not None:
        listed = canonical([uuid.hex for uuid in erasure.entries])
        return commitment(bytes(erasure.salt), listed) == committed
    record = Record.archive.filter(pk=entry.pk).first()
    if record is None or not record.proof:
        return None
    salt, payload = bytes.fromhex(record.proof[:64]), record.proof[64:].encode()
    return commitment(salt, payload) == committed


def _signed_at(entry: Entry) -> str:
    """When the first checkpoint that covers an entry was signed (ISO 8601), "" where none does."""
    number = Position.objects.filter(entry=entry.pk).values_list("number", flat=True).first()
    if number is None:
        return ""
    try:
        key, written = checkpoints.verifying_key(), checkpoints.written()
        signed = (notes.read(note, key) for note in written)
        return next((checkpoint.at for checkpoint in signed if checkpoint.size >= number), "")
    except (OSError, notes.NoteForged):
        return ""


def erased_by(entry: Entry) -> ErasedRecord | None:
    """By which entry the record of this one was erased."""
    return ErasedRecord.objects.filter(entry=entry.pk).select_related("by").first()


def standing() -> Standing:
    """How far everything is sealed and signed; cheap, and no verification of the whole (`verify_ledger` does that)."""
    checkpoint, fault = _newest()
    last: Any = Seal.objects.order_by("-number").values_list("last", "number").first() or (0, 0)
    waiting = Unsealed.objects.order_by("pk")[: COUNTED + 1].count()
    key = notes.public_text(checkpoints.verifying_key())
    return Standing(last[0], last[1], waiting, checkpoint, fault, key, checkpoints.origin())


def _newest() -> tuple[Checkpoint | None, str]:
    try:
        checkpoint = checkpoints.newest()
    except notes.NoteForged:
        return None, _("The newest checkpoint is not what was signed.")
    except OSError:
        return None, _("The file of the checkpoints cannot be read.")
    if checkpoint is not None and checkpoints.hash_at(checkpoint.size) != checkpoint.hash:
        return checkpoint, _("The ledger is not what was signed there.")
    return checkpoint, ""
