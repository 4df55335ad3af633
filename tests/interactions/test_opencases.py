"""An open complaint keeps itself, its contacts and its order (domain.md 4.2: claim_hold; Art. 17(3)(e) GDPR)."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from datamap import holds
from interactions.complaining import settle
from interactions.models import Complaint
from tests.interactions.factories import make_customer

pytestmark = pytest.mark.django_db


def test_an_open_complaint_keeps_itself_and_its_order_until_it_is_settled(agent):
    customer = make_customer()
    opened = datetime(2026, 11, 10, 9, tzinfo=UTC)
    complaint = Complaint.objects.create(customer=customer, subject="cup", order_number="B-1", opened_at=opened)

    (hold,) = holds.standing([customer.pk], date(2026, 11, 24))

    assert (hold.kind, hold.customer_id, hold.order_number, hold.complaint_id) == (
        "claim_hold",
        customer.pk,
        "B-1",
        complaint.pk,
    )
    # Looked at again after twelve months at the latest.
    assert hold.review_on == date(2027, 11, 10)
    settle(complaint, "new cup", by=agent)
    assert holds.standing([customer.pk], date(2026, 11, 24)) == []


def test_a_complaint_about_no_order_names_none():
    customer = make_customer()
    Complaint.objects.create(customer=customer, subject="tone")

    (hold,) = holds.standing([customer.pk], date(2026, 11, 24))

    assert hold.order_number is None


def test_contacts_are_tied_to_their_complaint_and_to_the_order_they_name():
    links = holds.links()

    assert (links["interactions.Interaction"].order, links["interactions.Interaction"].complaint) == (
        "order_number",
        "complaint",
    )
    assert links["interactions.Complaint"].complaint == "pk"
