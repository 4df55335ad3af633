"""Somebody who speaks for a company and asks for themselves: a person of their own, whose data are their row alone.

Their requests stand in the file of the company, which is how the desk finds them; what is handed out, erased, stopped
and written goes to them and never to the company.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from customers.models import ContactPerson, ContactPoint, Customer
from customers.normalizing import email_key, phone_key, whole_key
from privacy.models import Request

_READ = ("first_name", "last_name", "position", "email", "phone")


def speaker_of(request: Request) -> ContactPerson | None:
    """The contact person who asks; None where the customer does, and where the contact person is erased by now."""
    if request.contact_person is None:
        return None
    return ContactPerson.objects.select_related("customer").filter(pk=request.contact_person).first()


def speaker_by_address(customer: Customer | None, email: str) -> int | None:
    """The contact person of this company whose own address that is, and nobody else's of the file."""
    if customer is None or not email_key(email):
        return None
    if ContactPoint.objects.filter(customer=customer, whole_index=email).exists():
        return None
    found = list(ContactPerson.objects.filter(customer=customer, email_index=email).values_list("pk", flat=True)[:2])
    return found[0] if len(found) == 1 else None


def own_endpoints(person: ContactPerson) -> list[tuple[str, str]]:
    """Channel and value of the addresses and numbers that are this person's alone: what is on a customer's file too,
    such as the company's, or a colleague's, is not."""
    return _own(person, [("email", person.email), ("phone", person.phone)])


def former_endpoints(person: ContactPerson) -> list[tuple[str, str]]:
    """The same of what only the history of their row knows."""
    history: Any = ContactPerson.history
    rows = history.filter(id=person.pk).order_by("history_date", "history_id").values_list("email", "phone")
    had = [pair for email, phone in rows for pair in (("email", email), ("phone", phone))]
    now = {whole_key(person.email), whole_key(person.phone)}
    once = {whole_key(value): (channel, value) for channel, value in had if whole_key(value) not in now}
    return _own(person, list(once.values()))


def _own(person: ContactPerson, told: list[tuple[str, str]]) -> list[tuple[str, str]]:
    keys = {"email": email_key, "phone": phone_key}
    return [(channel, value) for channel, value in told if keys[channel](value) and not _is_shared(person, value)]


def _is_shared(person: ContactPerson, value: str) -> bool:
    colleagues = ContactPerson.objects.filter(customer=person.customer_id).exclude(pk=person.pk)
    return (
        ContactPoint.objects.filter(whole_index=value).exists()
        or colleagues.filter(Q(email_index=value) | Q(phone_index=value)).exists()
    )


def name_of(person: ContactPerson) -> str:
    """The name as a letter writes it."""
    return f"{person.first_name} {person.last_name}".strip()


def facts_of(person: ContactPerson) -> list[tuple[str, str]]:
    """The row as people read it."""
    named = [(str(ContactPerson._meta.get_field(name).verbose_name), getattr(person, name)) for name in _READ]  # type: ignore[union-attr]
    return [(label, value) for label, value in named if value]
