"""How a story says no: a sentence for the person at the desk, and nothing changed."""

from __future__ import annotations

from typing import Any

from orders.models import Order


class Refused(Exception):
    """The order's state does not allow this; the text says why, in the reader's language."""


class Stale(Exception):
    """Somebody changed the order after the page was opened; carries the order as it stands now."""

    def __init__(self, current: Order) -> None:
        super().__init__(f"Order {current.pk} has been changed meanwhile.")
        self.current = current


def locked(pk: int, version: int | None, **filters: Any) -> Order:
    """The order, locked for the rest of the transaction. Raises Order.DoesNotExist and Stale."""
    order = Order.objects.select_for_update().get(pk=pk, **filters)
    if version is not None and order.version != version:
        raise Stale(order)
    return order
