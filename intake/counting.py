"""Adds up what became of the records of a batch, and keeps the list of what was wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from customers.rows import Outcome, Problem
from intake.models import Batch, BatchProblem

COUNTS = (
    "created", "updated", "unchanged", "held", "overdue", "customers_created", "lines", "error_count", "warning_count",
)  # fmt: skip


@dataclass
class Tally:
    """Counts of a batch so far; `take` adds a chunk."""

    rows: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Tally:
        """The counts a batch has kept."""
        return cls(stored.get("rows", 0), {name: stored.get(name, 0) for name in COUNTS})

    def take(self, outcome: Outcome, records: int) -> None:
        """Add what became of one chunk."""
        self.rows += records
        for name in COUNTS:
            self.counts[name] += getattr(outcome, name)

    def as_json(self) -> dict[str, int]:
        """What the commands print (commands.md) and a batch keeps."""
        skipped = self.counts["error_count"] + self.counts["held"]
        return {"rows": self.rows, "skipped": skipped, **self.counts}


def repeated(counts: Mapping[str, int]) -> int:
    """Records that belong to what an earlier one told: the next line of an order, a customer named once more."""
    told = sum(counts.get(name, 0) for name in ("created", "updated", "unchanged", "skipped"))
    return max(counts.get("rows", 0) - told, 0)


def keep_problems(batch: Batch, outcome: Outcome, *, dry_run: bool) -> None:
    """Store what was wrong in a chunk, up to what a batch may list."""
    rows = [
        _problem(batch, problem, severity, dry_run)
        for severity, problems in (("error", outcome.errors), ("warning", outcome.warnings))
        for problem in problems
    ]
    if not rows:
        return
    room = BatchProblem.KEPT - BatchProblem.objects.filter(batch=batch, dry_run=dry_run).count()
    BatchProblem.objects.bulk_create(rows[: max(room, 0)], batch_size=1000)


def _problem(batch: Batch, problem: Problem, severity: str, dry_run: bool) -> BatchProblem:
    return BatchProblem(
        batch=batch,
        dry_run=dry_run,
        severity=severity,
        file=problem.file,
        line=problem.line,
        # A column name comes from the file: no control characters, not without end.
        field="".join(c for c in str(problem.field) if c.isprintable())[:120],
        message=str(problem.message)[:300],
    )
