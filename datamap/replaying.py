"""Replays the journal into a database that was restored from a backup, and ends its quarantine."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby, islice
from typing import Any

from django.db import connection, transaction

from datamap import journal, quarantine
from datamap.chain import in_chain

logger = logging.getLogger(__name__)

BATCH = 1000
LOCK = 0x0B447_0004


@dataclass
class Outcome:
    """What a replay did; `released` says whether the database may be worked with now."""

    replayed: int = 0
    already: int = 0
    failed: int = 0
    released: bool = False

    def as_json(self) -> dict[str, Any]:
        """The keys of the contract."""
        return asdict(self)


@dataclass(frozen=True)
class Fates:
    """What became of the transactions in which entries were written."""

    voided: frozenset[int]
    open: frozenset[int]
    last: journal.Entry | None


def reapply(progress: Callable[[int], None] = lambda done: None) -> Outcome:
    """Replay in order every entry that this database does not know, then end the quarantine.

    Entries run in transactions of their own: a failing one is counted and logged by its number, the others go on, and
    the database stays in quarantine. Killed and run again it does the rest: replaying is idempotent. A database whose
    journal is lost gets what there is and stays in quarantine too, since nobody knows what is missing. Raises
    JournalError where the journal cannot be read to its end.
    """
    outcome = Outcome()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            _reapply(outcome, progress)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    return outcome


def rehearse() -> tuple[Outcome, dict[str, int]]:
    """What `reapply` would replay, without changing anything: the counts, and the entries by kind.

    Entries are counted, as whether one is news is known only once it is replayed: `replayed` is the most that could
    be. `released` says whether the database may be worked with as it stands. Raises JournalError.
    """
    outcome, kinds = Outcome(), dict[str, int]()
    outcome.released = not quarantine.examine().active
    if outcome.released:
        return outcome, kinds
    for kind, batch in _missing(_fates()):
        kinds[kind] = kinds.get(kind, 0) + len(batch)
        if kind in journal.replayers:
            outcome.replayed += len(batch)
        else:
            outcome.failed += len(batch)
    return outcome, kinds


def _reapply(outcome: Outcome, progress: Callable[[int], None]) -> None:
    state = quarantine.examine()
    if not state.active:
        outcome.released = True
        return
    fates = _fates()
    lost = quarantine.journal_is_lost()
    with transaction.atomic():
        quarantine.doubt_what_waits(quarantine.begin(state.reason))
    for kind, batch in _missing(fates):
        _replay(kind, batch, outcome)
        progress(batch[-1].position)
    if outcome.failed or lost:
        return
    with transaction.atomic():
        row = quarantine.begin(state.reason)
        quarantine.end_replayed(row, outcome.replayed, fates.last)
    outcome.released = not quarantine.examine().active


def _fates() -> Fates:
    """One look through the whole journal, which proves its chain; keeps only what is open or voided."""
    open_, voided, last = set[int](), set[int](), None
    for line in in_chain(journal.store().lines()):
        last = line
        if line.kind not in journal.OWN:
            open_.add(line.seq)
            continue
        settled = range(line.payload["first"], line.payload["last"] + 1)
        open_.difference_update(settled)
        if line.kind == journal.VOID:
            voided.update(settled)
    newest = journal.Entry(last.seq, last.at, last.kind, last.payload, last.hash) if last else None
    return Fates(frozenset(voided), frozenset(open_), newest)


def _missing(fates: Fates) -> Iterator[tuple[str, list[journal.Entry]]]:
    """Batches of one kind, in the journal's order, of the entries that are to be replayed."""
    upto = fates.last.position if fates.last else 0
    for batch in _batches(entry for entry in journal.entries() if entry.position <= upto):
        known = journal.covering([entry.position for entry in batch])
        wanted = [entry for entry in batch if entry.position not in known and _counts(entry, fates)]
        for kind, group in groupby(wanted, key=lambda entry: entry.kind):
            yield kind, list(group)


def _counts(entry: journal.Entry, fates: Fates) -> bool:
    """Whether the entry stands for something that happened, or must be taken to have happened."""
    if entry.kind == journal.CHECKPOINT or entry.position in fates.voided:
        return False
    replayer = journal.replayers.get(entry.kind)
    return not (replayer and replayer.loosens and entry.position in fates.open)


def _batches(entries: Iterable[journal.Entry]) -> Iterator[list[journal.Entry]]:
    iterator = iter(entries)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def _replay(kind: str, entries: list[journal.Entry], outcome: Outcome) -> None:
    replayer = journal.replayers.get(kind)
    if replayer is None:
        logger.error("No app replays journal entries of the kind %s.", kind)
        outcome.failed += len(entries)
        return
    if replayer.many is None or not _replay_at_once(replayer, entries, outcome):
        for entry in entries:
            if not _replay_at_once(replayer, [entry], outcome):
                outcome.failed += 1


def _replay_at_once(replayer: journal.Replayer, entries: list[journal.Entry], outcome: Outcome) -> bool:
    """Replay these in one transaction; False, with nothing changed, where the handler raised."""
    try:
        with transaction.atomic(), journal.replaying(entries[0].position):
            news = replayer.replay([entry.payload for entry in entries])
    except Exception as error:  # whatever a handler raises must not keep the other entries from being replayed
        logger.error("Journal entry %d, or one after it, cannot be replayed.", entries[0].position, exc_info=error)
        return False
    outcome.replayed += news
    outcome.already += len(entries) - news
    return True
