"""A number or letter box that a no has stopped comes back by what was signed since, and by nothing less."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

import consents
from consents.audience import allowed_among
from consents.models import Entry, Purpose, Record
from consents.rebuilding import compare_states
from customers.models import ContactPoint, Customer, Suppression
from customers.suppression import suppress, suppressed
from datamap import journal
from privacy.objecting import object_now
from tests.consents.publishing import give
from tests.consents.test_panel import PDF, desk, end, person, take, wording
from tests.privacy.making import make_person

__all__ = ["desk", "person"]

pytestmark = pytest.mark.django_db
NUMBER = "+49301234567"


@pytest.fixture
def stopped(person: Customer, desk) -> Customer:
    """Somebody who agreed to calls and messages, and then wanted neither any more."""
    give(person, purpose="newsletter", channel="sms", endpoint=NUMBER, at=timezone.now() - timedelta(days=90))
    give(person, purpose="phone", channel="phone", endpoint=NUMBER, confirmed=False)
    end(desk, person, "newsletter", "sms")
    end(desk, person, "phone", "phone")
    assert suppressed("phone", NUMBER)
    return person


def signed(client, customer: Customer, **given):
    """A paper with its scan, of which the desk says that it was signed after the no."""
    scan = SimpleUploadedFile("Unterschrift.pdf", PDF, "application/pdf")
    return take(client, customer, **({"source": "paper", "signed": "on", "scans": scan} | given))


def reason(customer: Customer, purpose: str = "phone", channel: str = "phone") -> str:
    found = consents.may(customer, purpose, channel)
    used = Purpose.objects.get(key=purpose)
    assert (customer.pk in allowed_among([customer.pk], used, channel)) == found.allowed
    return found.reason


def test_a_signed_paper_brings_exactly_what_it_is_about_back(stopped, desk):
    assert signed(desk, stopped, wording=wording()).status_code == 302
    assert (reason(stopped), reason(stopped, "newsletter", "sms")) == ("consent", "withdrawn")
    assert not suppressed("phone", NUMBER)
    assert Suppression.objects.filter(ended_at__isnull=False).count() == 1
    assert sum(entry.kind == "suppression_ended" for entry in journal.entries()) == 1
    assert Record.objects.latest("pk").confirmed
    assert compare_states().ok


def test_a_spoken_yes_changes_nothing_and_the_page_says_what_would(stopped, desk):
    page = desk.get(reverse("consents:take_down", args=[stopped.number]), {"purpose": "phone"}).text
    assert "seither unterschrieben" in page and 'name="signed"' in page
    assert take(desk, stopped, wording=wording()).status_code == 302
    assert reason(stopped) == "suppressed"
    assert suppressed("phone", NUMBER)


def test_where_nothing_was_stopped_nothing_is_asked(person, desk):
    page = desk.get(reverse("consents:take_down", args=[person.number]), {"purpose": "phone"}).text
    assert "seither unterschrieben" not in page and 'name="signed"' not in page
    assert take(desk, person, wording=wording(), signed="on").status_code == 302
    assert not Record.objects.get().confirmed


@pytest.mark.parametrize("lacks", [{"scans": ""}, {"source": "phone_call"}])
def test_without_signature_and_scan_it_is_refused(stopped, desk, lacks):
    entries = Entry.objects.count()
    assert signed(desk, stopped, wording=wording(), **lacks).status_code == 422
    assert Entry.objects.count() == entries
    assert suppressed("phone", NUMBER)


def test_a_paper_of_before_the_no_ends_nothing(stopped, desk):
    before = timezone.localtime() - timedelta(days=2)
    answer = signed(desk, stopped, wording=wording(), at=before.strftime("%Y-%m-%dT%H:%M"))
    assert answer.status_code == 422
    assert "seitdem" in answer.text
    assert suppressed("phone", NUMBER)


def test_nor_one_of_before_a_no_that_only_the_list_knows(person, desk):
    suppress("phone", NUMBER, reason="objection", since=timezone.now() - timedelta(days=9))
    suppress("sms", NUMBER, reason="unsubscribed", since=timezone.now() - timedelta(days=1))
    days = {n: (timezone.localtime() - timedelta(days=n)).strftime("%Y-%m-%dT%H:%M") for n in (30, 5)}
    good = wording()
    assert signed(desk, person, wording=good, at=days[30]).status_code == 422
    assert signed(desk, person, wording=good, at=days[5]).status_code == 422
    assert signed(desk, person, wording=good).status_code == 302
    assert reason(person) == "consent"


def test_what_was_signed_goes_before_an_objection_for_exactly_that_number(person, desk):
    other = ContactPoint.objects.create(customer=person, kind="phone", value="+49307654321")
    object_now(person, channel="phone", by=None)
    assert signed(desk, person, wording=wording()).status_code == 302
    assert reason(person) == "consent"
    assert consents.may(person, "phone", "phone", other.value).reason == "objected"
    assert consents.may(person, "post", "post").reason == "objected"
    assert signed(desk, person, purpose="post", channel="post", wording=wording("post")).status_code == 302
    assert reason(person, "post", "post") == "consent"


def test_who_else_has_the_number_gets_nothing_back(stopped, desk):
    bert = make_person("4712")
    give(bert, purpose="phone", channel="phone", endpoint=NUMBER, at=timezone.now() - timedelta(days=30))
    assert reason(bert) == "suppressed"
    signed(desk, stopped, wording=wording())
    assert (reason(stopped), reason(bert)) == ("consent", "withdrawn")


def test_an_address_comes_back_by_its_own_confirmation_alone(person, desk):
    give(person)
    end(desk, person, "newsletter", "email")
    page = desk.get(reverse("consents:take_down", args=[person.number]), {"purpose": "newsletter"}).text
    assert "mit dem Link in ihrer E-Mail bestätigt" in page
    good = wording("newsletter")
    assert signed(desk, person, purpose="newsletter", channel="email", wording=good).status_code == 302
    assert (reason(person, "newsletter", "email"), Record.objects.latest("pk").confirmed) == ("suppressed", False)
    object_now(person, channel="phone", by=None)
    assert signed(desk, person, purpose="newsletter", channel="email", wording=good).status_code == 422
    assert suppressed("email", "alma4711@laden.example")
