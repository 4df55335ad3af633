"""The objection to advertising (Art. 21(2), (3) GDPR): immediate, person-wide, without reasons.

It stops advertising and the profiles made for it, on every address and number, and nothing else: invoices, answers and
recalls go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from customers import stopping, suppression
from customers.models import Customer, Suppression
from customers.normalizing import fold, whole_key
from customers.reading import read_phone
from datamap import erasing, journal
from privacy.models import Request
from privacy.steps import Step, move, stamp, step_of
from staff.models import User

EMAIL, PHONE, POST = "email", "phone", "post"


@transaction.atomic
def stop_advertising(request: Request, *, by: User | None) -> int:
    """Carry an objection out for everything that is known of the person; answers how many endpoints were new.

    Idempotent. Also for someone unknown: then for the address and number they have told.
    """
    at = request.received_at
    customer = request.customer
    endpoints = set(_told(request)) | (set(endpoints_of(customer)) if customer else set())
    new = _stop(customer, endpoints, at)
    stamp(request, Step.DONE, by=by)
    return new


def _stop(customer: Customer | None, endpoints: set[tuple[str, str]], at: datetime) -> int:
    new = sum(
        suppression.suppress(channel, value, reason=Suppression.Reason.OBJECTION, since=at)
        for channel, value in sorted(endpoints)
    )
    if customer is not None:
        mark_objected([customer.pk], at)
        journal.write("objection", {"customer": customer.pk, "at": _iso(at)})
    return new


def object_now(customer: Customer, *, channel: str, by: User | None, at: datetime | None = None) -> Request:
    """The customer wants no more advertising: registered, carried out and answered in one transaction.

    One click, at the desk or (`by` None) of the person on a page. Who has objected before, and perhaps agreed to
    something since, is stopped anew under the request that is there.
    """
    with transaction.atomic():
        # Two clicks at once are one objection: the second waits here and finds the first.
        Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
        known = standing_objection(customer)
        if known is not None:
            _stop(customer, set(endpoints_of(customer)), at or timezone.now())
            return known
        request = Request(
            kind=Request.Kind.OBJECTION,
            objects_to=Request.ObjectsTo.ADVERTISING,
            channel=channel,
            customer=customer,
            received_at=at or timezone.now(),
            identity_method=Request.Method.NOT_NEEDED,
            language=customer.language if customer.language in ("de", "en") else "en",
        )
        request.save()
        stamp(request, Step.REGISTERED, by=by)
        stop_advertising(request, by=by)
        with step_of(request, None) as locked:
            locked.answered_at = timezone.now()
            move(locked, Request.State.ANSWERED, Step.ANSWERED, by=by)
    return request


def object_on_page(customer: Customer, at: datetime) -> None:
    """The same where the person says so on a page of ours, for apps below (`customers.objecting`)."""
    object_now(customer, channel=Request.Channel.PAGE, by=None, at=at)


def standing_objection(customer: Customer) -> Request | None:
    """The objection to advertising that has this customer's advertising stopped now, if any."""
    if not customer_objected(customer):
        return None
    found = Request.objects.filter(customer=customer, objects_to=Request.ObjectsTo.ADVERTISING)
    return found.order_by("-received_at", "-pk").first()


def customer_objected(customer: Customer) -> bool:
    """Whether advertising to this customer is stopped."""
    return Customer.objects.filter(pk=customer.pk, summary__advertising_stopped_at__isnull=False).exists()


def mark_objected(ids: list[int], at: datetime) -> None:
    """Set the stop and tell the apps above (segments, campaigns …)."""
    stopping.stop_advertising(ids, at)
    erasing.objected(ids, at)


def endpoints_of(customer: Customer) -> Iterator[tuple[str, str]]:
    """Channel and value of everything a customer can be reached by."""
    for point in customer.contact_points.all():
        if whole_key(point.value):
            yield point.kind, point.value
    for address in customer.addresses.all():
        if key := postal_key(address.street, address.postcode):
            yield POST, key


def postal_key(street: str, postcode: str) -> str:
    """The one way in which a postal address stands on the list: folded street with number, postcode."""
    return f"{fold(street)}|{fold(postcode)}" if street and postcode else ""


def replay(payload: Mapping[str, Any]) -> str:
    """Bring an objection back after a restore; the suppression entries have their own journal entries."""
    at = datetime.fromisoformat(str(payload["at"]))
    customer = Customer.objects.filter(pk=payload["customer"]).first()
    if customer is None or stopping.is_known(customer.pk, at):
        return "already"
    mark_objected([customer.pk], at)
    return "replayed"


def _told(request: Request) -> Iterator[tuple[str, str]]:
    if request.person_email:
        yield EMAIL, request.person_email
    if request.person_phone and (number := read_phone(request.person_phone)):
        yield PHONE, number


def _iso(at: datetime) -> str:
    return at.astimezone(timezone.get_default_timezone()).isoformat()
