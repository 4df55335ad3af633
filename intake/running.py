"""Works a batch off: checks it, runs it chunk by chunk, and goes on where a killed worker stopped.

State lives in the batch row. A worker holds a lease; every chunk is one transaction that locks the row, writes the
chunk and moves `position`, so a chunk is written once or not at all, whoever does it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F, ProtectedError
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Origin
from customers.rows import Outcome, Source
from customers.suppression import undo_mentions
from datamap.controlling import other_period
from intake.counting import Tally, keep_problems
from intake.lines import StagedLines
from intake.mapping import MappingError
from intake.models import CATEGORY, Batch, BatchProblem
from intake.planning import Plan, plan_import
from intake.profiles import UnknownProfile
from intake.storage import opener_of
from intake.tables import UnreadableFile
from intake.undoing import LeaseLost, Progress, undo
from intake.writing import write

log = logging.getLogger(__name__)

CHUNK = 5_000
LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 20
# Temporary tables of lines that wait for their orders, and of what a dry run would have made (customers, orders).
NOTES = ("intake_lines", "customers_tried", "orders_rehearsal")

REFUSALS = (UnreadableFile, UnknownProfile, MappingError)
State = Batch.State


@dataclass
class _Chunk:
    """A run of records that is committed together."""

    records: int = 0
    rows: list[Any] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)


def plan_of(batch: Batch) -> Plan:
    """How the stored file of a batch is read. Raises what `plan_import` raises."""
    if not batch.file:
        if period := other_period(CATEGORY, "30d"):
            raise UnreadableFile(_("The file is no longer here: files are kept for this long: %s.") % period)
        raise UnreadableFile(_("The file is no longer here: files are deleted 30 days after they were brought."))
    lines = opener_of(batch.lines_file) if batch.lines_file else None
    return plan_import(batch.kind, opener_of(batch.file), lines, batch.profile, batch.mapping)


def claim(batch_id: uuid.UUID) -> uuid.UUID | None:
    """Take the lease of a batch that is to be worked on; None where another worker has it or nothing is to do."""
    lease, now = uuid.uuid4(), timezone.now()
    free = Batch.objects.filter(pk=batch_id).resumable()
    taken = free.update(lease=lease, lease_until=now + LEASE, attempts=F("attempts") + 1)
    return lease if taken else None


def work_on(batch_id: uuid.UUID, plan: Plan | None = None, progress: Progress | None = None) -> Batch | None:
    """Do what the state of the batch asks for: check, run or undo. Returns None where somebody else does it.

    `progress` hears how many records are done, or steps of an undo.

    A file that cannot be read stops the batch with a sentence. A lost database leaves the lease to run out, and the
    next sweep goes on; anything unforeseen stops the batch, and what is committed stays and may be undone.
    """
    lease = claim(batch_id)
    if lease is None:
        return None
    batch = Batch.objects.get(pk=batch_id)
    try:
        if batch.attempts > MOST_ATTEMPTS:
            raise UnreadableFile(_("The import was begun too often without coming to an end."), batch.position)
        if batch.state == State.UNDOING:
            undo(batch, progress or (lambda steps: None))
        else:
            with _queries_not_kept():
                _Worker(batch, lease, plan or plan_of(batch), progress).work()
    except LeaseLost:
        return None
    except REFUSALS as error:
        _stop(batch, str(error))
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        # Its text may quote a row: the log gets the kind of error and the batch, nothing else.
        log.error("import %s stopped by %s", batch.pk, type(error).__name__)
        batch.refresh_from_db(fields=["position"])
        sentence = _("An unforeseen error stopped the import after %(count)d rows; what is in stays and can be undone.")
        _stop(batch, sentence % {"count": batch.position})
        if plan is not None:
            raise
    finally:
        _drop_notes()
    batch.refresh_from_db()
    return batch


def _drop_notes() -> None:
    """Drop what a run notes about its file in temporary tables: a worker's connection outlives the run by far."""
    # A broken connection has dropped them itself.
    with suppress(DatabaseError, InterfaceError), connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {', '.join(f'pg_temp.{table}' for table in NOTES)}")


@contextmanager
def _queries_not_kept() -> Iterator[None]:
    """With DEBUG, Django writes every query out and keeps thousands: here each one holds thousands of people."""
    if connection.force_debug_cursor:  # a test counts them
        yield
        return
    kept = connection.make_debug_cursor
    connection.make_debug_cursor = connection.make_cursor  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        connection.make_debug_cursor = kept  # type: ignore[method-assign]


def give_up(batch: Batch) -> None:
    """Close the batch of a command that ended in the middle: only its operator has the file."""
    if batch.started_at is None and timezone.now() - batch.created_at < LEASE:
        return
    _stop(
        batch,
        _("The command was interrupted. Importing the same file again goes on without doing anything twice."),
    )


def _stop(batch: Batch, reason: str) -> None:
    Batch.objects.filter(pk=batch.pk).update(
        state=State.FAILED, failure=reason, lease=None, lease_until=None, finished_at=timezone.now(),
        version=F("version") + 1,
    )  # fmt: skip


def _drop_unused_origin(batch: Batch) -> None:
    """A file that says nothing new leaves no trace but its batch: nothing came from it."""
    origin = batch.origin
    if origin is None or any(batch.counts[name] for name in ("created", "updated", "held", "customers_created")):
        return
    try:
        with transaction.atomic():
            batch.origin = None
            batch.save(update_fields=["origin"])
            undo_mentions(origin.pk)
            origin.delete()
    except ProtectedError:
        batch.origin = origin


def max_rows() -> int:
    """How many records an uploaded file may have; a command takes any number."""
    return getattr(settings, "INTAKE_MAX_ROWS", 5_000_000)


class _Worker:
    """One run over the file of a batch, checking or writing."""

    def __init__(self, batch: Batch, lease: uuid.UUID, plan: Plan, progress: Progress | None) -> None:
        self.batch = batch
        self.lease = lease
        self.plan = plan
        self.progress = progress or (lambda records: None)
        self.dry_run = batch.state == State.CHECKING
        self.lines = StagedLines(plan) if plan.lines_table else None
        self.tally = Tally()

    def work(self) -> None:
        batch = self.batch
        if self.dry_run:
            BatchProblem.objects.filter(batch=batch, dry_run=True).delete()
            batch.position = 0
        else:
            self._begin()
            self.tally = Tally.of(batch.counts)
        first = _Chunk()
        if self.lines:
            for problem in self.lines.stage():
                if not batch.position:
                    first.outcome.reject(problem)
        for chunk in self._chunks(first):
            self._commit(chunk)
            self.progress(chunk.records)
        self._end()

    def _begin(self) -> None:
        with transaction.atomic():
            batch = self._locked()
            if batch.origin_id is None:
                batch.origin = Origin.objects.create(
                    kind=Origin.Kind.FILE,
                    platform=self.plan.platform,
                    label=self.plan.profile.key,
                    batch=batch.pk,
                )
                batch.started_at = timezone.now()
            batch.state, batch.failure = State.RUNNING, ""
            batch.profile, batch.platform = self.plan.profile.key, self.plan.platform
            batch.save()
            self.batch = batch

    def _locked(self) -> Batch:
        batch = Batch.objects.select_for_update().filter(pk=self.batch.pk, lease=self.lease).first()
        if batch is None:
            raise LeaseLost
        return batch

    def _chunks(self, chunk: _Chunk) -> Iterator[_Chunk]:
        """The records from `position` on, in portions; an order is never cut in two."""
        behind = self.batch.position
        skipped: list[Any] = []
        for item in self.plan.items():
            if behind >= item.records:
                behind -= item.records
                if item.row is not None and self.lines:
                    skipped.append(item.row)
                    if len(skipped) >= CHUNK:
                        self.lines.forget(skipped)
                        skipped.clear()
                continue
            chunk.records += item.records
            for warning in item.warnings:
                chunk.outcome.warn(warning)
            if item.problem is not None:
                chunk.outcome.reject(item.problem)
            else:
                chunk.rows.append(item.row)
            if chunk.records >= CHUNK:
                if self.lines and skipped:
                    self.lines.forget(skipped)
                    skipped.clear()
                yield chunk
                chunk = _Chunk()
        if self.lines and skipped:
            self.lines.forget(skipped)
        yield chunk

    def _commit(self, chunk: _Chunk) -> None:
        source = Source(
            # A dry run is one of its own each time: the apps remember in it what they would have made.
            batch=self.lease if self.dry_run else self.batch.pk,
            platform=self.plan.platform,
            origin_id=None if self.dry_run else self.batch.origin_id,
            user_id=self.batch.user_id,
            as_of=self.batch.as_of,
            own_numbers=self.plan.own_numbers,
        )
        if self.dry_run:
            self._write(chunk, source)
            self._keep(self.batch)
            return
        with transaction.atomic():
            batch = self._locked()
            self._write(chunk, source)
            batch.position += chunk.records
            self._keep(batch)
            self.batch = batch

    def _write(self, chunk: _Chunk, source: Source) -> None:
        rows = chunk.rows
        if self.lines:
            rows, problems = self.lines.attach(rows)
            for problem in problems:
                chunk.outcome.reject(problem)
        chunk.outcome.add(write(self.plan.profile, rows, source, dry_run=self.dry_run))
        self.tally.take(chunk.outcome, chunk.records)
        keep_problems(self.batch, self._named(chunk.outcome), dry_run=self.dry_run)
        if self.batch.file and self.tally.rows > max_rows():
            raise UnreadableFile(_("The file has more than %(count)d rows.") % {"count": max_rows()})

    def _named(self, outcome: Outcome) -> Outcome:
        """Problems of the owning apps name targets; people know the columns of their file."""
        name = self.plan.columns.name
        for problems in (outcome.errors, outcome.warnings):
            problems[:] = [
                replace(problem, field=name(problem.field)) if not problem.file else problem for problem in problems
            ]
        return outcome

    def _keep(self, batch: Batch) -> None:
        batch.lease_until = timezone.now() + LEASE
        if self.dry_run:
            kept = Batch.objects.filter(pk=batch.pk, lease=self.lease)
            if not kept.update(lease_until=batch.lease_until):
                raise LeaseLost
            return
        batch.counts = self.tally.as_json()
        batch.save(update_fields=["position", "counts", "lease_until"])

    def _end(self) -> None:
        orphans = Outcome()
        with transaction.atomic():
            batch = self._locked()
            for problem in self.lines.orphans() if self.lines else ():
                orphans.reject(problem)
            self.tally.take(orphans, 0)
            keep_problems(batch, orphans, dry_run=self.dry_run)
            counts = self.tally.as_json()
            batch.rows, batch.lease, batch.lease_until, batch.attempts = self.tally.rows, None, None, 0
            if self.dry_run:
                batch.state = State.CHECKED
                batch.preview = counts | {
                    "unused": self.plan.columns.unused,
                    "refused": self.plan.columns.refused,
                }
                batch.profile, batch.platform = self.plan.profile.key, self.plan.platform
            else:
                batch.state, batch.counts, batch.finished_at = State.DONE, counts, timezone.now()
                _drop_unused_origin(batch)
            batch.version += 1
            batch.save()
            self.batch = batch
