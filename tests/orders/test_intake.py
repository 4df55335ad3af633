"""Orders that come in: whose they are, what is counted, what is held, and that the same file writes nothing twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from customers.models import Customer, HeldIntake, Origin, Summary, Tombstone
from customers.remains import leave_remains
from customers.rows import Outcome, Source
from customers.tombstones import marks_of
from orders.documents import issue_document
from orders.intake import write_orders
from orders.models import CustomerTotal, Order, OrderLine
from orders.rows import LineRow, OrderRow, SnapshotRow
from orders.staging import digester, from_payload, payload
from orders.states import take_step
from orders.totals import differing_totals
from tests.orders.factories import PLACED, make_customer
from vault.keyring import keyring

pytestmark = pytest.mark.django_db


def make_source(platform: str = "shopify", **given) -> Source:
    batch = uuid4()
    origin = Origin.objects.create(kind="file", platform=platform, batch=batch)
    return Source(batch, platform, origin.pk, **given)


def row(external_id: str = "1001", **given) -> OrderRow:
    given = {"line": 2, "placed_at": PLACED, "currency": "EUR", "total": Decimal("20.00"), **given}
    return OrderRow(external_id=external_id, **given)


ANNE = SnapshotRow(name="Änne Groß", street="Am Deich 4", postcode="20095", city="Hamburg", country="DE")
IDA = SnapshotRow(name="Ida Klein", street="Hafen 1", postcode="24103", city="Kiel", country="DE")


def counts(outcome: Outcome) -> dict[str, int]:
    names = ("created", "updated", "unchanged", "held", "customers_created", "error_count")
    return {name: getattr(outcome, name) for name in names if getattr(outcome, name)}


def written_rows() -> dict[str, int]:
    """How many rows each table of orders and customers has ever had written."""
    tables = ["orders_order", "orders_orderline", "orders_historicalorder", "customers_customer"]
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT count(*), max(xmin::text::bigint) FROM {table}")
            found[table] = cursor.fetchone()
    return found


def test_an_order_goes_to_the_customer_with_this_platforms_id():
    customer = make_customer(platform="shopify", external_id="77")
    make_customer(platform="woocommerce", external_id="77")

    outcome = write_orders([row(customer_external_id="77")], make_source())

    assert counts(outcome) == {"created": 1}
    assert Order.objects.get().customer == customer


def test_a_shopify_order_goes_by_email_to_the_account_of_that_shop():
    customer = make_customer(email="Anne@Shop.example", platform="shopify", external_id="77")

    write_orders([row(email="anne@shop.example")], make_source())

    order = Order.objects.get()
    assert (order.customer, order.kind) == (customer, "account")


def test_an_account_that_came_with_another_shop_is_not_meant_by_an_email():
    make_customer(email="anne@shop.example", platform="woocommerce", external_id="77")

    outcome = write_orders([row(email="anne@shop.example")], make_source())

    order = Order.objects.get()
    assert counts(outcome) == {"created": 1, "customers_created": 1}
    assert (order.kind, order.customer.status) == ("guest", "guest")


def test_an_email_of_two_accounts_makes_a_guest_order():
    make_customer(email="haus@shop.example", platform="shopify", external_id="1")
    make_customer(email="haus@shop.example", platform="shopify", external_id="2")

    write_orders([row(email="haus@shop.example")], make_source())

    assert Order.objects.get().kind == "guest"


def test_a_guest_order_is_never_attached_to_an_account():
    make_customer(email="anne@shop.example", platform="woocommerce", external_id="77")
    rows = [
        row("1", guest=True, email="anne@shop.example", customer_external_id="77", billing=ANNE),
        row("2", guest=True, email="anne@shop.example", billing=ANNE),
    ]

    outcome = write_orders(rows, make_source("woocommerce"))

    guests = [order.customer for order in Order.objects.all()]
    assert counts(outcome) == {"created": 2, "customers_created": 2}
    assert guests[0] != guests[1]
    assert {guest.status for guest in guests} == {"guest"}
    assert {guest.last_name for guest in guests} == {"Groß"}


def test_an_id_nobody_knows_becomes_one_prospect_however_many_orders_it_has():
    rows = [
        row("a", customer_external_id="00001", unknown_customer="prospect"),
        row("b", customer_external_id="00001", unknown_customer="prospect", total=Decimal("5.50")),
    ]

    outcome = write_orders(rows, make_source("cdnow"))

    prospect = Customer.objects.get()
    total = CustomerTotal.objects.get(customer=prospect)
    assert counts(outcome) == {"created": 2, "customers_created": 1}
    assert (prospect.status, prospect.last_name) == ("prospect", "")
    assert (total.orders, total.sum, total.average) == (2, Decimal("25.50"), Decimal("12.75"))


def test_the_same_rows_again_write_nothing():
    rows = lambda: [  # noqa: E731
        row("a", customer_external_id="1", unknown_customer="prospect", lines=[LineRow("X", "Tasse")]),
        row("b", email="x@shop.example", billing=ANNE, shipping=IDA, note="Klingeln", tags=("neu",)),
    ]
    write_orders(rows(), make_source())
    before = written_rows()

    outcome = write_orders(rows(), make_source())

    assert counts(outcome) == {"unchanged": 2}
    assert written_rows() == before


def test_lines_and_snapshots_are_stored():
    lines = [
        LineRow("A-1", "Kaffeemühle", "Küche", Decimal(2), Decimal("19.90"), Decimal("5.00")),
        LineRow("A-2", "Bohnen", quantity=Decimal("0.5"), unit_price=Decimal("18.00")),
    ]

    outcome = write_orders(
        [row(total=None, billing=ANNE, shipping=IDA, lines=lines, shipping_cost=Decimal("4.90"))],
        make_source(),
    )

    order = Order.objects.get()
    assert outcome.lines == 2
    assert [line.amount for line in order.lines.all()] == [Decimal("34.80"), Decimal("9.00")]
    assert order.total == Decimal("48.70")
    assert order.deviating
    assert order.billing["street"] == "Am Deich 4"
    assert order.shipping["city"] == "Kiel"


def test_another_phone_at_the_same_place_is_no_deviating_address():
    same = SnapshotRow(
        name=ANNE.name,
        street=ANNE.street,
        postcode=ANNE.postcode,
        city=ANNE.city,
        country="DE",
        phone="+4940123456",
    )

    write_orders([row(billing=ANNE, shipping=same)], make_source())

    assert not Order.objects.get().deviating


@pytest.mark.parametrize(("first", "then", "whereto"), [(ANNE, IDA, ANNE), (IDA, ANNE, None)])
def test_where_the_goods_go_is_told_anew_when_the_bill_moves(first, then, whereto):
    """Of two places one may move alone: the delivery note must follow the goods, not the bill."""
    write_orders([row(billing=first, shipping=ANNE)], make_source())

    assert counts(write_orders([row(billing=then, shipping=ANNE)], make_source())) == {"updated": 1}

    order = Order.objects.get()
    assert (order.billing["city"], order.shipping["city"]) == (then.city, ANNE.city)
    assert order.deviating == (whereto is not None)
    assert issue_document(order.pk, "delivery_note").delivery_snapshot["city"] == ANNE.city
    assert counts(write_orders([row(billing=then, shipping=ANNE)], make_source())) == {"unchanged": 1}


def test_a_computed_amount_is_compared_as_it_is_kept():
    computed = row(total=Decimal("19.992"), tax=Decimal("3.19200001"))
    write_orders([computed], make_source())
    assert Order.objects.get().total == Decimal("19.99")
    Order.objects.update(source_digest=None)  # as after an undo
    for dry_run in (True, False):
        assert counts(write_orders([computed], make_source(), dry_run=dry_run)) == {"unchanged": 1}


def test_news_updates_the_order_and_its_totals():
    make_customer(platform="shopify", external_id="77")
    write_orders([row(customer_external_id="77", status="open")], make_source())

    outcome = write_orders(
        [
            row(
                customer_external_id="77",
                status="completed",
                paid_at=PLACED,
                delivered_at=PLACED,
                refunded=Decimal("5.00"),
            )
        ],
        make_source(),
    )

    order = Order.objects.get()
    assert counts(outcome) == {"updated": 1}
    assert (order.status, order.payment, order.version) == ("completed", "part_refund", 2)
    assert CustomerTotal.objects.get().sum == Decimal("15.00")
    assert order.history.count() == 2
    assert differing_totals() == 0


def test_an_older_file_does_not_turn_the_clock_back():
    old = lambda: row(status="open", total=Decimal("20.00"))  # noqa: E731
    write_orders([old()], make_source())
    write_orders(
        [row(status="completed", paid_at=PLACED, delivered_at=PLACED, refunded=Decimal("5.00"))],
        make_source(),
    )

    outcome = write_orders([old()], make_source())

    order = Order.objects.get()
    assert counts(outcome) == {"unchanged": 1}
    assert (order.status, order.paid_at, order.refunded) == ("completed", PLACED, Decimal("5.00"))


def test_what_staff_changed_survives_the_same_file():
    write_orders([row(status="open")], make_source())
    take_step(Order.objects.get().pk, "cancel")

    outcome = write_orders([row(status="open")], make_source())

    assert counts(outcome) == {"unchanged": 1}
    assert Order.objects.get().status == "cancelled"


def test_a_file_without_lines_or_addresses_keeps_those_that_are_known():
    write_orders([row(billing=ANNE, lines=[LineRow("A", "Tasse")], note="Klingeln")], make_source())

    write_orders([row(status="shipped")], make_source())

    order = Order.objects.get()
    assert order.lines.count() == 1
    assert order.billing["street"] == "Am Deich 4"
    assert order.note == "Klingeln"


def test_replaced_lines_are_kept_in_the_history():
    write_orders([row(lines=[LineRow("A", "Tasse", quantity=Decimal(2))])], make_source())

    outcome = write_orders([row(lines=[LineRow("B", "Teller")])], make_source())

    order = Order.objects.get()
    assert counts(outcome) == {"updated": 1}
    assert [line.sku for line in order.lines.all()] == ["B"]
    assert order.history.latest().lines_before[0]["sku"] == "A"


def test_lines_on_which_papers_rest_are_not_replaced():
    write_orders([row(lines=[LineRow("A", "Tasse")])], make_source())
    issue_document(Order.objects.get().pk, "invoice")

    outcome = write_orders([row(lines=[LineRow("B", "Teller")])], make_source())

    assert counts(outcome) == {"unchanged": 1}
    assert [line.sku for line in OrderLine.objects.all()] == ["A"]


def test_an_order_told_twice_in_one_file_is_created_and_then_updated():
    outcome = write_orders([row(status="open"), row(status="shipped")], make_source())

    assert counts(outcome) == {"created": 1, "updated": 1}
    assert Order.objects.get().status == "shipped"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"external_id": ""}, "external_id"),
        ({"placed_at": None}, "placed_at"),
        ({"total": None}, "total"),
        ({"currency": "€"}, "currency"),
        ({"total": Decimal("1e15")}, "total"),
        ({"total": Decimal("NaN")}, "total"),
        ({"lines": [LineRow("A", quantity=Decimal("1e10"))]}, "quantity"),
        ({"lines": [LineRow("A", unit_price=Decimal("Infinity"))]}, "quantity"),
    ],
)
def test_a_record_that_cannot_be_stored_is_named_and_the_others_are_written(given, field):
    bad = row(**{"external_id": "bad", "line": 7, **given})

    outcome = write_orders([row("good"), bad], make_source())

    assert counts(outcome) == {"created": 1, "error_count": 1}
    assert [(problem.line, problem.field) for problem in outcome.errors] == [(7, field)]


def test_text_of_any_kind_is_stored_or_cleaned():
    nasty = "NUL\0 'quote' \\N \t \ud800 田中さん"
    outcome = write_orders(
        [row(note=nasty, billing=SnapshotRow(name=nasty), lines=[LineRow(nasty[:100], nasty * 30)])],
        make_source(),
    )

    assert counts(outcome)["created"] == 1
    assert outcome.warning_count == 1
    assert "田中さん" in Order.objects.get().note


def test_an_order_of_an_erased_person_is_held():
    kind, mark = marks_of(emails=["anne@shop.example"])[0]
    Tombstone.objects.create(mark=mark, kind=kind, erased_at=timezone.now())

    outcome = write_orders([row(email="anne@shop.example", billing=ANNE)], make_source())

    held = HeldIntake.objects.get()
    assert counts(outcome) == {"held": 1}
    assert (held.kind, held.reason) == ("order", "tombstone")
    assert held.subject_ref is not None
    assert not Order.objects.exists()
    assert not Customer.objects.exists()


def test_an_order_placed_after_the_erasure_is_a_new_guest():
    kind, mark = marks_of(emails=["anne@shop.example"])[0]
    Tombstone.objects.create(mark=mark, kind=kind, erased_at=PLACED.replace(year=2025))

    outcome = write_orders([row(email="anne@shop.example", billing=ANNE)], make_source())

    assert counts(outcome) == {"created": 1, "customers_created": 1}


def test_a_held_row_is_held_once_and_can_be_read_again():
    customer = make_customer(platform="shopify", external_id="77", restricted_at=timezone.now())
    told = row(customer_external_id="77", billing=ANNE, lines=[LineRow("A", quantity=Decimal(2))])
    write_orders([told], make_source())
    outcome = write_orders([told], make_source())

    held = HeldIntake.objects.get()
    assert counts(outcome) == {"held": 1}
    assert (held.reason, held.customer) == ("restricted", customer)
    assert from_payload(held.payload["row"]) == told
    assert from_payload(payload(told)) == told


def test_news_about_an_order_of_a_restricted_customer_is_held():
    customer = make_customer(platform="shopify", external_id="77")
    write_orders([row(customer_external_id="77", status="open")], make_source())
    Customer.objects.filter(pk=customer.pk).update(restricted_at=timezone.now())

    outcome = write_orders([row(customer_external_id="77", status="shipped")], make_source())

    assert counts(outcome) == {"held": 1}
    assert Order.objects.get().status == "open"


def test_a_blocked_order_is_left_alone():
    write_orders([row(status="open")], make_source())
    Order.objects.update(blocked_at=timezone.now(), customer=None)

    outcome = write_orders([row(status="shipped")], make_source())

    assert counts(outcome) == {"unchanged": 1}
    assert Order.archive.get().status == "open"


def test_orders_past_their_last_day_are_counted():
    # ORDER ends with the third year after the year of delivery: deletable from 1 January of the fourth.
    rows = [
        row("a", placed_at=datetime(2022, 12, 31, 12, tzinfo=UTC)),
        row("b", placed_at=datetime(2023, 1, 1, 12, tzinfo=UTC)),
        row("c", placed_at=datetime(2022, 5, 1, tzinfo=UTC), delivered_at=datetime(2023, 1, 2, tzinfo=UTC)),
    ]

    outcome = write_orders(rows, make_source(as_of=date(2026, 11, 21)))

    assert outcome.overdue == 1


def test_a_dry_run_counts_the_same_over_all_chunks_and_writes_nothing():
    make_customer(platform="cdnow", external_id="9")
    chunks = lambda: [  # noqa: E731
        [
            row("a", customer_external_id="1", unknown_customer="prospect", lines=[LineRow()]),
            row("b", customer_external_id="9"),
        ],
        [
            row("c", customer_external_id="1", unknown_customer="prospect", lines=[LineRow(), LineRow()]),
            row("d", guest=True, billing=ANNE),
            row("", customer_external_id="1"),
        ],
    ]
    trial = Source(uuid4(), "cdnow", None)
    tried, done = Outcome(), Outcome()
    for chunk in chunks():
        tried.add(write_orders(chunk, trial, dry_run=True))
    assert not Order.objects.exists()
    assert Customer.objects.count() == 1

    source = make_source("cdnow")
    for chunk in chunks():
        done.add(write_orders(chunk, source))

    assert counts(tried) == counts(done) == {"created": 4, "customers_created": 2, "error_count": 1}
    assert tried.lines == done.lines == 3


def test_a_dry_run_counts_what_would_change():
    write_orders([row("a", status="open"), row("b")], make_source())

    outcome = write_orders([row("a", status="shipped"), row("b")], make_source(), dry_run=True)

    assert counts(outcome) == {"updated": 1, "unchanged": 1}
    assert Order.objects.get(external_id="a").status == "open"


def test_the_summary_of_the_customer_follows():
    customer = make_customer(platform="shopify", external_id="77")
    write_orders(
        [row(customer_external_id="77", paid_at=PLACED, delivered_at=datetime(2026, 3, 6, 12, tzinfo=UTC))],
        make_source(),
    )

    summary = Summary.objects.get(customer=customer)
    assert (summary.orders, summary.revenue) == (1, Decimal("20.00"))
    assert summary.last_paid_order == PLACED
    # Received on Friday 6 March 2026; fourteen days end on Friday 20 March, a working day.
    assert summary.withdrawal_end == date(2026, 3, 20)


def test_a_withdrawal_period_that_ends_on_a_holiday_ends_on_the_next_working_day():
    customer = make_customer(platform="shopify", external_id="77")
    # Received 20 March 2026: fourteen days end on Good Friday, 3 April; Easter Monday is 6 April.
    write_orders([row(customer_external_id="77", delivered_at=datetime(2026, 3, 20, 12, tzinfo=UTC))], make_source())

    assert Summary.objects.get(customer=customer).withdrawal_end == date(2026, 4, 7)


def test_an_order_with_the_phone_of_an_erased_person_is_held():
    remember_phone = marks_of(phones=["+49301234567"])
    Tombstone.objects.bulk_create(
        Tombstone(mark=mark, kind=kind, subject_ref=uuid4(), erased_at=timezone.now()) for kind, mark in remember_phone
    )

    outcome = write_orders([row(billing=replace(ANNE, phone="030 1234567"))], make_source())

    assert counts(outcome) == {"held": 1}
    assert not Order.objects.exists()
    assert not Customer.objects.exists()


def test_a_dry_run_warns_as_the_real_run():
    guest = row(email="ida@shop.example", billing=replace(IDA, phone="no number"))

    tried = write_orders([guest], make_source(), dry_run=True)
    written = write_orders([guest], make_source())

    assert [tried.warning_count, len(tried.warnings)] == [written.warning_count, len(written.warnings)] == [1, 1]


LONG = "x" * 400


@pytest.mark.parametrize("prospect", [False, True])
@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"billing": replace(ANNE, name=LONG)}, "last_name"),
        ({"billing": replace(ANNE, company=LONG)}, "company"),
        ({"billing": replace(ANNE, city=LONG)}, "city"),
        ({"billing": replace(ANNE, postcode=LONG)}, "postcode"),
    ],
)
def test_an_order_whose_person_cannot_be_stored_is_named_and_not_stored_without_its_person(given, field, prospect):
    who = {"customer_external_id": "77", "unknown_customer": "prospect"} if prospect else {"guest": True}
    rows = lambda: [row("bad", line=7, **who, **given), row("good", line=8, guest=True, billing=IDA)]  # noqa: E731

    tried = write_orders(rows(), Source(uuid4(), "shopify", None), dry_run=True)
    done = write_orders(rows(), make_source())

    assert counts(tried) == counts(done) == {"created": 1, "customers_created": 1, "error_count": 1}
    assert [(one.line, one.field) for one in tried.errors] == [(7, field)]
    assert done.errors == tried.errors
    assert Order.objects.get().external_id == "good"


@pytest.mark.parametrize("billing", [replace(ANNE, email=f"{LONG}@shop.example"), replace(ANNE, phone="0" * 400)])
def test_an_order_with_an_endless_address_is_never_stored_without_its_person(billing):
    tried = write_orders([row(guest=True, billing=billing)], Source(uuid4(), "shopify", None), dry_run=True)
    done = write_orders([row(guest=True, billing=billing)], make_source())

    assert counts(tried) == counts(done)
    assert not Order.objects.filter(customer=None).exists()
    assert done.created + done.error_count == 1


def test_an_order_whose_id_is_too_long_for_its_guest_is_named():
    outcome = write_orders([row("1" * 120, line=7, guest=True, billing=ANNE)], make_source())

    assert counts(outcome) == {"error_count": 1}
    assert [(one.line, one.field) for one in outcome.errors] == [(7, "external_id")]


def test_every_order_of_a_person_who_cannot_be_stored_is_named_by_its_line():
    who = {"customer_external_id": "77", "unknown_customer": "prospect"}
    chunks = lambda: [  # noqa: E731
        [row("a", line=1, billing=replace(ANNE, city=LONG), **who), row("b", line=2, billing=ANNE, **who)],
        [row("c", line=3, billing=ANNE, **who), row("d", line=4, billing=replace(ANNE, city=LONG), **who)],
    ]
    trial, source = Source(uuid4(), "shopify", None), make_source()
    tried, done = Outcome(), Outcome()
    for chunk in chunks():
        tried.add(write_orders(chunk, trial, dry_run=True))
    for chunk in chunks():
        done.add(write_orders(chunk, source))

    assert [one.line for one in done.errors] == [one.line for one in tried.errors]
    assert {one.line for one in done.errors} >= {1, 2}
    assert counts(tried) == counts(done)
    assert not Order.objects.filter(customer=None).exists()
    assert differing_totals() == 0


@pytest.mark.parametrize("said", [" 77 ", "Mu\u0308ller", "7\u00007"])
def test_an_id_in_other_letters_leads_to_its_person_all_the_same(said):
    who = {"customer_external_id": said, "unknown_customer": "prospect"}
    rows = [row("a", **who), row(f"b{said}", guest=True, billing=ANNE)]

    outcome = write_orders(rows, make_source())
    again = write_orders([row("c", **who)], make_source())

    assert counts(outcome) == {"created": 2, "customers_created": 2}
    assert counts(again) == {"created": 1}
    assert not Order.objects.filter(customer=None).exists()


def test_an_order_of_a_guest_who_is_restricted_waits_with_that_person():
    make_customer(platform="shopify", external_id="order:1001", status="guest", restricted_at=timezone.now())
    told = lambda: row(guest=True, billing=ANNE)  # noqa: E731

    tried = write_orders([told()], Source(uuid4(), "shopify", None), dry_run=True)
    done = write_orders([told()], make_source())

    assert counts(tried) == counts(done) == {"held": 1}
    assert not Order.objects.exists()


def test_the_same_rows_under_another_index_key_are_no_news():
    told = lambda: row(billing=ANNE, note="Klingeln")  # noqa: E731
    before = digester()(told())
    ring = keyring()

    listed = ring.list_hash("orders.order.source_digest", repr("Klingeln"))

    # List hashes begin with two bytes for their key, which is never exchanged.
    assert listed[2:10] in before


def test_the_mark_of_a_held_order_is_made_with_the_key_that_never_changes():
    make_customer(platform="shopify", external_id="77", restricted_at=timezone.now())
    write_orders([row(customer_external_id="77")], make_source())

    assert len(bytes(HeldIntake.objects.get().fingerprint)) == 34


NAMED = {"number": "#1001", "email": "anne@shop.example", "billing": ANNE}


def test_an_order_known_by_its_number_alone_learns_its_id_and_keeps_it():
    write_orders([row("#1001", **NAMED)], make_source())
    before = Order.objects.get()

    assert counts(write_orders([row("706405506930370000", **NAMED)], make_source())) == {"updated": 1}

    order = Order.objects.get()
    assert (order.pk, order.external_id, order.number) == (before.pk, "706405506930370000", "#1001")
    assert Customer.objects.count() == 1
    written = written_rows()
    for external_id in ("706405506930370000", "#1001"):
        again = write_orders([row(external_id, **NAMED)], make_source())
        assert counts(again) == {"unchanged": 1}
    assert written_rows() == written


def test_an_order_known_by_its_id_is_recognized_by_its_number():
    write_orders([row("7001", **NAMED)], make_source())
    written = written_rows()

    assert counts(write_orders([row("#1001", **NAMED)], make_source())) == {"unchanged": 1}
    assert counts(write_orders([row("#1001", **NAMED)], make_source(), dry_run=True)) == {"unchanged": 1}
    assert written_rows() == written
    # News comes in by the number too, and takes no id away.
    write_orders([row("#1001", **NAMED | {"delivered_at": PLACED})], make_source())
    assert (Order.objects.get().external_id, Order.objects.get().delivered_at) == ("7001", PLACED)


def test_a_number_alone_is_no_proof_that_two_orders_are_one():
    write_orders([row("7001", **NAMED)], make_source())
    later = PLACED.replace(year=2027)
    assert counts(write_orders([row("#1001", placed_at=later, number="#1001")], make_source()))["created"] == 1
    # The number of one order is the id of another, as where a shop counts its orders anew.
    write_orders([row("12", number="900")], make_source())
    assert counts(write_orders([row("1005", number="12")], make_source()))["created"] == 1
    assert counts(write_orders([row("#1001", **NAMED)], make_source("woocommerce")))["created"] == 1


def test_an_order_told_with_and_without_its_id_in_one_file_is_one():
    rows = [row("7001", **NAMED), row("#1001", **NAMED), row("#1002", number="#1002"), row("7002", number="#1002")]
    write_orders([row("#1001", **NAMED)], make_source())
    write_orders(rows, make_source())
    assert sorted(Order.objects.values_list("external_id", "number")) == [("7001", "#1001"), ("7002", "#1002")]


def test_of_two_orders_with_one_number_and_instant_the_first_is_the_known_one():
    write_orders([row("#1001", **NAMED)], make_source())
    both = [row("7001", **NAMED), row("7002", **NAMED)]
    told = {"created": 1, "updated": 1, "customers_created": 1}
    for dry_run in (True, False):
        assert counts(write_orders(both, make_source(), dry_run=dry_run)) == told
    assert counts(write_orders(both, make_source())) == {"unchanged": 2}
    assert set(Order.objects.values_list("external_id", flat=True)) == {"7001", "7002"}


@pytest.mark.parametrize("first", ["7001", "#1001"])
def test_an_order_of_an_erased_person_is_held_by_its_number_too(first):
    customer = make_customer(platform="shopify", external_id="77")
    write_orders([row(first, number="#1001", customer_external_id="77")], make_source())
    leave_remains({customer.pk: uuid4()}, erased_at=timezone.now(), suppress=False)
    Order.objects.all().delete()
    customer.external_ids.all().delete()
    other = "#1001" if first == "7001" else "7001"

    named = {"number": "#1001", "billing": ANNE}
    assert counts(write_orders([row(other, **named)], make_source())) == {"held": 1}
    assert counts(write_orders([row("#1001", number="9", billing=IDA)], make_source("woocommerce")))["created"] == 1
