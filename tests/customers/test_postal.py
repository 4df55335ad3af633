"""Whom the suppression list stops by post: the set form of SQL says what a comparison of each single address says."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Address, Customer, PostalMark, Suppression
from customers.normalizing import fold
from customers.postal import note_marks, postal_hashes, postal_key, stopped_by_post, stopped_sql
from customers.suppression import hasher, suppress
from customers.tasks import note_postal_marks
from privacy.erasing import ask_erasure, run_erasure
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db

START = timezone.now() - timedelta(days=100)
STREETS = ["Hauptstr. 5", "Hauptstraße 5", "HAUPTSTRASSE 5", "Haupt Str 5 a", "Am Deich 4", "", "Café-Gasse 1"]
POSTCODES = ["20095", "D-20095", "20099 ", ""]
ADDRESSES = [(street, postcode) for street in STREETS for postcode in POSTCODES]


def came(day: int) -> datetime:
    return START + timedelta(days=day)


Home = tuple[int, str, str]


def homes() -> list[Home]:
    """Where everybody lives now."""
    return [(one.customer_id, one.street, one.postcode) for one in Address.objects.order_by("pk")]


def rule(lived: list[Home], at: datetime | None = None) -> dict[int, datetime]:
    """The rule word for word, one address after the other: an entry that stands (or stood) for a spelling of the
    address, and is older than the customer; of several the oldest."""
    found: dict[int, datetime] = {}
    entries = [one for one in Suppression.objects.all() if one.channel == "post" and one.scope == "advertising"]
    if at is None:
        entries = [one for one in entries if one.ended_at is None]
    else:
        entries = [one for one in entries if one.since <= at and (one.ended_at is None or one.ended_at > at)]
    for pk, street, postcode in lived:
        hashes, since = postal_hashes(street, postcode), Customer.objects.get(pk=pk).created_at
        days = [one.since for one in entries if bytes(one.endpoint) in hashes and one.since < since]
        if days:
            found[pk] = min([*days, found.get(pk, min(days))])
    return found


def stopped() -> dict[int, datetime]:
    """What the set form says of everybody."""
    statement, params = stopped_sql()
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return dict(cursor.fetchall())


def live(number: int, day: int, *addresses: tuple[str, str]) -> Customer:
    customer = Customer.objects.create(number=f"9{number:04}", last_name="Post")
    Customer.objects.filter(pk=customer.pk).update(created_at=came(day))
    for street, postcode in addresses:
        address = Address.objects.create(customer=customer, street=street, postcode=postcode, created_at=came(day))
        Address.history.filter(id=address.pk).update(history_date=came(day))
    return customer


def enter(address: tuple[str, str], day: int, *, ended: int | None = None, former: bool = False) -> None:
    """An entry of the list, as it is made now, or as it was before a street could be written in several ways."""
    key = f"{fold(address[0])}|{fold(address[1])}" if former else postal_key(*address)
    if not key:
        return
    mark = hasher("post")(key)
    stands = Suppression.objects.filter(endpoint=mark, ended_at=None).exists()
    if not (stands and ended is None):
        Suppression.objects.create(
            endpoint=mark, channel="post", reason="objection", since=came(day),
            ended_at=None if ended is None else came(day + ended),
        )  # fmt: skip


_days, _places = st.integers(0, 90), st.integers(0, len(ADDRESSES) - 1)
STEPS = st.one_of(
    st.tuples(st.just("live"), _days, st.lists(_places, max_size=3)),
    st.tuples(st.just("enter"), _places, _days, st.none() | st.integers(1, 30), st.booleans()),
    st.tuples(st.just("note"), st.integers(1, 3)),
    st.tuples(st.just("move"), st.integers(0, 9), _places, st.sampled_from(["save", "postcode", "sql", "other"])),
    st.tuples(st.just("leave"), st.integers(0, 9), st.sampled_from(["delete", "sql"])),
)


def step(what: str, said: list[Any]) -> None:
    if what == "live":
        live(Customer.objects.count(), said[0], *(ADDRESSES[place] for place in said[1]))
    elif what == "enter":
        enter(ADDRESSES[said[0]], said[1], ended=said[2], former=said[3])
    elif what == "note":
        note_marks(page=said[0])
    elif what in ("move", "leave"):
        rows = list(Address.objects.order_by("pk"))
        if not rows:
            return
        row = rows[said[0] % len(rows)]
        if what == "leave":
            if said[1] == "delete":
                row.delete()
            else:
                with connection.cursor() as cursor:
                    cursor.execute("DELETE FROM customers_address WHERE id = %s", [row.pk])
            return
        street, postcode = ADDRESSES[said[1]]
        if said[2] == "save":
            row.street, row.postcode = street, postcode
            row.save()
        elif said[2] == "postcode":
            Address.objects.filter(pk=row.pk).update(postcode=postcode)
        elif said[2] == "other":  # as when two records become one
            Address.objects.filter(pk=row.pk).update(customer=Customer.objects.order_by("?").first())
        else:
            with connection.cursor() as cursor:
                sealed = Address._meta.get_field("street").seal(street)
                cursor.execute("UPDATE customers_address SET street = %s WHERE id = %s", [sealed, row.pk])


@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
@given(steps=st.lists(STEPS, min_size=3, max_size=18), day=_days)
def test_the_set_form_says_what_each_single_address_says(steps: list[tuple[Any, ...]], day: int) -> None:
    with transaction.atomic():
        here = transaction.savepoint()
        first: list[Home] = []
        for what, *said in steps:
            step(what, said)
            first += homes()[-len(said[1]) :] if what == "live" and said[1] else []
            assert stopped() == rule(homes())
        some = set(Customer.objects.order_by("pk").values_list("pk", flat=True)[::2])
        assert stopped_by_post(some) == rule([home for home in homes() if home[0] in some])
        for at in (came(day), came(day) + timedelta(hours=1)):
            # Whoever moves or leaves here does so today.
            there = set(Customer.objects.filter(created_at__lte=at).values_list("pk", flat=True))
            assert stopped_by_post(there, at) == rule([home for home in first if home[0] in there], at)
        note_marks()
        assert stopped() == rule(homes())
        transaction.savepoint_rollback(here)


def test_noted_is_who_came_in_behind_the_first_entry_and_nobody_where_there_is_none() -> None:
    live(1, 5, ("Am Deich 4", "20095"))
    late = live(2, 50, ("Am Deich 4", "20095"), ("", "20095"))
    assert (note_postal_marks(), PostalMark.objects.count()) == (0, 0)
    enter(("Elbchaussee 12", "22767"), 20)
    enter(("Am Deich 4", "20095"), 30)
    assert (note_postal_marks(), note_postal_marks()) == (2, 0)
    assert {mark.address.customer_id for mark in PostalMark.objects.all()} == {late.pk}
    # Two spellings of the one address, and an empty row for what is none.
    assert sorted(len(mark.mark) for mark in PostalMark.objects.all()) == [0, 34, 34]
    assert stopped() == {late.pk: came(30)}


def test_once_noted_the_set_form_opens_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        live(number, 50, ("Am Deich 4", "20095"))
    enter(("Am Deich 4", "20095"), 30)
    before = stopped()
    note_marks()
    monkeypatch.setattr("customers.postal.postal_hashes", None)
    assert stopped() == before
    assert len(before) == 30


def test_marks_go_with_the_person() -> None:
    suppress("post", postal_key("Elbchaussee 12", "22767"), reason="objection", since=came(1))
    alma = make_person("4711")
    Address.objects.create(customer=alma, street="Elbchaussee 12", postcode="22767")
    assert note_marks() >= 1
    assert run_erasure(ask_erasure(alma).pk).state == "done"
    assert not PostalMark.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_address_that_changes_while_it_is_noted_is_not_noted_as_it_was() -> None:
    late = live(1, 50, ("Am Deich 4", "20095"))
    enter(("Hauptstr. 5", "20095"), 10)
    address = late.addresses.get()

    def move() -> None:
        Address.objects.filter(pk=address.pk).update(postcode="20099")
        connection.close()

    with transaction.atomic():
        note_marks()
        other = Thread(target=move)
        other.start()
        other.join(0.5)
        assert other.is_alive()  # waits for what notes
    other.join(10)
    assert not PostalMark.objects.exists()
