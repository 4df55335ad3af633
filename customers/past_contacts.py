"""Reads from the history whether an address or number was one of a customer's at a moment of the past."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from enum import Enum
from typing import Any

from customers.models import ContactPoint, Customer
from customers.normalizing import whole_key


class _Known(Enum):
    """What the history of one contact point says about a moment."""

    HELD = "held"
    GONE = "gone"  # it was theirs before
    LATER = "later"  # it became theirs afterwards
    UNTOLD = "untold"  # it is older than what is left of its history
    OTHER = "other"


def had_contact(customer: Customer, value: str, at: datetime) -> bool | None:
    """Whether the address or number was on the customer's file then; None where the history does not tell.

    It does not tell before the customer's own row was there (what a file brought may be older), and where the rows
    have had their day. History holds no blind indexes: the few values of one customer are opened and compared.
    """
    key = whole_key(value)
    said = {_told(rows, customer.pk, key, at) for rows in _by_point(customer.pk).values()}
    if _Known.HELD in said:
        return True
    if _Known.UNTOLD in said:
        return None
    if _Known.GONE in said:
        return False
    return False if _Known.LATER in said and customer.created_at <= at else None


def _by_point(customer_id: int) -> dict[int, list[Any]]:
    """The history of every contact point that ever was the customer's, oldest first; a row without one for itself."""
    history: Any = ContactPoint.history
    found: dict[int, list[Any]] = defaultdict(list)
    mine = history.filter(customer_id=customer_id).values("id")
    for row in history.filter(id__in=mine).order_by("history_date", "history_id"):
        found[row.id].append(row)
    for point in ContactPoint.objects.filter(customer=customer_id).exclude(pk__in=list(found)):
        found[point.pk].append(point)
    return found


def _told(rows: list[Any], customer_id: int, key: str | None, at: datetime) -> _Known:
    mine = [row.customer_id == customer_id and whole_key(row.value) == key for row in rows]
    past = [row for row in rows if _since(row) <= at]
    if past and mine[len(past) - 1] and getattr(past[-1], "history_type", "") != "-":
        return _Known.HELD
    if any(mine[: len(past)]):
        return _Known.GONE
    if not any(mine):
        return _Known.OTHER
    return _Known.UNTOLD if not past and rows[0].created_at <= at else _Known.LATER


def _since(row: Any) -> datetime:
    return getattr(row, "history_date", row.created_at)
