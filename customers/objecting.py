"""Lets pages below the rights take an objection to advertising down; the rights above say how it is carried out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from customers.models import Customer

Objecting = Callable[[Customer, datetime], Any]
"""(customer, when): carries an objection out and registers it, in the caller's transaction; idempotent."""
_objecting: list[Objecting] = []


def register_objecting(carry_out: Objecting) -> None:
    """Say how an objection is carried out; called once, from the `ready` of the app that keeps requests."""
    if _objecting and _objecting != [carry_out]:
        raise ImproperlyConfigured("Objections are carried out in one way.")
    _objecting[:] = [carry_out]


def object_to_advertising(customer: Customer, at: datetime) -> None:
    """The person wants no advertising any more, on any way (Art. 21(2) GDPR). Raises LookupError where nobody acts."""
    if not _objecting:
        raise LookupError("No app carries objections out.")
    _objecting[0](customer, at)
