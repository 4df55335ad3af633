"""A contact knows when its complaint was settled, since the period of a dispute counts from there."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import chain

import pytest
from django.db import connection

from customers.models import Customer
from interactions.models import Complaint, Interaction
from privacy.selecting import branches, due_page, still_due, units
from privacy.verdicts import Book
from tests.orders.factories import make_customer

pytestmark = pytest.mark.django_db
SETTLED, LATER = datetime(2020, 3, 2, 10, 0, tzinfo=UTC), datetime(2020, 5, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def customer() -> Customer:
    """Somebody who is not content."""
    return make_customer()


def _contact(customer: Customer, complaint: Complaint | None, **given: object) -> Interaction:
    given = {"occurred_at": SETTLED, "closed_at": SETTLED} | given
    return Interaction.objects.create(
        customer=customer, kind="call", content="Mühle", record_class="claim", complaint=complaint, **given
    )


def test_a_contact_learns_of_a_settlement_that_comes_after_it_and_of_the_one_before(customer: Customer) -> None:
    complaint = Complaint.objects.create(customer=customer, subject="Mühle")
    early, none = _contact(customer, complaint), _contact(customer, None)
    assert early.complaint_closed_at is None
    Complaint.objects.filter(pk=complaint.pk).update(closed_at=LATER)
    late = _contact(customer, complaint)

    found = dict(Interaction.objects.values_list("pk", "complaint_closed_at"))
    assert found == {early.pk: LATER, late.pk: LATER, none.pk: None}

    Complaint.objects.filter(pk=complaint.pk).update(closed_at=None)
    assert not Interaction.objects.filter(complaint_closed_at__isnull=False).exists()


def test_it_follows_what_is_written_to_the_complaint_and_to_nothing_else(customer: Customer) -> None:
    complaint = Complaint.objects.create(customer=customer, subject="Mühle", closed_at=LATER)
    contact = _contact(customer, complaint)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE interactions_interaction SET complaint_closed_at = NULL")
    contact.refresh_from_db()
    assert contact.complaint_closed_at == LATER

    Interaction.objects.filter(pk=contact.pk).update(complaint=None)
    contact.refresh_from_db()
    assert contact.complaint_closed_at is None


def test_disputes_are_found_in_the_order_of_their_settlement(customer: Customer) -> None:
    complaints = [Complaint.objects.create(customer=customer, subject="Mühle", closed_at=at) for at in (LATER, SETTLED)]
    settled = [_contact(customer, complaint).pk for complaint in complaints]
    alone = _contact(customer, None).pk
    never_closed = _contact(customer, None, closed_at=None).pk
    book = Book(date(2026, 11, 25))
    unit = next(unit for unit in units(book, "CLAIM") if unit.table.model is Interaction)

    assert [due_page(book, branch).ids for branch in branches(unit)] == [
        [settled[1], settled[0]],
        [alone],
        [never_closed],
    ]
    everything = [*settled, alone, never_closed]
    assert sorted(still_due(book, unit, everything)) == sorted(chain(everything))
