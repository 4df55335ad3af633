"""§ 7(3) no. 1 UWG rests on a sale: cancelled or wholly given back, its notice allows nothing more; before, it did."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

import consents
from consents.audience import allowed_among
from consents.intake import judge
from consents.models import Purpose, Record, State
from consents.panel import panel_of
from consents.rebuilding import compare_states
from consents.sealing import seal_pending
from consents.verifying import verify
from consents.withdrawing import withdraw
from customers.models import Customer
from customers.optins import Asserted, Verdict
from customers.rows import OptInRow
from customers.selling import Undone, tell_sales, tell_undone
from mail.sending import deliver_due
from orders.models import Order, Return
from orders.returning import announce_return, receive_return, refund_return
from orders.states import take_step
from privacy.packages.building import build
from tests.consents.making import say
from tests.consents.signing_up import advertise
from tests.consents.test_sales import NOTICE, PLACED, sale
from tests.orders.factories import make_order
from tests.privacy.making import make_person
from tests.privacy.packaging import files_of, make_shop

pytestmark = pytest.mark.django_db

PAID = PLACED + timedelta(days=1)
CANCELLED = PLACED + timedelta(days=5)


@pytest.fixture
def alma() -> Customer:
    return make_person("4711")


def undo(customer: Customer, number: str = "", at: Any = CANCELLED) -> int:
    return tell_undone([Undone(number or f"B-{customer.number}", customer.pk, at)])


def newsletter(customer: Customer, at: Any = None) -> str:
    return consents.may(customer, "newsletter", "email", at=at).reason


def reached(customer: Customer) -> bool:
    return bool(allowed_among([customer.pk], Purpose.objects.get(key="newsletter"), "email"))


def ordered(customer: Customer, number: str, quantity: int = 1) -> Order:
    """An order that was paid and told of, with this many pieces of one article."""
    order = make_order(customer, number=number, platform="", external_id="", total="10.00", lines=1)
    order.lines.update(quantity=quantity)
    tell_sales([sale(customer, number=order.number)])
    assert newsletter(customer) == "existing_customer"
    return order


def test_a_cancelled_order_allows_nothing_more_and_before_it_did(alma: Customer, mail_server: Any) -> None:
    tell_sales([sale(alma)])
    assert reached(alma)
    advertise(alma)
    assert undo(alma) == 2  # newsletter and requests for feedback
    assert undo(alma) == 0
    assert not reached(alma)
    found = consents.may(alma, "newsletter", "email")
    assert (found.allowed, found.reason, found.since) == (False, "lapsed", CANCELLED)
    assert [newsletter(alma, at) for at in (PAID, CANCELLED - timedelta(seconds=1), CANCELLED)] == [
        "existing_customer", "existing_customer", "lapsed"
    ]  # fmt: skip
    deliver_due(10)
    assert not mail_server.accepted
    line = next(one for one in panel_of(alma) if one.purpose.key == "newsletter" and one.channel == "email")
    assert (line.chip[0], line.may_end, line.asks_opt_in) == ("plain", False, True)
    # Entry and proof: sealed like any other, and with a last day from the end on.
    told = Record.objects.filter(purpose__key="newsletter").order_by("pk")
    assert [(one.kind, one.source, one.ended_at) for one in told] == [
        ("noticed", "sale", CANCELLED), ("lapsed", "sale", CANCELLED)
    ]  # fmt: skip
    assert told[0].entry.ref_id == told[1].entry.ref_id and '"order":"B-4711"' in told[1].proof
    seal_pending()
    assert verify().ok and compare_states().ok


def test_what_rests_on_another_sale_goes_on_until_that_is_undone_too(alma: Customer) -> None:
    later = PLACED + timedelta(days=3)
    tell_sales([sale(alma), sale(alma, number="B-2", placed_at=later, paid_at=later)])
    undo(alma)
    assert newsletter(alma) == "existing_customer" and reached(alma)
    assert "B-2" in Record.objects.get(pk=consents.may(alma, "newsletter", "email").entry).proof
    undo(alma, "B-2", CANCELLED + timedelta(days=1))
    assert newsletter(alma) == "lapsed" and not reached(alma)
    assert newsletter(alma, CANCELLED + timedelta(hours=1)) == "existing_customer"
    assert compare_states().ok


def test_the_last_sale_that_is_undone_leaves_what_rests_on_the_first(alma: Customer) -> None:
    later = PLACED + timedelta(days=3)
    tell_sales([sale(alma), sale(alma, number="B-2", placed_at=later, paid_at=later)])
    undo(alma, "B-2")
    assert newsletter(alma) == "existing_customer"
    assert '"order":"B-4711"' in Record.objects.get(pk=consents.may(alma, "newsletter", "email").entry).proof


def sold(customer: Customer, number: str, days: int, sha256: str) -> None:
    at = timezone.now() - timedelta(days=days)
    notice = replace(NOTICE, shown_at=at, sha256=sha256)
    assert tell_sales([sale(customer, number=number, placed_at=at, paid_at=at, notice=notice)])


def test_what_is_undone_later_changes_no_answer_of_before(alma: Customer) -> None:
    sold(alma, "B-1", 40, "cd" * 32)
    sold(alma, "B-2", 30, "ef" * 32)
    between = timezone.now() - timedelta(days=25)
    before = consents.may(alma, "newsletter", "email", at=between)
    assert before.wording == "ef" * 32
    assert undo(alma, "B-2", timezone.now() - timedelta(days=20)) == 2
    assert consents.may(alma, "newsletter", "email", at=between) == before
    assert consents.may(alma, "newsletter", "email").wording == "cd" * 32
    assert compare_states().ok


def test_a_sale_that_is_left_is_as_old_as_it_is_now_and_of_any_moment(alma: Customer) -> None:
    months = Purpose.objects.get(key="newsletter").stale_months
    assert months is not None
    sold(alma, "B-1", 31 * months + 1, "cd" * 32)
    sold(alma, "B-2", 100, "ef" * 32)
    assert undo(alma, "B-2", timezone.now() - timedelta(days=50)) == 2
    assert newsletter(alma) == newsletter(alma, timezone.now() - timedelta(microseconds=1)) == "stale"
    assert not reached(alma)
    assert newsletter(alma, timezone.now() - timedelta(days=60)) == "existing_customer"
    assert compare_states().ok


def test_a_later_sale_makes_a_new_notice(alma: Customer) -> None:
    tell_sales([sale(alma)])
    undo(alma)
    assert tell_sales([sale(alma)]) == 0  # the order that was cancelled does not come back
    later = CANCELLED + timedelta(days=9)
    assert tell_sales([sale(alma, number="B-2", placed_at=later, paid_at=later)]) == 2
    found = consents.may(alma, "newsletter", "email")
    assert (found.reason, found.since) == ("existing_customer", later)
    assert newsletter(alma, later - timedelta(days=1)) == "lapsed"
    assert compare_states().ok


@pytest.mark.parametrize(("kind", "wanted"), [("given", "consent"), ("withdrawn", "withdrawn"), ("refused", "refused")])
def test_what_the_person_has_said_is_untouched(alma: Customer, kind: str, wanted: str) -> None:
    tell_sales([sale(alma)])
    say(alma, kind)
    undo(alma)
    assert newsletter(alma) == wanted
    assert compare_states().ok


def test_a_consent_of_before_that_is_proved_later_counts(alma: Customer) -> None:
    tell_sales([sale(alma)])
    undo(alma)
    say(alma, at=PLACED - timedelta(days=90), late=True, confirmed=True)
    assert newsletter(alma) == "consent"
    assert compare_states().ok


def test_whoever_says_no_afterwards_has_said_it_and_no_sale_outdoes_it(alma: Customer) -> None:
    tell_sales([sale(alma)])
    undo(alma)
    say(alma, "withdrawn")
    later = CANCELLED + timedelta(days=9)
    tell_sales([sale(alma, number="B-2", placed_at=later, paid_at=later)])
    assert newsletter(alma) == "withdrawn"
    assert withdraw(alma, "newsletter", "email", source="rfc8058") == 0


def test_a_file_learns_nothing_from_a_sale_that_was_undone(alma: Customer) -> None:
    tell_sales([sale(alma)])
    undo(alma)
    asserted = [Asserted(alma.pk, "email", "alma4711@laden.example", OptInRow("email", said)) for said in ("yes", "no")]
    assert judge(asserted) == [Verdict.CLAIM, Verdict.CLAIM]


def test_the_step_of_an_order_ends_it(alma: Customer) -> None:
    order = ordered(alma, "B-9")
    Order.objects.update(status="processing", delivered_at=None)
    take_step(order.pk, "cancel")
    assert newsletter(alma) == "lapsed"
    assert consents.may(alma, "newsletter", "email").since == Order.objects.get().cancelled_at


def test_a_withdrawal_from_everything_ends_it_and_from_a_part_does_not(alma: Customer) -> None:
    order = ordered(alma, "B-9", quantity=3)
    line = order.lines.get()
    announce_return(order.pk, {line.pk: Decimal(1)})
    assert newsletter(alma) == "existing_customer"
    announce_return(order.pk, {line.pk: Decimal(2)})
    # With the declaration, not with the parcel: nobody is bound any more (§ 355(1) BGB).
    assert newsletter(alma) == "lapsed"


def test_faulty_goods_end_it_once_all_the_money_went_back(alma: Customer) -> None:
    order = ordered(alma, "B-9")
    back = announce_return(order.pk, {order.lines.get().pk: Decimal(1)}, reason=Return.Reason.DEFECT)
    receive_return(back.pk)
    assert newsletter(alma) == "existing_customer"  # it may be repaired or replaced
    refund_return(back.pk, Decimal("10.00"))
    assert newsletter(alma) == "lapsed"


def test_many_sales_undone_are_a_set(django_assert_max_num_queries: Any) -> None:
    people = [make_person(str(5000 + n)) for n in range(60)]
    tell_sales([sale(customer) for customer in people])
    with django_assert_max_num_queries(25):
        assert tell_undone([Undone(f"B-{one.number}", one.pk, CANCELLED) for one in people]) == 120
    assert not State.objects.filter(granted=True).exists()


def test_the_copy_of_the_data_shows_both(alma: Customer) -> None:
    make_shop()
    tell_sales([sale(alma)])
    undo(alma)
    graph = json.loads(files_of(build(alma, "access"))["data/consents.jsonld"])["@graph"]
    kinds = [[one["@type"] for one in record["obhut:hasSaleNotice"]] for record in graph]
    assert kinds == [[["obhut:NoticeAtSale"], ["obhut:SaleUndone"]]] * 2
    assert all(record["dpv:hasConsentStatus"] == [] for record in graph)


@pytest.mark.django_db(transaction=True)
def test_two_orders_that_are_cancelled_at_once_leave_nothing() -> None:
    alma = make_person("4711")
    tell_sales([sale(alma), sale(alma, number="B-2")])

    def cancel(number: str) -> int:
        try:
            return undo(alma, number, timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(cancel, ["B-4711", "B-2"])) == [2, 2]
    assert newsletter(alma) == "lapsed"
    assert compare_states().ok
