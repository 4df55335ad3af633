"""What a customer may be found by outside the models: asked before an erasure, for stores and the search afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.db.models import Q

from customers.models import ContactPerson, ContactPoint, Customer
from customers.normalizing import email_key, whole_key
from datamap.subjects import Subject


def subject_of(customer: Customer, subject_ref: UUID) -> Subject:
    """Number, names, addresses, numbers and external ids of one customer, opened; also the addresses of before."""
    return Subject(
        subject_ref,
        customer.pk,
        customer.number,
        emails=tuple(_with_other_spelling(_endpoints(customer, ContactPoint.Kind.EMAIL))),
        phones=_endpoints(customer, ContactPoint.Kind.PHONE),
        external_ids=tuple(customer.external_ids.values_list("value", flat=True)),
        names=tuple(_names(customer)),
    )


def still_somebodys(texts: Iterable[str]) -> set[str]:
    """Those of these e-mails and phone numbers that a customer or a contact person has: a family shares them."""
    return {text for text in texts if whole_key(text) and _has_somebody(text)}


def _has_somebody(text: str) -> bool:
    if ContactPoint.objects.filter(whole_index=text).exists():
        return True
    return ContactPerson.objects.filter(Q(email_index=text) | Q(phone_index=text)).exists()


def _names(customer: Customer) -> Iterator[str]:
    name = f"{customer.first_name} {customer.last_name}".strip()
    if " " in name:
        yield name
    if customer.first_name and customer.last_name:
        yield f"{customer.last_name}, {customer.first_name}"
    if customer.company and customer.kind == Customer.Kind.COMPANY:
        yield customer.company


def _with_other_spelling(emails: Iterable[str]) -> Iterator[str]:
    """A domain with umlauts travels in letters and digits, too (IDNA)."""
    for email in emails:
        yield email
        if not email.isascii() and (key := email_key(email)):
            yield key


def _endpoints(customer: Customer, kind: str) -> tuple[str, ...]:
    """Those of now, then those that only history knows: copies were made while they held, too."""
    history: Any = ContactPoint.history
    now = customer.contact_points.filter(kind=kind).values_list("value", flat=True)
    before = history.filter(customer_id=customer.pk, kind=kind).order_by("history_id").values_list("value", flat=True)
    return tuple(dict.fromkeys([*now, *before]))
