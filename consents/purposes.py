"""Changes what the shop uses data for; the states that follow from it change with it."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.db.models.functions import Now

from consents.models import Purpose

# As `recording` and `rebuilding` count it: from the last use, else from the consent.
_FRESH = """
UPDATE consents_state s SET fresh_until =
    greatest(coalesce(r.fresh_from, r.used_at, s.since), r.occurred_at) + make_interval(months => p.stale_months)
FROM consents_record r, consents_purpose p
WHERE r.entry_id = s.entry_id AND p.id = s.purpose_id AND s.purpose_id = %s AND s.granted
"""
_OPEN = "SELECT consents_refresh(ARRAY(SELECT DISTINCT customer_id FROM consents_state WHERE purpose_id = %s))"


@transaction.atomic
def save_purpose(purpose: Purpose) -> Purpose:
    """Store a purpose, new or changed; its key stays as it is once stored. One statement for all states it changes."""
    before = Purpose.objects.select_for_update().filter(pk=purpose.pk).first() if purpose.pk else None
    if before is None:
        purpose.save(force_insert=True)
        return purpose
    purpose.key = before.key
    purpose.save()
    with connection.cursor() as cursor:
        if before.stale_months != purpose.stale_months:
            cursor.execute(_FRESH, [purpose.pk])
        if (before.advertising, bool(before.minimum_age)) != (purpose.advertising, bool(purpose.minimum_age)):
            cursor.execute(_OPEN, [purpose.pk])
    return purpose


def retire(purpose: Purpose, *, retired: bool) -> datetime | None:
    """Take a purpose out of use, or back in; nothing is deleted, and the answer is no while it is out of use."""
    if retired != bool(purpose.retired_at):
        # The database says since when, so that it is the instant of the version (migration 0016).
        Purpose.objects.filter(pk=purpose.pk).update(retired_at=Now() if retired else None)
        purpose.refresh_from_db(fields=["retired_at"])
    return purpose.retired_at
