"""The pages of orders: who gets in, what a bad or stale form answers, and that nothing happens twice."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext

from customers.models import Address, Customer
from datamap.models import AccessLog, Controller
from orders.documents import issue_document
from orders.models import CustomerTotal, Document, FieldRule, Order, OrderType, Return
from orders.returning import announce_return
from orders.states import take_step
from orders.totals import differing_totals, refresh_totals
from staff.models import RolePermission
from tests.orders.factories import PLACED, make_customer, make_order, make_staff

pytestmark = pytest.mark.django_db

AS_DATED = "The date of supply is the date of the invoice."
LINE = {"sku": "A-1", "name": "Kaffeemühle", "quantity": "2", "unit_price": "19,90", "discount": "", "tax_rate": "19"}


@pytest.fixture
def clerk(client):
    user = make_staff("orders.view", "orders.edit", "customers.view")
    client.force_login(user)
    return client


@pytest.fixture
def reader(client):
    client.force_login(make_staff("orders.view", "customers.view"))
    return client


def order_form(*lines: dict, **given) -> dict:
    lines = lines or (LINE,)
    data = {
        "token": str(uuid4()),
        "currency": "EUR",
        "customer_number": "",
        "billing_name": "Ida Klein",
        "billing_street": "Hafen 1",
        "billing_postcode": "24103",
        "billing_city": "Kiel",
        "billing_country": "DE",
        "lines-TOTAL_FORMS": str(len(lines)),
        "lines-INITIAL_FORMS": "0",
    }
    for n, line in enumerate(lines):
        data |= {f"lines-{n}-{name}": value for name, value in line.items()}
    return data | given


def everything(order: Order) -> list[tuple[str, str, dict]]:
    document = issue_document(order.pk, "invoice")
    order.refresh_from_db()
    back = announce_return(order.pk, {order.lines.first().pk: Decimal(1)})
    return [
        ("get", reverse("orders:detail", args=[order.pk]), {}),
        ("get", reverse("orders:document", args=[document.pk]), {}),
        ("get", reverse("orders:edit", args=[order.pk]), {}),
        ("get", reverse("orders:cancel", args=[order.pk]), {}),
        ("post", reverse("orders:step", args=[order.pk, "pay"]), {"version": "1"}),
        ("post", reverse("orders:issue", args=[order.pk]), {"kind": "received", "version": "1"}),
        ("get", reverse("orders:credit", args=[document.pk]), {}),
        ("get", reverse("orders:return", args=[order.pk]), {}),
        ("post", reverse("orders:return_receive", args=[back.pk]), {}),
        ("get", reverse("orders:return_refund", args=[back.pk]), {}),
    ]


def test_without_permission_every_page_is_forbidden(client):
    client.force_login(make_staff("customers.view"))
    pages = everything(make_order())
    pages += [("get", reverse(f"orders:{name}"), {}) for name in ("list", "new", "types")]

    assert {getattr(client, method)(url, data).status_code for method, url, data in pages} == {403}


def test_who_only_reads_changes_nothing(reader):
    order = make_order()
    pages = everything(order)
    answers = {url: getattr(reader, method)(url, data).status_code for method, url, data in pages}

    assert [status for status in answers.values() if status == 200] == [200, 200]
    assert set(answers.values()) == {200, 403}
    assert reader.get(reverse("orders:new")).status_code == 403


def test_orders_of_a_restricted_customer_are_not_found(clerk):
    pages = everything(make_order(make_customer()))
    Customer.objects.update(restricted_at=timezone.now())

    assert {getattr(clerk, method)(url, data).status_code for method, url, data in pages} == {404}
    assert clerk.get(reverse("orders:list")).context["page"].rows == []


def test_ids_of_nobody_are_not_found(clerk):
    for name in ("detail", "edit", "cancel", "return", "document", "credit", "return_refund"):
        assert clerk.get(reverse(f"orders:{name}", args=[4_000_000])).status_code == 404
    assert clerk.get(reverse("orders:detail", args=[10**30])).status_code == 404
    assert clerk.get(reverse("orders:customer", args=["nobody"])).status_code == 404


def test_a_blocked_order_is_not_found(clerk):
    order = make_order()
    Order.objects.update(blocked_at=timezone.now())

    assert clerk.get(reverse("orders:detail", args=[order.pk])).status_code == 404


def test_opening_an_order_is_logged_under_the_customers_number(reader):
    order = make_order()

    reader.get(reverse("orders:detail", args=[order.pk]))

    log = AccessLog.objects.get()
    assert (log.customer_number, log.page) == (order.customer.number, "orders.detail")


def test_the_list_goes_on_where_the_page_ended(reader):
    customer = make_customer()
    placed = [PLACED + timedelta(minutes=n // 3) for n in range(120)]
    Order.objects.bulk_create(Order(number=f"N{n}", customer=customer, placed_at=at) for n, at in enumerate(placed))
    url, seen = reverse("orders:list"), []
    while url:
        page = reader.get(url).context["page"]
        seen += [order.pk for order in page.rows]
        url = page.next_url

    expected = Order.objects.order_by("-placed_at", "-id").values_list("pk", flat=True)
    assert seen == list(expected)


def test_the_list_asks_as_often_for_many_orders_as_for_few(reader, django_assert_num_queries):
    make_order()
    reader.get(reverse("orders:list"))
    with CaptureQueriesContext(connection) as few:
        reader.get(reverse("orders:list"))
    Order.objects.bulk_create(Order(number=f"N{n}", customer=make_customer()) for n in range(45))

    with django_assert_num_queries(len(few)):
        reader.get(reverse("orders:list"))


def test_the_list_filters(reader):
    make_order(status="open")
    wanted = make_order(status="shipped", currency="CHF", placed_at=PLACED.replace(month=5))

    for query in ("status=shipped", "currency=CHF", "begin=2026-05-01", f"number={wanted.number}", "end="):
        rows = reader.get(reverse("orders:list") + f"?{query}").context["page"].rows
        assert wanted in rows
        assert len(rows) == (2 if query == "end=" else 1)


@pytest.mark.parametrize("query", ["status=nonsense", "begin=31.31.2026", "currency=%00"])
def test_an_unreadable_filter_is_a_bad_request(reader, query):
    assert reader.get(reverse("orders:list") + f"?{query}").status_code == 400


def test_a_forged_cursor_begins_at_the_beginning(reader):
    make_order()

    assert len(reader.get(reverse("orders:list") + "?cursor=7:forged").context["page"].rows) == 1


def test_a_search_finds_by_number_and_keeps_words_out_of_the_address(reader):
    order = make_order(number="B-2026-77777")

    answer = reader.post(reverse("orders:search"), {"q": "B-2026-777"})

    assert answer.context["page"].rows == [order]
    assert reader.get(reverse("orders:search") + "?q=Groß").status_code == 302


@pytest.mark.parametrize(
    ("typed", "number"), [("b-2026-77777", "B-2026-77777"), ("1001", "#1001"), ("B-2026 - 777", "B-2026-77777")]
)
def test_an_order_is_found_as_people_type_its_number(reader, typed, number):
    order = make_order(number=number)

    assert reader.post(reverse("orders:search"), {"q": typed}).context["page"].rows == [order]
    if typed != "B-2026 - 777":
        assert reader.post(reverse("portal:search"), {"q": typed}).url == reverse("orders:detail", args=[order.pk])


@pytest.mark.parametrize(
    ("price", "quantity", "total"),
    [
        ("1.234,50", "1", "1234.50"),
        ("1 234,50", "1", "1234.50"),
        ("1.000", "2", "2000.00"),
        ("0,10", "1.000", "100.00"),
        ("11.90", "1", "11.90"),
        ("0,5", "2,5", "1.25"),
    ],
)
def test_amounts_are_read_as_they_are_written_in_german(clerk, price, quantity, total):
    answer = clerk.post(reverse("orders:new"), order_form(LINE | {"unit_price": price, "quantity": quantity}))

    assert answer.status_code == 302
    assert Order.objects.get().total == Decimal(total)


@pytest.mark.parametrize("price", ["1.2345", "1,234,5", "1.23.456", "12..5", "1.000.00"])
def test_an_amount_that_may_be_anything_is_shown_again(clerk, price):
    assert clerk.post(reverse("orders:new"), order_form(LINE | {"unit_price": price})).status_code == 422
    assert not Order.objects.exists()


def test_goods_sent_back_bear_their_part_of_the_discount_on_the_order():
    """§ 357(1) BGB: what was paid is given back, and no more: 23.80 less 11.90 for both, so 5.95 for each."""
    order = make_order(discount=Decimal("11.90"), shipping_cost=Decimal("4.90"), total=Decimal("16.80"))
    amounts = [announce_return(order.pk, {line.pk: Decimal(1)}, reason="defect").amount for line in order.lines.all()]

    assert amounts == [Decimal("5.95"), Decimal("5.95")]


def test_a_withdrawal_from_the_whole_order_gives_the_delivery_back(clerk):
    """§ 357(2) BGB: two articles at 11.90 and 4.90 for the parcel."""
    order = make_order(shipping_cost=Decimal("4.90"), total=Decimal("28.70"), paid_at=PLACED, payment="paid")
    form = {"version": "1", "reason": "withdrawal", **{f"line_{line.pk}": "1" for line in order.lines.all()}}
    clerk.post(reverse("orders:return", args=[order.pk]), form)

    refund = clerk.get(reverse("orders:return_refund", args=[Return.objects.get().pk]))

    assert refund.context["form"]["amount"].value() == Decimal("28.70")
    assert "4,90 €" in refund.content.decode().replace("\xa0", " ")
    clerk.post(refund.request["PATH_INFO"], {"amount": "28,70"})
    order.refresh_from_db()
    assert (order.refunded, order.status) == (Decimal("28.70"), "returned")


def test_a_partial_withdrawal_gives_no_delivery_back_until_the_last_article_is_withdrawn_from():
    order = make_order(shipping_cost=Decimal("4.90"), total=Decimal("28.70"))
    amounts = [announce_return(order.pk, {line.pk: Decimal(1)}).amount for line in order.lines.all()]

    assert amounts == [Decimal("11.90"), Decimal("16.80")]


def test_goods_that_come_back_for_another_reason_are_no_withdrawal(clerk):
    order = make_order(shipping_cost=Decimal("4.90"), total=Decimal("28.70"))
    first, second = order.lines.all()
    announce_return(order.pk, {first.pk: Decimal(1)}, reason="wrong")
    back = announce_return(order.pk, {second.pk: Decimal(1)})

    assert back.amount == Decimal("11.90")
    assert "4,90" not in clerk.get(reverse("orders:return_refund", args=[back.pk])).content.decode()


def test_staff_enter_an_order_of_a_customer(clerk):
    customer = make_customer(email="anne@shop.example")
    Address.objects.create(customer=customer, street="Am Deich 4", postcode="20095", city="Hamburg")
    own = {"customer_number": customer.number, **dict.fromkeys(("billing_name", "billing_street", "billing_city"), "")}

    answer = clerk.post(
        reverse("orders:new"), order_form(shipping_cost="4,90", **own, billing_postcode="", billing_country="")
    )

    order = Order.objects.get()
    assert answer.status_code == 302
    assert (order.customer, order.kind, order.total) == (customer, "staff", Decimal("44.70"))
    # 19 percent inside 44.70: 44.70 * 19 / 119 = 7.136…
    assert order.tax == Decimal("7.14")
    assert order.billing["street"] == "Am Deich 4"
    assert order.billing["email"] == "anne@shop.example"
    assert not order.deviating
    assert CustomerTotal.objects.get(customer=customer).sum == Decimal("44.70")


def test_a_deviating_delivery_address_is_marked(clerk):
    clerk.post(
        reverse("orders:new"), order_form(shipping_name="Oma", shipping_street="Feldweg 2", shipping_city="Bad Tölz")
    )

    order = Order.objects.get()
    assert order.deviating
    assert order.shipping == {"name": "Oma", "street": "Feldweg 2", "city": "Bad Tölz", "country": "DE"}


def test_a_delivery_without_a_country_goes_to_that_of_the_invoice(clerk):
    place = {"shipping_name": "Oma", "shipping_street": "Am Hang 3", "shipping_city": "Linz"}
    clerk.post(reverse("orders:new"), order_form(billing_country="AT", **place))
    assert Order.objects.get().shipping["country"] == "AT"


def test_a_guest_order_makes_a_guest_and_touches_no_account(clerk):
    account = make_customer(email="ida@shop.example")

    clerk.post(reverse("orders:new"), order_form(billing_email="ida@shop.example"))

    order = Order.objects.get()
    assert order.kind == "guest"
    assert order.customer != account
    assert (order.customer.status, order.customer.last_name) == ("guest", "Klein")


def test_a_gift_recipient_is_a_person_of_their_own(clerk):
    friend = make_customer()

    clerk.post(reverse("orders:new"), order_form(gift_number=friend.number, gift_note="Alles Gute"))

    order = Order.objects.get()
    assert order.gift_recipient == friend
    assert order.gift_note == "Alles Gute"


def test_a_recipient_without_a_number_becomes_a_person_by_the_delivery_address(clerk):
    customer, namesake = make_customer(), make_customer(first_name="Oma", last_name="Erna")
    place = {"shipping_street": "Feldweg 2", "shipping_postcode": "83646", "shipping_city": "Bad Tölz"}
    form = order_form(
        customer_number=customer.number, shipping_name="Oma Erna", gift_new="on", gift_note="Gruß", **place
    )

    assert clerk.post(reverse("orders:new"), form).status_code == 302
    clerk.post(reverse("orders:new"), form)  # pressed twice

    order = Order.objects.get()
    recipient = order.gift_recipient
    assert recipient not in (customer, namesake)
    assert (recipient.first_name, recipient.last_name, recipient.status) == ("Oma", "Erna", "prospect")
    assert list(recipient.addresses.values_list("kind", "postcode", "city")) == [("shipping", "83646", "Bad Tölz")]
    assert Customer.objects.count() == 3
    assert (order.customer, order.gift_note) == (customer, "Gruß")
    assert recipient.origin.kind == "staff"  # Art. 15(1)(g): where it came from


@pytest.mark.parametrize(
    "missing", [{"shipping_name": ""}, {"shipping_city": ""}, {"gift_new": "", "shipping_name": "Oma"}]
)
def test_a_gift_order_needs_a_number_or_whoever_is_at_the_delivery_address(clerk, missing):
    gift = OrderType.objects.create(name="Geschenk")
    gift.rules.create(field="gift_recipient", rule="required")
    given = {"shipping_name": "Oma Erna", "shipping_city": "Bad Tölz", "gift_new": "on", **missing}

    answer = clerk.post(reverse("orders:new"), order_form(type=gift.pk, **given))

    assert (answer.status_code, Order.objects.count(), Customer.objects.count()) == (422, 0, 0)


def test_a_recipient_may_be_added_to_an_open_order(clerk):
    clerk.post(reverse("orders:new"), order_form())
    order = Order.objects.get()
    change = order_form(version=order.version, gift_new="on", shipping_name="Oma Erna", shipping_city="Bad Tölz")

    assert clerk.post(reverse("orders:edit", args=[order.pk]), change).status_code == 302

    order.refresh_from_db()
    assert order.gift_recipient.last_name == "Erna"
    page = clerk.get(reverse("orders:edit", args=[order.pk]))
    assert page.context["form"]["gift_number"].value() == order.gift_recipient.number


def test_the_same_form_sent_twice_makes_one_order(clerk):
    form = order_form()
    first = clerk.post(reverse("orders:new"), form)
    second = clerk.post(reverse("orders:new"), form)

    assert first.url == second.url
    assert Order.objects.count() == 1
    assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"customer_number": "nobody"},
        {"billing_name": ""},
        {"billing_country": "XX"},
        {"token": "forged"},
        {"currency": "???"},
        {"lines-0-unit_price": "abc"},
        {"lines-0-unit_price": "1e40"},
        {"lines-0-quantity": "-1"},
        {"lines-0-discount": "1000"},
        {"discount": "1000"},
        {"placed_at": "yesterday"},
        {"placed_at": "2062-01-10T10:00"},
        {"lines-0-name": "", "lines-0-sku": ""},
        {"lines-0-sku": "", "lines-0-name": "", "lines-0-quantity": "", "lines-0-unit_price": ""},
        {"lines-TOTAL_FORMS": "x"},
        {"billing_name": "NUL\0"},
    ],
)
def test_a_bad_form_is_shown_again_and_stores_nothing(clerk, bad):
    answer = clerk.post(reverse("orders:new"), order_form(**bad))

    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()  # said on top of a form longer than the screen
    assert not Order.objects.exists()
    assert not Customer.objects.exists()


def test_other_words_under_the_same_token_are_an_order_of_their_own(clerk):
    form = order_form()
    first = clerk.post(reverse("orders:new"), form)
    other = clerk.post(reverse("orders:new"), form | {"note": "Klingeln", "lines-0-quantity": "3"})

    assert first.url != other.url
    assert [order.note or "" for order in Order.objects.order_by("pk")] == ["", "Klingeln"]
    assert Order.objects.latest("pk").total == Decimal("59.70")


@pytest.mark.parametrize("asked", ["²", "9" * 5_000, "٣", "-1", "x"])
def test_a_type_that_is_no_id_shows_the_usual_form(clerk, asked):
    assert clerk.get(reverse("orders:new"), {"type": asked}).status_code == 200


def test_an_unknown_order_type_is_not_found(clerk):
    assert clerk.post(reverse("orders:new"), order_form(type="4711")).status_code == 404


def test_a_restricted_customer_cannot_be_ordered_for(clerk):
    customer = make_customer(restricted_at=timezone.now())

    assert clerk.post(reverse("orders:new"), order_form(customer_number=customer.number)).status_code == 422


def test_more_lines_keep_what_was_typed(clerk):
    answer = clerk.post(reverse("orders:new"), order_form(more="1"))

    lines = answer.context["lines"]
    assert answer.status_code == 200
    assert len(lines.forms) == 4
    assert lines.forms[0]["name"].value() == "Kaffeemühle"
    assert not Order.objects.exists()


def test_hidden_fields_are_neither_shown_nor_stored_and_required_ones_are_asked_for(clerk):
    order_type = OrderType.objects.create(name="Laden")
    FieldRule.objects.create(type=order_type, field="phone", rule="required")
    FieldRule.objects.create(type=order_type, field="note", rule="hidden")

    form = clerk.get(reverse("orders:new")).context["form"]
    assert "note" not in form.fields
    missing = clerk.post(reverse("orders:new"), order_form(type=order_type.pk))
    assert missing.status_code == 422
    assert "billing_phone" in missing.context["form"].errors
    clerk.post(reverse("orders:new"), order_form(type=order_type.pk, billing_phone="040 123456", note="heimlich"))

    order = Order.objects.get()
    assert (order.type, order.note or "") == (order_type, "")


def edit_form(clerk, order: Order, **given) -> dict:
    page = clerk.get(reverse("orders:edit", args=[order.pk]))
    form, lines = page.context["form"], page.context["lines"]
    data = {"lines-TOTAL_FORMS": len(lines.forms), "lines-INITIAL_FORMS": len(lines.initial_forms)}
    for one in (form, *lines.forms):
        for field in one:
            value = field.value()
            value = field.field.widget.format_value(value) if hasattr(field.field.widget, "format_value") else value
            data[field.html_name] = "" if value is None or value == [] or value == [""] else value
    return {key: value[0] if isinstance(value, list) else value for key, value in data.items()} | given


def test_an_edited_order_keeps_its_totals_right_and_its_old_lines(clerk):
    order = make_order()
    refresh_totals([order.customer_id])

    answer = clerk.post(reverse("orders:edit", args=[order.pk]), edit_form(clerk, order, **{"lines-0-quantity": "3"}))

    order.refresh_from_db()
    assert answer.status_code == 302
    assert order.total == Decimal("47.60")
    assert CustomerTotal.objects.get().sum == Decimal("47.60")
    assert len(order.history.latest().lines_before) == 2
    assert order.version == 2


def test_the_second_editor_sees_both_versions_and_loses_nothing(clerk):
    order = make_order()
    url = reverse("orders:edit", args=[order.pk])
    first, second = edit_form(clerk, order, note="von A"), edit_form(clerk, order, note="von B")
    clerk.post(url, first)

    answer = clerk.post(url, second)

    assert answer.status_code == 409
    assert ("von A", "von B") in [(theirs, mine) for _label, theirs, mine in answer.context["differing"]]
    assert Order.objects.get().note == "von A"

    again = {**second, "version": answer.context["form"]["version"].value()}
    assert clerk.post(url, again).status_code == 302
    assert Order.objects.get().note == "von B"


def test_an_order_with_papers_cannot_be_edited(clerk):
    order = make_order()
    issue_document(order.pk, "invoice")

    assert clerk.get(reverse("orders:edit", args=[order.pk])).status_code == 409


def test_a_step_taken_twice_is_taken_once(clerk):
    order = make_order()
    url = reverse("orders:step", args=[order.pk, "pay"])

    assert clerk.post(url, {"version": "1"}).status_code == 302
    assert clerk.post(url, {"version": "1"}).status_code == 409
    assert clerk.post(url, {"version": "2"}).status_code == 409
    assert clerk.post(url).status_code == 409
    assert Order.objects.get().version == 2


def test_steps_that_do_not_exist_are_not_found_and_cancelling_needs_its_page(clerk):
    order = make_order()

    assert clerk.post(reverse("orders:step", args=[order.pk, "nonsense"]), {"version": "1"}).status_code == 404
    assert clerk.post(reverse("orders:step", args=[order.pk, "cancel"]), {"version": "1"}).status_code == 404
    assert clerk.get(reverse("orders:step", args=[order.pk, "pay"])).status_code == 405


def test_cancelling_shows_what_it_does_and_then_does_it(clerk):
    order = make_order(paid_at=PLACED, payment="paid")
    refresh_totals([order.customer_id])
    invoice = issue_document(order.pk, "invoice")
    url = reverse("orders:cancel", args=[order.pk])

    page = clerk.get(url)
    assert page.context["invoice"] == invoice
    assert Order.objects.get().cancelled_at is None
    clerk.post(url, {"version": page.context["order"].version})

    order.refresh_from_db()
    assert (order.status, order.payment) == ("cancelled", "refunded")
    assert Document.objects.get(kind="credit_note").gross == order.total
    assert not CustomerTotal.objects.exists()


def test_a_paper_is_issued_from_the_page_and_shows_what_stands_in_it(clerk):
    order = make_order()

    answer = clerk.post(reverse("orders:issue", args=[order.pk]), {"kind": "invoice", "version": "1"}, follow=True)

    assert answer.status_code == 200
    assert answer.context["document"].order == order
    assert "RE-" in answer.content.decode()
    assert clerk.post(reverse("orders:issue", args=[order.pk]), {"kind": "invoice", "version": "2"}).status_code == 409
    assert clerk.post(reverse("orders:issue", args=[order.pk]), {"kind": "x", "version": "2"}).status_code == 404


@pytest.mark.parametrize("kind", ["delivery_note", "received", "confirmation", "invoice"])
def test_a_double_click_issues_one_paper(clerk, kind):
    order = make_order()
    url, form = reverse("orders:issue", args=[order.pk]), {"kind": kind, "version": "1"}

    assert clerk.post(url, form).status_code == 302
    assert clerk.post(url, form).status_code == 409
    assert Document.objects.count() == 1
    assert clerk.get(reverse("orders:detail", args=[order.pk])).context["order"].version == 2


def gift_of_a_protected_person() -> Order:
    friend = make_customer(number="K-PROTECTED", restricted_at=timezone.now())
    place = {"name": "Oma Geheim", "street": "Feldweg 2", "city": "Bad Tölz"}
    return make_order(gift_recipient=friend, gift_note="Für Dich", deviating=True, shipping=place)


def test_a_protected_recipient_is_neither_shown_nor_edited_away(clerk):
    order = gift_of_a_protected_person()
    pages = [clerk.get(reverse(f"orders:{name}", args=[order.pk])) for name in ("detail", "edit")]
    form = edit_form(clerk, order, note="neu", gift_number="", gift_note="", shipping_street="Anderswo 1")
    answer = clerk.post(reverse("orders:edit", args=[order.pk]), form)
    note = issue_document(order.pk, "delivery_note")
    pages.append(clerk.get(reverse("orders:document", args=[note.pk])))

    kept = Order.objects.get(pk=order.pk)
    html = "".join(page.content.decode() for page in pages)
    assert answer.status_code == 302
    assert [word for word in ("K-PROTECTED", "Feldweg 2", "Oma Geheim", "Für Dich") if word in html] == []
    assert (kept.note, kept.gift_recipient, kept.gift_note) == ("neu", order.gift_recipient, "Für Dich")
    assert (kept.shipping, kept.deviating) == (order.shipping, True)


def test_who_sees_restricted_data_sees_the_recipient_and_may_keep_them(client):
    client.force_login(make_staff("orders.view", "orders.edit", "customers.view", "customers.restricted"))
    order = gift_of_a_protected_person()

    html = client.get(reverse("orders:detail", args=[order.pk])).content.decode()
    answer = client.post(reverse("orders:edit", args=[order.pk]), edit_form(client, order, note="neu"))

    assert "Feldweg 2" in html
    assert answer.status_code == 302
    assert Order.objects.get().gift_recipient == order.gift_recipient


def test_a_credit_note_sent_twice_is_issued_once(clerk):
    order = make_order()
    invoice = issue_document(order.pk, "invoice")
    url = reverse("orders:credit", args=[invoice.pk])
    form = {"version": "2", "gross": "5,00", "reason": "Bruch"}

    assert clerk.post(url, form).status_code == 302
    assert clerk.post(url, form).status_code == 409
    assert clerk.post(url, {**form, "version": "3", "gross": "500"}).status_code == 422
    assert Document.objects.filter(kind="credit_note").count() == 1


def test_goods_come_back_and_are_refunded_once(clerk):
    order = make_order(paid_at=PLACED, payment="paid")
    refresh_totals([order.customer_id])
    line = order.lines.first()
    url = reverse("orders:return", args=[order.pk])
    form = {"version": "1", "reason": "withdrawal", f"line_{line.pk}": "1"}

    assert clerk.post(url, {**form, f"line_{line.pk}": "2"}).status_code == 422
    assert clerk.post(url, {**form, f"line_{line.pk}": ""}).status_code == 422
    assert clerk.post(url, form).status_code == 302
    assert clerk.post(url, form).status_code == 409
    back = Return.objects.get()
    assert clerk.post(reverse("orders:return_receive", args=[back.pk])).status_code == 302
    assert clerk.post(reverse("orders:return_receive", args=[back.pk])).status_code == 409
    refund = reverse("orders:return_refund", args=[back.pk])
    assert clerk.post(refund, {"amount": "99"}).status_code == 422
    assert clerk.post(refund, {"amount": "11,90"}).status_code == 302
    assert clerk.post(refund, {"amount": "11,90"}).status_code == 409

    assert CustomerTotal.objects.get().sum == Decimal("11.90")
    assert differing_totals() == 0


def test_order_types_are_made_and_changed_by_who_may(client):
    client.force_login(make_staff("orders.settings"))
    rules = {f"rule_{key}": "optional" for key in FieldRule.Field.values}

    assert client.post(reverse("orders:types"), {"name": "", "position": "0", **rules}).status_code == 422
    client.post(reverse("orders:types"), {"name": "Laden", "position": "0", **rules, "rule_email": "required"})
    order_type = OrderType.objects.get()
    assert order_type.rules.get(field="email").rule == "required"
    assert [rule.field for rule in order_type.asked] == ["email"]
    client.post(
        reverse("orders:type", args=[order_type.pk]),
        {"name": "Laden", "position": "1", **rules, "rule_email": "hidden"},
    )
    assert order_type.rules.get(field="email").rule == "hidden"
    retire = reverse("orders:type_retire", args=[order_type.pk])
    for _click in range(2):
        client.post(retire, {"retired": "yes"})
        order_type.refresh_from_db()
        assert order_type.retired_at is not None
    assert client.post(retire).status_code == 400
    client.post(retire, {"retired": "no"})
    order_type.refresh_from_db()
    assert order_type.retired_at is None


def test_the_history_names_who_did_it(clerk):
    order = make_order()
    user = make_staff("orders.edit")

    take_step(order.pk, "pay", user_id=user.pk)

    assert order.history.latest().history_user == user


def test_the_printed_invoice_names_the_tax_ids(clerk):
    Controller(name="Laden GmbH", vat_id="DE123456789", tax_number="46/123/45678").save()
    invoice = issue_document(make_order().pk, "invoice")

    html = clerk.get(reverse("orders:document", args=[invoice.pk])).content.decode()

    assert "DE123456789" in html
    assert "46/123/45678" in html


def test_only_tax_and_privacy_see_the_archive_in_a_fresh_installation():
    allowed = RolePermission.objects.filter(permission="documents.archive", granted=True)
    assert set(allowed.values_list("role__key", flat=True)) == {"tax", "privacy"}


def test_the_printed_invoice_says_when_the_goods_were_supplied(clerk):
    """§ 14(4) no. 6 UStG: the day of supply, also where it is the day of the invoice."""
    delivered = make_order(delivered_at=PLACED)
    for order, said in ((delivered, "02.03.2026"), (make_order(), gettext(AS_DATED))):
        invoice = issue_document(order.pk, "invoice", at=PLACED + timedelta(days=4))
        Order.objects.filter(pk=order.pk).update(delivered_at=PLACED + timedelta(days=90))
        html = clerk.get(reverse("orders:document", args=[invoice.pk])).content.decode()
        with translation.override("de"):
            assert said in html.replace(date_format(order.placed_at, "SHORT_DATE_FORMAT"), "", 1)
        assert (gettext(AS_DATED) in html) is (order != delivered)


def test_the_reason_of_a_credit_note_is_printed(clerk):
    invoice = issue_document(make_order().pk, "invoice")
    clerk.post(reverse("orders:credit", args=[invoice.pk]), {"version": "2", "gross": "5,00", "reason": "Bruch"})

    credit = Document.objects.get(kind="credit_note")
    assert "Bruch" in clerk.get(reverse("orders:document", args=[credit.pk])).content.decode()


def test_the_printed_invoice_says_what_a_line_was_reduced_by(clerk):
    """§ 14(4) no. 7 UStG: every reduction of the price agreed beforehand."""
    order = make_order(total=Decimal("21.30"))
    full = issue_document(make_order().pk, "invoice")
    order.lines.filter(position=1).update(discount=Decimal("2.50"))
    reduced = issue_document(order.pk, "invoice")

    page = clerk.get(reverse("orders:document", args=[reduced.pk])).text
    assert '<th scope="col" class="num">Rabatt</th>' in page
    assert "2,50\xa0€" in page
    assert "Rabatt" not in clerk.get(reverse("orders:document", args=[full.pk])).text


def test_addresses_and_numbers_are_written_for_people(clerk):
    order = make_order(
        billing={
            "name": "Änne Groß",
            "postcode": "1011",
            "city": "Amsterdam",
            "country": "NL",
            "phone": "+493023125375",
        }
    )
    page = clerk.get(reverse("orders:detail", args=[order.pk])).text
    assert "Niederlande" in page
    assert "+49 30 23125375" in page
