"""Complaints from the first word to the settlement; the customer's summary always knows how many are open."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from customers.historying import write_history
from customers.models import Customer
from customers.summary import recount_complaints
from interactions.models import Complaint
from staff.models import User

# The same words about the same order within this time are a button pressed twice.
TWICE = timedelta(minutes=10)

# An open complaint keeps itself, its contacts and the order it is about.
_OPEN = """
    SELECT {matter}c.customer_id, nullif(c.order_number, '') AS order_number, c.id AS complaint_id,
           (c.opened_at AT TIME ZONE %(zone)s + interval '1 year')::date AS review_on
    FROM interactions_complaint AS c
    WHERE {whose} AND c.closed_at IS NULL AND c.blocked_at IS NULL
"""
OPEN_CASES = _OPEN.format(matter="", whose="c.customer_id = ANY(%(ids)s)")
EVERY_OPEN_CASE = _OPEN.format(matter="c.id AS matter, ", whose="c.customer_id IS NOT NULL")


class AlreadyClosed(Exception):
    """Somebody else has settled or rejected the complaint meanwhile."""


def open_complaint(
    customer: Customer, subject: str, *, by: User, order_number: str = "", owner: User | None = None
) -> Complaint:
    """Open a complaint and count it at the customer, in one transaction; sent twice it is one complaint."""
    with transaction.atomic():
        # Whoever ends rows about this person tonight waits and finds the case (`privacy.ending`).
        Customer.objects.select_for_update().get(pk=customer.pk)
        if known := _said_before(customer, subject, order_number):
            return known
        complaint = Complaint(customer=customer, subject=subject, order_number=order_number, owner=owner or by)
        complaint._history_user = by  # type: ignore[attr-defined]
        complaint.save()
        refresh_summary([customer.pk])
    return complaint


def _said_before(customer: Customer, subject: str, order_number: str) -> Complaint | None:
    recent = Complaint.objects.open().filter(
        customer=customer, order_number=order_number, opened_at__gt=timezone.now() - TWICE
    )
    # The subject lies sealed: compared here, over the few of the last minutes.
    return next((complaint for complaint in recent.order_by("pk") if complaint.subject == subject), None)


def take_up(complaint: Complaint, *, by: User) -> None:
    """Somebody begins to work on it; that is no answer to the customer yet.

    Raises AlreadyClosed.
    """
    _move(complaint, Complaint.State.IN_PROGRESS, by, "")


def settle(complaint: Complaint, resolution: str, *, by: User) -> None:
    """Close it with its result.

    Raises AlreadyClosed.
    """
    _move(complaint, Complaint.State.SETTLED, by, resolution)


def reject(complaint: Complaint, resolution: str, *, by: User) -> None:
    """Close it as unfounded, with the reason.

    Raises AlreadyClosed.
    """
    _move(complaint, Complaint.State.REJECTED, by, resolution)


def open_work(user: User) -> int:
    """How many open complaints a member of staff is in charge of."""
    return Complaint.objects.open().filter(owner=user).count()


@transaction.atomic
def hand_over_all(user: User, successor: User) -> int:
    """Put the successor in charge of everything a leaving colleague has open, with history."""
    mine = Complaint.objects.open().filter(owner=user)
    ids = list(mine.order_by("pk").select_for_update().values_list("pk", flat=True))
    Complaint.objects.filter(pk__in=ids).update(owner=successor, version=F("version") + 1)
    write_history(Complaint, ids, "~", reason="handed over")
    return len(ids)


def refresh_summary(customer_ids: list[int]) -> None:
    """Count the open complaints of these customers anew, as a set."""
    recount_complaints(customer_ids, Complaint.objects.open())


def _move(complaint: Complaint, state: str, by: User, resolution: str) -> None:
    with transaction.atomic():
        locked = Complaint.objects.select_for_update().get(pk=complaint.pk)
        if locked.closed_at is not None:
            raise AlreadyClosed
        if locked.state == state:
            return  # pressed twice
        now = timezone.now()
        locked.state = state
        if state in (Complaint.State.SETTLED, Complaint.State.REJECTED):
            # Who only takes it up has not told the customer anything yet.
            locked.answered_at = locked.answered_at or now
            locked.closed_at = now
            locked.resolution = resolution
        locked.version += 1
        locked._history_user = by  # type: ignore[attr-defined]
        locked.save()
        if locked.customer_id is not None:
            refresh_summary([locked.customer_id])
    complaint.refresh_from_db()
