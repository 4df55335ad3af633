"""Service figures: contacts by type and month, times to answer and to resolution, open complaints by age."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import connection
from django.db.models import Count, Q
from django.db.models.functions import TruncMonth
from django.utils import timezone

from interactions.models import Complaint, Interaction

AGES = ((0, 2), (3, 7), (8, 14), (15, 30), (31, None))

_TIMES = """
select {kind} as kind,
       count(*) filter (where answered_at is not null),
       percentile_cont(0.5) within group (order by extract(epoch from answered_at - {since}))
           filter (where answered_at is not null),
       count(*) filter (where {ended}),
       percentile_cont(0.5) within group (order by extract(epoch from closed_at - {since}))
           filter (where {ended})
  from {table}
 where {since} >= %s and blocked_at is null {only}
 group by 1 order by 1
"""


@dataclass(slots=True)
class Month:
    """Contacts of one calendar month (local time) by kind."""

    month: date
    counts: dict[str, int]

    @property
    def total(self) -> int:
        """All contacts of the month."""
        return sum(self.counts.values())


@dataclass(slots=True)
class Times:
    """Medians for one kind of contact; None where nothing has been answered or closed."""

    kind: str
    answered: int
    first_answer: timedelta | None
    closed: int
    resolution: timedelta | None


def contacts_by_month(months: int = 12) -> list[Month]:
    """Contacts of the last `months` calendar months by kind, oldest first, months without any included."""
    starts = _month_starts(months)
    rows = (
        Interaction.objects.filter(occurred_at__date__gte=starts[0])
        .annotate(month=TruncMonth("occurred_at"))
        .values_list("month", "kind")
        .annotate(n=Count("pk"))
        .order_by()
    )
    found: dict[date, dict[str, int]] = {start: {} for start in starts}
    for month, kind, n in rows:
        found.setdefault(timezone.localdate(month), {})[kind] = n
    return [Month(month, found[month]) for month in sorted(found)]


def answer_times(since: date) -> list[Times]:
    """Median time to first answer and to resolution of incoming contacts by kind, from the beginning of that day.

    A mail or letter that was noted as settled from the start says nothing of how long that took.
    """
    ended = "closed_at is not null and (closed_at > occurred_at or kind not in ('email', 'letter'))"
    return _times("interactions_interaction", "kind", "occurred_at", since, "and direction = 'in'", ended)


def complaint_times(since: date) -> Times | None:
    """The same for complaints; None where there were none."""
    rows = _times("interactions_complaint", "'complaint'", "opened_at", since, "", "closed_at is not null")
    return rows[0] if rows else None


def open_complaints_by_age() -> list[tuple[int, int | None, int]]:
    """Open complaints by age in days: (from, to or None, how many)."""
    now = timezone.now()
    spans = {}
    for low, high in AGES:
        span = Q(opened_at__lte=now - timedelta(days=low))
        if high is not None:
            span &= Q(opened_at__gt=now - timedelta(days=high + 1))
        spans[f"from_{low}"] = Count("pk", filter=span)
    counts = Complaint.objects.open().aggregate(**spans)
    return [(low, high, counts[f"from_{low}"]) for low, high in AGES]


def complaints_by_owner() -> list[tuple[str, int]]:
    """Open complaints by who is in charge, most first."""
    rows = Complaint.objects.open().values_list("owner__name").annotate(n=Count("pk")).order_by("-n")
    return [(name or "", n) for name, n in rows]


def _month_starts(months: int) -> list[date]:
    first = timezone.localdate().replace(day=1)
    starts = [first]
    while len(starts) < months:
        first = (first - timedelta(days=1)).replace(day=1)
        starts.append(first)
    return starts[::-1]


def _times(table: str, kind: str, since_column: str, since: date, only: str, ended: str) -> list[Times]:
    # Only names written in this module reach the text; the date is a parameter.
    sql = _TIMES.format(table=table, kind=kind, since=since_column, only=only, ended=ended)
    begin = timezone.make_aware(datetime.combine(since, time.min))
    with connection.cursor() as cursor:
        cursor.execute(sql, [begin])
        return [Times(row[0], row[1], _delta(row[2]), row[3], _delta(row[4])) for row in cursor.fetchall()]


def _delta(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=round(seconds))
