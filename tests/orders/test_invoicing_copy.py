"""A delivery note knows when its order was invoiced, since its period counts from there."""

from __future__ import annotations

import pytest
from django.db import connection

from orders.documents import issue_document
from orders.models import Document, Order
from tests.orders.factories import PLACED, make_order

pytestmark = pytest.mark.django_db


def _note(order: Order) -> Document:
    return Document.objects.get(order=order, kind="delivery_note")


def test_a_note_learns_of_the_invoice_that_comes_after_it_and_of_the_one_before():
    early, late = make_order(), make_order()
    issue_document(early.pk, "delivery_note", at=PLACED)
    assert _note(early).order_invoiced_at is None
    issue_document(early.pk, "invoice", at=PLACED)
    issue_document(late.pk, "invoice", at=PLACED)
    issue_document(late.pk, "delivery_note", at=PLACED)

    assert _note(early).order_invoiced_at == _note(late).order_invoiced_at == PLACED
    assert not Document.objects.exclude(kind="delivery_note").filter(order_invoiced_at__isnull=False).exists()


def test_it_follows_what_is_written_to_the_order_and_to_nothing_else():
    order = make_order()
    issue_document(order.pk, "delivery_note", at=PLACED)
    Order.objects.filter(pk=order.pk).update(invoiced_at=PLACED)
    assert _note(order).order_invoiced_at == PLACED

    with connection.cursor() as cursor:
        cursor.execute("UPDATE orders_document SET order_invoiced_at = NULL")
    assert _note(order).order_invoiced_at == PLACED

    with connection.cursor() as cursor:
        cursor.execute("UPDATE orders_order SET invoiced_at = NULL")
    assert _note(order).order_invoiced_at is None


def test_a_note_cut_from_its_order_no_longer_knows():
    order = make_order(invoiced_at=PLACED)
    issue_document(order.pk, "delivery_note", at=PLACED)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL obhut.erasing = 'on'")
        cursor.execute("UPDATE orders_document SET order_id = NULL")
        cursor.execute("SET LOCAL obhut.erasing = 'off'")

    assert Document.archive.get().order_invoiced_at is None
