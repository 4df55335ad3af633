"""Plain functions that make wordings, consents and people for the tests of consents' pages."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from consents.events import Event, Source
from consents.models import LegalText, LegalTextVersion, Placement, Purpose
from consents.recording import record
from consents.texts import publish, save_draft
from customers.models import Customer

SAID = {
    "title_de": "Newsletter",
    "body_de": "Ja, schreiben Sie mir von neuen Waren.\nIch kann jederzeit widersprechen.",
    "title_en": "Newsletter",
    "body_en": "Yes, write to me about new goods.\nI may object at any time.",
}


def make_text(
    key: str = "newsletter-wording", *, kind: str = LegalText.Kind.CONSENT, purpose: str | None = "newsletter"
) -> LegalText:
    """A text without any version."""
    about = Purpose.objects.get(key=purpose) if purpose else None
    return LegalText.objects.get_or_create(key=key, defaults={"kind": kind, "purpose": about})[0]


def make_version(
    text: LegalText | None = None, *, valid_from: date = date(2020, 1, 1), **said: str
) -> LegalTextVersion:
    """A published version."""
    return publish(save_draft(text or make_text(), SAID | said, valid_from).pk, None)[0]


def place_text(text: LegalText, place: str, demand: str = Placement.Demand.ACCEPT) -> Placement:
    """Make a text due somewhere."""
    return Placement.objects.create(place=place, text=text, demand=demand)


def give(customer: Customer, at: datetime | None = None, **given: Any) -> int:
    """A confirmed consent to the newsletter by e-mail, unless told otherwise."""
    values: dict[str, Any] = {
        "kind": "given",
        "purpose": "newsletter",
        "channel": "email",
        "endpoint": f"alma{customer.number}@laden.example",
        "source": Source.DOUBLE_OPT_IN,
        "confirmed": True,
        "actor": "self",
    } | given
    if values["channel"] in ("post", "web"):
        values["endpoint"] = ""
    return record(Event(customer_id=customer.pk, number=customer.number, at=at, **values))
