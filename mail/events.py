"""What mail providers report: stored first, as it came, and worked off by a worker, each report once."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from anymail.signals import AnymailTrackingEvent, EventType
from django.core.serializers.json import DjangoJSONEncoder
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from customers.models import Customer
from datamap.days import is_slip
from datamap.deadlocks import repeated_after_deadlock
from mail.addressing import address_of
from mail.bouncing import note_arrival, note_bounce, note_listed, note_unsubscribed
from mail.models import Letter, Message, ProviderEvent
from mail.outcomes import SERVER_REFUSED
from mail.verdicts import bounce_of, is_listed, kind_of

log = logging.getLogger(__name__)

Bounce = Message.Bounce
State = Message.State
# Who opened what and clicked where is not kept: nobody has agreed to being watched reading (§ 25 TDDDG).
KEPT = frozenset(
    {
        EventType.QUEUED,
        EventType.SENT,
        EventType.REJECTED,
        EventType.FAILED,
        EventType.BOUNCED,
        EventType.DEFERRED,
        EventType.DELIVERED,
        EventType.COMPLAINED,
        EventType.UNSUBSCRIBED,
    }
)
ARRIVED = frozenset({EventType.QUEUED, EventType.SENT, EventType.DELIVERED, EventType.DEFERRED, EventType.BOUNCED})
_SEVERITY = [Bounce.NONE, Bounce.SOFT, Bounce.HARD, Bounce.COMPLAINT]
Reported = Callable[[list[int]], Any]
"""(ids of mails): the provider has told of these just now."""
_reported: list[Reported] = []


def register_reported(told: Reported) -> None:
    """For apps above: have `told` called, in the same transaction, with each set of mails of which something became
    known; from an app's `ready`."""
    if told not in _reported:
        _reported.append(told)


def event_key(raw: Mapping[str, Any] | None) -> str | None:
    """What tells two reports apart: everything in them."""
    return json.dumps(raw, sort_keys=True, ensure_ascii=False, default=str) if raw else None


def store_event(event: AnymailTrackingEvent, provider: str) -> bool:
    """Keep a report, sealed; False where it is none that counts. The same report again is not kept twice."""
    own = _plain(event.esp_event)
    kind = kind_of(event.event_type, own)
    if kind not in KEPT:
        return False
    raw = {
        "event": own,
        "reject_reason": event.reject_reason,
        "recipient": event.recipient,
        "message_id": str(event.message_id or ""),
        "metadata": _plain(event.metadata or {}),
    }
    row = ProviderEvent(provider=provider, kind=kind, raw=raw, occurred_at=_happened(event.timestamp))
    ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)
    return True


def _happened(told: datetime | None) -> datetime | None:
    """When it happened as the provider tells it; None where no calendar or clock can mean that: then the arrival
    counts. A row that the database takes and nobody can read would stop every report behind it."""
    if told is None:
        return None
    at = told if told.tzinfo else told.replace(tzinfo=UTC)
    return None if is_slip(at) else at


@repeated_after_deadlock
def work_off_events(limit: int = 200) -> int:
    """Let reports that wait have their effect; answers how many were taken. Any number of workers may do so."""
    waiting = ProviderEvent.objects.filter(processed_at__isnull=True).select_for_update(skip_locked=True)
    events = list(waiting.order_by("pk")[:limit])
    for event in events:
        _work_off(event)
    ids = sorted({event.message_id for event in events if event.message_id})
    for told in _reported if ids else ():
        told(ids)
    return len(events)


def _work_off(event: ProviderEvent) -> None:
    try:
        with transaction.atomic():
            _apply(event)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        # Its text may quote a person: the log gets the kind of error and the row.
        log.error("report %s could not be worked off: %s", event.pk, type(error).__name__)
        event.fault = type(error).__name__[:60]
    event.processed_at = timezone.now()
    event.save(update_fields=["message", "customer", "processed_at", "fault"])


def _apply(event: ProviderEvent) -> None:
    message = _message_of(event.raw)
    # A provider's clock that goes ahead, or the zone it leaves out, puts nothing into the future.
    at = min(event.occurred_at or event.received_at, event.received_at)
    if message is not None:
        event.message, event.customer = message, message.customer
    address = event.raw["recipient"] or (address_of(message) if message else None)
    if event.customer is None and address:
        event.customer = _only_owner_of(address)
    bounce = bounce_of(event.kind, event.raw)
    # Each try of one mail is reported: it is one mail that did not arrive.
    again = bounce == Bounce.SOFT and message is not None and message.bounce == Bounce.SOFT
    if message is not None:
        _note_on_message(message, event.kind, bounce, at)
    if not address:
        return
    if bounce:
        if not again:
            note_bounce(address, bounce, at)
    elif event.kind == EventType.UNSUBSCRIBED:
        note_unsubscribed(address, at)
    elif is_listed(event.raw):
        note_listed(address, at)
    elif event.kind == EventType.DELIVERED:
        note_arrival(address, at)


def _message_of(raw: Mapping[str, Any]) -> Message | None:
    """The mail a report is about: by what we gave the provider, by its number there, by our Message-ID."""
    rows = Message.objects.select_for_update(of=("self",)).select_related("customer")
    try:
        ours = UUID(str(raw["metadata"].get("message", "")))
    except (ValueError, AttributeError):
        ours = None
    found = rows.filter(uuid=ours).first() if ours else None
    there = raw["message_id"].strip("<>")
    if found is None and there:
        named = Q(provider_id__in=[there, f"<{there}>"]) | Q(message_id=f"<{there}>")
        found = rows.filter(named).order_by("-pk").first()
    return found


def _only_owner_of(address: str) -> Customer | None:
    """Whose report it is where nobody knows the mail; of a shared address nobody can say."""
    owners = Customer.objects.filter(contact_points__kind="email", contact_points__whole_index=address)
    found = list(owners.distinct()[:2])
    return found[0] if len(found) == 1 else None


def _note_on_message(message: Message, kind: str, bounce: str, at: datetime) -> None:
    if message.state == State.UNKNOWN and kind in ARRIVED:
        # The provider speaks of it, so it took it.
        message.state, message.reason, message.sent_at = State.SENT, "", message.attempted_at or at
        Letter.archive.filter(message=message, sent_at=None).update(sent_at=message.sent_at)
    if kind == EventType.DELIVERED and message.delivered_at is None:
        message.delivered_at = at
    if _SEVERITY.index(Bounce(bounce)) > _SEVERITY.index(Bounce(message.bounce)):
        message.bounce = bounce
    if kind in (EventType.REJECTED, EventType.FAILED) and message.state in (State.SENT, State.UNKNOWN):
        message.state, message.reason, message.sent_at = State.FAILED, SERVER_REFUSED.key, None
        Letter.archive.filter(message=message).update(sent_at=None)
    message.save(update_fields=["state", "reason", "sent_at", "delivered_at", "bounce"])


def _plain(value: Any) -> Any:
    """Whatever the provider sent as plain JSON; a form's fields as lists."""
    if hasattr(value, "lists"):
        value = dict(value.lists())
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder, default=str))
