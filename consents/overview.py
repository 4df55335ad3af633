"""How consents stand over the whole shop: opt-in rates, what comes and goes by month, and what is getting stale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Q
from django.utils import timezone

from consents.audience import count_audience
from consents.events import CLOSING, GRANTING, WITH_ENDPOINT, Channel, Kind
from consents.models import Purpose
from customers.models import OptInClaim
from datamap.controlling import legal_zone
from datamap.workdays import day_begins

MONTHS = 12
# Who was told at a sale (§ 7(3) UWG) may be reached, and was neither asked nor has said yes.
_COUNTS = """
SELECT s.purpose_id, s.channel,
    count(*) FILTER (WHERE s.granted AND s.open AND (s.fresh_until IS NULL OR s.fresh_until > now())
        AND p.retired_at IS NULL AND s.channel = ANY (p.channels) AND (s.state <> 'noticed' OR p.existing_customers)),
    count(*) FILTER (WHERE s.granted AND s.state <> 'noticed'),
    count(*) FILTER (WHERE s.state = ANY (%s)),
    count(*) FILTER (WHERE s.state = 'requested'),
    count(*) FILTER (WHERE s.granted AND s.fresh_until <= now()),
    count(*) FILTER (WHERE s.granted AND s.fresh_until > now()
        AND s.fresh_until <= now() + make_interval(months => p.stale_months - p.warn_months)),
    count(*) FILTER (WHERE s.state NOT IN ('noticed', 'lapsed'))
FROM consents_state s JOIN consents_purpose p ON p.id = s.purpose_id GROUP BY 1, 2
"""
# By the time of the event, which stands in the record; entries outlive the persons and name none, so that of whom is
# erased or blocked the time of record counts. Nothing happens after it is recorded: older entries are not asked.
_FLOW = """
SELECT date_trunc('month', coalesce(r.occurred_at, e.ts) AT TIME ZONE %(zone)s)::date, e.kind, count(*)
FROM consents_entry e LEFT JOIN consents_record r ON r.entry_id = e.id AND r.blocked_at IS NULL
WHERE e.ts >= %(start)s AND coalesce(r.occurred_at, e.ts) >= %(start)s AND e.kind = ANY (%(kinds)s) GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Rate:
    """One purpose on one channel, in numbers of endpoints."""

    purpose: Purpose
    channel: str
    allowed: int
    granted: int
    refused: int
    waiting: int
    stale: int
    soon: int
    asked: int

    @property
    def channel_label(self) -> Any:
        """The channel in words."""
        return Channel(self.channel).label

    @property
    def percent(self) -> int:
        """How many of a hundred who were asked said yes and still do."""
        return round(100 * self.granted / self.asked) if self.asked else 0


@dataclass(frozen=True)
class Month:
    """What happened in one month of the shop's zone."""

    month: date
    given: int
    ended: int


@dataclass(frozen=True)
class Bar:
    """One bar of the chart, in its own units."""

    x: int
    y: int
    height: int
    label: date
    value: int
    ended: bool


def rates() -> list[Rate]:
    """By purpose and channel, in the order of the purposes."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [[kind.value for kind in CLOSING]])
        rows = cursor.fetchall()
    purposes = Purpose.objects.in_bulk()
    order = {key: place for place, key in enumerate(Channel.values)}
    found = [Rate(purposes[purpose], *counted) for purpose, *counted in rows]
    return sorted(map(_reached, found), key=lambda one: (one.purpose.position, one.purpose.key, order[one.channel]))


def _reached(rate: Rate) -> Rate:
    """With the people of whom no state says alone whether they may be reached: where nobody has to be asked, and by
    post, where the suppression list knows the address."""
    purpose, channel = rate.purpose, rate.channel
    if purpose.retired_at is not None or channel not in purpose.channels:
        return rate
    unasked = purpose.basis != Purpose.Basis.CONSENT and not (purpose.advertising and channel in WITH_ENDPOINT)
    listed = purpose.advertising and channel == Channel.POST
    return replace(rate, allowed=count_audience(purpose, channel)) if unasked or listed else rate


def flow(months: int = MONTHS) -> list[Month]:
    """Consents given and ended in each of the last months, oldest first."""
    starts = _starts(months)
    given, ended = [kind.value for kind in GRANTING], [Kind.WITHDRAWN.value, Kind.REFUSED.value, Kind.REVOKED.value]
    zone = legal_zone()
    with connection.cursor() as cursor:
        start = day_begins(starts[0], zone)
        cursor.execute(_FLOW, {"zone": str(zone), "start": start, "kinds": [*given, *ended]})
        counts = {(month, kind): number for month, kind, number in cursor.fetchall()}
    return [
        Month(
            start,
            sum(counts.get((start, kind), 0) for kind in given),
            sum(counts.get((start, kind), 0) for kind in ended),
        )
        for start in starts
    ]


def _starts(months: int) -> list[date]:
    first = timezone.localdate(timezone=legal_zone()).replace(day=1)
    starts = [first]
    while len(starts) < months:
        first = (first - timedelta(days=1)).replace(day=1)
        starts.append(first)
    return starts[::-1]


def bars(months: list[Month], *, height: int = 60) -> list[Bar]:
    """Two bars for each month, given and ended, the largest as high as the ground (20 units wide a month)."""
    most = max((max(month.given, month.ended) for month in months), default=0)
    found = []
    for place, month in enumerate(months):
        for shift, value, ended in ((2, month.given, False), (10, month.ended, True)):
            high = max(round(height * value / most), 2) if value else 0
            found.append(Bar(20 * place + shift, height - high, high, month.month, value, ended))
    return found


def unproven() -> dict[str, int]:
    """How many opt-ins imports assert, and how many of them say yes."""
    return OptInClaim.objects.aggregate(all=Count("pk"), yes=Count("pk", filter=Q(state="yes")))
