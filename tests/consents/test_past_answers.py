"""Answers about the past know every objection of then, not the last alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module

import pytest
from django.db import connection
from django.utils import timezone

import consents
from customers.models import Address, AdvertisingStop, Customer, Summary
from customers.postal import postal_key
from customers.stopping import stop_advertising
from customers.summary import set_advertising_stops
from customers.suppression import suppress
from datamap import journal
from privacy import objecting
from privacy.erasing import ask_erasure, run_erasure
from staff.models import User
from tests.consents.making import moment, say
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db

SIGNED_UP = moment("2026-01-10T10:00:00+01:00")
FIRST = moment("2026-03-01T10:00:00+01:00")
CONFIRMED = moment("2026-05-01T10:00:00+02:00")
SECOND = moment("2026-08-01T10:00:00+02:00")


@pytest.fixture
def alma() -> Customer:
    """Somebody who signed up, objected, confirmed anew, and objected again."""
    alma = make_person("4711")
    say(alma, at=SIGNED_UP, confirmed=True)
    stop_advertising([alma.pk], FIRST)
    say(alma, at=CONFIRMED, confirmed=True)
    stop_advertising([alma.pk], SECOND)
    return alma


def reason(customer: Customer, at: datetime | None = None) -> str:
    return consents.may(customer, "newsletter", "email", at=at).reason


def test_a_second_objection_does_not_hide_the_first(alma: Customer) -> None:
    day = timedelta(days=1)
    asked = [SIGNED_UP + day, FIRST - day, FIRST, CONFIRMED - day, CONFIRMED, SECOND - day, SECOND, SECOND + day]
    assert [reason(alma, at) for at in asked] == [
        "consent", "consent", "objected", "objected", "consent", "consent", "objected", "objected"
    ]  # fmt: skip
    assert consents.may(alma, "newsletter", "email", at=CONFIRMED - day).since == FIRST
    assert consents.may(alma, "newsletter", "email", at=SECOND + day).since == SECOND
    assert reason(alma) == "objected"
    # Nor does a purpose without consent lose what was said then.
    assert consents.may(alma, "post", "post", at=CONFIRMED + day).reason == "objected"


def test_an_objection_that_is_told_late_counts_from_its_day_and_puts_no_later_one_back() -> None:
    alma = make_person("4711")
    say(alma, at=SIGNED_UP)
    stop_advertising([alma.pk], SECOND)
    stop_advertising([alma.pk], FIRST)
    assert Summary.objects.get(customer=alma).advertising_stopped_at == SECOND
    assert [reason(alma, at) for at in (FIRST - timedelta(1), FIRST)] == ["consent", "objected"]


def test_a_stop_that_was_lifted_stood_until_then(alma: Customer) -> None:
    set_advertising_stops({alma.pk: None})
    assert reason(alma) == "consent"
    assert reason(alma, SECOND + timedelta(days=1)) == "objected"


def test_whoever_writes_the_summary_the_objection_is_kept() -> None:
    alma, bert = make_person("4711"), make_person("4712")
    summary = Summary.objects.get(customer=alma)
    summary.advertising_stopped_at = FIRST
    summary.save()
    Summary.objects.filter(customer=bert).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_summary (customer_id, last_activity, orders, revenue, open_complaints, reachable, "
            "advertising_stopped_at) VALUES (%s, %s, 0, 0, 0, true, %s)",
            [bert.pk, FIRST, SECOND],
        )
    assert list(AdvertisingStop.objects.order_by("since").values_list("customer", "since", "ended_at")) == [
        (alma.pk, FIRST, None), (bert.pk, SECOND, None)
    ]  # fmt: skip


def test_a_replay_brings_back_each_objection_once(manager: User) -> None:
    alma = make_person("4711")
    objecting.object_now(alma, channel="mail", by=manager, at=SECOND)
    objecting.mark_objected([alma.pk], FIRST)
    journal_of = [{"customer": alma.pk, "at": at.isoformat(timespec="seconds")} for at in (FIRST, SECOND)]
    stops = [FIRST, SECOND]
    assert list(AdvertisingStop.objects.order_by("since").values_list("since", flat=True)) == stops
    # As a backup of before has it: neither is known.
    AdvertisingStop.objects.all().delete()
    Summary.objects.update(advertising_stopped_at=None)
    with journal.replaying(1):
        assert [objecting.replay(payload) for payload in reversed(journal_of)] == ["replayed", "replayed"]
        assert [objecting.replay(payload) for payload in journal_of] == ["already", "already"]
    assert list(AdvertisingStop.objects.order_by("since").values_list("since", flat=True)) == stops


def test_the_objections_go_with_the_person(alma: Customer) -> None:
    erasure = run_erasure(ask_erasure(alma).pk)
    assert erasure.state == "done", erasure.holds
    assert not AdvertisingStop.objects.exists()


def test_what_stood_before_the_history_began_is_taken_over_once() -> None:
    alma, bert, carla = (make_person(str(4711 + n)) for n in range(3))
    set_advertising_stops({alma.pk: FIRST, bert.pk: SECOND})
    AdvertisingStop.objects.all().delete()  # as a database of before has it
    fill = import_module("customers.migrations.0008_advertising_stops").STANDING
    for _ in range(2):
        with connection.cursor() as cursor:
            cursor.execute(fill)
    assert dict(AdvertisingStop.objects.values_list("customer", "since")) == {alma.pk: FIRST, bert.pk: SECOND}
    assert not carla.advertising_stops.exists()


def test_by_post_it_is_asked_where_somebody_lived_then() -> None:
    suppress("post", postal_key("Elbchaussee 12", "22767"), reason="objection", since=FIRST)
    alma = make_person("4711")
    Address.objects.filter(customer=alma).delete()
    home = Address.objects.create(customer=alma, street="Elbchaussee 12", postcode="22767", city="Hamburg")
    before = timezone.now()
    home.street, home.postcode = "Am Deich 9", "20095"
    home.save()
    moved = timezone.now()
    home.delete()
    Address.objects.create(customer=alma, street="Elbchaussee 12", postcode="22767", city="Hamburg")
    answers = [consents.may(alma, "post", "post", at=at).reason for at in (before, moved, None)]
    assert answers == ["suppressed", "interests", "suppressed"]
