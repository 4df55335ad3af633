"""An undo and whoever writes at the same time wait for each other, one after the other, and neither is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from customers.intake import LOCK, write_customers
from customers.models import Customer, ExternalId
from customers.undoing import undo_customers
from intake.models import Batch
from intake.undoing import undo
from interactions.models import Interaction
from interactions.recording import Contact, record
from orders.intake import write_orders
from orders.models import Order
from orders.totals import differing_totals
from staff.models import User
from tests.customers.making import make_row
from tests.customers.making import make_source as source_of_customers
from tests.orders.factories import make_customer
from tests.orders.test_intake import ANNE, make_source, row

pytestmark = pytest.mark.django_db(transaction=True)

WAITING = """
SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND pid IN (
    SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE d.datname = current_database())
"""
Beside = Callable[[Callable[[], Any]], Future[Any]]


@pytest.fixture
def beside() -> Iterator[Beside]:
    """Does something on a connection of its own; answers when it waits for a lock."""
    with ThreadPoolExecutor(4) as pool:

        def begin(story: Callable[[], Any]) -> Future[Any]:
            before = waiting()

            def tell() -> Any:
                try:
                    return story()
                finally:
                    connection.close()

            told = pool.submit(tell)
            until = time.monotonic() + 30
            while waiting() <= before and not told.done():
                assert time.monotonic() < until, "it neither waits nor ends"
                time.sleep(0.02)
            return told

        yield begin


def waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        return cursor.fetchone()[0]


@contextmanager
def nobody_makes_customers() -> Iterator[None]:
    """A third party who holds the lock on new customers while others line up for it."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        yield


@pytest.mark.parametrize("platform", ["shopify", "woocommerce"])
def test_an_import_that_names_an_order_twice_and_an_undo_both_come_through(platform: str, beside: Beside) -> None:
    customer = make_customer(platform="shopify", external_id="77")
    if platform != "shopify":
        ExternalId.objects.create(customer=customer, platform=platform, value="77")
    for name in {"shopify", platform}:
        write_orders([row(customer_external_id="77", status="open")], make_source(name))
    taken_back = make_source()
    write_orders([row(customer_external_id="77", status="shipped")], taken_back)
    batch = Batch.objects.create(
        id=taken_back.batch, kind="orders", platform="shopify", state="undoing", origin_id=taken_back.origin_id
    )
    rows = [
        row(customer_external_id="77", status="completed"),
        row("1002", line=3, placed_at=None),  # rejected, so that the repeat is the first to make somebody
        row("1002", line=4, guest=True, billing=ANNE),
    ]

    with nobody_makes_customers():
        undone = beside(lambda: undo(batch))
        come_in = beside(lambda: write_orders(rows, make_source(platform)))
    undone.result(60)
    outcome = come_in.result(60)

    assert (outcome.created, outcome.updated, outcome.error_count) == (1, 1, 1)
    assert sorted(Order.objects.filter(platform=platform).values_list("external_id", "status")) == [
        ("1001", "completed"),
        ("1002", "open"),
    ]
    batch.refresh_from_db()
    assert (batch.state, batch.undo["restored"]) == ("undone", 1)
    assert differing_totals() == 0


def test_a_contact_that_is_being_noted_and_an_undo_both_come_through(agent: User, beside: Beside) -> None:
    source = source_of_customers()
    write_customers([make_row(external_id="1"), make_row(3, external_id="2")], source)
    talked_to = Customer.objects.get(external_ids__value="1")

    with transaction.atomic():
        record(talked_to, Contact("call", "in", "Ruft wieder an.", timezone.now()), by=agent)
        undone = beside(lambda: undo_customers(source.batch))
    result = undone.result(60)

    # Whoever was spoken with meanwhile stays; the other one goes.
    assert (result.removed, [one.id for one in result.left]) == (1, [talked_to.number])
    assert Interaction.objects.get().customer == talked_to
