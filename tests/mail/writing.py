"""Plain functions that make customers and put mails into the outbox."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from customers.models import ContactPoint, Customer
from mail.models import Message
from mail.sending import queue
from mail.templates import register


def make_customer(email: str = "zoe@laden.example", **fields: Any) -> Customer:
    """A person with a number and an e-mail address of their own."""
    fields.setdefault("number", uuid.uuid4().hex[:10])
    customer = Customer.objects.create(**{"first_name": "Zoë", "last_name": "Groß"} | fields)
    if email:
        ContactPoint.objects.create(customer=customer, kind="email", value=email, is_primary=True)
    return customer


def _words(message: Message) -> Mapping[str, Any]:
    """What the text needs beside its context: read when it is sent."""
    return {"word": message.customer.last_name if message.customer else "–"}


def write(to: Customer | None = None, message_class: str = "notice", number: int = 7, **more: Any) -> Message:
    """A mail of this class in the outbox; its words stand beside these tests."""
    key = f"probe-{message_class}"
    register(key, "Probe", message_class, ["number"], load=_words, sample=SAMPLE, files="probe")
    return queue(key, to=to, message_class=message_class, context={"number": number}, **more)


SAMPLE = {"word": "Muster"}


def now(message: Message) -> Message:
    """The row as it stands in the database now."""
    return Message.objects.get(pk=message.pk)


def make_due() -> None:
    """Let the time come of every mail that waits."""
    Message.objects.filter(state="queued").update(next_attempt_at="2020-01-01T00:00Z")
