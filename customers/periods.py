"""Which period of the retention catalogue a customer's own row is in, and the day that it counts from."""

from __future__ import annotations

from datetime import date
from typing import Any

from customers.models import Customer
from datamap.declarations import By, as_paths, registry

CATEGORIES = {"account": "ACCOUNT", "guest": "GUEST", "prospect": "LEAD"}


def category_of(path: str = "customer.") -> By:
    """The category of rows that end with the person; `path` leads there."""
    return By(f"{path}status", CATEGORIES)


def start_of(path: str = "customer.") -> By:
    """The periods of a person's rows count from what the person did last."""
    known = (f"{path}registered_at", f"{path}created_at")
    return By(
        f"{path}status",
        account=(f"{path}summary.last_activity", *known),
        guest=(f"{path}summary.withdrawal_end", f"{path}summary.last_activity", *known),
        prospect=(f"{path}summary.last_contact", f"{path}summary.last_activity", *known),
    )


def began(customer: Customer) -> date:
    """When the period of this customer began, as the declaration says: the first of its starts that is known."""
    start: Any = registry.declaration_for(Customer).groups[0].start  # type: ignore[union-attr]
    for path in as_paths(start.resolve(customer.status) if isinstance(start, By) else start):
        value: Any = customer
        for step in path.split("__"):
            value = getattr(value, step, None)
        if value is not None:
            return value
    return customer.created_at
