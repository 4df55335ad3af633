"""Whose an address is that somebody has confirmed: a known customer, or a prospect who is made now."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.utils import timezone

from customers.intake import write_customers
from customers.models import ContactPoint, Customer, Origin
from customers.rows import CustomerRow, Source

PLATFORM = "opt_in"


def owner_of(
    address: str,
    given: Customer | None = None,
    *,
    lock: bool = True,
    make: bool = False,
    language: str = "de",
    at: datetime | None = None,
) -> Customer | None:
    """Whose consent it is that was confirmed from this e-mail address; with `make` there is always somebody.

    The customer whom the form named, where the address is theirs; else the one account that has it; else somebody who
    has confirmed exactly this address before. Of several accounts, as in a family, nobody can say: then it is a person
    of its own, and so is whoever comes back after an erasure.
    """
    having = _having(address, lock=lock)
    accounts = [customer for customer in having if customer.status == Customer.Status.ACCOUNT]
    found = next((customer for customer in having if given is not None and customer.pk == given.pk), None)
    if found is None and len(accounts) == 1:
        found = accounts[0]
    if found is None:
        found = next((customer for customer in having if customer.status == Customer.Status.PROSPECT), None)
    return _make(address, language, at or timezone.now()) if found is None and make else found


def _having(address: str, *, lock: bool) -> list[Customer]:
    """Everybody with this address, prospects only where they have confirmed it; in the order of their ids."""
    points = ContactPoint.objects.filter(kind=ContactPoint.Kind.EMAIL, whole_index=address)
    found = {
        point.customer_id: point.customer
        for point in points.select_related("customer").order_by("customer")
        if point.customer.status != Customer.Status.PROSPECT or point.verified_at is not None
    }
    if not lock:
        return list(found.values())
    customers = Customer.objects.filter(pk__in=list(found)).order_by("pk")
    return list(customers.select_for_update(no_key=True, of=("self",)))


def _make(address: str, language: str, at: datetime) -> Customer:
    """A prospect, through the door that everybody comes in by."""
    batch = uuid.uuid4()
    origin = Origin.objects.create(kind=Origin.Kind.FORM, platform=PLATFORM, label=PLATFORM, batch=batch, at=at)
    row = CustomerRow(1, status="prospect", email=address, language=language, registered_at=at, last_activity=at)
    write_customers([row], Source(batch, PLATFORM, origin.pk))
    return Customer.objects.select_for_update(no_key=True, of=("self",)).get(origin=origin)
