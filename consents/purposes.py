"""Changes what the shop uses data for; the states that follow from it change with it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now

from consents.models import Purpose


@transaction.atomic
def save_purpose(purpose: Purpose) -> Purpose:
    """Store a purpose, new or changed; its key stays as it is once stored.

    Its versions, and what is open or fresh under it, follow in the database, whoever changes it (migration 0016).
    """
    before = Purpose.objects.select_for_update().filter(pk=purpose.pk).first() if purpose.pk else None
    if before is None:
        purpose.save(force_insert=True)
    else:
        purpose.key = before.key
        purpose.save()
    return purpose


def retire(purpose: Purpose, *, retired: bool) -> datetime | None:
    """Take a purpose out of use, or back in; nothing is deleted, and the answer is no while it is out of use."""
    if retired != bool(purpose.retired_at):
        # The database says since when, so that it is the instant of the version (migration 0016).
        Purpose.objects.filter(pk=purpose.pk).update(retired_at=Now() if retired else None)
        purpose.refresh_from_db(fields=["retired_at"])
    return purpose.retired_at
