"""Tells of orders that are paid, and of those undone: what follows from a sale is for others to know (§ 7(3) UWG)."""

from __future__ import annotations

from datetime import datetime

from customers.selling import Sale, Undone, tell_sales, tell_undone
from orders.models import Order


def tell_paid(order: Order) -> int:
    """Tell of an order of a known customer that gave an e-mail address with it; answers how many notes were made.

    A guest has bought once and asked for nothing else.
    """
    email = (order.billing or {}).get("email", "")
    if order.paid_at is None or order.customer_id is None or order.kind == Order.Kind.GUEST or not email:
        return 0
    return tell_sales([Sale(order.number, order.customer_id, email, order.placed_at, order.paid_at, None)])


def tell_cancelled(order: Order, at: datetime) -> int:
    """Tell that nothing is left of this sale: cancelled, or wholly withdrawn from (§ 355(1) BGB) or given back."""
    return tell_undone([Undone(order.number, order.customer_id, at)]) if order.customer_id is not None else 0
