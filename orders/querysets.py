"""Questions about sets of orders and documents; blocked rows are left to the archive door."""

from __future__ import annotations

from typing import Any

from django.db import models

from customers.models import Customer


class OrderQuerySet(models.QuerySet):
    """Chainable questions about orders that are not blocked."""

    def counted(self) -> OrderQuerySet:
        """Orders that count in totals: cancelled ones do not."""
        return self.filter(cancelled_at__isnull=True)

    def latest_first(self) -> OrderQuerySet:
        """The order of every list and timeline; `id` decides between equal instants."""
        return self.order_by("-placed_at", "-id")

    def visible_to(self, user: Any) -> OrderQuerySet:
        """Without orders of restricted customers, unless the role may see those (Art. 18 GDPR)."""
        if user.may("customers.restricted"):
            return self
        restricted = Customer.objects.filter(restricted_at__isnull=False, pk=models.OuterRef("customer_id"))
        return self.filter(~models.Exists(restricted))


class IssuedDocument(Exception):
    """Somebody tried to change or delete a document after it was issued."""

    def __init__(self) -> None:
        super().__init__("An issued document is never changed or deleted; issue a credit note instead.")


class DocumentQuerySet(models.QuerySet):
    """Documents are inserted one by one and never changed."""

    def update(self, **fields: Any) -> int:
        """Refused, as the trigger in the database would."""
        raise IssuedDocument

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refused: documents end by their retention rule alone."""
        raise IssuedDocument
