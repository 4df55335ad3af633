"""From the quick log's form to a saved contact, with the complaint it opens."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from django.db import transaction

from customers.models import Customer
from interactions.complaining import open_complaint
from interactions.models import Interaction
from interactions.recording import Contact, NextStep, record
from staff.models import User

UNBOUND = ("token", "attachments")


def save_contact(customer: Customer, data: dict[str, Any], *, by: User) -> Interaction:
    """Save what `ContactForm` has cleaned, in one transaction.

    Sent twice with one token it counts once, also at the same time. Other words under the same token (somebody went
    back and wrote on) are a contact of their own: nothing typed is lost.
    """
    token = _token(customer, data, by)
    with transaction.atomic():
        # The second of two clicks waits here, and then finds what the first one saved.
        Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
        known = Interaction.objects.filter(token=token).first()
        if known:
            return known
        complaint = data["complaint"]
        if data["new_complaint"]:
            complaint = open_complaint(customer, data["new_complaint"], by=by, order_number=data["order_number"])
        # A contact about a complaint is part of the dispute and kept as long as it.
        claimed = Interaction.RecordClass.CLAIM if complaint else Interaction.RecordClass.TICKET
        contact = Contact(
            kind=data["kind"],
            direction=data["direction"],
            content=data["content"],
            occurred_at=data["occurred_at"],
            outcome=data["outcome"],
            record_class=data["record_class"] or claimed,
            order_number=data["order_number"],
            closed=not data["waits"],
            complaint=complaint,
            token=token,
        )
        step = None
        if data["next_step"]:
            step = NextStep(data["next_step"], data["due_on"], data["owner"] or by)
        return record(customer, contact, by=by, next_step=step, files=data["attachments"])


def _token(customer: Customer, data: dict[str, Any], by: User) -> UUID:
    """The form's token bound to what was typed into it, for whom and by whom."""
    typed = [(name, str(getattr(value, "pk", value))) for name, value in sorted(data.items()) if name not in UNBOUND]
    files = [(file.name, file.size) for file in data["attachments"]]
    return uuid5(data["token"], repr((customer.pk, by.pk, typed, files)))
