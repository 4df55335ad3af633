"""Somebody who speaks for a company and asks for themselves: a person of their own, whose data are their row alone.

Their requests stand in the file of the company, which is how the desk finds them; what is handed out, erased, stopped
and written goes to them and never to the company.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from customers.models import ContactPerson, ContactPoint, Customer
from customers.normalizing import email_key, phone_key
from privacy.models import Erasure, Request
from privacy.steps import Step, StepRefused, stamp, step_of
from staff.models import User

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
    such as the company's, is not."""
    told = [("email", person.email)] if email_key(person.email) else []
    told += [("phone", person.phone)] if phone_key(person.phone) else []
    return [one for one in told if not ContactPoint.objects.filter(whole_index=one[1]).exists()]


def name_of(person: ContactPerson) -> str:
    """The name as a letter writes it."""
    return f"{person.first_name} {person.last_name}".strip()


def say_who(request: Request, person: ContactPerson | None, *, version: int | None, by: User) -> None:
    """Say that a contact person of the company asks for themselves, or (None) that the company does.

    Raises StepRefused once answered or erased for, for somebody else's contact person; StaleRequest.
    """
    with step_of(request, version) as locked:
        if not locked.is_open:
            raise StepRefused(_("This request has its answer already."))
        if person is not None and person.customer_id != locked.customer_id:
            raise StepRefused(_("This contact person belongs to another company."))
        if locked.erasures.exclude(state=Erasure.State.CANCELLED).exists():
            raise StepRefused(_("An erasure was asked for under this request already."))
        locked.contact_person = person.pk if person is not None else None
        # A copy that was made under the request is not that of who asks now.
        locked.packages.update(request=None, token_hash=None)
        stamp(locked, Step.CONTACT, by=by)


def facts_of(person: ContactPerson) -> list[tuple[str, str]]:
    """The row as people read it."""
    named = [(str(ContactPerson._meta.get_field(name).verbose_name), getattr(person, name)) for name in _READ]  # type: ignore[union-attr]
    return [(label, value) for label, value in named if value]
