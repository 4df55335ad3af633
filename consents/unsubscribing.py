"""Unsubscribing: by one click of a mail program (RFC 8058), by the link in every mail, and at the mail provider."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from consents import storing
from consents.deciding import may
from consents.events import CLOSING, GRANTING, Channel, Event, Kind, Source
from consents.gates import purpose_of
from consents.models import Purpose, State
from consents.recording import record
from consents.sales import notice_context
from consents.tokens import Ticket, unsubscribe_token
from consents.withdrawing import end_states
from customers import suppression
from customers.models import ContactPoint, Customer, Suppression
from customers.objecting import object_to_advertising
from datamap.deadlocks import repeated_after_deadlock
from mail.addressing import address_of, sending_domain
from mail.bouncing import register_unwanted
from mail.gates import ASKED_FIRST
from mail.headers import register_headers, register_values
from mail.models import Message

EMAIL = Channel.EMAIL.value


def register_ways_out() -> None:
    """Give every mail of advertising and feedback its headers and its link; called from the app's `ready`."""
    sample = {"unsubscribe_url": settings.SITE_URL}
    for message_class in sorted(ASKED_FIRST):
        register_headers(message_class, headers)
        register_values(message_class, values, sample)
    register_unwanted(unwanted)


def headers(message: Message) -> dict[str, str]:
    """One-click unsubscribe (RFC 8058), the name of the list (RFC 2919), and what mailbox providers count by."""
    purpose = purpose_of(message)
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    sender = sending_domain().replace(".", "-")[:30]
    return {
        "List-Unsubscribe": f"<{unsubscribe_url(message)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": f"<{purpose}.{host}>",
        "Feedback-ID": f"{message.template}:{purpose}:{message.message_class}:{sender}",
    }


def values(message: Message) -> dict[str, Any]:
    """The link that every text of this class shows, and the notice that mails to existing customers repeat."""
    url = {"unsubscribe_url": unsubscribe_url(message)}
    if message.customer is None:
        return url
    return url | notice_context(may(message.customer, purpose_of(message), EMAIL, address_of(message)))


def unsubscribe_url(message: Message) -> str:
    """The address that unsubscribes whom this mail goes to from what it is sent for."""
    key = suppression.key_of(EMAIL, address_of(message) or "")
    purpose = Purpose.objects.filter(key=purpose_of(message)).values_list("pk", flat=True).first()
    if key is None or purpose is None:
        raise ValueError("A mail of advertising has an address and a purpose.")
    ticket = Ticket(message.customer_id or 0, purpose, message.uuid, suppression.hasher(EMAIL)(key))
    return settings.SITE_URL.rstrip("/") + reverse("opt_in:unsubscribe", args=[unsubscribe_token(ticket)])


@repeated_after_deadlock
def unsubscribe(
    ticket: Ticket, *, source: str = Source.ONE_CLICK, purpose: str | None = None, at: datetime | None = None
) -> None:
    """End the consent of a ticket, or with `purpose` another one at the same address; idempotent.

    One transaction: ledger, state, journal, suppression list. Where the person is gone or nothing stands that could be
    ended, the address goes to the suppression list, unless other advertising there is wanted.
    """
    now = at or timezone.now()
    customer = customer_of(ticket, lock=True)
    storing.take_turns([ticket.mark], alone=True)
    key = purpose or Purpose.objects.filter(pk=ticket.purpose).values_list("key", flat=True).first()
    states = [state for state in _states(customer, ticket) if state.purpose.key == key]
    evidence = {"mail": ticket.message.hex}
    standing = [state for state in states if state.granted]
    if standing:
        end_states(standing, source=source, at=now, evidence=evidence)
    elif customer is not None and key and not any(state.state in CLOSING for state in states):
        _say_no(customer, ticket, key, source, now, evidence)
    left = _states(customer, ticket)
    if not any(_is_wanted(state) for state in left):
        # What rests on a notice at a sale ends with it: nothing comes back when the entry of the list ends one day.
        told = [state for state in left if state.granted and state.purpose.advertising]
        end_states(told, source=source, at=now, evidence=evidence)
        _suppress(ticket, Suppression.Reason.UNSUBSCRIBED, now)


@repeated_after_deadlock
def no_advertising(ticket: Ticket, *, at: datetime | None = None) -> None:
    """Whoever has the link wants no advertising at all (Art. 21(2) GDPR); without a customer at this address alone."""
    now = at or timezone.now()
    customer = customer_of(ticket, lock=True)
    storing.take_turns([ticket.mark], alone=True)
    if customer is not None:
        object_to_advertising(customer, now)
    _suppress(ticket, Suppression.Reason.OBJECTION, now)


def still_allowed(ticket: Ticket, customer: Customer | None = None) -> list[Purpose]:
    """What the person of a ticket still wants at its address."""
    customer = customer or customer_of(ticket)
    return [state.purpose for state in _states(customer, ticket) if _is_wanted(state) and state.open]


def name_of(ticket: Ticket) -> str:
    """What the mail of a ticket was sent for, in the language of whoever reads; empty where that is gone."""
    purpose = Purpose.objects.filter(pk=ticket.purpose).first()
    return purpose.name if purpose else ""


def customer_of(ticket: Ticket, *, lock: bool = False) -> Customer | None:
    """The customer to whom the mail went; None where that person is gone."""
    rows = Customer.objects.filter(pk=ticket.customer)
    return (rows.select_for_update(no_key=True, of=("self",)) if lock else rows).first()


def unwanted(address: str, at: datetime, why: str) -> None:
    """A mail provider reports a complaint or an unsubscription: every consent to advertising there is withdrawn.

    In the caller's transaction. A provider's clock that goes ahead moves nothing into the future.
    """
    marks = suppression.hashes_of(EMAIL, address)
    states = State.objects.filter(mark__in=marks, channel=EMAIL, granted=True, purpose__advertising=True)
    states = states.select_related("purpose", "customer")
    people = sorted(set(states.values_list("customer", flat=True)))
    list(Customer.objects.filter(pk__in=people).order_by("pk").select_for_update(no_key=True, of=("self",)))
    end_states(list(states), source=Source.PROVIDER, actor="provider", at=min(at, timezone.now()),
               evidence={"report": why})  # fmt: skip


def _states(customer: Customer | None, ticket: Ticket) -> list[State]:
    """The consents to e-mail at a ticket's address: of its customer, or of anybody where that customer is gone."""
    if customer is None:
        # Erased, and perhaps here again under another number: the address tells.
        return list(State.objects.filter(mark=ticket.mark, channel=EMAIL).select_related("purpose", "customer"))
    states = State.objects.filter(customer=customer, channel=EMAIL).select_related("purpose", "customer")
    return [state for state in states if ticket.mark in suppression.hashes_of(EMAIL, state.endpoint or "")]


def _is_wanted(state: State) -> bool:
    return state.state in GRANTING and state.purpose.advertising


def _say_no(
    customer: Customer, ticket: Ticket, purpose: str, source: str, at: datetime, evidence: Mapping[str, Any]
) -> None:
    """The person never said yes, and says no now: that is kept as well."""
    points = ContactPoint.objects.filter(customer=customer, kind=ContactPoint.Kind.EMAIL)
    address = next((p.value for p in points if ticket.mark in suppression.hashes_of(EMAIL, p.value)), None)
    uses_email = Purpose.objects.filter(key=purpose, channels__contains=[EMAIL]).exists()
    if address and uses_email:
        record(
            Event(
                Kind.WITHDRAWN, customer.pk, customer.number, purpose, EMAIL, address, at=at, source=source,
                actor="self", evidence=evidence,
            )
        )  # fmt: skip


def _suppress(ticket: Ticket, reason: str, at: datetime) -> None:
    """Put the address of a ticket on the list by its hash: nobody needs to know it any more."""
    entry = suppression.Entry(ticket.mark, EMAIL, suppression.ADVERTISING, reason, at)
    if not suppression.insert([entry]):
        # Named by the person too: no undo of an import takes it back.
        suppression.mention({ticket.mark: (reason, at)}, None)
