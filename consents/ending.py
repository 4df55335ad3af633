"""What happens to consents when their person ends, and when they are used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice

from django.db import connection
from django.utils import timezone

from consents.events import Kind, Source
from consents.models import Record, State
from consents.withdrawing import end_states
from datamap.controlling import legal_zone
from datamap.workdays import local_date

PAGE = 5_000
_CALLED = """
WITH used AS (
    UPDATE consents_record r SET used_at = greatest(r.used_at, %(at)s), fresh_from = CASE
        WHEN coalesce(r.fresh_from, r.used_at) + make_interval(months => p.stale_months) <= %(at)s
            THEN coalesce(r.fresh_from, r.used_at)
        WHEN r.fresh_from IS NOT NULL THEN greatest(r.fresh_from, %(at)s) END
    FROM consents_purpose p
    WHERE p.id = r.purpose_id AND r.customer_id = ANY (%(ids)s) AND r.channel = 'phone'
        AND (r.ended_at IS NULL OR r.ended_at > %(at)s) AND (r.used_at < %(at)s OR r.fresh_from < %(at)s)
    RETURNING r.customer_id, r.entry_id,
        coalesce(r.fresh_from, r.used_at) + make_interval(months => p.stale_months) AS fresh
)
UPDATE consents_state s SET fresh_until = u.fresh
FROM used u WHERE s.customer_id = u.customer_id AND s.entry_id = u.entry_id AND s.fresh_until < u.fresh
"""


def end_with_person(ids: Sequence[int], day: date, *, asked: bool) -> None:
    """End every standing yes of persons who are erased: the proof of it has a last day from then on.

    Who asks for erasure withdraws (P09); where the period of an account is over, the shop ends it.
    """
    kind, at = Kind.WITHDRAWN if asked else Kind.REVOKED, _moment(day)
    states = State.objects.filter(customer__any_of=list(ids), granted=True).select_related("purpose", "customer")
    waiting = states.order_by("customer", "pk").iterator(chunk_size=PAGE)
    while batch := list(islice(waiting, PAGE)):
        end_states(batch, source=Source.ERASURE, actor="self" if asked else "system", at=at, kind=kind)
    # Whatever else was left open has a last day from now on, too.
    Record.objects.filter(customer__any_of=list(ids), ended_at__isnull=True).update(ended_at=at)


def _moment(day: date) -> datetime:
    """Now, or noon of another day for which the erasure is run."""
    now = timezone.now()
    zone = legal_zone()
    if local_date(now, zone) == day:
        return now
    return datetime.combine(day, time(), zone) + timedelta(hours=12)


def note_calls(ids: Sequence[int], at: datetime, *, call: bool) -> None:
    """Each call is a use of the consent to calls: its proof is kept from then on anew (§ 7a UWG).

    One made while the consent was fresh keeps it fresh. One made too late revives nothing (domain.md 1.3), whenever the
    shop notes it, and is proof all the same.
    """
    if not call:
        return
    with connection.cursor() as cursor:
        cursor.execute(_CALLED, {"ids": list(ids), "at": at})
