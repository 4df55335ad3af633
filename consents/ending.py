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
    UPDATE consents_record r SET used_at = %(at)s
    WHERE r.customer_id = ANY (%(ids)s) AND r.channel = 'phone' AND (r.ended_at IS NULL OR r.ended_at > %(at)s)
        AND r.used_at < %(at)s
    RETURNING r.customer_id, r.purpose_id, r.endpoint_index
)
UPDATE consents_state s SET fresh_until = %(at)s + make_interval(months => p.stale_months)
FROM used u JOIN consents_purpose p ON p.id = u.purpose_id
WHERE s.customer_id = u.customer_id AND s.purpose_id = u.purpose_id AND s.channel = 'phone'
    AND s.endpoint_index IS NOT DISTINCT FROM u.endpoint_index
    AND s.fresh_until < %(at)s + make_interval(months => p.stale_months)
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
    """Each call is a use of the consent to calls: its proof is kept from then on anew (§ 7a UWG)."""
    if not call:
        return
    with connection.cursor() as cursor:
        cursor.execute(_CALLED, {"ids": list(ids), "at": at})
