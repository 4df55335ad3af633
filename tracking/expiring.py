"""Visits end 13 months after they happened (TRACK): months that are over as one statement each, then the rest."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import connection

from datamap.controlling import legal_zone
from datamap.workdays import day_begins
from tracking import months
from tracking.cutting import held_among

_OWNERS = """
SELECT array_agg(DISTINCT d.customer_id) FROM tracking_visit v JOIN tracking_device d ON d.id = v.device_id
WHERE v.occurred_at < %s AND d.customer_id IS NOT NULL
"""
_KEPT = """
SELECT min(v.occurred_at), array_agg(DISTINCT d.id) FROM tracking_device d
JOIN tracking_visit v ON v.device_id = d.id AND v.occurred_at < %s WHERE d.customer_id = ANY (%s)
"""
_DELETE = "DELETE FROM tracking_visit WHERE occurred_at < %s AND NOT device_id = ANY (%s)"


def expire_visits(last: date) -> int:
    """End all visits up to this local day, inside the caller's transaction; answers how many went.

    A month that is wholly over is dropped. Whoever has a hold keeps theirs: of such a month the others' rows are
    deleted, and it goes when the hold is over.
    """
    limit = day_begins(last + timedelta(days=1), legal_zone())
    first_kept, kept = _kept(limit)
    gone = 0
    for month in months.standing():
        if month.ends <= limit and (first_kept is None or month.ends <= first_kept):
            gone += months.drop(month)
    with connection.cursor() as cursor:
        cursor.execute(_DELETE, [limit, kept])
        return gone + cursor.rowcount


def _kept(limit: datetime) -> tuple[datetime | None, list[int]]:
    """The oldest visit that a hold keeps, and the devices whose visits stay."""
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS, [limit])
        owners = cursor.fetchone()[0] or []
        held = held_among(owners, night=True)
        if not held:
            return None, []
        cursor.execute(_KEPT, [limit, sorted(held)])
        first, devices = cursor.fetchone()
    return first, devices or []
