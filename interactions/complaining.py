"""Complaints from the first word to the settlement; the customer's summary always knows how many are open."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.historying import write_history
from customers.models import Customer
from customers.summary import recount_complaints
from datamap.controlling import legal_zone
from datamap.holds import LONGEST_MONTHS, HoldRefused, refuse_review
from datamap.workdays import add_months, local_date
from interactions.models import Complaint, ComplaintReview
from staff.models import User

# The same words about the same order within this time are a button pressed twice.
TWICE = timedelta(minutes=10)

# An open complaint keeps itself, its contacts and the order it is about.
_OPEN = """
    SELECT {matter}c.customer_id, nullif(c.order_number, '') AS order_number, c.id AS complaint_id,
           coalesce(c.review_on, (c.opened_at AT TIME ZONE %(zone)s + interval '1 year')::date) AS review_on
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


@transaction.atomic
def keep_open(complaint: Complaint, review_on: date | None, reason: str, *, by: User) -> None:
    """Note that somebody looked at an open complaint and it rightly stays open: who, when, why, until when.

    Raises HoldRefused without a reason or without a review within twelve months, AlreadyClosed.
    """
    if not reason.strip():
        raise HoldRefused("reason", _("Say why the complaint stays open."))
    refuse_review(review_on, local_date(timezone.now(), legal_zone()))
    assert review_on is not None  # refused above
    locked = Complaint.objects.select_for_update().get(pk=complaint.pk)
    if locked.closed_at is not None:
        raise AlreadyClosed
    locked.review_on = review_on
    locked.version += 1
    locked._history_user = by  # type: ignore[attr-defined]
    locked.save()
    ComplaintReview.objects.create(complaint=locked, reason=reason.strip(), review_on=review_on, by=by)
    complaint.refresh_from_db()


def next_review(complaint: Complaint) -> date:
    """The day on which somebody looks again at an open complaint: as they said, else twelve months after it began."""
    return complaint.review_on or add_months(local_date(complaint.opened_at, legal_zone()), LONGEST_MONTHS)


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
