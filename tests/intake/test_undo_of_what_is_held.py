"""An undo deletes nothing that a restriction (Art. 18 GDPR) or an open case holds, and names it."""

from __future__ import annotations

import pytest

from customers.intake import write_customers
from customers.models import Customer
from customers.undoing import undo_customers
from interactions.complaining import open_complaint, settle
from orders.intake import write_orders
from orders.models import Order
from orders.totals import differing_totals
from orders.undoing import undo_orders
from privacy.restricting import restrict
from staff.models import User
from tests.customers.making import bring_in, make_row
from tests.customers.making import make_source as source_of_customers
from tests.orders.factories import make_customer
from tests.orders.test_intake import make_source, row

pytestmark = pytest.mark.django_db


def test_orders_of_somebody_whose_data_are_restricted_meanwhile_stay(agent: User) -> None:
    customer = make_customer(platform="shopify", external_id="77")
    write_orders([row(customer_external_id="77", status="open")], make_source())
    source = make_source()
    rows = [row(customer_external_id="77", status="shipped"), row("1002", line=3, customer_external_id="77")]
    assert write_orders(rows, source).created == 1
    restrict(customer, "c", ["all"], "Braucht die Daten für eine Klage.", by=agent)

    undone = undo_orders(source.batch)

    assert (undone.removed, undone.restored, sorted(one.id for one in undone.left)) == (0, 0, ["1001", "1002"])
    assert {one.why for one in undone.left} == {"die Daten der bestellenden Person sind eingeschränkt"}
    assert sorted(Order.objects.values_list("external_id", "status")) == [("1001", "shipped"), ("1002", "open")]


def test_a_customer_whose_data_are_restricted_meanwhile_stays_as_the_import_left_them(agent: User) -> None:
    bring_in(make_row(external_id="1", phone="030 1234567"))
    source = source_of_customers()
    write_customers([make_row(external_id="1", phone="030 7654321"), make_row(3, external_id="2")], source)
    known = Customer.objects.get(external_ids__value="1")
    for customer in Customer.objects.all():
        restrict(customer, "a", ["address"], "Die Adresse stimmt nicht.", by=agent)

    result = undo_customers(source.batch)

    assert (result.removed, result.restored, len(result.left)) == (0, 0, 2)
    assert known.contact_points.get().value == "+49307654321"


def test_an_order_that_a_complaint_is_about_stays_until_it_is_settled(agent: User) -> None:
    customer = make_customer(platform="shopify", external_id="77")
    source = make_source()
    write_orders([row(n, line=2, customer_external_id="77", number=n) for n in ("1001", "1002")], source)
    complaint = open_complaint(customer, "Kaputt.", by=agent, order_number="1001")

    undone = undo_orders(source.batch)

    assert (undone.removed, [(one.id, one.why) for one in undone.left]) == (
        1, [("1001", "um diese Bestellung geht es in einem offenen Fall")],
    )  # fmt: skip
    assert differing_totals() == 0
    settle(complaint, "Ersetzt.", by=agent)
    assert undo_orders(source.batch).removed == 1
