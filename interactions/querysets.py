"""Questions about sets of contacts, complaints and follow-ups; blocked rows are left to the archive door."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models

from datamap.blocking import UnblockedManager


class InteractionQuerySet(models.QuerySet[Any]):
    """Chainable questions about contacts."""

    def open(self) -> InteractionQuerySet:
        """Contacts nobody has closed."""
        return self.filter(closed_at__isnull=True)


class ComplaintQuerySet(models.QuerySet[Any]):
    """Chainable questions about complaints."""

    def open(self) -> ComplaintQuerySet:
        """Complaints neither settled nor rejected."""
        return self.filter(closed_at__isnull=True)


class FollowUpQuerySet(models.QuerySet[Any]):
    """Chainable questions about next steps."""

    def open(self) -> FollowUpQuerySet:
        """Steps not yet done."""
        return self.filter(done_at__isnull=True)

    def owned_by(self, user_id: int) -> FollowUpQuerySet:
        """Steps this member of staff is in charge of."""
        return self.filter(owner_id=user_id)

    def due_by(self, day: date) -> FollowUpQuerySet:
        """Steps due on `day` or before."""
        return self.filter(due_on__lte=day)

    def overdue(self, today: date) -> FollowUpQuerySet:
        """Steps whose day has passed."""
        return self.filter(due_on__lt=today)


InteractionManager = UnblockedManager.from_queryset(InteractionQuerySet)
ComplaintManager = UnblockedManager.from_queryset(ComplaintQuerySet)
FollowUpManager = models.Manager.from_queryset(FollowUpQuerySet)
