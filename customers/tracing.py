"""What a customer may be found by outside the models: asked before an erasure, for stores and the search afterwards."""

from __future__ import annotations

from uuid import UUID

from customers.models import Customer
from datamap.subjects import Subject


def subject_of(customer: Customer, subject_ref: UUID) -> Subject:
    """Number, names, addresses, numbers and external ids of one customer, opened."""
    points = list(customer.contact_points.all())
    name = f"{customer.first_name} {customer.last_name}".strip()
    names = [name if " " in name else "", customer.company if customer.kind == Customer.Kind.COMPANY else ""]
    return Subject(
        subject_ref,
        customer.pk,
        customer.number,
        emails=tuple(point.value for point in points if point.kind == point.Kind.EMAIL),
        phones=tuple(point.value for point in points if point.kind == point.Kind.PHONE),
        external_ids=tuple(customer.external_ids.values_list("value", flat=True)),
        names=tuple(text for text in names if text),
    )
