"""The objection to advertising (Art. 21(2), (3) GDPR): immediate, person-wide, without reasons.

It stops advertising and the profiles made for it, on every address and number, and nothing else: invoices, answers and
recalls go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.utils import timezone

from customers import stopping, suppression
from customers.models import ContactPoint, Customer, Suppression
from customers.normalizing import whole_key
from customers.postal import POST, postal_key, read_postal
from customers.reading import read_phone
from datamap import erasing, journal
from datamap.deadlocks import repeated_after_deadlock
from privacy.models import Request
from privacy.speaking import own_endpoints, speaker_of
from privacy.steps import Step, move, stamp, step_of
from staff.models import User

EMAIL, PHONE = "email", "phone"


@transaction.atomic
def stop_advertising(request: Request, *, by: User | None) -> int:
    """Carry an objection out for everything that is known of the person; answers how many endpoints were new.

    Idempotent. Also for someone unknown: then for the addresses and the number they have told.
    """
    at = request.received_at
    customer = request.customer
    if request.contact_person is not None:
        new = _stop(None, set(_of_speaker(request)), at)
        stamp(request, Step.DONE, by=by)
        return new
    endpoints = set(_told(request)) | (set(endpoints_of(customer)) if customer else set())
    new = _stop(customer, endpoints, at)
    stamp(request, Step.DONE, by=by)
    return new


def _of_speaker(request: Request) -> Iterator[tuple[str, str]]:
    """Whoever speaks for a company objects for themselves: for what is theirs alone, and the address they write from,
    which may be the company's as well; a number they tell counts where it is nobody's in the files."""
    speaker = speaker_of(request)
    yield from own_endpoints(speaker) if speaker is not None else ()
    for channel, value in _told(request):
        if channel == POST:  # where they can be written to may be the company's
            continue
        if channel == EMAIL or not ContactPoint.objects.filter(whole_index=value).exists():
            yield channel, value


def _stop(customer: Customer | None, endpoints: set[tuple[str, str]], at: datetime) -> int:
    new = sum(
        suppression.suppress(channel, value, reason=Suppression.Reason.OBJECTION, since=at)
        for channel, value in sorted(endpoints)
    )
    if customer is not None:
        mark_objected([customer.pk], at)
        journal.write("objection", {"customer": customer.pk, "at": _iso(at)})
    return new


@repeated_after_deadlock
def object_now(customer: Customer, *, channel: str, by: User | None, at: datetime | None = None) -> Request:
    """The customer wants no more advertising: registered, carried out and answered in one transaction.

    One click, at the desk or (`by` None) of the person on a page. Who has objected before, and perhaps agreed to
    something since, is stopped anew under the request that is there.
    """
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
    found = Request.objects.filter(customer=customer, contact_person=None, objects_to=Request.ObjectsTo.ADVERTISING)
    return found.order_by("-received_at", "-pk").first()


def customer_objected(customer: Customer) -> bool:
    """Whether advertising to this customer is stopped."""
    return Customer.objects.filter(pk=customer.pk, summary__advertising_stopped_at__isnull=False).exists()


def mark_objected(ids: list[int], at: datetime) -> None:
    """Set the stop and tell the apps above (segments, campaigns …)."""
    stopping.stop_advertising(ids, at)
    erasing.objected(ids, at)


def stays_stopped(request: Request) -> bool:
    """Whether the customer of this objection, or the contact person, has others that stop their advertising as well."""
    if request.contact_person is not None:
        same = Request.objects.filter(contact_person=request.contact_person, objects_to=Request.ObjectsTo.ADVERTISING)
        return same.exclude(pk=request.pk).exists()
    customer = request.customer_id
    return customer is not None and (_shares_its_stop(request) or stopping.other_stops(customer, request.received_at))


def _shares_its_stop(request: Request) -> bool:
    """Two objections of one instant are one stop."""
    same = Request.objects.filter(
        customer=request.customer_id, contact_person=None, objects_to=Request.ObjectsTo.ADVERTISING
    )
    return same.filter(received_at=request.received_at).exclude(pk=request.pk).exists()


@transaction.atomic
def take_back(request: Request) -> None:
    """Undo what an objection did to a customer whose objection it was not; what was told stays on the list.

    Of the customer's endpoints those leave the list that this objection alone put there, none that somebody else's
    objection names, too.
    """
    customer, at = request.customer, request.received_at
    if request.contact_person is not None:
        _let_go(request, _of_speaker(request))
        return
    if customer is None or _shares_its_stop(request):
        return
    _let_go(request, endpoints_of(customer))
    stopping.take_back(customer.pk, at)
    journal.write("objection_taken_back", {"customer": customer.pk, "at": _iso(at)})


def _let_go(request: Request, endpoints: Iterable[tuple[str, str]]) -> None:
    if stays_stopped(request):
        return
    for channel, value in sorted(set(endpoints) - set(_told(request))):
        if _is_alone(request, channel, value):
            suppression.end(channel, value)


def _is_alone(request: Request, channel: str, value: str) -> bool:
    """Whether the entry of this endpoint is there for this objection and nothing else that we know of."""
    entries = Suppression.objects.filter(
        endpoint__in=suppression.hashes_of(channel, value), scope=suppression.ADVERTISING, ended_at__isnull=True
    )
    own = entries.filter(reason=Suppression.Reason.OBJECTION, since=request.received_at, origin__isnull=True)
    if not own.filter(mentions__isnull=True).exists():
        return False
    shared = Customer.objects.filter(summary__advertising_stopped_at__isnull=False)
    shared = shared.exclude(privacy_requests=request)
    if channel == POST:
        near = shared.filter(addresses__street_index=value.rpartition("|")[0])
        return not any((POST, value) in endpoints_of(other) for other in near.distinct())
    if shared.filter(contact_points__whole_index=value).exists():
        return False
    # Of somebody unknown the words of the request are all there is.
    unknown = Request.on_desk().filter(customer=None, objects_to=Request.ObjectsTo.ADVERTISING)
    key = suppression.key_of(channel, value)
    told = (one for other in unknown.iterator() for one in _told(other) if one[0] == channel)
    return not any(suppression.key_of(channel, text) == key for _channel, text in told)


def endpoints_of(customer: Customer) -> Iterator[tuple[str, str]]:
    """Channel and value of everything a customer can be reached by."""
    for point in customer.contact_points.all():
        if whole_key(point.value):
            yield point.kind, point.value
    for address in customer.addresses.all():
        if key := postal_key(address.street, address.postcode):
            yield POST, key


def noted_channels(request: Request) -> list[str]:
    """Which of what was told under a request stands on the list now: the channels, each once."""
    on_list = [channel for channel, value in _told(request) if suppression.suppressed(channel, value)]
    return list(dict.fromkeys(on_list))


def replay(payload: Mapping[str, Any]) -> str:
    """Bring an objection back after a restore; the suppression entries have their own journal entries."""
    at = datetime.fromisoformat(str(payload["at"]))
    customer = Customer.objects.filter(pk=payload["customer"]).first()
    if customer is None or stopping.is_known(customer.pk, at):
        return "already"
    mark_objected([customer.pk], at)
    return "replayed"


def replay_taken_back(payload: Mapping[str, Any]) -> str:
    """Take an objection back again that was somebody else's, after a restore."""
    at = datetime.fromisoformat(str(payload["at"]))
    customer = int(payload["customer"])
    return "replayed" if stopping.is_known(customer, at) and stopping.take_back(customer, at) else "already"


def _told(request: Request) -> Iterator[tuple[str, str]]:
    if request.person_email:
        yield EMAIL, request.person_email
    if request.person_phone and (number := read_phone(request.person_phone)):
        yield PHONE, number
    if key := _postal_of(request.person_address):
        yield POST, key


def _postal_of(text: str) -> str:
    """The address in the lines that somebody told, whatever stands above and below it; "" where there is none."""
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    pairs = [f"{street}, {town}" for street, town in pairwise(lines)]
    # A street and the town below it first: of "c/o Meier / Gasse 1, 20457 Hamburg" the one line is the address.
    for text in [*lines, *pairs]:
        if (found := read_postal(text)) is not None and (key := postal_key(*found)):
            return key
    return ""


def _iso(at: datetime) -> str:
    return at.astimezone(timezone.get_default_timezone()).isoformat()
