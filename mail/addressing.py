"""Whom a mail goes to and how the person is spoken to."""

from __future__ import annotations

from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from customers.models import ContactPoint, Customer
from mail.models import Message

LANGUAGES = frozenset(code for code, _name in settings.LANGUAGES)
ABROAD = "en"  # who reads neither language is written to in English


def contact_point_of(customer: Customer) -> ContactPoint | None:
    """The e-mail address a customer is written to now."""
    points = ContactPoint.objects.filter(customer=customer, kind=ContactPoint.Kind.EMAIL)
    return points.order_by("-is_primary", "pk").first()


def address_of(message: Message) -> str | None:
    """Where this mail goes now; None where nobody is left or nothing is known."""
    if not message.to_customer:
        return message.recipient
    if message.customer is None:
        return None
    point = contact_point_of(message.customer)
    return point.value.strip() if point else None


def language_of(message: Message) -> str:
    """The language a mail is written in: as queued, else that of the customer, else that of the shop."""
    wanted = message.language or (message.customer.language if message.customer else "") or settings.LANGUAGE_CODE
    code = wanted.lower().replace("_", "-").partition("-")[0]
    return code if code in LANGUAGES else ABROAD


def greeting(customer: Customer | None) -> str:
    """The first line, in the active language; nobody is called Mr or Ms unasked (CJEU C-394/23)."""
    if customer is None or not customer.last_name:
        return _("Dear Sir or Madam,")
    name = " ".join(filter(None, (customer.title, customer.last_name)))
    if customer.salutation == Customer.Salutation.MS:
        return _("Dear Ms %(name)s,") % {"name": name}
    if customer.salutation == Customer.Salutation.MR:
        return _("Dear Mr %(name)s,") % {"name": name}
    return _("Hello %(name)s,") % {"name": full_name(customer)}


def full_name(customer: Customer) -> str:
    """A person's name with title."""
    return " ".join(filter(None, (customer.title, customer.first_name, customer.last_name)))


def recipient_lines(customer: Customer | None, address: str) -> str:
    """The head of a letter: company, name, address it went to."""
    lines = [customer.company, full_name(customer)] if customer else []
    return "\n".join([*filter(None, lines), address])


def sending_domain() -> str:
    """The domain of the sender, which makes a Message-ID ours."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return domain if "." in domain else urlsplit(settings.SITE_URL).hostname or "localhost"
