"""A withdrawal takes effect at once (Art. 7(3) GDPR): ledger, state, suppression list, journal, all or nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from consents import storing
from consents.events import GRANTING, Channel, Event, Kind
from consents.models import Purpose, Record, State
from consents.recording import record, record_many
from customers.models import Customer, Suppression
from customers.postal import POST, boxes_of
from customers.suppression import suppress_many
from datamap import journal
from datamap.deadlocks import repeated_after_deadlock


@repeated_after_deadlock
def withdraw(
    customer: Customer,
    purpose: str,
    channel: str,
    endpoint: str | None = None,
    *,
    source: str,
    actor: str = "self",
    at: datetime | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> int:
    """End every standing yes of this customer for a purpose on a channel, or for one endpoint of it; idempotent.

    Answers how many were ended. An endpoint on which no advertising is left goes to the suppression list, so that no
    import and no form of somebody else revives it (Art. 21(3) GDPR).
    """
    Customer.objects.select_for_update(no_key=True).filter(pk=customer.pk).first()
    states = State.objects.filter(customer=customer, purpose__key=purpose, channel=channel, granted=True)
    if endpoint:
        states = states.filter(endpoint_index=endpoint)
    return end_states(list(states.select_related("purpose", "customer")), source=source, actor=actor, at=at,
                      evidence=evidence)  # fmt: skip


def end_states(
    states: Sequence[State],
    *,
    source: str,
    actor: str = "self",
    at: datetime | None = None,
    kind: str = Kind.WITHDRAWN,
    evidence: Mapping[str, Any] | None = None,
    told: Mapping[int, datetime] | None = None,
    suppressing: bool = True,
) -> int:
    """End these, as a set, in the caller's transaction; answers how many.

    told: state -> when it ended, where the shop learns of it later. suppressing: whether an endpoint on which no
    advertising is left goes to the suppression list; a caller that has put it there says no.
    """
    if not states:
        return 0
    now = at or timezone.now()
    times = told or {}
    if kind == Kind.WITHDRAWN and suppressing:
        storing.lock({state.customer_id for state in states})
        storing.take_turns([state.mark for state in states], alone=True)
    record_many([
        Event(
            kind=kind,
            customer_id=state.customer_id,
            number=state.customer.number,
            purpose=state.purpose.key,
            channel=state.channel,
            endpoint=state.endpoint or "",
            # A clock that was put back, or a report that was long on its way, ends what is younger too.
            at=times.get(state.pk) or max(now, state.since),
            late=state.pk in times,
            source=source,
            actor=actor,
            evidence=evidence or {},
        )
        for state in states
    ])  # fmt: skip
    if kind == Kind.WITHDRAWN and suppressing:
        _suppress_unused(states, now)
        suppress_boxes({state.customer_id for state in states if is_post(state.purpose, state.channel)}, now)
    return len(states)


def _suppress_unused(states: Sequence[State], now: datetime) -> None:
    """Suppress the endpoints at which the person wants no other advertising, on whatever channel: on the list a number
    is one endpoint for calls and messages."""
    ended = [state for state in states if state.endpoint and state.purpose.advertising]
    wanted = State.objects.filter(
        customer__any_of=list({state.customer_id for state in ended}),
        state__in=list(GRANTING),
        purpose__advertising=True,
        endpoint_index__isnull=False,
    )
    used = {(pk, bytes(index)) for pk, index in wanted.values_list("customer_id", "endpoint_index")}
    suppress_many(
        {
            (state.channel, str(state.endpoint))
            for state in ended
            if (state.customer_id, bytes(state.endpoint_index or b"")) not in used
        },
        reason=Suppression.Reason.UNSUBSCRIBED,
        since=now,
    )


def is_post(purpose: Purpose, channel: str) -> bool:
    """Whether it is advertising by post, which goes out until somebody objects."""
    return purpose.advertising and channel == Channel.POST


def suppress_boxes(customers: Collection[int], since: datetime) -> None:
    """Suppress the postal addresses of who wants no advertising by post: it needs no consent, so that their no would
    end with them. It stops whoever comes in there afterwards (`customers.postal`), perhaps the same person again."""
    if customers:
        boxes = [(POST, key) for key in sorted(boxes_of(customers))]
        suppress_many(boxes, reason=Suppression.Reason.OBJECTION, since=since)


def has_withdrawn(customer: Customer, since: datetime) -> bool:
    """Whether a consent of this customer was withdrawn since then, or none stands; for the rights above."""
    if not State.objects.filter(customer=customer, state__in=list(GRANTING)).exists():
        return True
    noes = Record.objects.filter(customer=customer, kind__in=[Kind.WITHDRAWN, Kind.REFUSED])
    return noes.filter(entry__ts__gte=since).exists()


def replay(payloads: Sequence[journal.Payload]) -> int:
    """Say again after a restore each no that the ledger lacks; answers how many were news.

    A state that is younger than the no is a new yes, and stays. Where no consent is needed, the objection is all there
    is: it is entered even where nothing stands.
    """
    return sum(map(_replay, payloads))


def _replay(payload: journal.Payload) -> int:
    at, source = datetime.fromisoformat(str(payload["at"])), str(payload["source"])
    customer = Customer.objects.filter(pk=payload["customer"]).first()
    purpose = Purpose.objects.filter(key=payload["purpose"]).first()
    if customer is None or purpose is None:
        return 0
    states = State.objects.filter(customer=customer, purpose=purpose, channel=payload["channel"])
    index, mark = bytes.fromhex(str(payload["endpoint"])), bytes.fromhex(str(payload.get("mark", "")))
    same = Q(endpoint_index=index) | (Q(mark=mark) if mark else Q())
    states = states.filter(same) if index else states.filter(endpoint_index__isnull=True)
    if states.exists() or index or purpose.basis == Purpose.Basis.CONSENT:
        standing = states.filter(granted=True, since__lte=at).select_related("purpose", "customer")
        return end_states(list(standing), source=source, actor="journal", at=at)
    channel = str(payload["channel"])
    record(
        Event(Kind.REFUSED, customer.pk, customer.number, purpose.key, channel, at=at, source=source, actor="journal")
    )
    return 1
