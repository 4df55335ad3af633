"""Somebody who speaks for a company and asks for themselves: a person of their own, whose data are their row alone.

Their requests stand in the file of the company, which is how the desk finds them; what is handed out, erased, stopped
and written goes to them and never to the company. Whom staff have removed is still a person of whom something is kept:
they are known by their history, as it knew them last.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from customers.models import ContactPerson, ContactPoint, Customer
from customers.normalizing import email_key, phone_key, whole_key
from customers.tombstones import erasures_of
from privacy.models import Erasure, Request

_READ = ("first_name", "last_name", "position", "email", "phone")


def speaker_of(request: Request) -> ContactPerson | None:
    """The contact person who asks; None where the customer does, and where the contact person is erased by now."""
    return speaker_by_key(request.contact_person) if request.contact_person is not None else None


def speaker_by_key(key: int) -> ContactPerson | None:
    """The contact person with this key, as they are or, once staff removed them, as they were; None once erased."""
    person = ContactPerson.objects.select_related("customer").filter(pk=key).first()
    if person is not None:
        return person
    last = _history().filter(id=key).order_by("-history_date", "-history_id").first()
    return last.instance if last is not None and Customer.objects.filter(pk=last.customer_id).exists() else None


def is_removed(person: ContactPerson) -> bool:
    """Whether only the history of this person is left."""
    return person._state.adding


def removed_from(customer: Customer) -> list[ContactPerson]:
    """Whom staff removed from this company and whose history is still kept, as it knew them last."""
    rows = _history_of_removed(customer).order_by("id", "-history_date", "-history_id").distinct("id")
    told = [field.attname for field in _history().model.tracked_fields]
    # `row.instance` asks the database once for each.
    return [ContactPerson(**{name: getattr(row, name) for name in told}) for row in rows]


def speaker_by_address(customer: Customer | None, email: str) -> int | None:
    """The contact person of this company whose own address that is, or was, and nobody else's of the file."""
    if customer is None or not email_key(email):
        return None
    if ContactPoint.objects.filter(customer=customer, whole_index=email).exists():
        return None
    found = list(ContactPerson.objects.filter(customer=customer, email_index=email).values_list("pk", flat=True)[:2])
    if not found:
        had = _history_of_removed(customer).values_list("id", "email")
        found = sorted({key for key, value in had if email_key(value) == email_key(email)})
    if not found:
        gone = Erasure.objects.filter(subject_ref__in=erasures_of(email=email), contact_person__isnull=False)
        found = sorted({key for key in gone.values_list("contact_person", flat=True) if key is not None})
    return found[0] if len(found) == 1 else None


def companies_left(*, email: str, phone: str | None) -> set[int]:
    """The companies from which staff removed somebody who had this e-mail or phone number last.

    History holds no blind indexes: the last values of all who were removed and are kept yet are opened and compared.
    """
    wanted = [("email", email_key, email_key(email)), ("phone", phone_key, phone_key(phone or ""))]
    left = _history().filter(history_type="-")
    return {
        company
        for column, key_of, key in wanted
        if key
        for company, had in left.values_list("customer_id", column).iterator()
        if key_of(had) == key
    }


def own_endpoints(person: ContactPerson) -> list[tuple[str, str]]:
    """Channel and value of the addresses and numbers that are this person's alone: what is on a customer's file too,
    such as the company's, or a colleague's, is not."""
    return _own(person, [("email", person.email), ("phone", person.phone)])


def former_endpoints(person: ContactPerson) -> list[tuple[str, str]]:
    """The same of what only the history of their row knows."""
    rows = _history().filter(id=person.pk).order_by("history_date", "history_id").values_list("email", "phone")
    had = [pair for email, phone in rows for pair in (("email", email), ("phone", phone))]
    now = {whole_key(person.email), whole_key(person.phone)}
    once = {whole_key(value): (channel, value) for channel, value in had if whole_key(value) not in now}
    return _own(person, list(once.values()))


def _history_of_removed(customer: Customer) -> QuerySet[Any]:
    standing = ContactPerson.objects.filter(customer=customer).values("pk")
    return _history().filter(customer_id=customer.pk).exclude(id__in=standing)


def _history() -> Any:
    history: Any = ContactPerson.history
    return history


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
