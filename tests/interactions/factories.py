"""Customers and contacts for the tests of this app."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from customers.models import Customer
from interactions.models import Interaction
from interactions.recording import Contact, record
from staff.models import User


def make_customer(**fields: Any) -> Customer:
    """A person with a number of their own."""
    fields.setdefault("number", uuid.uuid4().hex[:10])
    return Customer.objects.create(**{"first_name": "Zoë", "last_name": "Groß"} | fields)


def make_contact(customer: Customer, by: User, **fields: Any) -> Interaction:
    """A call that came in just now."""
    values = {
        "kind": "call",
        "direction": "in",
        "content": "asked for the parcel",
        "occurred_at": timezone.now(),
    }
    return record(customer, Contact(**(values | fields)), by=by)


def log_form(**fields: Any) -> dict[str, Any]:
    """What a browser sends from the quick log."""
    now = timezone.localtime().strftime("%Y-%m-%dT%H:%M")
    values = {
        "kind": "call",
        "direction": "in",
        "occurred_at": now,
        "content": "asked for the parcel",
        "outcome": "",
        "next_step": "",
        "due_on": "",
        "owner": "",
        "order_number": "",
        "complaint": "",
        "new_complaint": "",
        "record_class": "",
        "token": str(uuid.uuid4()),
    }
    return values | fields
