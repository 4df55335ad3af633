"""Papers: numbers without gaps, snapshots that stand."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from datamap import holds
from datamap.models import Controller
from datamap.workdays import local_date
from orders.documents import issue_credit_note, issue_document, supply_of
from orders.models import CustomerTotal, Document, Order
from orders.querysets import IssuedDocument
from orders.refusing import Refused, Stale
from orders.states import take_step
from orders.totals import refresh_totals
from tests.orders.factories import PLACED, make_order
from vault.keyring import keyring

pytestmark = pytest.mark.django_db


def test_an_invoice_holds_the_order_as_it_stood():
    order = make_order()
    invoice = issue_document(order.pk, "invoice", at=PLACED)
    Order.objects.filter(pk=order.pk).update(total=1)
    order.lines.all().delete()

    kept = Document.objects.get(pk=invoice.pk)

    assert kept.gross == Decimal("23.80")
    assert (kept.net, kept.tax) == (Decimal("20.00"), Decimal("3.80"))
    assert kept.rates == [{"rate": "19.00", "net": "20.00", "tax": "3.80", "gross": "23.80"}]
    assert [line["sku"] for line in kept.lines] == ["A-1", "A-2"]
    assert kept.billing_snapshot["street"] == "Am Deich 4"
    assert kept.number == "RE-2026-00001"


def test_an_invoice_names_the_shop_with_its_tax_ids_as_they_were_then():
    Controller(name="Laden GmbH", vat_id="DE123456789", tax_number="46/123/45678").save()
    invoice = issue_document(make_order().pk, "invoice")
    Controller(name="Laden AG", vat_id="DE999999999").save()

    seller = Document.objects.get(pk=invoice.pk).seller

    assert (seller["name"], seller["vat_id"], seller["tax_number"]) == ("Laden GmbH", "DE123456789", "46/123/45678")


def test_a_document_refuses_to_be_saved_updated_or_deleted():
    invoice = issue_document(make_order().pk, "invoice")
    invoice.gross = 1

    with pytest.raises(IssuedDocument):
        invoice.save()
    with pytest.raises(IssuedDocument):
        invoice.delete()
    with pytest.raises(IssuedDocument):
        Document.objects.filter(pk=invoice.pk).update(gross=1)
    with pytest.raises(IssuedDocument):
        Document.objects.filter(pk=invoice.pk).delete()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE orders_document SET gross = 1",
        "UPDATE orders_document SET number = 'RE-1'",
        "UPDATE orders_document SET issued_at = now()",
        "UPDATE orders_document SET lines = '[]'",
        "UPDATE orders_document SET rates = '[]'",
        "UPDATE orders_document SET billing_snapshot = NULL",
        "UPDATE orders_document SET billing_snapshot = set_byte(billing_snapshot, 20, 0)",
        "DELETE FROM orders_document",
    ],
)
def test_the_database_refuses_to_change_a_document(change):
    issue_document(make_order().pk, "invoice")

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_an_erasure_may_reduce_the_snapshot_but_never_the_amounts():
    document = issue_document(make_order().pk, "invoice")

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL obhut.erasing = 'on'")
        cursor.execute(
            "UPDATE orders_document SET customer_id = NULL, subject_ref = gen_random_uuid(), blocked_at = now(),"
            " delivery_snapshot = NULL, billing_snapshot = NULL"
        )
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute("UPDATE orders_document SET gross = 1")
        cursor.execute("SET LOCAL obhut.erasing = ''")

    assert not Document.objects.filter(pk=document.pk).exists()
    assert Document.archive.get(pk=document.pk).gross == Decimal("23.80")


def test_the_pointer_to_the_person_may_go_without_ceremony():
    document = issue_document(make_order().pk, "invoice")

    with connection.cursor() as cursor:
        cursor.execute("UPDATE orders_document SET customer_id = NULL, subject_ref = gen_random_uuid()")

    assert Document.objects.get(pk=document.pk).customer_id is None


def test_a_snapshot_may_be_sealed_anew_under_another_key():
    document = issue_document(make_order().pk, "invoice")
    sealed = Document._meta.get_field("billing_snapshot").seal(document.billing_snapshot)
    other_key = sealed[:1] + bytes([sealed[1] ^ 1]) + sealed[2:]

    with connection.cursor() as cursor:
        cursor.execute("UPDATE orders_document SET billing_snapshot = %s", [other_key])
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute("UPDATE orders_document SET billing_snapshot = %s", [sealed + b"x"])
    assert keyring()


def test_an_invoice_is_issued_once():
    order = make_order()
    issue_document(order.pk, "invoice")

    with pytest.raises(Refused):
        issue_document(order.pk, "invoice")

    assert Document.objects.count() == 1


def test_a_number_of_a_paper_that_failed_is_given_again():
    order = make_order()
    with pytest.raises(RuntimeError), transaction.atomic():
        issue_document(order.pk, "invoice", at=PLACED)
        raise RuntimeError

    assert issue_document(order.pk, "invoice", at=PLACED).number == "RE-2026-00001"


def test_each_kind_and_year_counts_by_itself():
    order = make_order()
    numbers = [
        issue_document(order.pk, "received", at=PLACED).number,
        issue_document(order.pk, "confirmation", at=PLACED).number,
        issue_document(order.pk, "delivery_note", at=PLACED).number,
        issue_document(order.pk, "delivery_note", at=PLACED.replace(year=2027)).number,
    ]

    assert numbers == ["EB-2026-00001", "AB-2026-00001", "LS-2026-00001", "LS-2027-00001"]


def test_the_year_of_a_number_is_the_year_in_the_shops_zone():
    at = PLACED.replace(year=2026, month=12, day=31, hour=23, minute=30)

    assert issue_document(make_order().pk, "invoice", at=at).number == "RE-2027-00001"


def test_a_delivery_note_names_where_the_goods_go_but_neither_e_mail_nor_phone():
    order = make_order()
    order.billing |= {"email": "anna@post.example", "phone": "+49 431 1"}
    order.save()

    note = issue_document(order.pk, "delivery_note")

    assert note.delivery_snapshot["street"] == "Am Deich 4"
    assert not {"email", "phone"} & set(note.delivery_snapshot)


def test_a_delivery_note_shows_no_prices_and_no_billing_address():
    order = make_order(deviating=True, shipping={"name": "Ida", "city": "Kiel"}, gift_note="Alles Gute")

    note = issue_document(order.pk, "delivery_note")

    assert note.billing_snapshot is None
    assert note.delivery_snapshot == {"name": "Ida", "city": "Kiel"}
    assert note.gift_note == "Alles Gute"
    assert all("unit_price" not in line and "amount" not in line for line in note.lines)
    assert note.gross == 0


def test_a_credit_note_lowers_the_totals_of_the_customer():
    order = make_order(paid_at=PLACED, payment="paid")
    refresh_totals([order.customer_id])
    invoice = issue_document(order.pk, "invoice")

    credit = issue_credit_note(invoice.pk, Decimal("11.90"))

    total = CustomerTotal.objects.get(customer=order.customer)
    order.refresh_from_db()
    assert (total.orders, total.sum) == (1, Decimal("11.90"))
    assert (credit.gross, credit.net, credit.tax) == (Decimal("11.90"), Decimal("10.00"), Decimal("1.90"))
    assert credit.corrects == invoice
    assert (order.refunded, order.payment) == (Decimal("11.90"), "part_refund")


@pytest.mark.parametrize("parts", [["3.33", "3.33", "3.34"], ["0.01"] * 7 + ["9.93"], ["9.99", "0.01"], ["10.00"]])
def test_an_invoice_that_is_credited_in_parts_leaves_no_tax(parts):
    """§ 17(1) UStG: what was charged is corrected, to the cent and at each rate."""
    order = make_order(lines=2, total=Decimal("10.00"))
    order.lines.filter(position=1).update(unit_price=Decimal("4.00"), tax_rate=Decimal(7))
    order.lines.filter(position=2).update(unit_price=Decimal("6.00"))
    invoice = issue_document(order.pk, "invoice")

    notes = [issue_credit_note(invoice.pk, Decimal(part)) for part in parts]

    assert sum(note.tax for note in notes) == invoice.tax
    for entry in invoice.rates:
        same = [share for note in notes for share in note.rates if share["rate"] == entry["rate"]]
        assert sum(Decimal(share["gross"]) for share in same) == Decimal(entry["gross"])
        assert sum(Decimal(share["tax"]) for share in same) == Decimal(entry["tax"])


def test_an_unpaid_order_of_which_a_part_is_credited_is_still_owed():
    order = make_order(status="shipped")
    invoice = issue_document(order.pk, "invoice")

    issue_credit_note(invoice.pk, Decimal("1.90"))

    order.refresh_from_db()
    assert (order.refunded, order.payment) == (Decimal("1.90"), "open")
    # BGB § 433(2), domain.md 4.2: 21.90 of 23.80 are due.
    kinds = [hold.kind for hold in holds.standing([order.customer_id], local_date(order.invoiced_at))]
    assert "open_payment" in kinds
    take_step(order.pk, "pay")
    order.refresh_from_db()
    assert order.payment == "part_refund"
    issue_credit_note(invoice.pk, Decimal("21.90"))
    order.refresh_from_db()
    assert order.payment == "refunded"


def test_no_more_is_credited_than_was_charged():
    order = make_order()
    invoice = issue_document(order.pk, "invoice")
    issue_credit_note(invoice.pk, Decimal(20))

    with pytest.raises(Refused):
        issue_credit_note(invoice.pk, Decimal("3.81"))
    with pytest.raises(Refused):
        issue_credit_note(invoice.pk, Decimal(0))

    assert Document.objects.filter(kind="credit_note").count() == 1


def test_after_a_full_credit_a_new_invoice_may_be_issued():
    order = make_order()
    invoice = issue_document(order.pk, "invoice")
    issue_credit_note(invoice.pk, Decimal("23.80"))

    assert issue_document(order.pk, "invoice").number != invoice.number


@pytest.mark.django_db(transaction=True)
def test_two_tills_at_once_leave_no_gap():
    orders = [make_order() for _ in range(8)]
    failures: list[Exception] = []

    def issue(mine):
        try:
            for order in mine:
                issue_document(order.pk, "invoice", at=PLACED)
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=issue, args=(part,)) for part in (orders[:4], orders[4:])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert not failures
    numbers = sorted(Document.objects.values_list("number", flat=True))
    assert numbers == [f"RE-2026-{n:05d}" for n in range(1, 9)]


def test_an_invoice_keeps_the_day_of_supply():
    delivered = issue_document(make_order(delivered_at=PLACED).pk, "invoice", at=PLACED.replace(day=9))
    still_here = issue_document(make_order().pk, "invoice", at=PLACED.replace(day=9))
    foretold = issue_document(make_order(delivered_at=PLACED.replace(day=20)).pk, "invoice", at=PLACED.replace(day=9))

    kept = [Document.objects.get(pk=one.pk).seller["supplied_on"] for one in (delivered, still_here, foretold)]
    assert kept == ["2026-03-02", "2026-03-09", "2026-03-09"]
    assert [supply_of(one)[1] for one in (delivered, still_here, foretold)] == [False, True, True]


def test_the_reason_of_a_credit_note_lies_sealed_and_stands():
    invoice = issue_document(make_order().pk, "invoice")
    credit = issue_credit_note(invoice.pk, Decimal(5), reason="Frau Groß war krank")

    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(d)::text FROM orders_document AS d WHERE id = %s", [credit.pk])
        assert "krank" not in cursor.fetchone()[0]
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute("UPDATE orders_document SET reason = NULL WHERE id = %s", [credit.pk])
    assert Document.objects.get(pk=credit.pk).reason == "Frau Groß war krank"


def test_a_paper_raises_the_version_of_its_order_and_nothing_else():
    order = make_order()
    issue_document(order.pk, "delivery_note", version=1)

    with pytest.raises(Stale):
        issue_document(order.pk, "delivery_note", version=1)
    assert Order.objects.get().version == 2
    assert order.history.count() == 1
