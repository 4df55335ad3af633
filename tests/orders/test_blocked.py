"""Orders, papers and returns that a statute keeps after an erasure: cut from the person, on no page of daily work."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from datamap.declarations import registry
from orders.documents import issue_credit_note, issue_document
from orders.models import CustomerTotal, Document, Order, Return
from orders.returning import announce_return
from orders.totals import differing_totals, refresh_totals
from tests.orders.factories import make_order

pytestmark = pytest.mark.django_db


def _erasing(sql: str, *params) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL obhut.erasing = 'on'")
        cursor.execute(sql, params)


@pytest.mark.parametrize(
    "column", ["order_id", "corrects_id", "customer_id", "gift_recipient_id", "subject_ref", "blocked_at"]
)
def test_an_erasure_may_cut_a_paper_from_everything_that_leads_to_the_person(column):
    order = make_order()
    invoice = issue_document(order.pk, "invoice")
    credit = issue_credit_note(invoice.pk, Decimal("1.00"))
    value = {"subject_ref": uuid4(), "blocked_at": timezone.now()}.get(column)

    _erasing(f"UPDATE orders_document SET {column} = %s WHERE id = %s", value, credit.pk)

    assert Document.archive.values_list(column, flat=True).get(pk=credit.pk) == value


@pytest.mark.parametrize("column", ["order_id", "corrects_id"])
def test_nobody_else_may(column):
    invoice = issue_document(make_order().pk, "invoice")
    credit = issue_credit_note(invoice.pk, Decimal("1.00"))

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE orders_document SET {column} = NULL WHERE id = %s", [credit.pk])


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'credit_note'",
        "number = 'X'",
        "issued_at = now()",
        "gross = 1",
        "net = 1",
        "tax = 1",
        "rates = '[]'",
        "order_number = 'X'",
        "ordered_at = now()",
    ],
)
def test_what_the_paper_says_stands_even_in_an_erasure(change):
    issue_document(make_order().pk, "invoice")

    with pytest.raises(IntegrityError):
        _erasing(f"UPDATE orders_document SET {change}")


def test_a_paper_and_a_return_carry_the_order_they_belong_to():
    order = make_order(number="B-7")
    issued = issue_document(order.pk, "invoice")
    line = order.lines.first()
    back = announce_return(order.pk, {line.pk: Decimal(1)})
    line.delete()

    assert (issued.order_number, issued.ordered_at) == ("B-7", order.placed_at)
    back.refresh_from_db()
    assert back.order_number == "B-7"
    assert [(kept.line_id, kept.sku, kept.name) for kept in back.lines.all()] == [(None, "A-1", "Artikel 1")]


@pytest.mark.parametrize("kind", ["received", "confirmation", "invoice", "delivery_note"])
def test_no_paper_keeps_the_e_mail_and_phone_that_it_does_not_show(kind):
    order = make_order(deviating=True)
    secret = {"email": "anna@post.example", "phone": "+49 431 12345"}
    order.billing |= secret
    order.shipping = {"name": "Ida", "street": "Hof 2", "postcode": "24103", "city": "Kiel"} | secret
    order.save()

    issued = issue_document(order.pk, kind)

    for snapshot in (issued.billing_snapshot, issued.delivery_snapshot):
        assert not {"email", "phone"} & set(snapshot or {})
    assert issued.delivery_snapshot["street"] == "Hof 2"


def test_what_leads_back_to_the_order_is_declared_to_be_cut():
    assert registry.declaration_for("orders.Document").cut == ("order",)
    assert registry.declaration_for("orders.Return").cut == ("order",)
    assert registry.declaration_for("orders.ReturnLine").cut == ("line",)


def test_blocked_rows_are_on_no_page_of_daily_work(manager_client):
    order = make_order(number="GEHEIM-1")
    other = make_order(order.customer, number="OFFEN-1")
    line = order.lines.first()
    back = announce_return(order.pk, {line.pk: Decimal(1)})
    issued = issue_document(order.pk, "invoice")
    for model, pk in ((Order, order.pk), (Return, back.pk)):
        model.archive.filter(pk=pk).update(blocked_at=timezone.now())
    _erasing("UPDATE orders_document SET blocked_at = now() WHERE id = %s", issued.pk)
    refresh_totals([order.customer_id])
    number = order.customer.number

    for url in (
        reverse("orders:list"),
        reverse("orders:customer", args=[number]),
        reverse("portal:customer_detail", args=[number]),
        reverse("portal:customer_timeline", args=[number]),
        reverse("portal:dashboard"),
    ):
        page = manager_client.get(url).content.decode()
        assert "GEHEIM-1" not in page
        assert issued.number not in page
    for name, pk in (("detail", order.pk), ("document", issued.pk), ("return_refund", back.pk)):
        assert manager_client.get(reverse(f"orders:{name}", args=[pk])).status_code == 404
    page = reverse("orders:detail", args=[order.pk])
    assert page not in manager_client.post(reverse("orders:search"), {"q": "GEHEIM-1"}).content.decode()
    assert page not in manager_client.post(reverse("portal:search"), {"q": "GEHEIM-1"}, follow=True).content.decode()
    assert CustomerTotal.objects.get(customer=order.customer).orders == 1
    assert differing_totals() == 0
    assert manager_client.get(reverse("orders:detail", args=[other.pk])).status_code == 200
