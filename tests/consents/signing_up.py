"""Plain functions with which the tests sign somebody up: wordings, the form, the link of the mail."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consents.models import LegalText, LegalTextVersion, PendingOptIn, Purpose
from consents.opting_in import ask_opt_in, fingerprint
from consents.tokens import opt_in_tokens
from customers.models import ContactPoint, Customer
from mail.models import Message
from tests.mail.writing import write

MAIL = "zoe@laden.example"


def publish(key: str = "newsletter", number: int = 1, **fields: Any) -> LegalTextVersion:
    """A published wording of a purpose."""
    purpose = Purpose.objects.get(key=key)
    text, _new = LegalText.objects.get_or_create(key=f"{key}-yes", kind=LegalText.Kind.CONSENT, purpose=purpose)
    bodies = {
        "body_de": f"Ja, schreibt mir zu {purpose.name_de} ({number}).",
        "body_en": f"Yes, write to me about {purpose.name_en} ({number}).",
    }
    bodies |= {f"sha256_{code[-2:]}": hashlib.sha256(body.encode()).hexdigest() for code, body in bodies.items()}
    values = {"title_de": "Einwilligung", "title_en": "Consent", "valid_from": date(2020, 1, 1)} | bodies | fields
    return LegalTextVersion.objects.create(text=text, number=number, published_at=timezone.now(), **values)


def person(number: str = "K-1", email: str = MAIL, **fields: Any) -> Customer:
    """An account with this e-mail address."""
    customer = Customer.objects.create(number=number, last_name="Groß", **fields)
    ContactPoint.objects.create(customer=customer, kind="email", value=email, is_primary=True)
    return customer


def ask(address: str = MAIL, *purposes: str, **more: Any) -> PendingOptIn | None:
    """Ask as the form does; the opt-in that waits, if one was made."""
    before = set(PendingOptIn.objects.values_list("pk", flat=True))
    ask_opt_in(address, purposes or ["newsletter"], **{"page": "sign_up"} | more)
    return PendingOptIn.objects.exclude(pk__in=before).first()


def token_of(pending: PendingOptIn | None) -> str:
    """What the link in the mail holds."""
    assert pending is not None
    token = opt_in_tokens(pending.uuid)[0]
    assert fingerprint(token) == bytes(pending.token_sha256)
    return token


def link_of(pending: PendingOptIn | None) -> str:
    """The path of the link in the mail."""
    return reverse("opt_in:confirm", args=[token_of(pending)])


def form_of(client: Client, **fields: Any) -> dict[str, Any]:
    """The form as a browser would send it after a look at the page, with these fields filled in."""
    page = client.get(reverse("opt_in:sign_up"))
    found = dict(re.findall(r'<input type="hidden" name="(text-[\w-]+|seen)" value="([\w.]*)"', page.content.decode()))
    return {"email": MAIL, **found, **fields}


def advertise(customer: Customer, message_class: str = "advertising", **more: Any) -> Message:
    """A mail of advertising in the outbox."""
    return write(customer, message_class, **more)
