"""Notes and warning flags of a customer: written by staff, flags with a reason and a day of review."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from customers.holding import refuse_restricted
from customers.models import Customer, Flag, Note, Origin
from staff.models import User

# The same words by the same person within this time are a button pressed twice.
TWICE = timedelta(minutes=10)


class FlaggedAlready(Exception):
    """The customer carries this flag already."""


@transaction.atomic
def add_note(customer: Customer, text: str, *, by: User) -> Note:
    """Write a note; sent twice it is one note. Raises holding.DecisionRefused while the data are restricted."""
    refuse_restricted(Customer.objects.select_for_update().get(pk=customer.pk))
    known = customer.notes.filter(text_index=text, author=by, created_at__gt=timezone.now() - TWICE).first()
    if known is not None:
        return known
    origin = Origin.objects.create(kind=Origin.Kind.STAFF)
    # A remark of the staff is no activity of the customer: it makes no period start anew.
    return Note.objects.create(customer=customer, text=text, author=by, origin=origin)


@transaction.atomic
def correct_note(note: Note, text: str, *, version: int) -> bool:
    """Put other words into a note; who wrote it and when stays. False where it was corrected since `version`: nothing
    is written then, and `note` says what stands there. Raises holding.DecisionRefused while the data are restricted."""
    refuse_restricted(Customer.objects.select_for_update().get(pk=note.customer_id))
    note.refresh_from_db()
    if note.version != version:
        return False
    note.text, note.version = text, version + 1
    note.save(update_fields=["text", "text_index", "version"])
    return True


@transaction.atomic
def delete_note(note: Note) -> None:
    """Remove a note for good."""
    refuse_restricted(Customer.objects.select_for_update().get(pk=note.customer_id))
    note.delete()


def set_flag(customer: Customer, kind: str, reason: str, review_on: date, *, by: User) -> Flag:
    """Mark a customer; raises FlaggedAlready where the mark stands (asked by the database, so a second press of the
    button changes nothing) and holding.DecisionRefused while the data are restricted."""
    try:
        with transaction.atomic():
            refuse_restricted(Customer.objects.select_for_update().get(pk=customer.pk))
            return Flag.objects.create(customer=customer, kind=kind, reason=reason, review_on=review_on, set_by=by)
    except IntegrityError:
        raise FlaggedAlready from None


@transaction.atomic
def lift_flag(flag: Flag, *, by: User) -> bool:
    """Take a mark away; it stays as proof until its period is over. False where somebody did so before.

    Raises holding.DecisionRefused while the customer's data are restricted.
    """
    refuse_restricted(Customer.objects.select_for_update().get(pk=flag.customer_id))
    standing = Flag.objects.filter(pk=flag.pk, lifted_at__isnull=True)
    return standing.update(lifted_at=timezone.now(), lifted_by=by) == 1
