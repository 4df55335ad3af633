"""A tombstone outlives the blocked rows of its person, and is not looked at every night meanwhile."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from customers.models import Tombstone
from orders.models import Document
from privacy.erasing import ask_erasure, run_erasure
from privacy.purging import plan_run, rehearse, work
from privacy.selecting import branches, units
from privacy.verdicts import Book
from tests.privacy.making import at, make_order, make_paper, make_person

pytestmark = pytest.mark.django_db


def erased(number: str, *, paper: str = "") -> UUID:
    """Somebody erased on the 2nd of November 2021; with a paper they had an invoice of that day."""
    customer = make_person(number, last_activity="2021-01-02")
    if paper:
        make_paper(make_order(customer, paper), "invoice", paper)
    erasure = ask_erasure(customer)
    run_erasure(erasure.pk)
    Tombstone.objects.filter(subject_ref=erasure.subject_ref).update(erased_at=at("2021-11-02"))
    return erasure.subject_ref


def blocked_paper(ref: UUID, issued: str) -> None:
    Document.archive.create(
        kind="invoice", number=f"R-{issued}", issued_at=at(issued), currency="EUR", gross=1, net=1, lines=[],
        subject_ref=ref, blocked_at=at("2021-11-02"),
    )  # fmt: skip


def night(day: str) -> dict[str, dict[str, int]]:
    run = plan_run(date.fromisoformat(day), allow_share=None)
    while work(run.pk):
        pass
    run.refresh_from_db()
    assert run.state == "done"
    counted: dict[str, dict[str, int]] = {}
    for entry in run.log.all():
        counted.setdefault(entry.rule_key, {})[f"{entry.model} {entry.action}"] = entry.count
    return counted


def kept(ref: UUID) -> set[Any]:
    return set(Tombstone.objects.filter(subject_ref=ref).values_list("kept_since", flat=True))


def test_it_goes_the_night_after_the_last_blocked_row_and_not_before() -> None:
    free, held = erased("1"), erased("2", paper="2021-03-10")  # the invoice: until the end of 2029
    assert kept(free) == kept(held) == {None}
    night("2024-12-31")
    assert kept(free) == kept(held) == {None}  # its own three years are not over
    night("2025-01-01")
    assert kept(free) == set() and kept(held) == {date(2025, 1, 1)}
    night("2029-12-31")
    assert Document.archive.filter(subject_ref=held).exists() and kept(held) == {date(2029, 12, 31)}
    night("2030-01-01")
    assert not Document.archive.filter(subject_ref=held).exists() and kept(held) == {None}
    night("2030-01-02")
    assert kept(held) == set()


def test_one_of_two_rows_that_goes_does_not_let_the_tombstone_go() -> None:
    ref = erased("1", paper="2020-03-10")
    blocked_paper(ref, "2021-05-05")
    night("2028-06-01")
    assert kept(ref) == {date(2028, 6, 1)}
    night("2029-01-01")
    assert Document.archive.filter(subject_ref=ref).count() == 1 and kept(ref) == {None}
    night("2029-01-02")
    assert kept(ref) == {date(2029, 1, 2)}


def test_a_note_that_nobody_took_back_lasts_no_longer_than_the_year() -> None:
    ref = erased("1", paper="2021-03-10")
    night("2026-03-01")
    Document.archive.filter(subject_ref=ref).delete()  # by somebody who goes round the run
    night("2026-12-31")
    assert kept(ref) == {date(2026, 3, 1)}
    night("2027-01-01")
    assert kept(ref) == set()


def test_a_rehearsal_tells_the_same_and_notes_nothing() -> None:
    free, held = erased("1"), erased("2", paper="2021-03-10")
    told = rehearse(date(2025, 1, 1)).categories["TOMB"]
    assert told["due"] == told["deleted"] == Tombstone.objects.filter(subject_ref=free).count()
    assert kept(held) == {None}


def test_who_is_kept_is_read_by_no_night() -> None:
    ref = uuid4()
    blocked_paper(ref, "2021-03-10")
    Tombstone.objects.bulk_create(
        Tombstone(mark=n.to_bytes(34, "big"), kind="email", subject_ref=ref, erased_at=at("2021-11-02"))
        for n in range(400)
    )
    night("2026-11-01")
    assert kept(ref) == {date(2026, 11, 1)}
    book = Book(date(2026, 11, 2), night=True)
    (unit,) = units(book, "TOMB")
    (branch,) = branches(unit)
    _joins, column, where, params = branch.sql(book)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_tombstone")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            f"EXPLAIN (ANALYZE, FORMAT JSON) SELECT r.id FROM customers_tombstone r WHERE {where} "
            f"ORDER BY {column}, r.id LIMIT 5000",
            params,
        )
        plan = json.dumps(cursor.fetchone()[0])
    assert "customers_tombstone_free" in plan
    assert '"Rows Removed by Filter"' not in plan
