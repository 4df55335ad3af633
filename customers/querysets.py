"""Questions about sets of customers."""

from __future__ import annotations

from typing import Any

from django.db import models


class CustomerQuerySet(models.QuerySet[Any]):
    """Chainable questions; whoever shows rows to a person goes through `customers.access` instead."""

    def active(self) -> CustomerQuerySet:
        """Customers that are not deactivated."""
        return self.filter(deactivated_at__isnull=True)

    def unrestricted(self) -> CustomerQuerySet:
        """Customers whose data are not restricted (Art. 18 GDPR)."""
        return self.filter(restricted_at__isnull=True)

    def accounts(self) -> CustomerQuerySet:
        """Customers with an account; guests and prospects are never matched by e-mail."""
        return self.filter(status="account")


class ContactPersonQuerySet(models.QuerySet[Any]):
    """Chainable questions about who speaks for companies."""

    def unrestricted(self) -> ContactPersonQuerySet:
        """Whose data are not restricted (Art. 18 GDPR): all that daily work shows."""
        return self.filter(restricted_at__isnull=True)


ContactPersonManager = models.Manager.from_queryset(ContactPersonQuerySet)
CustomerManager = models.Manager.from_queryset(CustomerQuerySet)
