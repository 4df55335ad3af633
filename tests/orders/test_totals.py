"""Totals equal a full recompute after whatever happened to orders."""

from __future__ import annotations

import random
import threading
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection

from customers.models import Summary
from orders.documents import issue_credit_note, issue_document, standing
from orders.entering import LineInput, OrderInput, edit_order
from orders.intake import write_orders
from orders.models import CustomerTotal, Order
from orders.refusing import Refused
from orders.returning import announce_return, refund_return
from orders.states import take_step
from orders.totals import differing_totals, recompute_totals, refresh_totals
from orders.undoing import undo_orders
from tests.orders.factories import PLACED, make_customer, make_order
from tests.orders.test_intake import make_source, row

pytestmark = pytest.mark.django_db


def naive_totals() -> dict[tuple[int, str], tuple[int, Decimal]]:
    """The definition, written down once more in Python."""
    found: dict[tuple[int, str], tuple[int, Decimal]] = {}
    for order in Order.objects.filter(cancelled_at=None, customer__isnull=False):
        count, total = found.get((order.customer_id, order.currency), (0, Decimal(0)))
        found[order.customer_id, order.currency] = (count + 1, total + order.total - order.refunded)
    return found


def kept_totals() -> dict[tuple[int, str], tuple[int, Decimal]]:
    return {(t.customer_id, t.currency): (t.orders, t.sum) for t in CustomerTotal.objects.all()}


@pytest.mark.parametrize("seed", range(6))
def test_totals_equal_a_recompute_after_every_step_of_a_random_life(seed):
    dice = random.Random(seed)
    for n in range(3):
        make_customer(platform="shopify", external_id=str(n))
    batches = []

    def bring() -> None:
        source = make_source()
        rows = [
            row(
                f"o{dice.randint(1, 12)}",
                customer_external_id=str(dice.randint(0, 2)),
                total=Decimal(dice.randint(0, 9000)) / 100,
                currency=dice.choice(["EUR", "CHF"]),
                status=dice.choice(["open", "processing", "cancelled", "completed"]),
                refunded=dice.choice([None, Decimal("0.01")]),
            )
            for _n in range(dice.randint(1, 8))
        ]
        write_orders(rows, source)
        batches.append(source.batch)

    def undo() -> None:
        undo_orders(dice.choice(batches))

    def step() -> None:
        take_step(some().pk, dice.choice(["pay", "ship", "deliver", "cancel"]))

    def bill() -> None:
        issue_document(some().pk, "invoice")

    def credit() -> None:
        invoice = standing(some(), "invoice")
        if invoice:
            issue_credit_note(invoice.pk, invoice.gross / 3)

    def edit() -> None:
        order = some()
        lines = [LineInput(name="X", unit_price=Decimal(dice.randint(1, 50)), tax_rate=Decimal(19))]
        edit_order(order.pk, OrderInput(lines, {"name": "A"}), version=order.version, user_id=None)

    def send_back() -> None:
        order = some()
        line = order.lines.first()
        if line:
            refund_return(announce_return(order.pk, {line.pk: line.quantity}).pk)

    def some() -> Order:
        return dice.choice(list(Order.objects.order_by("pk")) or [make_order()])

    bring()
    for _n in range(40):
        try:
            dice.choice([bring, undo, step, bill, credit, edit, send_back])()
        except Refused:
            continue
        assert differing_totals() == 0
    assert kept_totals() == naive_totals()
    for summary in Summary.objects.all():
        mine = [value for (pk, _currency), value in naive_totals().items() if pk == summary.customer_id]
        euros = naive_totals().get((summary.customer_id, "EUR"), (0, Decimal(0)))
        assert (summary.orders, summary.revenue) == (sum(count for count, _sum in mine), euros[1])


def test_a_recompute_mends_what_was_wrong_and_says_how_much(capsys):
    order = make_order()
    refresh_totals([order.customer_id])
    CustomerTotal.objects.update(sum=1)

    with pytest.raises(SystemExit) as exit_:
        call_command("recompute_totals", "--check")
    assert exit_.value.code == 1
    assert CustomerTotal.objects.get().sum == 1
    assert recompute_totals() == 1
    assert CustomerTotal.objects.get().sum == order.total
    call_command("recompute_totals", "--check", "--json")
    assert '{"wrong": 0' in capsys.readouterr().out


def test_totals_count_currencies_apart():
    customer = make_customer()
    make_order(customer, lines=1)
    make_order(customer, lines=3)
    make_order(customer, lines=1, currency="CHF")
    refresh_totals([customer.pk])

    euros = CustomerTotal.objects.get(currency="EUR")
    assert (euros.orders, euros.sum, euros.average) == (2, Decimal("47.60"), Decimal("23.80"))
    assert CustomerTotal.objects.get(currency="CHF").sum == Decimal("11.90")


@pytest.mark.django_db(transaction=True)
def test_two_orders_of_one_customer_at_once_are_both_counted():
    customer = make_customer()
    orders = [make_order(customer) for _n in range(10)]
    refresh_totals([customer.pk])
    failures: list[Exception] = []

    def cancel(mine):
        try:
            for order in mine:
                take_step(order.pk, "cancel", at=PLACED)
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=cancel, args=(part,)) for part in (orders[:4], orders[4:8])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert not failures
    assert differing_totals() == 0
    assert CustomerTotal.objects.get().orders == 2
