"""Plain functions that make people with a past, for the tests of their rights."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from customers.models import ContactPoint, Customer, Summary
from interactions.models import Interaction
from orders.models import Document, Order, OrderLine
from privacy import receiving
from privacy.models import Package, Redaction, Request
from privacy.packages import reviewing
from privacy.packages.building import build, work_on
from privacy.packages.knowing import asker_of
from staff.models import User
from tests.portal.factories import make_customer

BERLIN = ZoneInfo("Europe/Berlin")


def at(day: date | str, hour: int = 10) -> datetime:
    """An instant on a local day."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return datetime.combine(day, time(hour), BERLIN)


def make_person(number: str = "4711", *, last_activity: str = "2026-10-01", **kw: Any) -> Customer:
    """An account with a name, an e-mail, a phone and a summary."""
    fields = {"first_name": "Alma", "last_name": "Kanarienvogel", "registered_at": at("2017-01-02")} | kw
    customer = Customer.objects.create(number=number, **fields)
    Summary.objects.create(customer=customer, last_activity=at(last_activity))
    ContactPoint.objects.create(customer=customer, kind="email", value=f"alma{number}@laden.example", is_primary=True)
    ContactPoint.objects.create(customer=customer, kind="phone", value="+49301234567")
    return customer


def make_order(customer: Customer, placed: str, **kw: Any) -> Order:
    """A paid and delivered order with one line."""
    fields = {
        "number": f"B-{customer.number}-{placed}",
        "paid_at": at(placed),
        "payment": "paid",
        "status": "completed",
        "delivered_at": at(date.fromisoformat(placed) + timedelta(days=3)),
        "total": Decimal("23.80"),
        "billing": {"name": "Alma Kanarienvogel", "street": "Hauptstr. 1", "city": "Hamburg"},
    } | kw
    order = Order.objects.create(customer=customer, placed_at=at(placed), **fields)
    OrderLine.objects.create(order=order, name="Espressobohnen mit Gravur Alma", unit_price=Decimal("23.80"))
    return order


def make_paper(order: Order, kind: str, issued: str, number: str = "", **kw: Any) -> Document:
    """A paper of an order as it was issued."""
    return Document.objects.create(
        order=order,
        customer=order.customer,
        kind=kind,
        number=number or f"{kind}-{order.pk}-{issued}",
        issued_at=at(issued),
        currency="EUR",
        gross=order.total,
        net=order.total,
        lines=[{"name": "Espressobohnen", "amount": "23.80"}],
        billing_snapshot=order.billing,
        **kw,
    )


def make_contact(customer: Customer, occurred: str, record_class: str = "ticket", **kw: Any) -> Interaction:
    """A contact; a ticket is closed on its day unless told otherwise."""
    fields = {"kind": "email", "content": "Guten Tag, hier Alma.", "closed_at": at(occurred)} | kw
    return Interaction.objects.create(customer=customer, occurred_at=at(occurred), record_class=record_class, **fields)


def person(number: str = "10001", **given: Any) -> Customer:
    """A customer with an address and an e-mail address."""
    given = {"first_name": "Zoë", "last_name": "Groß", "email": "zoe@laden.example", "phone": "+49405550142"} | given
    return make_customer(number, **given)


def take(by: User | None = None, **given: Any) -> Request:
    """A registered request: access by mail, received now."""
    values: dict[str, Any] = {"kind": "access", "channel": "mail", "received_at": timezone.now()} | given
    return receiving.register(receiving.Incoming(**values), by=by)[0]


def make_copy(case: Request, by: User) -> Package:
    """The copy that a request asks for, looked through and released."""
    who = asker_of(case)
    assert who is not None
    package = build(who, case.kind, request=case, user_id=by.pk)
    if package.review_needed:
        files = package.redactions.filter(why=Redaction.Why.FILE)
        reviewing.decide(package, dict.fromkeys(files.values_list("pk", flat=True), "release"), by.pk)
        reviewing.finish(package, by.pk)
        work_on(package.pk)
        package.refresh_from_db()
    assert package.state == Package.State.READY
    return package


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
