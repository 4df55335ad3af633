"""§ 7(3) UWG: four conditions, all of them, recorded at the sale; and the notice again in every mail."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation

import consents
from consents.models import Entry, Record, State
from consents.rebuilding import compare_states
from consents.sales import notice_context
from consents.withdrawing import withdraw
from customers.models import Customer, Suppression
from customers.selling import Notice, Sale, tell_sales
from customers.summary import set_advertising_stops
from customers.suppression import suppress
from tests.consents.making import moment, say
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db

PLACED = moment("2026-10-01T12:00:00+02:00")
SHOWN = PLACED - timedelta(minutes=3)
NOTICE = Notice("sale_notice:2", "cd" * 32, "de", SHOWN)


def sale(customer: Customer, **given: Any) -> Sale:
    values = {
        "number": f"B-{customer.number}",
        "email": f"ALMA{customer.number}@Laden.example",
        "placed_at": PLACED,
        "paid_at": PLACED + timedelta(days=1),
        "notice": NOTICE,
    } | given
    return Sale(customer_id=customer.pk, **values)


def test_a_paid_order_with_the_notice_allows_mails_about_similar_goods() -> None:
    customer = make_person("4711")
    assert tell_sales([sale(customer)]) == 2  # newsletter and requests for feedback
    for purpose in ("newsletter", "feedback"):
        answer = consents.may(customer, purpose, "email")
        assert (answer.allowed, answer.reason, answer.since) == (True, "existing_customer", PLACED + timedelta(days=1))
    # E-mail only, and no other purpose.
    assert not consents.may(customer, "birthday", "email")
    assert not consents.may(customer, "newsletter", "sms")
    told = Record.objects.first()
    assert told is not None
    for proof in ("B-4711", "sale_notice:2", "2026-10-01T09:57:00"):
        assert proof in told.proof
    assert (told.source, told.entry.text_sha256) == ("sale", "cd" * 32)
    assert tell_sales([sale(customer)]) == 0  # the same order again
    assert tell_sales([sale(customer, number="B-2")]) == 2
    assert compare_states().ok


@pytest.mark.parametrize(
    "lacking",
    [
        {"paid_at": None},
        {"notice": None},
        {"notice": replace(NOTICE, sha256="")},
        {"notice": replace(NOTICE, shown_at=PLACED + timedelta(seconds=1))},  # afterwards: it cannot be made up for
        {"email": "jemand.anders@laden.example"},
        {"email": ""},
    ],
    ids=["not paid", "no notice", "no wording", "too late", "another address", "no address"],
)
def test_one_condition_that_lacks_is_enough(lacking: dict[str, Any]) -> None:
    customer = make_person("4711")
    assert tell_sales([sale(customer, **lacking)]) == 0
    assert consents.may(customer, "newsletter", "email").reason == "never_asked"
    assert not Entry.objects.exists()


def test_no_sale_outdoes_a_no() -> None:
    withdrawn, suppressed, objected, restricted = (make_person(str(4711 + n)) for n in range(4))
    say(withdrawn)
    withdraw(withdrawn, "newsletter", "email", source="rfc8058")
    Suppression.objects.all().delete()
    suppress("email", "alma4712@laden.example", reason="unsubscribed")
    set_advertising_stops({objected.pk: PLACED})
    Customer.objects.filter(pk=restricted.pk).update(restricted_at=PLACED)
    tell_sales([sale(one) for one in (withdrawn, suppressed, objected, restricted)])
    assert list(State.objects.filter(state="noticed").values_list("customer", "purpose__key")) == [
        (withdrawn.pk, "feedback")  # of which nobody has said anything
    ]
    assert consents.may(withdrawn, "newsletter", "email").reason == "withdrawn"


def test_an_objection_ends_it_and_the_next_sale_does_not_bring_it_back() -> None:
    customer = make_person("4711")
    tell_sales([sale(customer)])
    assert withdraw(customer, "newsletter", "email", source="rfc8058") == 1
    tell_sales([sale(customer, number="B-2", placed_at=PLACED + timedelta(days=40))])
    assert consents.may(customer, "newsletter", "email").reason == "withdrawn"


def test_a_consent_goes_before_a_notice() -> None:
    customer = make_person("4711")
    say(customer, confirmed=True, at=PLACED)
    tell_sales([sale(customer)])
    assert consents.may(customer, "newsletter", "email").reason == "consent"


def test_many_sales_are_a_set(django_assert_max_num_queries: Any) -> None:
    people = [make_person(str(5000 + n)) for n in range(60)]
    with django_assert_max_num_queries(25):
        assert tell_sales([sale(customer) for customer in people]) == 120


def test_every_mail_under_it_says_that_one_may_object() -> None:
    customer = make_person("4711")
    tell_sales([sale(customer)])
    with translation.override("en"):
        told = notice_context(consents.may(customer, "newsletter", "email"))["object_notice"]
        assert "object to it at any time" in told
    say(customer, confirmed=True)
    assert notice_context(consents.may(customer, "newsletter", "email")) == {"object_notice": ""}
