"""Reads the ledger for people: entries with their seals, whether an entry fits its hashes, what was signed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from consents import checkpoints, notes
from consents.answering import seals_of
from consents.events import SELDOM
from consents.hashing import canonical, commitment, leaf
from consents.models import Entry, ErasedRecord, ErasureProof, Position, Purpose, Record, Seal, Unsealed
from consents.notes import Checkpoint
from consents.recording import clear_fields
from datamap.controlling import legal_zone
from datamap.keyset import PAGE
from datamap.workdays import day_begins

COUNTED = 1_000
STEP, REACH = 50_000, 500_000
"""So many entries are looked at by one statement, and for one page."""
_SIGNER = Signer(salt="consents.ledger")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BEYOND = 2**63 - 1
# Not the plain min(id): that would walk along the ids until the time is reached.
_EDGE = "SELECT {which}(id + 0) FROM consents_entry WHERE ts >= %s AND ts < %s"


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
    checkpoint: datetime | None


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


@dataclass(frozen=True)
class Search:
    """What is looked for: kind of event and purpose ("" is all), and days of record."""

    kind: str = ""
    purpose: str = ""
    begin: date | None = None
    end: date | None = None


@dataclass(frozen=True)
class Found:
    """One page, the newest first. `until`: when the oldest entry looked at was recorded, where older ones are left."""

    rows: list[Entry]
    next_cursor: str
    until: datetime | None = None


def look_for(search: Search, cursor: str = "") -> Found:
    """One page of what is looked for, with a bounded number of entries looked at (`REACH`), however many there are.

    What seldom happens is found along an index of its own. Of anything else a page goes back so far and says so: an
    index would be written by each append. An unreadable cursor starts from the beginning.
    """
    low, high = _bounds(search, cursor)
    entries = _matching(search)
    if not (search.kind or search.purpose) or search.kind in SELDOM:
        found = list(entries.filter(pk__gte=low, pk__lt=high).order_by("-pk")[: PAGE + 1])
        return _found(found, None)
    found, at, stop = [], high, max(low, high - REACH)
    while at > stop and len(found) <= PAGE:
        at, above = max(stop, at - STEP), at
        found += entries.filter(pk__gte=at, pk__lt=above).order_by("-pk")[: PAGE + 1 - len(found)]
    return _found(found, at if at > low else None)


def _found(found: list[Entry], reached: int | None) -> Found:
    """With one more than a page the rest is a page on; else, where older entries are left, from there."""
    if len(found) > PAGE:
        return Found(found[:PAGE], _SIGNER.sign(str(found[PAGE - 1].pk)))
    older = Entry.objects.filter(pk__gte=reached).order_by("pk").first() if reached is not None else None
    if older is None or not Entry.objects.filter(pk__lt=older.pk).exists():
        return Found(found, "")
    return Found(found, _SIGNER.sign(str(older.pk)), older.ts)


def _matching(search: Search) -> QuerySet[Entry]:
    """By kind, purpose and time of record; within the bounds one that another clock wrote is judged by its own time."""
    zone = legal_zone()
    wanted: dict[str, Any] = {}
    if search.kind:
        wanted["kind"] = search.kind
    if search.purpose:
        wanted["purpose"] = search.purpose
    if search.begin is not None:
        wanted["ts__gte"] = day_begins(search.begin, zone)
    if search.end is not None:
        wanted["ts__lt"] = day_begins(search.end + timedelta(days=1), zone)
    return Entry.objects.filter(**wanted)


def _bounds(search: Search, cursor: str) -> tuple[int, int]:
    """From which id on, and before which."""
    newest = Entry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    low, high, zone = 0, newest + 1, legal_zone()
    begin = day_begins(search.begin, zone) if search.begin else None
    end = day_begins(search.end + timedelta(days=1), zone) if search.end else None
    if begin is not None:
        low = _edge("min", begin, end)
    if end is not None:
        high = min(high, _edge("max", begin, end) + 1)
    with suppress(BadSignature, ValueError):
        high = min(high, int(_SIGNER.unsign(cursor))) if cursor else high
    return low, high


def _edge(which: str, begin: datetime | None, end: datetime | None) -> int:
    """The first or last id within a time, or what leaves nothing between.

    Entries lie in the order of their time, but for those that a wrong clock dated: so two months at the edge are asked
    for, more where they are empty, and the index of times finds their pages. What was dated further off is found
    without the filter.
    """
    for days in (62, 620, None):
        since, before = begin or _EPOCH, end or timezone.now() + timedelta(days=1)
        if days is not None and which == "min":
            before = min(before, since + timedelta(days=days))
        elif days is not None:
            since = max(since, before - timedelta(days=days))
        with connection.cursor() as handle:
            handle.execute(_EDGE.format(which=which), [since, before])
            found = handle.fetchone()[0]
        if found is not None:
            return int(found)
    return 0 if which == "max" else _BEYOND


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


def _signed_at(entry: Entry) -> datetime | None:
    """When the first checkpoint that covers an entry was signed; None where none does."""
    number = Position.objects.filter(entry=entry.pk).values_list("number", flat=True).first()
    if number is None:
        return None
    try:
        key, written = checkpoints.verifying_key(), checkpoints.written()
        signed = (notes.read(note, key) for note in written)
        return next((checkpoint.signed_at for checkpoint in signed if checkpoint.size >= number), None)
    except (OSError, notes.NoteForged):
        return None


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
