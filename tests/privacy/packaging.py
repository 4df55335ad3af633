"""A customer of whom the house holds something everywhere, people around them, and what a package holds."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.core.files.base import ContentFile

from customers.models import (
    Address,
    ContactPoint,
    Customer,
    CustomerTag,
    Flag,
    Note,
    Origin,
    Preference,
    Summary,
    Tag,
)
from customers.suppression import suppress
from datamap import accesslog
from datamap.models import Controller
from interactions.models import Attachment, Complaint, FollowUp, Interaction
from orders.models import CustomerTotal, Document, Order, Return
from privacy.models import Package
from staff.models import Role, User
from tests.orders.factories import make_customer, make_order

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def make_shop() -> Controller:
    """Who is answerable."""
    who = Controller(
        name="Laden am Deich GmbH", street="Deichstraße 1", postcode="20459", city="Hamburg",
        email="info@laden.example",
        officer_name="Dora Schutz", officer_email="datenschutz@laden.example",
        authority_name="Der Hamburgische Beauftragte für Datenschutz",
        authority_contact="Ludwig-Erhard-Str. 22\n20459 Hamburg",
    )  # fmt: skip
    who.save()
    return who


def make_colleague(name: str = "Martin Meier", role: str = Role.SERVICE) -> User:
    """Somebody who works here."""
    return User.objects.create_user(f"{uuid4().hex[:8]}@laden.example", name=name, roles=[role])


def make_person(colleague: User, **given: Any) -> Customer:
    """A customer with something in nearly every table."""
    email = given.pop("email", "anna.gross@example.org")
    phone = given.pop("phone", "+494012345678")
    origin = Origin.objects.create(kind="platform", platform="shopify")
    customer = make_customer(
        **{"first_name": "Änne", "last_name": "Groß", "email": email, "platform": "shopify", "origin": origin,
           "external_id": f"77{uuid4().int % 10**9}", "birthday_day": 9, "birthday_month": 3, "title": "Dr."} | given
    )  # fmt: skip
    ContactPoint.objects.create(customer=customer, kind="phone", value=phone)
    Address.objects.create(
        customer=customer, recipient="Änne Groß", street="Am Deich 4", postcode="20095", city="Hamburg"
    )
    Summary.objects.create(customer=customer, last_activity=AT, orders=1, revenue="23.80")
    CustomerTag.objects.create(customer=customer, tag=Tag.objects.get_or_create(name="Stammkundin")[0])
    Preference.objects.create(customer=customer, kind="interest", value="Kaffee", said_by="customer", said_at=AT)
    Note.objects.create(customer=customer, text="calls often, colleague M. Meier handled", author=colleague)
    Flag.objects.create(
        customer=customer, kind="fraud", reason="zwei Lastschriften geplatzt", review_on=AT.date(), set_by=colleague
    )
    order = make_order(customer, note="bitte klingeln", delivered_at=AT + timedelta(days=3))
    make_papers(order)
    CustomerTotal.objects.create(customer=customer, currency="EUR", orders=1, sum="23.80", first=AT, last=AT)
    back = Return.objects.create(order=order, customer=customer, note="kam nass an", entered_by=colleague)
    back.lines.create(line=order.lines.first(), quantity=1)
    talk(customer, colleague)
    suppress("email", email, reason="objection")
    accesslog.record(colleague.pk, customer.number, "customer_detail")
    return customer


def make_papers(order: Order) -> Document:
    """An invoice of an order."""
    return Document.objects.create(
        order=order, customer=order.customer, kind="invoice", number=f"R-{uuid4().hex[:8]}", currency="EUR",
        issued_at=AT, gross="23.80", net="20.00", tax="3.80", lines=[{"name": "Artikel 1", "quantity": "1"}],
        billing_snapshot={"name": "Änne Groß", "street": "Am Deich 4", "city": "Hamburg"},
    )  # fmt: skip


def talk(customer: Customer, colleague: User, content: str = "Die Mühle klemmt.") -> Interaction:
    """A call with a complaint, a next step and a photo."""
    complaint = Complaint.objects.create(customer=customer, subject="Mühle defekt", owner=colleague)
    contact = Interaction.objects.create(
        customer=customer, kind="call", content=content, outcome="Ersatz geschickt", staff=colleague,
        complaint=complaint, occurred_at=AT,
    )  # fmt: skip
    FollowUp.objects.create(
        customer=customer, interaction=contact, step="nachfragen", due_on=AT.date(), owner=colleague
    )
    attachment = Attachment(interaction=contact, name="foto.txt", content_type="text/plain", size=11)
    attachment.file.save("foto.txt", ContentFile(b"zu sehen ist"))
    return contact


def files_of(package: Package) -> dict[str, bytes]:
    """Path -> content of everything in a package."""
    with package.file.storage.open(package.file.name) as file, zipfile.ZipFile(io.BytesIO(file.read())) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def data_of(files: dict[str, bytes], path: str) -> Any:
    """A JSON file, read."""
    return json.loads(files[path])


def everything(files: dict[str, bytes]) -> str:
    """All files as one text; the PDF's pictures of letters are left to the reader of PDF."""
    return "\n".join(content.decode(errors="replace") for name, content in files.items() if not name.endswith(".pdf"))
