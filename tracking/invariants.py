"""What must always be true of devices and visits; `doctor` asks."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.utils import timezone

from datamap.diagnosis import Finding, Options
from tracking import months
from tracking.cutting import held_among

_UNFOUNDED = """
SELECT array_agg(DISTINCT d.customer_id) FROM tracking_device d WHERE d.customer_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM consents_state s JOIN consents_purpose p ON p.id = s.purpose_id
    WHERE s.customer_id = d.customer_id AND p.key = 'tracking' AND s.channel = 'web' AND s.granted)
"""
_ORPHANS = """
SELECT count(*) FROM tracking_visit v WHERE NOT EXISTS (SELECT 1 FROM tracking_device d WHERE d.id = v.device_id)
"""


def check_tracking(options: Options) -> Finding:
    """No device belongs to anybody without consent, no visit to a device that is gone, and the month is there.

    Where nothing of a person may be deleted while a matter runs, their device waits for its end.
    """
    without = _ask(_UNFOUNDED) or []
    unfounded = len(without) - len(held_among(without, night=False))
    orphans = _ask(_ORPHANS) if options.deep else 0
    ready = months.month_of(timezone.localdate()) in months.standing()
    detail = f"{unfounded} people linked without consent"
    if options.deep:
        detail += f", {orphans} visits without a device"
    if not ready:
        detail += ", no partition for this month"
    return Finding(not unfounded and not orphans and ready, detail)


def _ask(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]
