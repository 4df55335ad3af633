"""Plain functions that let people agree and disagree, for the tests of the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection

from consents.events import Event, Wording
from consents.recording import record
from customers.models import Customer

WORDING = Wording("ab" * 32, "newsletter:1", "de")
ON_EMAIL = "alma{}@laden.example"


def event(customer: Customer, kind: str = "given", purpose: str = "newsletter", **given: Any) -> Event:
    """One event about the customer's own e-mail address."""
    values = {
        "channel": "email",
        "endpoint": ON_EMAIL.format(customer.number),
        "source": "web_form",
        "wording": WORDING,
        "actor": "self",
    } | given
    return Event(kind=kind, customer_id=customer.pk, number=customer.number, purpose=purpose, **values)


def say(customer: Customer, kind: str = "given", purpose: str = "newsletter", **given: Any) -> int:
    """Record it; the id of the entry."""
    return record(event(customer, kind, purpose, **given))


def moment(text: str) -> datetime:
    """An instant with its offset."""
    return datetime.fromisoformat(text)


@contextmanager
def triggers_off(*tables: str) -> Iterator[None]:
    """As whoever owns the tables may do: the triggers sleep for a while."""
    with connection.cursor() as cursor:
        for state in ("DISABLE", "ENABLE"):
            # No table is altered while checks of its rows wait.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} {state} TRIGGER USER")
            if state == "DISABLE":
                yield
