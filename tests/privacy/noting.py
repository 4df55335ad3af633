"""People, recipients and rows for the tests of accountability."""

from __future__ import annotations

from datetime import date, datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from customers.models import ContactPoint, Customer
from orders.models import Order
from privacy.models import Disclosure, Recipient

BERLIN = ZoneInfo("Europe/Berlin")
_numbers = count(1)


def at(text: str) -> datetime:
    """An instant by the clock of Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def make_customer(**values: Any) -> Customer:
    """A customer with an e-mail address."""
    number = next(_numbers)
    said = {"number": f"K-{number}", "first_name": "Jürgen", "last_name": "Müller", "status": "account", **values}
    customer = Customer.objects.create(**said)
    ContactPoint.objects.create(customer=customer, kind="email", value=f"k{number}@laden.example", is_primary=True)
    return customer


def make_recipient(name: str, kind: str = "other", role: str = "controller", **values: Any) -> Recipient:
    return Recipient.objects.create(name=name, kind=kind, role=role, **values)


def make_order(customer: Customer, delivered: str | None = None, **values: Any) -> Order:
    number = next(_numbers)
    placed = at(f"{date.fromisoformat(delivered) if delivered else date(2026, 9, 1)}T08:00")
    said = {
        "number": f"B-{number}", "customer": customer, "placed_at": placed, "total": 10, "source": "staff",
        "delivered_at": at(f"{delivered}T12:00") if delivered else None, **values,
    }  # fmt: skip
    return Order.objects.create(**{name: value for name, value in said.items() if has_field(Order, name)})


def has_field(model: Any, name: str) -> bool:
    return any(field.name == name for field in model._meta.get_fields())


def disclose(recipient: Recipient, customer: Customer, on: str, **values: Any) -> Disclosure:
    said = {"data": "Name, Anschrift", "purpose": "Lieferung", "basis": "6(1)(b)", **values}
    return Disclosure.objects.create(recipient=recipient, customer=customer, at=at(f"{on}T12:00"), **said)
