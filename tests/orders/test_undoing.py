"""Undoing an import of orders: back to the state before, but never over somebody's work."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from customers.models import Customer, HeldIntake, Summary
from orders.documents import issue_document
from orders.holding import decide_held_order
from orders.intake import write_orders
from orders.models import CustomerTotal, Order
from orders.rows import LineRow
from orders.states import take_step
from orders.totals import differing_totals
from orders.undoing import undo_orders
from tests.orders.factories import PLACED, make_customer
from tests.orders.test_intake import ANNE, IDA, make_source, row

pytestmark = pytest.mark.django_db


def state(order: Order) -> dict:
    order = Order.objects.get(pk=order.pk)
    names = (
        "status",
        "payment",
        "total",
        "refunded",
        "billing",
        "shipping",
        "deviating",
        "note",
        "paid_at",
        "tags",
    )
    lines = list(order.lines.values_list("position", "sku", "name", "quantity", "unit_price", "discount"))
    return {name: getattr(order, name) for name in names} | {"lines": lines}


def test_orders_that_a_batch_made_go_with_their_lines_history_and_totals():
    customer = make_customer(platform="shopify", external_id="77")
    source = make_source()
    write_orders([row(customer_external_id="77", lines=[LineRow("A")])], source)

    undone = undo_orders(source.batch)

    assert (undone.removed, undone.restored, undone.left) == (1, 0, [])
    assert not Order.archive.exists()
    assert not Order.history.exists()
    assert not CustomerTotal.objects.filter(customer=customer).exists()


def test_orders_that_a_batch_changed_are_as_before():
    write_orders(
        [
            row(
                status="open",
                billing=ANNE,
                note="alt",
                tags=("a",),
                lines=[LineRow("A", "Tasse"), LineRow("B")],
            )
        ],
        make_source(),
    )
    order = Order.objects.get()
    before = state(order)
    source = make_source()
    write_orders(
        [
            row(
                status="completed",
                paid_at=PLACED,
                total=Decimal("99.00"),
                refunded=Decimal("1.00"),
                billing=IDA,
                shipping=ANNE,
                note="neu",
                tags=("b",),
                lines=[LineRow("C")],
            )
        ],
        source,
    )
    assert state(order) != before

    undone = undo_orders(source.batch)

    assert (undone.removed, undone.restored, undone.left) == (0, 1, [])
    assert state(order) == before
    assert differing_totals() == 0


def test_an_undo_twice_does_nothing_the_second_time():
    write_orders([row(status="open")], make_source())
    source = make_source()
    write_orders([row(status="shipped")], source)
    undo_orders(source.batch)

    undone = undo_orders(source.batch)

    assert (undone.removed, undone.restored, undone.left) == (0, 0, [])


def test_after_an_undo_the_same_file_can_come_again():
    write_orders([row(status="open")], make_source())
    source = make_source()
    write_orders([row(status="shipped")], source)
    undo_orders(source.batch)

    outcome = write_orders([row(status="shipped")], make_source())

    assert outcome.updated == 1
    assert Order.objects.get().status == "shipped"


def test_an_order_changed_since_is_left_and_named():
    source = make_source()
    write_orders([row("a", status="open"), row("b")], source)
    touched = Order.objects.get(external_id="a")
    take_step(touched.pk, "pay")

    undone = undo_orders(source.batch)

    assert undone.removed == 1
    assert [(left.model, left.id) for left in undone.left] == [("orders.Order", touched.number)]
    assert Order.objects.get() == touched


def test_an_order_changed_by_a_later_import_is_left():
    first, second = make_source(), make_source()
    write_orders([row(status="open")], first)
    write_orders([row(status="shipped")], second)

    assert [left.id for left in undo_orders(first.batch).left] == [Order.objects.get().number]
    assert undo_orders(second.batch).restored == 1


def test_an_order_with_papers_is_left():
    source = make_source()
    write_orders([row(lines=[LineRow("A")])], source)
    issue_document(Order.objects.get().pk, "received")

    assert len(undo_orders(source.batch).left) == 1
    assert Order.objects.count() == 1


def test_an_order_of_an_erased_person_is_neither_restored_nor_brought_back():
    customer = make_customer(platform="shopify", external_id="77")
    write_orders([row(status="open", customer_external_id="77", billing=ANNE)], make_source())
    source = make_source()
    write_orders([row(status="shipped", customer_external_id="77")], source)
    Order.objects.filter(customer=customer).update(blocked_at=timezone.now(), customer=None, billing=None)

    undone = undo_orders(source.batch)

    assert len(undone.left) == 1
    assert Order.archive.get().customer_id is None
    assert Order.archive.get().billing is None


def test_held_rows_of_the_batch_go():
    make_customer(platform="shopify", external_id="77", restricted_at=timezone.now())
    source = make_source()
    write_orders([row(customer_external_id="77")], source)

    undo_orders(source.batch)

    assert not HeldIntake.objects.exists()


def test_imports_are_undone_one_after_the_other_the_last_first():
    first, second, third = make_source(), make_source(), make_source()
    write_orders([row(status="open")], first)
    write_orders([row(status="processing")], second)
    between = state(Order.objects.get())
    write_orders([row(status="shipped")], third)

    undo_orders(third.batch)
    assert state(Order.objects.get()) == between
    assert undo_orders(second.batch).left == []
    assert Order.objects.get().status == "open"

    assert undo_orders(first.batch).left == []
    assert not Order.objects.exists()


def test_work_between_two_imports_is_not_lost_when_both_are_undone():
    first, second = make_source(), make_source()
    write_orders([row(status="open")], first)
    worked_on = take_step(Order.objects.get().pk, "pay")
    write_orders([row(status="shipped")], second)

    assert undo_orders(second.batch).restored == 1
    undone = undo_orders(first.batch)

    assert [(left.model, left.id) for left in undone.left] == [("orders.Order", worked_on.number)]
    assert Order.objects.get().paid_at == worked_on.paid_at


def test_the_last_activity_is_that_of_the_orders_which_remain():
    joined = PLACED - timedelta(days=100)
    customer = make_customer(platform="shopify", external_id="77", registered_at=joined)
    write_orders([row("a", customer_external_id="77", placed_at=PLACED)], make_source())
    source = make_source()
    write_orders([row("b", customer_external_id="77", placed_at=PLACED + timedelta(days=9))], source)
    assert Summary.objects.get(customer=customer).last_activity == PLACED + timedelta(days=9)

    undo_orders(source.batch)

    assert Summary.objects.get(customer=customer).last_activity == PLACED


def test_without_any_order_left_the_last_activity_is_the_day_the_customer_came():
    joined = PLACED - timedelta(days=100)
    customer = make_customer(platform="shopify", external_id="77", registered_at=joined)
    source = make_source()
    write_orders([row(customer_external_id="77", placed_at=PLACED)], source)

    undo_orders(source.batch)

    assert Summary.objects.get(customer=customer).last_activity == joined


def test_an_order_that_a_person_let_in_comes_again_with_the_same_file_after_an_undo():
    customer = make_customer(platform="shopify", external_id="77", restricted_at=timezone.now())
    source = make_source()
    write_orders([row(customer_external_id="77")], source)
    Customer.objects.update(restricted_at=None)
    decide_held_order(HeldIntake.objects.get().pk, "applied", user_id=None, customer=customer)

    undone = undo_orders(source.batch)
    assert (undone.removed, Order.objects.count(), HeldIntake.objects.count()) == (1, 0, 0)
    write_orders([row(customer_external_id="77")], make_source())

    assert Order.objects.get().customer == customer
