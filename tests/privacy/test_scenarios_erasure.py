"""The legal scenarios that end in an erasure, with dates counted by hand from the statutes."""

from __future__ import annotations

from datetime import date

import pytest

from customers.models import Customer, Suppression, Tombstone
from interactions.complaining import settle
from interactions.models import Complaint, Interaction
from orders.models import Document, Order, OrderLine
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Erasure
from staff.models import User
from tests.privacy.making import make_contact, make_order, make_paper, make_person

pytestmark = pytest.mark.django_db


def items(erasure: Erasure) -> dict[tuple[str, str, str | None], int]:
    """(model, action, until) -> rows, as the receipt says."""
    found: dict[tuple[str, str, str | None], int] = {}
    for item in erasure.items:
        key = item["model"], item["action"], item["until"]
        found[key] = found.get(key, 0) + item["count"]
    return found


def test_p09_partial_erasure_with_mixed_ages() -> None:
    customer = make_person()
    old, older, new = (make_order(customer, day) for day in ("2017-05-20", "2018-01-20", "2026-09-01"))
    make_paper(old, "invoice", "2017-06-01")
    make_paper(older, "invoice", "2018-02-01")
    make_paper(new, "invoice", "2026-09-15")
    make_contact(customer, "2019-10-10", "letter")
    make_contact(customer, "2021-03-03", "letter")
    make_contact(customer, "2026-02-01", "ticket")

    erasure = run_erasure(ask_erasure(customer, as_of=date(2026, 11, 24)).pk)

    assert erasure.state == Erasure.State.DONE, list(erasure.steps.values_list("key", "state", "error"))
    assert not Customer.objects.exists()
    told = items(erasure)
    assert told["customers.Customer", "delete", None] == 1
    assert told["customers.ContactPoint", "delete", None] == 2
    assert told["orders.Document", "delete", None] == 1  # 2017: over since 2026-01-01
    assert told["orders.Document", "block", "2027-01-01"] == 1  # 2018, eight years
    assert told["orders.Document", "block", "2035-01-01"] == 1  # 2026
    assert told["interactions.Interaction", "delete", None] == 2  # letter of 2019, ticket
    assert told["interactions.Interaction", "block", "2028-01-01"] == 1  # letter of 2021
    assert told["orders.Order", "anonymize", None] == 3
    # Blocked rows are cut from everything and returned by no default manager.
    assert not Document.objects.exists() and not Interaction.objects.exists()
    for paper in Document.archive.all():
        assert paper.customer_id is None and paper.order_id is None
        assert paper.subject_ref == erasure.subject_ref and paper.blocked_at is not None
    assert Interaction.archive.get().subject_ref == erasure.subject_ref
    assert all(o.customer_id is None and o.number == "" and o.billing is None for o in Order.objects.all())
    assert set(OrderLine.objects.values_list("name", flat=True)) == {""}
    assert Suppression.objects.filter(reason="erasure", ended_at__isnull=True).count() == 2
    assert Tombstone.objects.filter(subject_ref=erasure.subject_ref).count() >= 3


def test_p10_an_open_order_stays_until_its_withdrawal_period_is_over() -> None:
    customer = make_person()
    order = make_order(customer, "2026-11-20", status="processing", delivered_at=None)
    make_paper(order, "invoice", "2026-11-27")

    erasure = run_erasure(ask_erasure(customer, as_of=date(2026, 11, 24)).pk)
    assert erasure.state == Erasure.State.HELD
    assert [hold["kind"] for hold in erasure.holds] == ["open_order"]
    customer.refresh_from_db()
    assert Order.objects.get().customer_id == customer.pk

    Order.objects.update(delivered_at="2026-11-28T12:00:00+01:00", status="completed")
    Erasure.objects.update(as_of=date(2026, 12, 14))
    assert run_erasure(erasure.pk).state == Erasure.State.HELD  # the last day of the period is a Monday
    Erasure.objects.update(as_of=date(2026, 12, 15))
    done = run_erasure(erasure.pk)
    assert done.state == Erasure.State.DONE, (done.holds, list(done.steps.values_list("key", "state", "error")))
    assert items(done)["orders.Document", "block", "2035-01-01"] == 1
    assert not Customer.objects.exists()


def test_p10_with_an_open_complaint_only_its_case_stays(agent: User) -> None:
    customer = make_person()
    order = make_order(customer, "2025-01-17", delivered_at="2025-01-20T12:00:00+01:00")
    make_order(customer, "2024-03-01")
    make_contact(customer, "2026-02-01", "ticket")
    complaint = Complaint.objects.create(
        customer=customer, subject="Mahlwerk klemmt", order_number=order.number, opened_at="2026-11-10T10:00:00+01:00"
    )
    make_contact(customer, "2026-11-10", "letter", complaint=complaint, order_number=order.number)

    erasure = run_erasure(ask_erasure(customer, as_of=date(2026, 11, 24)).pk)
    assert erasure.state == Erasure.State.HELD
    assert [hold["kind"] for hold in erasure.holds] == ["claim_hold"]
    # Everything unrelated went in the first run; the case and whom it is with stay.
    assert Interaction.objects.get().complaint == complaint
    assert Order.objects.exclude(customer=None).get() == order
    assert Customer.objects.get() == customer

    # The plain end of the warranty is no end while negotiations run (BGB § 203).
    Erasure.objects.update(as_of=date(2027, 1, 21))
    assert run_erasure(erasure.pk).state == Erasure.State.HELD
    assert Order.objects.exclude(customer=None).exists()

    settle(complaint, "Mahlwerk getauscht", by=agent)
    Complaint.objects.update(closed_at="2027-02-10T10:00:00+01:00")
    Erasure.objects.update(as_of=date(2027, 2, 11))
    done = run_erasure(erasure.pk)
    assert done.state == Erasure.State.DONE, (done.holds, list(done.steps.values_list("key", "state", "error")))
    told = items(done)
    assert told["interactions.Complaint", "block", "2031-01-01"] == 1
    assert told["interactions.Interaction", "block", "2033-01-01"] == 1
    assert not Customer.objects.exists()
