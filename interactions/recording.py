"""Note a contact with a customer: what was said, what came of it, what is next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from customers.historying import write_history
from customers.models import Customer
from customers.summary import note_contact
from interactions.models import Attachment, Complaint, FollowUp, Interaction
from staff.models import User


@dataclass(slots=True)
class Contact:
    """What is noted; `closed` says that nothing remains to be done about this contact itself."""

    kind: str
    direction: str
    content: str
    occurred_at: datetime
    outcome: str = ""
    record_class: str = Interaction.RecordClass.TICKET
    order_number: str = ""
    closed: bool = True
    complaint: Complaint | None = None
    token: UUID | None = None


@dataclass(slots=True)
class NextStep:
    """What somebody owes the customer, until when."""

    step: str
    due_on: date
    owner: User


def record(
    customer: Customer,
    contact: Contact,
    *,
    by: User,
    next_step: NextStep | None = None,
    files: Iterable[UploadedFile] = (),
) -> Interaction:
    """Save a contact with its files and next step in one transaction and tell the customer's summary.

    Sent twice with one token, the second call returns what the first one saved.
    """
    known = _already(contact.token)
    if known:
        return known
    try:
        with transaction.atomic():
            return _save(customer, contact, by, next_step, files)
    except IntegrityError:
        # Two clicks at once: the other one won.
        known = _already(contact.token)
        if known is None:
            raise
        return known


def close(interaction: Interaction, outcome: str, *, by: User) -> bool:
    """Close an open contact with its outcome; False when somebody else has closed it already."""
    with transaction.atomic():
        locked = Interaction.objects.select_for_update().get(pk=interaction.pk)
        if locked.closed_at is not None:
            return False
        now = timezone.now()
        locked.closed_at = now
        locked.answered_at = locked.answered_at or now
        locked.outcome = outcome or locked.outcome
        locked.version = F("version") + 1
        locked._history_user = by  # type: ignore[attr-defined]
        locked.save(update_fields=["closed_at", "answered_at", "outcome", "version"])
    return True


def _already(token: UUID | None) -> Interaction | None:
    return Interaction.objects.filter(token=token).first() if token else None


def _save(
    customer: Customer, contact: Contact, by: User, next_step: NextStep | None, files: Iterable[UploadedFile]
) -> Interaction:
    outgoing = contact.direction == Interaction.Direction.OUT
    # Whoever talks, chats or stands in the shop answers at once; a mail or letter waits for its answer.
    spoken = contact.kind in (Interaction.Kind.CALL, Interaction.Kind.CHAT, Interaction.Kind.VISIT)
    interaction = Interaction(
        customer=customer,
        staff=by,
        kind=contact.kind,
        direction=contact.direction,
        record_class=contact.record_class,
        occurred_at=contact.occurred_at,
        answered_at=contact.occurred_at if outgoing or spoken else None,
        closed_at=contact.occurred_at if contact.closed else None,
        content=contact.content,
        outcome=contact.outcome,
        order_number=contact.order_number,
        complaint=contact.complaint,
        token=contact.token,
    )
    interaction._history_user = by  # type: ignore[attr-defined]
    interaction.save()
    for file in files:
        Attachment.objects.create(
            interaction=interaction,
            name=file.name or "",
            # Said by the browser: as long as it likes.
            content_type=(file.content_type or "application/octet-stream")[:100],
            size=file.size or 0,
            file=file,
        )
    if next_step:
        FollowUp.objects.create(
            customer=customer,
            interaction=interaction,
            step=next_step.step,
            due_on=next_step.due_on,
            owner=next_step.owner,
            created_by=by,
        )
    if outgoing:
        _answer_what_waits(customer, interaction)
    called = contact.kind == Interaction.Kind.CALL
    note_contact([customer.pk], at=contact.occurred_at, call=called, incoming=not outgoing)
    return interaction


def _answer_what_waits(customer: Customer, answer: Interaction) -> None:
    """An outgoing contact is the first answer to whatever this customer had sent before it."""
    waiting = Interaction.objects.filter(
        customer=customer,
        direction=Interaction.Direction.IN,
        answered_at__isnull=True,
        occurred_at__lte=answer.occurred_at,
    )
    complaints = Complaint.objects.open().filter(
        Q(pk=answer.complaint_id) if answer.complaint_id else Q(customer=customer),
        answered_at__isnull=True,
        opened_at__lte=answer.occurred_at,
    )
    for rows in (waiting, complaints):
        ids = list(rows.select_for_update().values_list("pk", flat=True))
        rows.filter(pk__in=ids).update(answered_at=answer.occurred_at, version=F("version") + 1)
        write_history(rows.model, ids, "~", user_id=answer.staff_id)
