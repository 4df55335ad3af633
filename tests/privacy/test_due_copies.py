"""Rows are found by the copies beside their starts, and judged by what was copied."""

from __future__ import annotations

from datetime import date
from itertools import chain

import pytest
from django.db import connection

from customers.models import Customer, Summary
from privacy.selecting import Unit, branches, count_due, due_page, due_pages, still_due, units
from privacy.verdicts import Book
from tests.privacy.making import at, make_order, make_paper, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def book() -> Book:
    """The rules as of one day."""
    return Book(date(2026, 11, 25))


def _unit(book: Book, key: str) -> Unit:
    return next(unit for unit in units(book, key) if unit.of_people)


def _found(book: Book, unit: Unit) -> list[int]:
    return list(chain.from_iterable(due_pages(book, unit)))


def _people() -> dict[str, Customer]:
    """Of each kind one for each start that is over, and one that is not."""
    old, young = "2015-01-02", "2026-11-20"
    people = {
        name: make_person(str(number), status=status, last_activity=active)
        for number, (name, status, active) in enumerate(
            [
                ("account", "account", old),
                ("young account", "account", young),
                ("guest", "guest", old),
                ("guest withdrawn", "guest", young),
                ("young guest", "guest", young),
                ("guest who may withdraw", "guest", old),
                ("lead", "prospect", old),
                ("lead spoken with", "prospect", old),
                ("young lead", "prospect", young),
                ("lead spoken with lately", "prospect", old),
            ]
        )
    }
    for name, day in {"guest withdrawn": "2016-01-02", "guest who may withdraw": "2026-12-24"}.items():
        Summary.objects.filter(customer=people[name]).update(withdrawal_end=day)
    for name, day in {"lead spoken with": old, "lead spoken with lately": young}.items():
        Summary.objects.filter(customer=people[name]).update(last_contact=at(day))
    return people


def test_each_kind_of_person_is_found_by_each_of_its_starts(book: Book) -> None:
    people = _people()
    everybody = list(Customer.objects.values_list("pk", flat=True))

    for key, names in {
        "ACCOUNT": ["account"],
        "GUEST": ["guest withdrawn", "guest"],
        "LEAD": ["lead spoken with", "lead"],
    }.items():
        unit = _unit(book, key)
        due = [people[name].pk for name in names]
        assert _found(book, unit) == due
        assert sorted(still_due(book, unit, everybody)) == sorted(due)
        assert count_due(book, unit) == len(due)


def test_the_pages_of_a_kind_go_on_behind_the_last_one(book: Book) -> None:
    customers = [make_person(str(n), status="guest", last_activity="2015-01-02").pk for n in range(3)]
    branch = branches(_unit(book, "GUEST"))[1]
    page = due_page(book, branch)

    assert page.ids == customers
    assert due_page(book, branch, page._replace(ids=customers[:1])).ids == customers[1:]


def test_a_copy_that_is_wrong_ends_nobody(book: Book) -> None:
    guest = make_person(status="guest", last_activity="2026-06-01")
    unit = _unit(book, "GUEST")
    with connection.cursor() as cursor:
        # What is seen of a change that commits between finding and locking.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE customers_customer DISABLE TRIGGER customers_customer_hands_on_status")
        cursor.execute("UPDATE customers_customer SET status = 'account'")

    assert _found(book, unit) == [guest.pk]
    assert still_due(book, unit, [guest.pk]) == []


def test_delivery_notes_are_found_in_the_order_of_their_invoices(book: Book) -> None:
    customer = make_person()
    orders = [make_order(customer, day, invoiced_at=at(day)) for day in ("2026-03-02", "2026-02-02")]
    orders.append(make_order(customer, "2026-01-02"))
    notes = [make_paper(order, "delivery_note", "2026-03-03").pk for order in orders]
    (unit,) = units(book, "DELNOTE")

    assert [due_page(book, branch).ids for branch in branches(unit)] == [[notes[1], notes[0]], [notes[2]]]
    assert sorted(still_due(book, unit, notes)) == notes
