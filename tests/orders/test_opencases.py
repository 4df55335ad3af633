"""Which orders keep their rows, and until which day (domain.md 4.2; BGB §§ 193, 195, 199, 355, 356)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from datamap import holds
from datamap.controlling import controller
from orders.models import Order, Return
from orders.returning import announce_return
from orders.states import take_step
from tests.orders.factories import make_customer, make_order

pytestmark = pytest.mark.django_db


def _delivered(at: datetime, **given) -> Order:
    return make_order(
        **{"delivered_at": at, "placed_at": at, "paid_at": at, "status": "completed", "payment": "paid"} | given
    )


def _kinds(order: Order, day: date) -> list[str]:
    return [hold.kind for hold in holds.standing([order.customer_id], day)]


@pytest.mark.parametrize(
    ("delivered", "last", "after"),
    [
        # 12 December 2026 is a Saturday.
        (datetime(2026, 11, 28, 12, tzinfo=UTC), date(2026, 12, 14), date(2026, 12, 15)),
        # 3 April 2026 is Good Friday; the next working day is the Tuesday after Easter.
        (datetime(2026, 3, 20, 12, tzinfo=UTC), date(2026, 4, 7), date(2026, 4, 8)),
        # 25 December 2026 is a Friday, then comes the 26th, a holiday and a Saturday, then a Sunday.
        (datetime(2026, 12, 11, 12, tzinfo=UTC), date(2026, 12, 28), date(2026, 12, 29)),
        (datetime(2026, 12, 14, 12, tzinfo=UTC), date(2026, 12, 28), date(2026, 12, 29)),
        (datetime(2026, 12, 15, 12, tzinfo=UTC), date(2026, 12, 29), date(2026, 12, 30)),
        # Half past midnight in Berlin: the 28th, not the 27th (a day earlier the period would end on the 11th).
        (datetime(2026, 11, 27, 23, 30, tzinfo=UTC), date(2026, 12, 14), date(2026, 12, 15)),
        (datetime(2026, 11, 27, 22, 30, tzinfo=UTC), date(2026, 12, 11), date(2026, 12, 12)),
    ],
)
def test_a_delivered_order_is_open_until_the_period_of_withdrawal_is_over(delivered, last, after):
    order = _delivered(delivered)

    assert holds.standing([order.customer_id], last) == [
        holds.StandingHold(
            "open_order", order.customer_id, order.number, None, holds.sources()[0].reason, review_on=after
        )
    ]
    assert _kinds(order, after) == []


def test_a_holiday_of_the_federal_state_counts_only_where_the_shop_says_so():
    # 31 October 2025 is a Friday and a holiday in Hamburg, not in all of Germany.
    order = _delivered(datetime(2025, 10, 17, 12, tzinfo=UTC))

    assert _kinds(order, date(2025, 10, 31)) == ["open_order"]
    assert _kinds(order, date(2025, 11, 1)) == []
    shop = controller()
    shop.regional_holidays, shop.land = True, "HH"
    shop.save()
    assert _kinds(order, date(2025, 11, 3)) == ["open_order"]
    assert _kinds(order, date(2025, 11, 4)) == []


def test_where_nobody_noted_a_delivery_the_period_of_a_completed_order_counts_from_the_order():
    order = _delivered(datetime(2026, 11, 28, 12, tzinfo=UTC), delivered_at=None)

    assert _kinds(order, date(2026, 12, 14)) == ["open_order"]
    assert _kinds(order, date(2026, 12, 15)) == []


def test_an_order_that_is_not_delivered_is_open_as_long_as_delivery_can_be_claimed():
    order = make_order(
        placed_at=datetime(2023, 5, 2, tzinfo=UTC), paid_at=datetime(2023, 5, 2, tzinfo=UTC), payment="paid"
    )

    # BGB § 199(1): three years from the end of 2023.
    assert _kinds(order, date(2026, 12, 31)) == ["open_order"]
    assert _kinds(order, date(2027, 1, 1)) == []


def test_an_unpaid_order_is_kept_until_its_payment_is_barred():
    order = _delivered(datetime(2023, 6, 1, tzinfo=UTC), paid_at=None, payment="open", status="shipped")

    assert _kinds(order, date(2026, 12, 31)) == ["open_payment"]
    assert _kinds(order, date(2027, 1, 1)) == []


def test_an_import_that_tells_nothing_of_payments_keeps_nothing():
    order = _delivered(datetime(2026, 1, 5, tzinfo=UTC), paid_at=None, payment="open", status="completed")

    assert _kinds(order, date(2026, 6, 1)) == []


@pytest.mark.parametrize(
    "settled", [{"refunded": Decimal("23.80")}, {"cancelled_at": datetime(2026, 1, 6, tzinfo=UTC)}]
)
def test_nothing_is_due_for_what_was_given_back_or_cancelled(settled):
    order = _delivered(datetime(2026, 1, 5, tzinfo=UTC), paid_at=None, payment="open", status="shipped", **settled)

    assert _kinds(order, date(2026, 6, 1)) == []


@pytest.mark.parametrize(
    ("state", "kinds"), [("requested", ["open_order"]), ("received", ["open_order"]), ("refunded", [])]
)
def test_goods_on_their_way_back_keep_the_order_until_the_money_is_returned(state, kinds):
    order = _delivered(datetime(2026, 1, 5, tzinfo=UTC))
    Return.objects.create(
        order=order, customer=order.customer, state=state, requested_at=datetime(2026, 1, 10, tzinfo=UTC)
    )

    assert _kinds(order, date(2026, 6, 1)) == kinds


def test_a_return_of_an_order_that_was_cancelled_since_keeps_nothing():
    order = make_order(placed_at=datetime(2026, 1, 5, tzinfo=UTC), paid_at=datetime(2026, 1, 5, tzinfo=UTC))
    announce_return(order.pk, {order.lines.first().pk: Decimal(1)})
    take_step(order.pk, "cancel", at=datetime(2026, 1, 6, tzinfo=UTC))  # gives everything back

    assert _kinds(order, date(2026, 6, 1)) == []


def test_a_blocked_order_keeps_nothing_and_another_customer_is_not_told_of_it():
    order = _delivered(datetime(2026, 11, 28, tzinfo=UTC))
    other = make_customer()

    assert holds.standing([other.pk], date(2026, 12, 1)) == []
    Order.archive.filter(pk=order.pk).update(blocked_at=datetime(2026, 12, 1, tzinfo=UTC))
    assert _kinds(order, date(2026, 12, 1)) == []


def test_a_case_is_found_by_the_number_of_its_order():
    links = holds.links()

    assert links["orders.Order"].order == "number"
    assert links["orders.Document"].order == links["orders.Return"].order == "order__number"


def test_a_matter_of_the_night_does_not_stop_what_the_person_asked_for():
    customer = make_customer()
    with holds.registered_temporarily():
        holds.register_case_source(
            "asked",
            "asked",
            "SELECT id AS customer_id, NULL::text AS order_number, NULL::bigint AS complaint_id,"
            " NULL::date AS review_on FROM customers_customer WHERE id = ANY(%(ids)s)",
            "A request is open.",
            night_only=True,
        )

        assert holds.standing([customer.pk], date(2026, 12, 1)) == []
        assert [hold.kind for hold in holds.standing([customer.pk], date(2026, 12, 1), night=True)] == ["asked"]
    assert holds.standing([customer.pk], date(2026, 12, 1), night=True) == []
