"""Held orders: a person decides, once."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from customers.models import Customer, HeldIntake, Tombstone
from customers.tombstones import marks_of
from orders.intake import write_orders
from orders.models import CustomerTotal, Order
from tests.orders.factories import make_customer, make_staff
from tests.orders.test_intake import ANNE, counts, make_source, row

pytestmark = pytest.mark.django_db


@pytest.fixture
def decider(client):
    client.force_login(make_staff("customers.held", "customers.view", "customers.restricted"))
    return client


def hold_of_erased() -> HeldIntake:
    kind, mark = marks_of(emails=["anne@shop.example"])[0]
    Tombstone.objects.create(mark=mark, kind=kind, erased_at=timezone.now())
    write_orders([row(email="anne@shop.example", billing=ANNE)], make_source())
    return HeldIntake.objects.get()


def decide(client, held: HeldIntake, decision: str, customer: str = "") -> str:
    """Decide on the page; the decision that then stands."""
    form = {"decision": decision, "other": customer}
    client.post(reverse("customers:held_decide", args=[held.pk]), form)
    held.refresh_from_db()
    return held.decision


def test_an_order_let_in_after_an_erasure_is_a_new_guests(decider):
    held = hold_of_erased()
    page = decider.get(reverse("customers:held_decide", args=[held.pk]))
    assert "Am Deich 4" in page.content.decode()

    assert decide(decider, held, "created") == "created"

    assert Order.objects.get().customer.status == "guest"
    assert decide(decider, held, "dropped") == "created"


def test_an_order_may_be_given_to_the_customer_a_person_names(decider):
    customer = make_customer()

    assert decide(decider, hold_of_erased(), "applied", customer.number) == "applied"

    assert Order.objects.get().customer == customer
    assert CustomerTotal.objects.get().customer == customer


def test_a_dropped_order_stays_out_and_is_not_held_again(decider):
    assert decide(decider, hold_of_erased(), "dropped") == "dropped"

    outcome = write_orders([row(email="anne@shop.example", billing=ANNE)], make_source())
    assert counts(outcome) == {"unchanged": 1}
    assert not Order.objects.exists()


def test_an_order_of_a_restricted_customer_waits_until_the_restriction_is_lifted(decider):
    customer = make_customer(platform="shopify", external_id="77", restricted_at=timezone.now())
    write_orders([row(customer_external_id="77")], make_source())
    held = HeldIntake.objects.get()

    assert decide(decider, held, "applied", customer.number) == ""
    Customer.objects.update(restricted_at=None)
    assert decide(decider, held, "applied", customer.number) == "applied"

    assert Order.objects.get().customer == customer


def test_news_about_a_known_order_goes_to_no_other_customer(decider):
    customer = make_customer(platform="shopify", external_id="77")
    write_orders([row(customer_external_id="77", status="open")], make_source())
    Customer.objects.update(restricted_at=timezone.now())
    write_orders([row(customer_external_id="77", status="shipped")], make_source())
    Customer.objects.update(restricted_at=None)
    held = HeldIntake.objects.get()

    assert decide(decider, held, "applied", make_customer().number) == ""
    assert decide(decider, held, "created") == ""
    assert decide(decider, held, "applied", customer.number) == "applied"
    assert Order.objects.get().status == "shipped"
