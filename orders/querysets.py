"""Questions about sets of orders and documents; blocked rows are left to the archive door."""

from __future__ import annotations

from collections.abc import Iterable
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
        return _without_restricted(self, user)


class IssuedDocument(Exception):
    """Somebody tried to change or delete a document after it was issued."""

    def __init__(self) -> None:
        super().__init__("An issued document is never changed or deleted; issue a credit note instead.")


class DocumentQuerySet(models.QuerySet):
    """Documents are inserted one by one and never changed."""

    def numbered(self, numbers: Iterable[str]) -> DocumentQuerySet:
        """The papers of all kinds with one of these numbers; the index begins with the kind."""
        model: Any = self.model
        return self.filter(kind__in=model.Kind.values, number__in=list(numbers))

    def visible_to(self, user: Any) -> DocumentQuerySet:
        """Without papers of restricted customers, unless the role may see those (Art. 18 GDPR)."""
        return _without_restricted(self, user)

    def update(self, **fields: Any) -> int:
        """Refused, as the trigger in the database would."""
        raise IssuedDocument

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refused: documents end by their retention rule alone."""
        raise IssuedDocument


def _without_restricted(rows: Any, user: Any) -> Any:
    if user.may("customers.restricted"):
        return rows
    restricted = Customer.objects.filter(restricted_at__isnull=False, pk=models.OuterRef("customer_id"))
    return rows.filter(~models.Exists(restricted))
