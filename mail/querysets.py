"""Questions about mails and letters; blocked letters are left to the archive door."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q


class MessageQuerySet(models.QuerySet[Any]):
    """Chainable questions about the outbox."""

    def due(self, now: datetime) -> MessageQuerySet:
        """Waiting, their time come, and in nobody's hands."""
        free = Q(lease__isnull=True) | Q(lease_until__lte=now)
        return self.filter(free, state="queued", next_attempt_at__lte=now)

    def abandoned(self, now: datetime) -> MessageQuerySet:
        """Being sent by a worker whose lease has run out: nobody knows whether the server took them."""
        return self.filter(state="sending", lease_until__lte=now)

    def undecided(self) -> MessageQuerySet:
        """A person has to say whether they arrived."""
        return self.filter(state="unknown")

    def visible_to(self, user: Any) -> MessageQuerySet:
        """Without mails to restricted customers, unless the role may see those (Art. 18 GDPR)."""
        return self if user.may("customers.restricted") else self.filter(customer__restricted_at__isnull=True)


class ArchiveQuerySet(models.QuerySet[Any]):
    """Blocked letters and all others: for the archive door and for the set-based engine only."""


class UnblockedManager(models.Manager[Any]):
    """Leaves out letters under a retention block; the default, so that no page shows them by accident."""

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(blocked_at__isnull=True)
