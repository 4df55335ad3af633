"""What happens to consents when their person ends, and when they are used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice

from django.db import connection
from django.utils import timezone

from consents.events import Kind, Source
from consents.models import Record, State
from consents.uses import IS_PAUSE, SHORTEST
from consents.withdrawing import end_states
from datamap.controlling import legal_zone
from datamap.workdays import local_date

PAGE = 5_000
_FRESH = "coalesce(r.fresh_from, r.used_at)"
_CALLED = f"""
WITH purpose AS (
    SELECT p.id, p.stale_months, {SHORTEST} AS shortest, v.stale_months AS then
    FROM consents_purpose p JOIN LATERAL (
        SELECT v.stale_months FROM consents_purposeversion v WHERE v.purpose_id = p.id
        ORDER BY v.valid_from <= %(at)s DESC, CASE WHEN v.valid_from <= %(at)s THEN -v.number ELSE v.number END LIMIT 1
    ) v ON true
),
used AS (
    UPDATE consents_record r SET used_at = greatest(r.used_at, %(at)s), fresh_from = CASE
            WHEN {_FRESH} + make_interval(months => p.then) <= %(at)s THEN {_FRESH}
            WHEN r.fresh_from IS NOT NULL THEN greatest(r.fresh_from, %(at)s) END,
        pauses = CASE
            WHEN {_FRESH} + make_interval(months => p.then) <= %(at)s THEN r.pauses
            WHEN {IS_PAUSE.format(since=_FRESH, shortest="p.shortest", at="%(at)s")}
                THEN r.pauses || ARRAY[{_FRESH}, %(at)s]
            -- It may end a pause earlier than was known, and begin another.
            WHEN EXISTS (SELECT FROM generate_series(1, cardinality(r.pauses), 2) n
                WHERE r.pauses[n] < %(at)s AND %(at)s < r.pauses[n + 1]
                AND NOT {IS_PAUSE.format(since="r.pauses[n]", shortest="p.shortest", at="%(at)s")})
                THEN (SELECT array_agg(x ORDER BY x) FROM unnest(r.pauses || ARRAY[%(at)s, %(at)s]) x)
            ELSE r.pauses END
    FROM purpose p
    WHERE p.id = r.purpose_id AND r.customer_id = ANY (%(ids)s) AND r.channel = 'phone'
        AND (r.ended_at IS NULL OR r.ended_at > %(at)s)
        AND (r.used_at < %(at)s OR r.fresh_from < %(at)s OR r.pauses[cardinality(r.pauses)] > %(at)s)
    RETURNING r.customer_id, r.entry_id, {_FRESH} + make_interval(months => p.stale_months) AS fresh
)
UPDATE consents_state s SET fresh_until = u.fresh
FROM used u WHERE s.customer_id = u.customer_id AND s.entry_id = u.entry_id AND s.fresh_until < u.fresh
"""  # noqa: S608


def end_with_person(ids: Sequence[int], day: date, *, asked: bool) -> dict[str, set[int]]:
    """End every standing yes of persons who are erased: the proof of it has a last day from then on. Answers the
    records that say so.

    Who asks for erasure withdraws (P09); where the period of an account is over, the shop ends it.
    """
    kind, at = Kind.WITHDRAWN if asked else Kind.REVOKED, _moment(day)
    states = State.objects.filter(customer__any_of=list(ids), granted=True).select_related("purpose", "customer")
    waiting = states.order_by("customer", "pk").iterator(chunk_size=PAGE)
    written: set[int] = set()
    while batch := list(islice(waiting, PAGE)):
        end_states(batch, source=Source.ERASURE, actor="self" if asked else "system", at=at, kind=kind)
        ended = State.objects.filter(pk__any_of=[state.pk for state in batch])
        written.update(ended.values_list("entry", flat=True))
    # Whatever else was left open has a last day from now on, too.
    Record.objects.filter(customer__any_of=list(ids), ended_at__isnull=True).update(ended_at=at)
    return {Record._meta.label: written}


def _moment(day: date) -> datetime:
    """Now, or noon of another day for which the erasure is run."""
    now = timezone.now()
    zone = legal_zone()
    if local_date(now, zone) == day:
        return now
    return datetime.combine(day, time(), zone) + timedelta(hours=12)


def note_calls(ids: Sequence[int], at: datetime, *, call: bool) -> None:
    """Each call of the shop is a use of the consent to calls: its proof is kept from then on anew (§ 7a UWG).

    One made while the consent was fresh keeps it fresh. One made too late revives nothing (domain.md 1.3), whenever the
    shop notes it, and is proof all the same.
    """
    if not call:
        return
    with connection.cursor() as cursor:
        cursor.execute(_CALLED, {"ids": list(ids), "at": at})
