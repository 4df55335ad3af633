"""Customers as the desk's tests need them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from customers.indexing import refresh
from customers.models import Address, ContactPoint, Customer, Summary

_USUAL = {"first_name": "Anna", "last_name": "Beispiel"}


def make_customer(
    number: str,
    *,
    city: str = "Hamburg",
    postcode: str = "22767",
    email: str = "",
    phone: str = "",
    revenue: Any = 0,
    orders: int = 0,
    last_activity: datetime | None = None,
    summary: bool = True,
    **fields: Any,
) -> Customer:
    """One customer with an address, what can be reached, figures and search entry."""
    names = {} if {"first_name", "last_name", "company"} & set(fields) else _USUAL
    complaints = fields.pop("open_complaints", 0)
    stop = fields.pop("advertising_stopped_at", None)
    customer = Customer.objects.create(number=number, **{**names, **fields})
    Address.objects.create(customer=customer, street="Elbchaussee 12", postcode=postcode, city=city, is_default=True)
    for kind, value in (("email", email), ("phone", phone)):
        if value:
            ContactPoint.objects.create(customer=customer, kind=kind, value=value, is_primary=True)
    if summary:
        Summary.objects.create(
            customer=customer,
            last_activity=last_activity or timezone.now(),
            revenue=Decimal(str(revenue)),
            orders=orders,
            open_complaints=complaints,
            advertising_stopped_at=stop,
        )
    refresh([customer.pk])
    return customer
