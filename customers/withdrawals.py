"""Tells the rights above whether a withdrawal has taken effect; the app that keeps consents says how it knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from customers.models import Customer

Ended = Callable[[Customer, datetime], bool]
"""(customer, since): whether some consent of theirs ended since then, or none stands that could be withdrawn."""
_ended: list[Ended] = []


def register_withdrawals(ended: Ended) -> None:
    """Called from an app's `ready`."""
    if ended not in _ended:
        _ended.append(ended)


def has_withdrawn(customer: Customer, since: datetime) -> bool:
    """Whether what this customer has withdrawn has ended (Art. 7(3) GDPR)."""
    return all(ended(customer, since) for ended in _ended)
