"""§ 7(3) UWG: four conditions, all of them, recorded at the sale; and the notice again in every mail."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

import consents
from consents.audience import allowed_among
from consents.models import Entry, Placement, Purpose, Record, State
from consents.rebuilding import compare_states
from consents.sales import notice_context
from consents.withdrawing import withdraw
from customers.models import ContactPoint, Customer, Suppression
from customers.selling import Notice, Sale, tell_sales
from customers.stopping import stop_advertising
from customers.summary import set_advertising_stops
from customers.suppression import suppress
from mail.models import Message
from mail.sending import deliver_due
from orders.models import Order, OrderType
from orders.states import take_step
from tests.consents.making import ON_EMAIL, moment, say
from tests.consents.publishing import make_text, make_version, place_text
from tests.consents.signing_up import advertise
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


def test_an_older_sale_that_comes_in_later_hides_no_younger_notice() -> None:
    """Old orders are imported after the shop has begun: the last sale is the one that counts (§ 7(3) UWG)."""
    customer, now = make_person("4711"), timezone.now()
    months = Purpose.objects.get(key="newsletter").stale_months
    assert months is not None

    def sold(days: int, sha256: str) -> Sale:
        at = now - timedelta(days=days)
        notice = replace(NOTICE, shown_at=at, sha256=sha256)
        return sale(customer, number=f"B-{days}", placed_at=at, paid_at=at, notice=notice)

    tell_sales([sold(100, "cd" * 32)])
    tell_sales([sold(31 * months + 1, "ef" * 32)])  # alone it would be stale
    for at in (None, timezone.now() - timedelta(microseconds=1)):
        answer = consents.may(customer, "newsletter", "email", at=at)
        assert (answer.reason, answer.wording) == ("existing_customer", "cd" * 32)
        assert answer.since == now - timedelta(days=100)
    assert allowed_among([customer.pk], Purpose.objects.get(key="newsletter"), "email") == {customer.pk}
    assert compare_states().ok
    # As a shop has it that did so before.
    younger, older = Record.objects.filter(purpose__key="newsletter").order_by("pk")
    State.objects.filter(entry=younger.pk).update(entry=older.pk, fresh_until=now - timedelta(days=1))
    with connection.cursor() as cursor:
        cursor.execute(import_module("consents.migrations.0022_younger_notices_stand").MEND)
    assert consents.may(customer, "newsletter", "email").reason == "existing_customer"
    assert compare_states().ok


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


def test_an_order_taken_by_staff_under_the_notice_counts_once_it_is_paid(agent_client: Client) -> None:
    customer = make_person("4712")
    kind = OrderType.objects.create(name="Telefon")
    notice = make_version(make_text("hinweis", kind="sale_notice", purpose=None), title_de="Hinweis zur E-Mail-Werbung")
    place_text(notice.text, f"order:{kind.pk}", Placement.Demand.SHOW)
    form = {
        "type": str(kind.pk), "token": str(uuid4()), "customer_number": customer.number, "currency": "EUR",
        "placed_at": "2026-11-20T10:00", "lines-TOTAL_FORMS": "1", "lines-INITIAL_FORMS": "0", "lines-0-name": "Kaffee",
        "lines-0-unit_price": "11,90", "lines-0-quantity": "1", "lines-0-tax_rate": "19", "billing_country": "DE",
        "billing_email": "alma4712@laden.example", f"text_{notice.pk}": "on",
    }  # fmt: skip
    assert agent_client.post(reverse("orders:new"), form).status_code == 302
    order = Order.objects.get()
    assert consents.may(customer, "newsletter", "email").reason == "never_asked"
    take_step(order.pk, "pay")
    answer = consents.may(customer, "newsletter", "email")
    assert (answer.allowed, answer.reason, answer.wording) == (True, "existing_customer", notice.sha256_de)


def test_every_mail_to_an_existing_customer_says_that_they_may_object(mail_server: Any) -> None:
    customer = make_person("4713")
    tell_sales([sale(customer)])
    advertise(customer)
    deliver_due(10)
    body = mail_server.accepted[0][1].get_body(("plain",)).get_content()
    assert "jederzeit widersprechen" in body.replace("\n", " ")


@pytest.mark.parametrize("part", ["html", "txt"])
def test_a_mail_that_hides_the_notice_is_not_sent(mail_server: Any, settings: Any, tmp_path: Path, part: str) -> None:
    """§ 7(3) no. 4 UWG: in every single mail, or it may not go out; under a consent the link is enough."""
    existing, agreed = make_person("4713"), make_person("4714")
    tell_sales([sale(existing)])
    say(agreed)
    folder = tmp_path / "mail" / "texts"
    folder.mkdir(parents=True)
    (folder / f"probe.{part}").write_text("{{ word }} {{ unsubscribe_url }}")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    rows = [advertise(existing), advertise(agreed)]
    deliver_due(10)
    assert [to for to, _mail in mail_server.accepted] == ["alma4714@laden.example"]
    assert [Message.objects.get(pk=row.pk).state for row in rows] == ["queued", "sent"]


def test_the_notice_is_about_the_address_of_the_sale_and_no_other() -> None:
    customer = make_person("4711")
    other = ContactPoint.objects.create(customer=customer, kind="email", value="alma@anderswo.example")
    tell_sales([sale(customer)])
    assert consents.may(customer, "newsletter", "email", ON_EMAIL.format("4711")).reason == "existing_customer"
    assert consents.may(customer, "newsletter", "email", other.value).reason == "never_asked"
    # An address that only looks like hers is nobody's: an "а" of the Cyrillic alphabet.
    alike = make_person("4712")
    assert tell_sales([sale(alike, email="аlma4712@laden.example")]) == 0
    # Nor does a purchase with an address of somebody else's open that one.
    assert tell_sales([sale(alike, email=ON_EMAIL.format("4711"))]) == 0


def test_an_objection_before_the_purchase_is_not_undone_by_it_nor_by_paying_later() -> None:
    customer = make_person("4711")
    stop_advertising([customer.pk], PLACED - timedelta(days=30))
    assert tell_sales([sale(customer)]) == 0
    assert consents.may(customer, "newsletter", "email").reason == "objected"
    # The objection came between the order and its payment.
    other = make_person("4712")
    assert tell_sales([sale(other, paid_at=None)]) == 0
    stop_advertising([other.pk], PLACED + timedelta(hours=1))
    assert tell_sales([sale(other)]) == 0
    # It came after both, and is told first: the sale is learned of later.
    third = make_person("4713")
    stop_advertising([third.pk], PLACED + timedelta(days=9))
    assert tell_sales([sale(third)]) == 0
    assert consents.may(third, "newsletter", "email").reason == "objected"
    assert consents.may(third, "newsletter", "email", at=PLACED + timedelta(days=5)).reason == "never_asked"


def test_a_no_of_before_the_sale_that_is_learnt_later_goes_before_its_notice() -> None:
    person = make_person("4711")
    now = timezone.now()
    say(person, "noticed", at=now - timedelta(days=1), late=True)
    assert consents.may(person, "newsletter", "email").reason == "existing_customer"
    say(person, "refused", at=now - timedelta(days=2), late=True)
    assert consents.may(person, "newsletter", "email").reason == "refused"
    assert not allowed_among([person.pk], Purpose.objects.get(key="newsletter"), "email")
    assert compare_states().ok
