"""Saves what staff enter about a customer: master data, addresses, contact points; two editors never overwrite each
other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from customers import indexing, numbering, reading
from customers.models import Address, ContactPerson, ContactPoint, Customer, Origin, Summary
from staff.models import User


class Conflict(Exception):
    """Somebody saved the customer meanwhile; nothing was written. Carries what was to be saved and what stands."""

    def __init__(self, mine: Customer, theirs: Customer) -> None:
        super().__init__(f"Customer {theirs.number} was saved by somebody else.")
        self.mine = mine
        self.theirs = theirs


@transaction.atomic
def save_customer(
    customer: Customer,
    *,
    version: int | None,
    user: User | None,
    children: Iterable[models.Model] = (),
    removed: Iterable[models.Model] = (),
    reason: str = "",
) -> Customer:
    """Save a customer with the addresses, contact points and contact persons that were changed with it.

    One transaction. `version` is the version the editor saw (None for a new customer, which gets its number and its
    origin here). Raises Conflict if somebody saved in between, and ValidationError where a value does not fit.
    """
    if customer.pk is None:
        _prepare_new(customer)
    else:
        _claim(customer, version)
    _note(customer, user, reason)
    customer.full_clean(exclude=["origin"], validate_constraints=customer._state.adding)
    customer.save()
    for child in removed:
        _note(child, user, reason)
        child.delete()
    for child in children:
        child.customer = customer  # type: ignore[attr-defined]
        _normalize(child)
        if child.pk is None and hasattr(child, "origin_id") and child.origin_id is None:
            child.origin_id = customer.origin_id
        _note(child, user, reason)
        child.full_clean(exclude=["customer", "origin"])
        child.save()
    _keep_one_primary(customer)
    Summary.objects.get_or_create(
        customer=customer, defaults={"last_activity": customer.registered_at or customer.created_at}
    )
    indexing.refresh([customer.pk])
    customer.refresh_from_db(fields=["sort_name", "version"])
    return customer


def _prepare_new(customer: Customer) -> None:
    customer.number = customer.number or numbering.next_number()
    if customer.origin_id is None:
        customer.origin = Origin.objects.create(kind=Origin.Kind.STAFF)


def _claim(customer: Customer, version: int | None) -> None:
    theirs = Customer.objects.select_for_update().get(pk=customer.pk)
    if version != theirs.version:
        raise Conflict(customer, theirs)
    customer.version = theirs.version + 1


def _note(row: Any, user: User | None, reason: str) -> None:
    """Who the history row names; a request that is served says so itself, this holds without one too."""
    if user is not None:
        row._history_user = user
    if reason:
        row._change_reason = reason


def _normalize(child: Any) -> None:
    """Store values in the one way in which everything else stores them."""
    if isinstance(child, ContactPoint):
        child.value = child.value.strip()
        if child.kind == ContactPoint.Kind.EMAIL and not reading.is_email(child.value):
            raise ValidationError({"value": _("This is no e-mail address.")})
        if child.kind == ContactPoint.Kind.PHONE:
            child.value = reading.read_phone(child.value) or child.value
    elif isinstance(child, ContactPerson):
        child.email = child.email.strip()
        if child.email and not reading.is_email(child.email):
            raise ValidationError({"email": _("This is no e-mail address.")})
        child.phone = reading.read_phone(child.phone) or child.phone
    elif isinstance(child, Address):
        child.postcode = child.postcode.strip()


def _keep_one_primary(customer: Customer) -> None:
    """The newest mark wins, and where none is marked the oldest contact point of a kind is the primary one."""
    for kind in ContactPoint.Kind.values:
        points = list(customer.contact_points.filter(kind=kind).order_by("is_primary", "pk"))
        marked = [point for point in points if point.is_primary]
        keep = marked[-1] if marked else (points[0] if points else None)
        for point in points:
            if point.is_primary != (point is keep):
                point.is_primary = point is keep
                point.save()
