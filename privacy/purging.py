"""The retention run: plans what is due, splits it into batches, and has any number of workers end it.

Everything a run is stands in PostgreSQL. A batch is claimed by locking its row and done in one transaction: whoever is
killed leaves it as it was, and the next one takes it. Asked again, a batch looks at the rules again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from customers.models import Customer
from customers.summary import ensure_all
from datamap.controlling import legal_zone
from datamap.declarations import registry
from datamap.outages import is_outage
from datamap.workdays import local_date
from privacy.clearing import run as run_sql
from privacy.compiling import tables
from privacy.ending import Outcome, end_history, end_people, end_rows, end_store, kept_people
from privacy.models import DeletionLog, Policy, RetentionBatch, RetentionRun
from privacy.outliving import TOMB, keep_outlived
from privacy.selecting import Unit, count_due, due_pages, due_without_summary, units
from privacy.verdicts import DELETE, NAMES, Book
from staff.models import User

SPEAKS_FROM = 50
"""The guard is silent in shops with fewer customers."""
TRIES = 3
HISTORY, STORE = "HISTORY", "STORE"


@dataclass
class Report:
    """What commands.md prints of a run."""

    run: UUID | None
    as_of: date
    dry_run: bool
    complete: bool = True
    guard: dict[str, Any] | None = None
    categories: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, key: str, what: str, count: int) -> None:
        """Count rows of a category."""
        if count:
            self.categories.setdefault(key, Counter())[what] += count

    def as_dict(self) -> dict[str, Any]:
        """Keys in the order of the contract."""
        names = ("due", "deleted", "anonymized", "blocked", "held", "failed")
        return {
            "run": str(self.run) if self.run else None,
            "as_of": self.as_of.isoformat(),
            "dry_run": self.dry_run,
            "complete": self.complete,
            "guard": self.guard,
            "categories": {
                key: {name: counted[name] for name in names} for key, counted in sorted(self.categories.items())
            },
        }


def next_night(now: datetime) -> date:
    """The legal day of the next run of the night: in the afternoon of 31 December it is 1 January."""
    schedule = settings.CELERY_BEAT_SCHEDULE["purge"]["schedule"]
    since, distance, _now = schedule.remaining_delta(now)
    return local_date(since + distance, legal_zone())


def rehearse(as_of: date, *, only: str = "", allow_share: Decimal | None = None, warns_first: bool = False) -> Report:
    """What a run would do, by the same questions; nothing is written. `warns_first`: a run as that of the night, before
    which owners of accounts are told that these end (`privacy.warning`)."""
    book = Book(as_of, night=True, warns_first=warns_first)
    report = Report(None, as_of, dry_run=True)
    late = due_without_summary(book, [unit for unit in units(book, only) if unit.of_people])
    report.guard = _guard(book, only, allow_share, late)
    ended: set[int] = set()
    for unit in units(book, only):
        for ids in chain(due_pages(book, unit), late[unit.key] if unit.of_people else ()):
            with transaction.atomic():
                if unit.of_people:
                    outcome = end_people(book, unit, ids, dry_run=True)
                    gone = outcome.ids.get((unit.key, unit.table.label, NAMES[DELETE]), [])
                    ended.update(int(pk) for pk in gone)
                else:
                    outcome = end_rows(book, unit, ids, dry_run=True, ended=ended)
            report.add(unit.key, "due", outcome.due)
            _add(report, outcome)
    report.complete = report.guard is None
    return report


def plan_run(
    as_of: date, *, only: str = "", allow_share: Decimal | None = None, warns_first: bool = False
) -> RetentionRun:
    """Write down a run and its batches. Guarded, it waits for a person and nothing is deleted.

    `warns_first`: the caller has told owners of accounts (`privacy.warning`); who can be told when it is worked on, and
    was not, stays. Atomic: a planner that dies leaves no half planned run.
    """
    with transaction.atomic():
        ensure_all()
        book = Book(as_of, night=True, warns_first=warns_first)
        RetentionRun.objects.filter(state=RetentionRun.State.GUARDED).update(
            state=RetentionRun.State.CANCELLED, finished_at=timezone.now()
        )
        run = RetentionRun.objects.create(as_of=as_of, only=only, warns_first=warns_first)
        run.guard = _guard(book, only, allow_share)
        if only in ("", TOMB):
            keep_outlived(book)
        for unit in units(book, only):
            _write_batches(run, unit.key, unit.table.label, due_pages(book, unit))
        if not only or only == HISTORY:
            for table in tables().values():
                if table.history is not None:
                    _write_batches(run, HISTORY, table.label, iter([[]]))
        for store in registry.stores():
            if store.expire is not None and only in ("", store.category):
                _write_batches(run, f"{STORE}:{store.category}", store.key, iter([[]]))
        run.state = RetentionRun.State.GUARDED if run.guard else RetentionRun.State.RUNNING
        run.save()
    return run


def _write_batches(run: RetentionRun, key: str, label: str, pages: Iterator[list[Any]]) -> None:
    for ids in pages:
        RetentionBatch.objects.create(run=run, category=key, model=label, ids=[str(pk) for pk in ids])


def _guard(
    book: Book, only: str, allow_share: Decimal | None, late: Mapping[str, list[list[int]]] | None = None
) -> dict[str, Any] | None:
    """Speaks where more than the allowed share of customers would lose their row in this run.

    `late`: pages of due persons that a rehearsal found beside those that the index finds."""
    late = late or {}
    limit = Policy.current().purge_share if allow_share is None else allow_share
    total = Customer.objects.count()
    people = [unit for unit in units(book, only) if unit.of_people]
    persons = sum(count_due(book, unit) + sum(map(len, late.get(unit.key, ()))) for unit in people)
    if total < SPEAKS_FROM or Decimal(persons) / total <= limit:
        return None
    # Only now is it worth asking who of them stays because a case runs.
    pages = (ids for unit in people for ids in chain(due_pages(book, unit), late.get(unit.key, ())))
    persons -= sum(_count_held(book, ids) for ids in pages)
    if Decimal(persons) / total <= limit:
        return None
    return {"share": round(persons / total, 4), "limit": float(limit), "persons": persons}


def _count_held(book: Book, ids: list[int]) -> int:
    return len(kept_people(book, ids))


def approve_run(run: RetentionRun, user: User) -> None:
    """A person lets a guarded run go on. Raises RetentionRun.DoesNotExist where it no longer waits."""
    waiting = RetentionRun.objects.filter(pk=run.pk, state=RetentionRun.State.GUARDED)
    if not waiting.update(state=RetentionRun.State.RUNNING, approved_by=user, approved_at=timezone.now()):
        raise RetentionRun.DoesNotExist


def work(run_id: UUID, *, batches: int | None = None) -> int:
    """Do batches of a run until none is left that nobody has (or so many); how many were done here."""
    run = RetentionRun.objects.get(pk=run_id)
    if run.state != RetentionRun.State.RUNNING:
        return 0
    book = Book(run.as_of, night=True, warns_first=run.warns_first)
    done = 0
    while (batches is None or done < batches) and _work_one(run, book):
        done += 1
    _finish(run)
    return done


def _work_one(run: RetentionRun, book: Book) -> bool:
    """One batch, in one transaction with its log; False where none is free."""
    batch: RetentionBatch | None = None
    try:
        with transaction.atomic():
            # A batch is found along indexes; workers beside each other use the processors better than one that splits.
            run_sql("SET LOCAL max_parallel_workers_per_gather = 0")
            batch = (
                run.batches.select_for_update(skip_locked=True)
                .filter(state=RetentionBatch.State.WAITING, attempts__lt=TRIES)
                .order_by("attempts", "pk")
                .first()
            )
            if batch is None:
                return False
            outcome = _do(book, batch)
            _log(run, book, batch, outcome)
            batch.state, batch.done_at = RetentionBatch.State.DONE, timezone.now()
            batch.save(update_fields=["state", "done_at"])
    except Exception as error:  # noqa: BLE001  (queued and shown; the other batches go on)
        # A database that was away is no fault of the batch: the next sweep goes on.
        if batch is None or is_outage(error):
            raise
        _note_failure(batch, error)
    return True


def _note_failure(batch: RetentionBatch, error: Exception) -> None:
    """The class of the error and no word of it: messages of the database quote values."""
    attempts = batch.attempts + 1
    state = RetentionBatch.State.FAILED if attempts >= TRIES else RetentionBatch.State.WAITING
    RetentionBatch.objects.filter(pk=batch.pk).update(attempts=attempts, error=type(error).__name__, state=state)


def _do(book: Book, batch: RetentionBatch) -> Outcome:
    if batch.category == HISTORY:
        return end_history(book, tables()[batch.model])
    if batch.category.startswith(f"{STORE}:"):
        return end_store(book, batch.model)
    outcome = Outcome()
    for unit in units(book, batch.category):
        if unit.table.label == batch.model:
            key = unit.table.model._meta.pk
            outcome.join(_end(book, unit, [key.to_python(pk) for pk in batch.ids]))
    return outcome


def _end(book: Book, unit: Unit, ids: list[Any]) -> Outcome:
    return end_people(book, unit, ids) if unit.of_people else end_rows(book, unit, ids)


def _log(run: RetentionRun, book: Book, batch: RetentionBatch, outcome: Outcome) -> None:
    entries = []
    for (key, label, action), count in outcome.counts.items():
        known = key.partition(":")[0] and key not in ("", HISTORY) and not key.startswith(STORE)
        version = book.verdict(key).rule.version if known else None
        entries.append(
            DeletionLog(
                run=run, rule_key=key, rule_version=version, model=label, action=action, count=count,
                ids=outcome.ids.get((key, label, action), []),
            )
        )  # fmt: skip
    DeletionLog.objects.bulk_create(entries)


def _finish(run: RetentionRun) -> None:
    """Close the run when no batch waits; whoever comes last does it."""
    if run.batches.filter(state=RetentionBatch.State.WAITING).exists():
        return
    failed = run.batches.filter(state=RetentionBatch.State.FAILED).exists()
    state = RetentionRun.State.INCOMPLETE if failed else RetentionRun.State.DONE
    running = RetentionRun.objects.filter(pk=run.pk, state=RetentionRun.State.RUNNING)
    running.update(state=state, finished_at=timezone.now())


def report_of(run: RetentionRun) -> Report:
    """What became of a run, read from its batches and its log."""
    run.refresh_from_db()
    report = Report(run.pk, run.as_of, dry_run=False, guard=run.guard)
    if run.approved_at is not None:
        report.guard = None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT category, state, sum(cardinality(ids)) FROM privacy_retentionbatch WHERE run_id = %s "
            "GROUP BY category, state",
            [run.pk],
        )
        for category, state, count in cursor.fetchall():
            report.add(category, "due", count)
            report.add(category, "failed", count if state == RetentionBatch.State.FAILED else 0)
    log = run.log.values_list("rule_key", "model", "action").annotate(total=Sum("count"))
    outcome = Outcome()
    for key, label, action, total in log.order_by():
        outcome.counts[key, label, action] = total
    _add(report, outcome)
    report.complete = run.state == RetentionRun.State.DONE
    return report


_SAID = {"delete": "deleted", "anonymize": "anonymized", "block": "blocked", "held": "held"}


def _add(report: Report, outcome: Outcome) -> None:
    for (key, label, action), count in outcome.counts.items():
        if action in _SAID and outcome.is_root(key, label):
            report.add(key, _SAID[action], count)
