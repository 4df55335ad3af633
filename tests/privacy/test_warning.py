"""Before an account ends for want of activity its owner is told in time, once for each period of silence."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import ContactPoint, Customer, Summary
from datamap.versioning import add_version, newest, successor
from mail.models import Message, MessageClass
from mail.sending import Mail, deliver_due, queue_many
from privacy.models import Policy
from privacy.warning import warn_inactive
from tests.privacy.making import at, make_person

pytestmark = pytest.mark.django_db

# ACCOUNT (domain.md 5): 24 months after the last activity, from the day after; told 31 days before.
ACTIVE = "2024-11-30"
ENDS = date(2026, 12, 1)


def told() -> list[str]:
    return sorted(Message.objects.values_list("customer__number", flat=True))


def test_who_ends_within_the_days_of_the_settings_is_told_once() -> None:
    make_person("1", last_activity=ACTIVE, language="de")
    make_person("2", last_activity="2025-11-30")
    assert warn_inactive(ENDS - timedelta(days=32)) == 0
    assert warn_inactive(ENDS - timedelta(days=31)) == 1
    assert warn_inactive(ENDS - timedelta(days=30)) == 0
    assert told() == ["1"]
    message = Message.objects.get()
    assert message.message_class == MessageClass.NOTICE and message.language == "de"
    assert message.context == {"since": ACTIVE}


def test_on_the_day_of_the_end_it_is_not_too_late() -> None:
    """The night waits for whoever is told so late: `test_warned_first`."""
    make_person(last_activity=ACTIVE)
    assert warn_inactive(ENDS) == 1
    assert warn_inactive(ENDS + timedelta(days=1)) == 0


def test_a_new_silence_is_told_of_again() -> None:
    customer = make_person(last_activity=ACTIVE)
    assert warn_inactive(ENDS - timedelta(days=1)) == 1
    Summary.objects.filter(customer=customer).update(last_activity=at("2024-12-05"))
    assert warn_inactive(ENDS) == 1


def test_whoever_is_heard_of_before_the_mail_goes_out_is_told_of_no_end() -> None:
    """The mail waits, for want of a server perhaps; what it says would no longer be true."""
    make_person("1", last_activity=ACTIVE)
    back = make_person("2", last_activity=ACTIVE)
    assert warn_inactive(ENDS - timedelta(days=1)) == 2
    Summary.objects.filter(customer=back).update(last_activity=at("2026-11-30"))
    deliver_due()
    states = dict(Message.objects.values_list("customer__number", "state"))
    assert states == {"1": Message.State.SENT, "2": Message.State.REFUSED}
    assert Message.objects.get(customer=back).reason == "account_goes_on"
    assert [to for one in mail.outbox for to in one.to] == ["alma1@laden.example"]


def test_nobody_is_told_who_cannot_or_must_not_be_written_to() -> None:
    nobody = make_person("1", last_activity=ACTIVE)
    ContactPoint.objects.filter(customer=nobody, kind="email").delete()
    make_person("2", last_activity=ACTIVE, restricted_at=timezone.now())
    make_person("3", last_activity=ACTIVE, deactivated_at=timezone.now())
    make_person("4", last_activity=ACTIVE, status="prospect")
    two = make_person("5", last_activity=ACTIVE)
    ContactPoint.objects.create(customer=two, kind="email", value="zweite@laden.example")
    assert warn_inactive(ENDS - timedelta(days=1)) == 1
    assert told() == ["5"]


def test_a_crowd_costs_as_many_queries_as_one() -> None:
    make_person("0", last_activity=ACTIVE)
    with CaptureQueriesContext(connection) as alone:
        assert warn_inactive(ENDS - timedelta(days=1)) == 1
    for number in range(1, 41):
        make_person(str(number), last_activity=ACTIVE)
    with CaptureQueriesContext(connection) as crowd:
        assert warn_inactive(ENDS - timedelta(days=1)) == 40
    assert len(crowd) == len(alone)


@pytest.mark.django_db(transaction=True)
def test_the_mail_that_arrives_says_since_when() -> None:
    Policy(warn_days=60).save()
    make_person("1", last_activity=ACTIVE, language="de")
    make_person("2", last_activity=ACTIVE, language="en")
    assert warn_inactive(ENDS - timedelta(days=60)) == 2
    deliver_due()
    german, english = sorted((sent.body for sent in mail.outbox), key=lambda body: "Seit dem" not in body)
    assert "Seit dem 30. November 2024 haben wir" in german
    assert "since 30 November 2024." in " ".join(english.split())


def test_a_set_of_mails_is_refused_as_one_would_be() -> None:
    customer = make_person()
    fitting = Mail(customer.pk, {"since": ACTIVE}, "a")
    for context in ({}, {"since": "alma@laden.example"}, {"since": ACTIVE, "name": "Alma"}):
        with pytest.raises(ValueError, match="context"):
            queue_many("account_ends", [fitting, Mail(customer.pk, context, "b")], message_class="notice")
    with pytest.raises(ValueError, match="class"):
        queue_many("account_ends", [fitting], message_class="advertising")
    assert not Message.objects.exists() and Customer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_mail_says_the_period_of_the_rule_by_which_the_account_ends() -> None:
    """The privacy role edits rules; the first version says two years."""
    rule = successor(newest("ACCOUNT"))
    rule.number, rule.unit, rule.valid_from, rule.reason = 36, "m", date(2025, 1, 1), "longer"
    add_version(rule, user_id=None)
    make_person("1", last_activity="2023-11-30", language="de")
    make_person("2", last_activity="2023-11-30", language="en")
    assert warn_inactive(ENDS - timedelta(days=1)) == 2
    deliver_due()
    german, english = sorted((sent.body for sent in mail.outbox), key=lambda body: "Seit dem" not in body)
    assert "36 Monate" in german and "zwei Jahre" not in german
    assert "36 months" in " ".join(english.split()) and "two years" not in english
    html = [content for sent in mail.outbox for content, _kind in getattr(sent, "alternatives", [])]
    assert all("36 " in content for content in html)
