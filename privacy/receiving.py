"""Takes requests in, from whatever channel and from whomever: nobody is turned away for being unknown (Art. 12(2))."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from customers import tombstones
from customers.models import ContactPerson, ContactPoint, Customer
from customers.normalizing import email_key
from customers.querysets import CustomerQuerySet
from customers.reading import read_phone
from privacy import objecting, reassigning, restricting
from privacy.clock import stamp_due
from privacy.models import Erasure, Request, Restriction
from privacy.opencases import stop_endings
from privacy.speaking import companies_left, speaker_by_address, speaker_of
from privacy.steps import Step, StepRefused, stamp, step_of
from staff.models import User

Kind = Request.Kind
MOST = 10


@dataclass(frozen=True)
class Incoming:
    """A request as it was told."""

    kind: str
    channel: str
    received_at: datetime
    customer: Customer | None = None
    objects_to: str = ""
    text: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    address: str = ""
    language: str = "de"
    token: UUID | None = None


def register(incoming: Incoming, *, by: User | None) -> tuple[Request, bool]:
    """Register a request: one transaction. Answers it, and whether it is new.

    Sent twice with one token, also at the same time, it is one request. An objection to advertising takes effect here
    and now (Art. 21(3)), one with reasons restricts until it is decided (Art. 18(1)(d)). Whoever ends the person, or
    rows about them, waits for it and sees it; where they were first it is the request of somebody erased.
    """
    try:
        with transaction.atomic():
            return _register(incoming, by), True
    except IntegrityError:
        known = Request.objects.filter(token=incoming.token).first() if incoming.token else None
        if known is None:
            raise
        return known, False


def _register(incoming: Incoming, by: User | None) -> Request:
    customer = incoming.customer
    gone = customer is not None and not stop_endings(customer.pk)
    request = Request(
        kind=incoming.kind,
        objects_to=incoming.objects_to if incoming.kind == Kind.OBJECTION else "",
        channel=incoming.channel,
        received_at=incoming.received_at,
        customer=None if gone else customer,
        language=incoming.language,
        person_name=incoming.name,
        person_email=incoming.email,
        person_phone=incoming.phone,
        person_address=incoming.address,
        text=incoming.text,
        token=incoming.token,
    )
    if customer is not None and gone:
        _note_erased(request, customer)
    if by is not None and by.may("privacy.requests"):
        request.owner = by
    request.contact_person = speaker_by_address(request.customer, request.person_email)
    settle_without_asking(request)
    stamp_due(request)
    request.save()
    stamp(request, Step.REGISTERED, by=by)
    take_effect(request, by=by)
    return request


def _note_erased(request: Request, customer: Customer) -> None:
    """The person ended a moment ago: the file stands as that of a request which came a moment before it."""
    if (found := tombstones.erasure_of_number(customer.number)) is not None:
        request.subject_ref, request.blocked_at = found[1], timezone.now()


def settle_without_asking(request: Request) -> None:
    """Who signed in or wrote from a confirmed address needs to prove nothing more (Art. 12(6): only on doubt).

    Where somebody has doubted and asked, a person settles it: with the answer, or by what turned out meanwhile.
    """
    if request.customer_id is None or request.identity_method or request.identity_asked_at:
        return
    if request.contact_person is not None:  # what is confirmed is the company's
        return
    if request.channel == Request.Channel.PAGE:
        method = Request.Method.SIGNED_IN
    elif request.channel == Request.Channel.MAIL and _is_confirmed(request):
        method = Request.Method.VERIFIED_MAIL
    else:
        return
    request.identity_method, request.identity_proven_at = method, request.received_at


def _is_confirmed(request: Request) -> bool:
    points = ContactPoint.objects.filter(
        customer=request.customer, kind=ContactPoint.Kind.EMAIL, verified_at__isnull=False
    )
    return bool(email_key(request.person_email)) and points.filter(whole_index=request.person_email).exists()


def take_effect(request: Request, *, by: User | None) -> None:
    """What the law wants at once, before anybody has decided anything."""
    if request.kind != Kind.OBJECTION:
        return
    if request.objects_to == Request.ObjectsTo.ADVERTISING:
        objecting.stop_advertising(request, by=by)
        return
    speaker = speaker_of(request)
    if request.customer is None or (request.contact_person is not None and speaker is None):
        return
    restricting.restrict(
        request.customer,
        Restriction.Case.OBJECTION,
        [Restriction.Part.ALL],
        _("Objection under Art. 21(1), not decided yet"),
        by=by,
        request=request,
        since=request.received_at,
        speaker=speaker,
    )


def people_meant(visible: CustomerQuerySet, *, email: str = "", phone: str = "") -> list[Customer]:
    """Who of these customers may have asked: the same e-mail or phone number; a person chooses (C: never by itself)."""
    number = read_phone(phone) if phone else None
    values = [value for value in (email, number) if value]
    if not values:
        return []
    points = ContactPoint.objects.filter(whole_index__in=values)
    persons = ContactPerson.objects.filter(Q(email_index__in=values) | Q(phone_index__in=values))
    meant = Q(pk__in=points.values("customer")) | Q(pk__in=persons.values("customer"))
    meant |= Q(pk__in=companies_left(email=email, phone=number))
    return list(visible.filter(meant).order_by("sort_name", "pk")[:MOST])


def others_like(request: Request) -> list[Request]:
    """Open requests that may be about the same matter: the same right, and the same customer, contact person or
    e-mail."""
    same = Q()
    if request.customer_id:
        same |= Q(customer=request.customer_id, contact_person=request.contact_person)
    if request.person_email and email_key(request.person_email):
        same |= Q(person_email_index=request.person_email)
    if not same:
        return []
    rows = Request.on_desk().filter(same, kind=request.kind, closed_at__isnull=True).exclude(pk=request.pk)
    return list(rows.order_by("received_at", "pk")[:MOST])


def assign(request: Request, customer: Customer, *, version: int | None, by: User) -> None:
    """Say whose request it is; what it set on somebody else before is taken back first (`reassigning`).

    Raises StepRefused once answered, and where something under it cannot be taken back; StaleRequest (steps.step_of).
    """
    with step_of(request, version) as locked:
        if not locked.is_open:
            raise StepRefused(_("This request has its answer already."))
        if customer.pk != locked.customer_id and not stop_endings(customer.pk):
            raise StepRefused(_("This customer is gone."))
        done = reassigning.take_back(locked, by=by) if locked.customer_id not in (None, customer.pk) else []
        if customer.pk != locked.customer_id:
            locked.customer = customer
            locked.contact_person = speaker_by_address(customer, locked.person_email)
        settle_without_asking(locked)
        stamp(locked, Step.ASSIGNED, by=by, reason="\n".join(done))
        take_effect(locked, by=by)


def say_who(request: Request, person: ContactPerson | None, *, version: int | None, by: User) -> None:
    """Say that a contact person of the company asks for themselves, or (None) that the company does; what the request
    set on whom it was taken for before is taken back first (`reassigning`).

    Raises StepRefused once answered or erased for, for somebody else's contact person, and where something cannot be
    taken back; StaleRequest.
    """
    with step_of(request, version) as locked:
        if not locked.is_open:
            raise StepRefused(_("This request has its answer already."))
        if person is not None and person.customer_id != locked.customer_id:
            raise StepRefused(_("This contact person belongs to another company."))
        if locked.erasures.exclude(state=Erasure.State.CANCELLED).exists():
            raise StepRefused(_("An erasure was asked for under this request already."))
        chosen = person.pk if person is not None else None
        if chosen == locked.contact_person:
            return
        done = reassigning.take_back(locked, by=by)
        locked.contact_person = chosen
        settle_without_asking(locked)
        stamp(locked, Step.CONTACT, by=by, reason="\n".join(done))
        take_effect(locked, by=by)


def link(request: Request, to: Request, *, version: int | None, by: User, reason: str = "") -> None:
    """Say that a request is about the same matter as an earlier one; each keeps its own deadline and answer.

    Raises StepRefused where the two are one, or would lead to each other, or over a third.
    """
    with step_of(request, version) as locked:
        if to.pk == locked.pk or to.duplicate_of_id is not None or locked.duplicates.exists():
            raise StepRefused(_("A request is linked with the first one about the matter."))
        locked.duplicate_of = to
        stamp(locked, Step.LINKED, by=by, reason=reason)
