"""An erasure that the person asks for, while a restriction or another request of theirs is open."""

from __future__ import annotations

from datetime import date
from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from customers.models import Customer, Tombstone
from datamap import accesslog, holds
from datamap.models import AccessLog
from privacy import identifying, letters, restricting
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Erasure, Request, Restriction
from privacy.planning import plan_erasure
from privacy.purging import plan_run, work
from staff.models import User
from tests.privacy.making import at, make_contact, make_order, make_paper, make_person, take

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 24)


@pytest.fixture
def anna() -> Customer:
    customer = make_person()
    make_paper(make_order(customer, "2026-05-01"), "invoice", "2026-05-02")
    make_contact(customer, "2026-06-01")
    return customer


def in_the_way(customer: Customer) -> list[str]:
    return [hold["kind"] for hold in plan_erasure(customer, TODAY).holds]


@pytest.mark.parametrize("case", ["a", "b", "d"])
def test_who_had_data_restricted_and_now_wants_them_erased_is_not_held_to_the_first_wish(
    anna: Customer, privacy: User, case: str
) -> None:
    restricting.restrict(anna, case, ["all"], "bestritten", by=privacy)
    # By night the restriction stops everything (Art. 18(2)).
    assert "art18_hold" in {one.kind for one in holds.standing([anna.pk], TODAY, night=True)}
    assert in_the_way(anna) == []
    assert run_erasure(ask_erasure(anna).pk).state == Erasure.State.DONE
    assert not Customer.objects.exists()


@pytest.mark.parametrize("case", ["a", "b", "d"])
def test_the_restriction_that_an_erasure_has_overtaken_has_a_last_day(anna: Customer, privacy: User, case: str) -> None:
    """REQUEST: three years from the end of the year; and with it goes the tombstone of the person (TOMB)."""
    restricting.restrict(anna, case, ["all"], "bestritten", by=privacy)
    told = {item["model"]: item["until"] for item in plan_erasure(anna, TODAY).as_dicts()}
    assert told["privacy.Restriction"] == "2030-01-01"
    done = run_erasure(ask_erasure(anna, as_of=TODAY).pk)
    overtaken = Restriction.archive.get()
    assert overtaken.lifted_at is not None and overtaken.notice_sent_at is not None
    Request.archive.update(state="closed", closed_at=at("2026-11-28"))
    Restriction.archive.update(lifted_at=at("2026-11-28"), notice_sent_at=at("2026-11-28"))
    for day, left in ((date(2029, 12, 31), 1), (date(2030, 1, 1), 0)):
        work(plan_run(day, only="REQUEST").pk)
        assert Restriction.archive.count() == Request.archive.count() == left
    work(plan_run(date(2036, 1, 1)).pk)
    work(plan_run(date(2037, 1, 1)).pk)
    assert not Tombstone.objects.filter(subject_ref=done.subject_ref).exists()


def test_restrictions_that_were_blocked_while_they_stood_get_their_last_day(anna: Customer, privacy: User) -> None:
    restricting.restrict(anna, "a", ["all"], "bestritten", by=privacy)
    run_erasure(ask_erasure(anna).pk)
    Restriction.archive.update(lifted_at=None, notice_sent_at=None)
    with connection.cursor() as cursor:
        cursor.execute(import_module("privacy.migrations.0015_restrictions_of_erased").FORWARD)
    found = Restriction.archive.get()
    assert found.lifted_at == found.notice_sent_at == found.blocked_at


def test_what_the_person_needs_for_claims_stays_until_they_have_the_restriction_lifted(
    anna: Customer, privacy: User
) -> None:
    restriction = restricting.restrict(anna, "c", ["all"], "für einen Prozess", by=privacy)
    assert in_the_way(anna) == ["art18_hold"]
    erasure = run_erasure(ask_erasure(anna, as_of=TODAY).pk)
    assert erasure.state == Erasure.State.HELD and Customer.objects.exists()
    restricting.announce_lifting(restriction, "nicht mehr nötig", by=privacy)
    restricting.lift(restriction, by=privacy)
    assert run_erasure(erasure.pk).state == Erasure.State.DONE
    assert not Customer.objects.exists()


@pytest.mark.parametrize("kind", ["access", "portability"])
def test_a_copy_that_was_asked_for_comes_before_the_erasure(anna: Customer, privacy: User, kind: str) -> None:
    asked = take(by=privacy, kind=kind, customer=anna)
    plan = plan_erasure(anna, TODAY)
    assert [(hold["kind"], hold["review"]) for hold in plan.holds] == [("open_request", asked.due_on.isoformat())]
    accesslog.record(privacy.pk, anna.number, "customer_detail")
    erasure = run_erasure(ask_erasure(anna, as_of=TODAY).pk)
    assert erasure.state == Erasure.State.HELD and Customer.objects.exists()
    # Who opened the data is part of the answer (domain.md 1.6).
    assert AccessLog.objects.get().customer_number == anna.number
    # The copy has been handed over; that the request is not closed yet is no reason to wait.
    Request.objects.filter(pk=asked.pk).update(state=Request.State.ANSWERED)
    assert run_erasure(erasure.pk).state == Erasure.State.DONE
    assert not Customer.objects.exists()
    assert Request.archive.get(pk=asked.pk).subject_ref == erasure.subject_ref


@pytest.mark.parametrize("kind", ["erasure", "rectification", "restriction", "objection", "withdrawal"])
def test_no_other_request_is_in_the_way_least_of_all_the_one_that_asks_for_it(
    anna: Customer, privacy: User, kind: str
) -> None:
    more: dict[str, Any] = {"objects_to": "advertising"} if kind == "objection" else {}
    request = take(by=privacy, kind=kind, customer=anna, **more)
    assert in_the_way(anna) == []
    done = run_erasure(ask_erasure(anna, request=request if kind == "erasure" else None).pk)
    assert done.state == Erasure.State.DONE


@pytest.mark.parametrize("kind", ["access", "portability"])
def test_who_was_asked_and_has_not_shown_who_they_are_holds_no_erasure(
    anna: Customer, privacy: User, kind: str
) -> None:
    asked = take(by=privacy, kind=kind, customer=anna)
    assert in_the_way(anna) == ["open_request"]  # nobody doubts it yet
    identifying.ask(asked, "Andere Adresse", way="mail", version=None, by=privacy)
    assert in_the_way(anna) == []
    assert "hält Ihre Anfrage niemanden davon ab" in asked.letters.get(kind="identity").body
    # By night nothing that an answer may need goes.
    assert "open_request" in {one.kind for one in holds.standing([anna.pk], TODAY, night=True)}
    identifying.settle(asked, "call_back", version=None, by=privacy)
    assert in_the_way(anna) == ["open_request"]


def test_who_shows_it_after_the_erasure_is_told_of_it(anna: Customer, privacy: User) -> None:
    asked = take(by=privacy, kind="access", customer=anna)
    identifying.ask(asked, "Andere Adresse", way="mail", version=None, by=privacy)
    erasure = run_erasure(ask_erasure(anna, as_of=TODAY).pk)
    assert erasure.state == Erasure.State.DONE and not Customer.objects.exists()
    asked = Request.on_desk().get(pk=asked.pk)
    assert "wurden am" not in letters.compose(asked, "answer").body
    identifying.settle(asked, "known_facts", version=None, by=privacy)
    body = letters.compose(asked, "answer").body
    assert "bevor feststand, wer hier fragt" in body and "Wir haben Daten über Sie gespeichert" in body
