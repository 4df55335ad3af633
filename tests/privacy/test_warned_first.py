"""Whoever can be told that their account ends is told before the night ends it, and has the same time as all others.

ACCOUNT (domain.md 5): 24 months after the last activity; POLICY of the shop: told 31 days before. An account that is
seen for the first time when its day has come - an import, a shop that is switched on, a rule that was shortened - ends
31 days after it was told. C4: a run may come later than `deletable_from`, never earlier.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from customers.models import ContactPoint, Customer, Summary
from datamap.versioning import add_version, newest, successor
from mail.models import Message
from mail.sending import deliver_due
from privacy.models import Hold, Policy, Request, Restriction, RetentionRun
from privacy.purging import SPEAKS_FROM, approve_run, report_of, work
from privacy.restricting import lift, restrict
from privacy.tasks import purge_by_night
from staff.models import User
from tests.privacy.making import at, make_contact, make_person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("eager", "english")]

NIGHT = date(2029, 11, 3)
LONG_AGO = "2019-05-05"
Night = Callable[..., dict[str, Any]]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[date, int], None]:
    def strike(day: date, hour: int = 4) -> None:
        moment = at(day, hour)
        monkeypatch.setattr(timezone, "now", lambda: moment)
        for name in ("created_at", "queued_at", "next_attempt_at"):
            # The defaults of the columns have kept the real clock.
            monkeypatch.setitem(Message._meta.get_field(name).__dict__, "_get_default", lambda: moment)

    strike(NIGHT)
    return strike


@pytest.fixture
def night(clock: Callable[[date, int], None]) -> Night:
    """The run of a night, with the mails of that night; what became of the accounts."""

    def run(day: date, *, mails: bool = True) -> dict[str, Any]:
        clock(day, 4)
        purge_by_night()
        if mails:
            deliver_due()
        return accounts(RetentionRun.objects.order_by("-started_at")[0])

    return run


def accounts(run: RetentionRun) -> dict[str, int]:
    found = report_of(run).as_dict()["categories"].get("ACCOUNT", {})
    return {name: count for name, count in found.items() if count}


def here() -> list[str]:
    return sorted(Customer.objects.values_list("number", flat=True))


def test_an_account_first_seen_past_its_end_is_told_and_ends_when_its_time_is_over(night: Night) -> None:
    make_person("1", last_activity=LONG_AGO)
    assert night(NIGHT) == {"due": 1, "held": 1}
    assert [to for one in mail.outbox for to in one.to] == ["alma1@laden.example"]
    assert night(NIGHT + timedelta(days=1)) == {"due": 1, "held": 1}
    assert night(NIGHT + timedelta(days=30)) == {"due": 1, "held": 1}
    assert night(NIGHT + timedelta(days=31)) == {"due": 1, "deleted": 1}
    assert not here() and len(mail.outbox) == 1


def test_whoever_was_told_in_time_ends_on_the_first_day_as_ever(night: Night) -> None:
    """Silent since 4 December 2027: ends from 5 December 2029 on, told 31 days before."""
    make_person("1", last_activity="2027-12-04")
    assert night(NIGHT) == {} and not mail.outbox
    assert night(date(2029, 11, 4)) == {} and len(mail.outbox) == 1
    assert night(date(2029, 12, 4)) == {}
    assert night(date(2029, 12, 5)) == {"due": 1, "deleted": 1}


def test_whoever_is_told_late_has_the_whole_time(night: Night) -> None:
    """Imported four days before the end."""
    make_person("1", last_activity="2027-11-06")
    assert night(NIGHT) == {} and len(mail.outbox) == 1
    assert night(date(2029, 11, 7)) == {"due": 1, "held": 1}
    assert night(date(2029, 12, 3)) == {"due": 1, "held": 1}
    assert night(date(2029, 12, 4)) == {"due": 1, "deleted": 1}


def test_whoever_cannot_be_told_ends_as_ever(night: Night) -> None:
    silent = make_person("1", last_activity=LONG_AGO)
    ContactPoint.objects.filter(customer=silent, kind="email").delete()
    make_person("2", last_activity=LONG_AGO, deactivated_at=timezone.now())
    prospect = make_person("3", last_activity=LONG_AGO, status="prospect")
    Summary.objects.filter(customer=prospect).update(last_contact=at(LONG_AGO))
    assert night(NIGHT) == {"due": 2, "deleted": 2}
    assert not here() and not Message.objects.exists()


def test_a_word_of_theirs_keeps_the_account(night: Night) -> None:
    customer = make_person("1", last_activity=LONG_AGO)
    night(NIGHT)
    Summary.objects.filter(customer=customer).update(last_activity=at("2029-11-20"))
    assert night(NIGHT + timedelta(days=31)) == {}
    assert here() == ["1"]


def test_a_mail_that_waits_starts_no_time_and_one_that_never_goes_out_waits_not_for_ever(night: Night) -> None:
    """The outbox gives up after four days; where nobody sends at all, it is taken as given up then."""
    make_person("1", last_activity=LONG_AGO)
    make_person("2", last_activity=LONG_AGO)
    night(NIGHT, mails=False)
    late = Message.objects.get(customer__number="1")
    Message.objects.filter(pk=late.pk).update(state="sent", sent_at=at(NIGHT + timedelta(days=2)))
    assert night(NIGHT + timedelta(days=32), mails=False) == {"due": 2, "held": 2}
    assert night(NIGHT + timedelta(days=33), mails=False) == {"due": 2, "held": 1, "deleted": 1}
    assert here() == ["2"]
    assert night(NIGHT + timedelta(days=34), mails=False) == {"due": 1, "held": 1}
    assert night(NIGHT + timedelta(days=35), mails=False) == {"due": 1, "deleted": 1}


def test_a_mail_that_came_back_or_was_refused_has_started_the_time_once(night: Night) -> None:
    make_person("1", last_activity=LONG_AGO)
    night(NIGHT, mails=False)
    Message.objects.update(state="failed", reason="gave_up", attempted_at=at(NIGHT + timedelta(days=1)))
    assert night(NIGHT + timedelta(days=31)) == {"due": 1, "held": 1}
    assert night(NIGHT + timedelta(days=32)) == {"due": 1, "deleted": 1}


def test_a_rule_that_is_shortened_ends_nobody_unwarned(night: Night, clock: Callable[..., None]) -> None:
    make_person("1", last_activity="2028-08-08")
    rule = successor(newest("ACCOUNT"))
    rule.number, rule.unit, rule.valid_from, rule.reason = 12, "m", NIGHT, "shorter"
    add_version(rule, user_id=None)
    assert night(NIGHT) == {"due": 1, "held": 1}
    assert night(NIGHT + timedelta(days=31)) == {"due": 1, "deleted": 1}


def test_a_customer_without_a_summary_is_told_too(night: Night) -> None:
    customer = make_person("1", registered_at=at(LONG_AGO))
    Summary.objects.filter(customer=customer).delete()
    assert night(NIGHT) == {"due": 1, "held": 1}
    assert night(NIGHT + timedelta(days=31)) == {"due": 1, "deleted": 1}


def test_whom_a_case_keeps_is_told_when_the_case_is_over(night: Night) -> None:
    customer = make_person("1", last_activity=LONG_AGO)
    hold = Hold.objects.create(
        kind="claim", customer=customer, reason="dispute", review_on=NIGHT + timedelta(days=300), owner=None
    )
    assert night(NIGHT) == {"due": 1, "held": 1} and not mail.outbox
    Hold.objects.filter(pk=hold.pk).update(released_at=at(NIGHT + timedelta(days=40)))
    assert night(NIGHT + timedelta(days=41)) == {"due": 1, "held": 1} and len(mail.outbox) == 1
    assert night(NIGHT + timedelta(days=72)) == {"due": 1, "deleted": 1}


def test_what_else_is_past_its_day_goes_meanwhile(night: Night) -> None:
    """C5: the wait keeps the person's own file alone."""
    customer = make_person("1", last_activity=LONG_AGO)
    make_contact(customer, "2020-01-01", "ticket")
    assert night(NIGHT) == {"due": 1, "held": 1}
    assert not customer.interactions.exists() and here() == ["1"]


def test_a_shop_that_tells_nobody_waits_for_nobody(night: Night) -> None:
    Policy(warn_days=0).save()
    make_person("1", last_activity=LONG_AGO)
    assert night(NIGHT) == {"due": 1, "deleted": 1}


def test_the_guard_does_not_count_whom_the_night_only_tells(night: Night) -> None:
    for number in range(SPEAKS_FROM + 1):
        make_person(str(number), last_activity=LONG_AGO)
    assert night(NIGHT, mails=False)["held"] == SPEAKS_FROM + 1
    assert RetentionRun.objects.get().guard is None
    Message.objects.update(state="sent", sent_at=at(NIGHT))
    night(NIGHT + timedelta(days=31))
    assert RetentionRun.objects.order_by("-started_at")[0].state == RetentionRun.State.GUARDED


def test_the_page_of_tonight_says_what_the_night_does(fresh, officer, clock, night: Night) -> None:
    clock(NIGHT, 1)  # the run of this night is still to come
    desk = fresh(officer)
    make_person("1", last_activity=LONG_AGO)
    no_mail = make_person("2", last_activity=LONG_AGO)
    ContactPoint.objects.filter(customer=no_mail, kind="email").delete()
    missing = make_person("3", registered_at=at(LONG_AGO))
    Summary.objects.filter(customer=missing).delete()
    page = desk.post(reverse("privacy:tonight"))
    assert not Message.objects.exists()
    (said,) = [row for row in page.context["rows"] if row["key"] == "ACCOUNT"]
    assert (said["due"], said["held"], said["deleted"]) == (3, 2, 1)
    assert "told that it ends" in page.text
    assert night(NIGHT) == {"due": 3, "held": 2, "deleted": 1}
    clock(NIGHT + timedelta(days=1), 1)
    (said,) = [
        row for row in fresh(officer).post(reverse("privacy:tonight")).context["rows"] if row["key"] == "ACCOUNT"
    ]
    assert (said["due"], said["held"]) == (2, 2)


def test_the_command_ends_what_is_past_its_day_but_keeps_a_promise_and_tells_first_if_asked(
    clock, night: Night
) -> None:
    def purge(*options: str) -> dict[str, Any]:
        out = StringIO()
        call_command("purge_expired", "--json", *options, stdout=out)
        found = json.loads(out.getvalue())["categories"].get("ACCOUNT", {})
        return {name: count for name, count in found.items() if count}

    make_person("1", last_activity=LONG_AGO)
    assert purge("--dry-run") == {"due": 1, "deleted": 1}
    assert purge("--dry-run", "--warn-first") == {"due": 1, "held": 1} and not Message.objects.exists()
    assert purge("--warn-first") == {"due": 1, "held": 1} and Message.objects.count() == 1
    assert purge("--dry-run") == purge() == {"due": 1, "held": 1}
    make_person("2", last_activity=LONG_AGO)
    assert purge() == {"due": 2, "held": 1, "deleted": 1} and here() == ["1"]
    with pytest.raises(CommandError, match="today"):
        purge("--warn-first", "--as-of", (NIGHT - timedelta(days=1)).isoformat())


def test_explanations_name_the_time_that_runs(fresh, officer, night: Night) -> None:
    make_person("1", last_activity=LONG_AGO)
    night(NIGHT)
    out = StringIO()
    call_command("explain_retention", "ACCOUNT", "--start", LONG_AGO, "--customer", "1", "--json", stdout=out)
    said = json.loads(out.getvalue())
    assert said["deletable_from"] == "2021-05-06"
    (hold,) = said["holds"]
    assert (hold["kind"], hold["review"]) == ("notice", "2029-12-04")
    page = fresh(officer).get(reverse("portal:customer_detail", args=["1"]))
    assert "until 04/12/2029" in page.text


def test_a_crowd_costs_as_many_questions_as_one(night: Night) -> None:
    make_person("1", last_activity=LONG_AGO)
    night(NIGHT, mails=False)
    with CaptureQueriesContext(connection) as alone:
        night(NIGHT + timedelta(days=1), mails=False)
    for number in range(2, 42):
        make_person(str(number), last_activity=LONG_AGO)
    night(NIGHT + timedelta(days=2), mails=False)
    with CaptureQueriesContext(connection) as crowd:
        night(NIGHT + timedelta(days=3), mails=False)
    assert len(crowd) == len(alone)


def test_whose_restriction_ends_while_a_run_waits_for_a_person_is_told_first(night: Night) -> None:
    for number in range(SPEAKS_FROM):
        silent = make_person(f"9{number:03}", last_activity=LONG_AGO)
        ContactPoint.objects.filter(customer=silent, kind="email").delete()
    kept = make_person("1", last_activity=LONG_AGO)
    case = restrict(kept, "a", ["all"], "Anschrift bestritten", by=None)
    night(NIGHT)
    run = RetentionRun.objects.get(state=RetentionRun.State.GUARDED)
    Restriction.objects.filter(pk=case.pk).update(notice_sent_at=timezone.now())
    case.refresh_from_db()
    lift(case, by=None)
    Request.objects.update(state=Request.State.CLOSED, closed_at=timezone.now())
    approve_run(run, User.objects.create_user("privacy@laden.example", name="P"))
    work(run.pk)
    assert here() == ["1"]
    assert night(NIGHT + timedelta(days=1)) == {"due": 1, "held": 1}
    assert [to for one in mail.outbox for to in one.to] == ["alma1@laden.example"]
    assert night(NIGHT + timedelta(days=32)) == {"due": 1, "deleted": 1}
