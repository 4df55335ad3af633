"""What every model shares whose rows may be blocked until their last day (domain.md 4.1)."""

from __future__ import annotations

from django.db import models


class UnblockedManager(models.Manager):
    """Leaves out rows under a retention block; the default, so that no page shows them by accident."""

    def get_queryset(self) -> models.QuerySet:
        return super().get_queryset().filter(blocked_at__isnull=True)


class ArchiveQuerySet(models.QuerySet):
    """Blocked rows and all others: for the archive door and for the set-based engine only."""
