"""From the quick log's form to a saved contact, with the complaint it opens."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from customers.models import Customer
from interactions.complaining import open_complaint
from interactions.models import Interaction
from interactions.recording import Contact, NextStep, record
from staff.models import User


def save_contact(customer: Customer, data: dict[str, Any], *, by: User) -> Interaction:
    """Save what `ContactForm` has cleaned, in one transaction; sent twice with one token it counts once."""
    known = Interaction.objects.filter(token=data["token"]).first()
    if known:
        return known
    with transaction.atomic():
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
            token=data["token"],
        )
        step = None
        if data["next_step"]:
            step = NextStep(data["next_step"], data["due_on"], data["owner"] or by)
        return record(customer, contact, by=by, next_step=step, files=data["attachments"])
