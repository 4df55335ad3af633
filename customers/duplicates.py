"""Asks, while staff enter a customer, whether that person is here already; a person decides, nothing is merged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Q

from customers.indexing import sound_of, sounds_of
from customers.models import ContactPerson, ContactPoint, Customer
from customers.reading import read_phone
from customers.sealing import PERSON_EMAIL, PERSON_PHONE
from staff.models import User

MATCH = ContactPoint._meta.get_field("match_index")
# Whoever speaks for a company is a person one may be about to enter again.
BY_PERSON = (
    "SELECT DISTINCT customer_id FROM customers_contactperson WHERE {} = ANY(%s) AND restricted_at IS NULL LIMIT 100"
)
MOST = 10

EMAIL, PHONE, NAME = "email", "phone", "name"


@dataclass(frozen=True)
class Candidate:
    """A customer who may be the same person, and why: "email", "phone", "name" (sounding alike at one postcode)."""

    customer: Customer
    reasons: tuple[str, ...]


@dataclass
class Likely:
    """Candidates for the banner; `protected` says only that there is a record one must ask the privacy role about."""

    candidates: list[Candidate] = field(default_factory=list)
    protected: bool = False

    def __bool__(self) -> bool:
        return bool(self.candidates) or self.protected


def likely_duplicates(
    *,
    user: User,
    email: str = "",
    phone: str = "",
    first_name: str = "",
    last_name: str = "",
    company: str = "",
    postcode: str = "",
    exclude: int | None = None,
) -> Likely:
    """Who may already be this person.

    The same e-mail (tag and googlemail aside), the same last nine digits, whole address or number of somebody who
    speaks for a company, or a name that sounds alike at the same postcode, of a double name one half. First names must
    sound alike too, so a household is not taken for one person.
    """
    sounds = [sound_of(first_name, last_name, company), *sounds_of(first_name, last_name)]
    reasons = _reasons(email, phone, sounds, postcode)
    reasons.pop(exclude or 0, None)
    found = Likely(protected=_speaks_restricted(email, phone))
    sees_restricted = user.may("customers.restricted")
    order = {id_: (-len(why), id_) for id_, why in reasons.items()}
    for customer in sorted(Customer.objects.filter(pk__in=reasons), key=lambda one: order[one.pk]):
        if customer.restricted_at is not None and not sees_restricted:
            found.protected = True
        elif len(found.candidates) < MOST:
            found.candidates.append(Candidate(customer, tuple(reasons[customer.pk])))
    return found


def _speaks_restricted(email: str, phone: str) -> bool:
    """Whether somebody with this address or number speaks for a company and has their data restricted."""
    told = Q()
    if "@" in email:
        told |= Q(email_index=email.strip())
    if phone and (number := read_phone(phone)):
        told |= Q(phone_index=number)
    return bool(told) and ContactPerson.objects.filter(told, restricted_at__isnull=False).exists()


def _reasons(email: str, phone: str, sounds: list[str], postcode: str) -> dict[int, list[str]]:
    """Customer id -> reasons; each question is answered by an index."""
    reasons: dict[int, list[str]] = {}
    asked: list[tuple[str, str, list[Any]]] = []
    by_point = (
        "SELECT DISTINCT customer_id FROM customers_contactpoint WHERE match_index = ANY(%s) AND kind = %s LIMIT 100"
    )
    if hashes := MATCH.candidates(email.strip()) if "@" in email else []:
        asked.append((EMAIL, by_point, [hashes, "email"]))
        asked.append((EMAIL, BY_PERSON.format("email_index"), [PERSON_EMAIL.candidates(email.strip())]))
    number = read_phone(phone) if phone else None
    if number and (hashes := MATCH.candidates(number)):
        asked.append((PHONE, by_point, [hashes, "phone"]))
        asked.append((PHONE, BY_PERSON.format("phone_index"), [PERSON_PHONE.candidates(number)]))
    if sounds[0].strip() and postcode:
        by_name = "SELECT customer_id FROM customers_searchentry WHERE postcode = %s AND phonetic {} LIMIT 100"
        asked.append((NAME, by_name.format("= %s"), [postcode.strip(), sounds[0]]))
        if sounds[1:]:
            asked.append((NAME, by_name.format("LIKE ANY(%s)"), [postcode.strip(), sounds[1:]]))
    with connection.cursor() as cursor:
        for reason, query, params in asked:
            cursor.execute(query, params)
            for (id_,) in cursor.fetchall():
                if reason not in (why := reasons.setdefault(id_, [])):
                    why.append(reason)
    return reasons
