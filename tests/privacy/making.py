"""Plain makers of what the tests of requests need."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from customers.models import Customer
from privacy import receiving
from privacy.models import Request
from staff.models import User
from tests.portal.factories import make_customer


def person(number: str = "10001", **given: Any) -> Customer:
    """A customer with an address and an e-mail address."""
    given = {"first_name": "Zoë", "last_name": "Groß", "email": "zoe@laden.example", "phone": "+49405550142"} | given
    return make_customer(number, **given)


def take(by: User | None = None, **given: Any) -> Request:
    """A registered request: access by mail, received now."""
    values: dict[str, Any] = {"kind": "access", "channel": "mail", "received_at": timezone.now()} | given
    return receiving.register(receiving.Incoming(**values), by=by)[0]


def days_ago(days: int) -> datetime:
    """That many days before now."""
    return timezone.now() - timedelta(days=days)


def form(**given: Any) -> dict[str, Any]:
    """What a browser sends from the form of a new request."""
    values = {
        "channel": "mail",
        "received_at": timezone.localtime().strftime("%Y-%m-%dT%H:%M"),
        "text": "",
        "kind": "access",
        "objects_to": "",
        "name": "Zoë Groß",
        "email": "",
        "phone": "",
        "address": "",
        "language": "de",
        "number": "",
        "token": str(uuid.uuid4()),
    }
    return values | given
