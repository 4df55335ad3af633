"""What an erasure leaves of persons: tombstones, suppression, and no word of theirs in the dictionary."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from customers.indexing import forget_words, recount_words, refresh
from customers.models import (
    Address,
    ContactPerson,
    ContactPoint,
    Customer,
    Origin,
    SearchEntry,
    SearchWord,
    Suppression,
    Tombstone,
)
from customers.postal import postal_key
from customers.remains import leave_remains
from customers.suppression import suppress, suppressed
from customers.tombstones import erased
from orders.models import Order
from tests.orders.factories import make_customer, make_order

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


def test_erased_persons_are_noticed_by_e_mail_phone_and_every_id_they_have_elsewhere():
    anna = make_customer(email="Anna@Post.example", platform="shopify", external_id="77")
    ContactPoint.objects.create(customer=anna, kind="phone", value="+49 431 12345")
    make_order(anna, platform="shopify", external_id="901", number="#1001")
    ref = uuid4()

    left = leave_remains({anna.pk: ref}, erased_at=AT, suppress=False)

    for known in (
        {"email": "anna@post.example"},
        {"phone": "+4943112345"},
        {"external": ("shopify", "77")},
        {"external": ("shopify", "order:901")},
        {"external": ("shopify", "order-number:#1001")},
    ):
        assert erased(**known) == (AT, ref)
    # And the customer number, for a later request for access.
    assert set(Tombstone.objects.values_list("kind", flat=True)) == {"email", "phone", "number", "external"}
    assert left.tombstones == Tombstone.objects.count() == 6
    assert not suppressed("email", "anna@post.example")


def test_erased_persons_are_noticed_by_addresses_they_had_before():
    anna = make_customer(email="anna@post.example")
    point = anna.contact_points.get()
    point.value = "anna@neu.example"
    point.save()
    gone = ContactPoint.objects.create(customer=anna, kind="email", value="anna@alt.example")
    gone.delete()
    ref = uuid4()

    left = leave_remains({anna.pk: ref}, erased_at=AT, suppress=True)

    for email in ("anna@neu.example", "anna@post.example", "anna@alt.example"):
        assert erased(email=email) == (AT, ref)
    # An address of before may be somebody else's by now: only what is theirs today is not written to.
    assert left.suppressed == 1
    assert suppressed("email", "anna@neu.example") and not suppressed("email", "anna@post.example")


def test_of_a_company_its_contact_persons_leave_nothing():
    firm = make_customer(kind="company", company="Kontor GmbH", email="post@kontor.example")
    ContactPerson.objects.create(customer=firm, last_name="Weiß", email="weiss@kontor.example")

    leave_remains({firm.pk: uuid4()}, erased_at=AT, suppress=True)

    assert erased(email="post@kontor.example")
    assert not erased(email="weiss@kontor.example")
    assert not suppressed("email", "weiss@kontor.example")


def test_where_it_is_asked_their_endpoints_are_not_written_to_any_more():
    anna, bert = make_customer(email="anna@post.example"), make_customer(email="bert@post.example")
    ContactPoint.objects.create(customer=anna, kind="phone", value="+49 431 12345")

    left = leave_remains({anna.pk: uuid4(), bert.pk: uuid4()}, erased_at=AT, suppress=True)

    assert left.suppressed == 3
    assert suppressed("email", "ANNA@post.example")
    assert suppressed("sms", "+49 431 12345")
    assert {entry.reason for entry in Suppression.objects.all()} == {"erasure"}


def test_their_letter_box_is_not_written_to_either():
    anna = make_customer(email="anna@post.example")
    Address.objects.create(customer=anna, street="Hauptstraße 5", postcode="24103", city="Kiel")
    Address.objects.create(customer=anna, street="", postcode="24103", city="Kiel")

    left = leave_remains({anna.pk: uuid4()}, erased_at=AT, suppress=True)

    assert left.suppressed == 2
    assert suppressed("post", postal_key("Hauptstr. 5", "24103"))


def test_an_entry_of_an_import_is_no_longer_the_imports_alone():
    anna = make_customer(email="anna@post.example")
    origin = Origin.objects.create(kind="file", batch=uuid4())
    suppress("email", "anna@post.example", reason="unsubscribed", origin_id=origin.pk)

    left = leave_remains({anna.pk: uuid4()}, erased_at=AT, suppress=True)

    assert left.suppressed == 0
    assert Suppression.objects.get().origin_id is None


def test_a_second_time_leaves_nothing_more():
    anna, ref = make_customer(email="anna@post.example"), uuid4()

    first = leave_remains({anna.pk: ref}, erased_at=AT, suppress=True)
    second = leave_remains({anna.pk: ref}, erased_at=AT, suppress=True)

    assert (first.tombstones, first.suppressed) == (2, 1)
    assert (second.tombstones, second.suppressed) == (0, 0)


def test_a_blocked_order_is_not_asked_for_its_names():
    anna = make_customer()
    order = make_order(anna, platform="shopify", external_id="901")
    Order.archive.filter(pk=order.pk).update(customer=None, subject_ref=uuid4())

    leave_remains({anna.pk: uuid4()}, erased_at=AT, suppress=False)

    assert not erased(external=("shopify", "order:901"))


def _words() -> set[str]:
    return set(SearchWord.objects.values_list("word", flat=True))


@pytest.fixture
def three() -> list[Customer]:
    """Two of a name, one of them with a first name that nobody else has."""
    names = [("Wendelgard", "Hansen"), ("Anna", "Hansen"), ("Anna", "Hansenberg")]
    made = [make_customer(first_name=first, last_name=last) for first, last in names]
    refresh([customer.pk for customer in made])
    return made


def test_a_word_goes_with_the_last_who_carried_it(three):
    assert {"wendelgard", "hansen", "hansenberg", "anna"} <= _words()

    assert forget_words([three[0].pk]) >= 1

    assert "wendelgard" not in _words()
    # "hansen" stands in "hansenberg", too; that alone would not keep it.
    assert {"hansen", "hansenberg", "anna"} <= _words()
    forget_words([three[0].pk, three[1].pk])
    assert "hansen" not in _words()
    assert {"hansenberg", "anna"} <= _words()


def test_of_a_large_set_no_word_goes_that_somebody_else_carries(three, monkeypatch):
    recount_words()
    monkeypatch.setattr("customers.indexing.LOOKED_UP", 0)

    forget_words([three[0].pk])

    assert "wendelgard" not in _words()
    assert {"hansen", "anna"} <= _words()


def test_a_word_that_was_lost_comes_back_with_the_next_count(three):
    SearchWord.objects.filter(word="hansen").delete()

    recount_words()

    assert "hansen" in _words()


def _counted(word: str) -> int:
    return SearchWord.objects.get(word=word).entries


def test_what_went_is_counted_down_so_that_the_last_of_a_name_takes_it_along(
    three, monkeypatch, django_capture_on_commit_callbacks
):
    recount_words()
    monkeypatch.setattr("customers.indexing.LOOKED_UP", 0)
    assert (_counted("hansen"), _counted("anna")) == (2, 2)

    for customer in three[:2]:
        with django_capture_on_commit_callbacks(execute=True):
            forget_words([customer.pk])
        SearchEntry.objects.filter(customer=customer).delete()

    assert "hansen" not in _words()
    assert _counted("anna") == 1


def test_two_of_a_name_who_go_beside_each_other_take_it_along(three, monkeypatch, django_capture_on_commit_callbacks):
    recount_words()
    monkeypatch.setattr("customers.indexing.LOOKED_UP", 0)

    with django_capture_on_commit_callbacks(execute=True):
        # Neither sees that the other goes.
        forget_words([three[0].pk])
        forget_words([three[1].pk])
        assert "hansen" in _words()
        SearchEntry.objects.filter(customer__in=three[:2]).delete()

    assert "hansen" not in _words()


def test_a_count_that_is_too_low_drops_no_word_that_somebody_carries(three, django_capture_on_commit_callbacks):
    recount_words()
    SearchWord.objects.filter(word="anna").update(entries=1)

    with django_capture_on_commit_callbacks(execute=True):
        forget_words([three[1].pk])
    SearchEntry.objects.filter(customer=three[1]).delete()

    assert {"anna", "hansen"} <= _words()


def test_a_name_that_was_changed_is_counted_down(three, django_capture_on_commit_callbacks):
    recount_words()
    for customer, name in zip(three[:2], ("Petersen", "Meier"), strict=True):
        customer.last_name = name
        customer.save()
        with django_capture_on_commit_callbacks(execute=True):
            refresh([customer.pk])

    assert "hansen" not in _words()
    assert {"petersen", "meier", "hansenberg"} <= _words()
