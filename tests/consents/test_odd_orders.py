"""What was said in an unusual order: lists and opt-ins, numbers nobody can read, post after an erasure."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import consents
from consents.audience import allowed_among
from consents.models import Purpose, Record, State
from consents.panel import panel_of
from consents.rebuilding import compare_states
from consents.recording import NotRecorded
from consents.taking import end_consent
from customers.models import Address, ContactPoint, Customer
from customers.suppression import suppress, suppressed
from privacy import objecting
from privacy.erasing import ask_erasure, run_erasure
from tests.consents.making import ON_EMAIL, say
from tests.consents.signing_up import ask, link_of, publish
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db


def reason(customer: Customer, purpose: str = "newsletter", channel: str = "email") -> str:
    return consents.may(customer, purpose, channel).reason


def reached(customer: Customer, purpose: str = "newsletter", channel: str = "email") -> bool:
    return customer.pk in allowed_among([customer.pk], Purpose.objects.get(key=purpose), channel)


# The suppression list and an opt-in to something else


@pytest.mark.parametrize("why", ["unsubscribed", "objection", "complaint"])
def test_an_opt_in_to_something_else_revives_nothing_that_the_list_stopped(why):
    publish("birthday")
    alma, bert = make_person("4711"), make_person("4712")
    address = ON_EMAIL.format("4711")
    shared = ContactPoint.objects.create(customer=bert, kind="email", value=address)
    say(alma, confirmed=True, at=timezone.now() - timedelta(days=90))
    say(bert, endpoint=address, at=timezone.now() - timedelta(days=90))
    suppress("email", address, reason=why, since=timezone.now() - timedelta(days=9))
    assert reason(alma) == "suppressed"
    Client().post(link_of(ask(address, "birthday", customer=alma)))
    assert not suppressed("email", address)
    assert reason(alma, "birthday") == "consent"
    assert (reason(alma), reached(alma)) == ("withdrawn", False)
    assert consents.may(bert, "newsletter", "email", shared.value).reason == "withdrawn"
    assert consents.may(alma, "newsletter", "email", at=timezone.now() - timedelta(days=30)).reason == "consent"
    assert compare_states().ok


@pytest.mark.parametrize("why", ["bounced", "erasure"])
def test_an_address_at_which_nobody_said_no_comes_back_with_all_its_consents(why):
    publish("birthday")
    alma = make_person("4711")
    say(alma, confirmed=True, at=timezone.now() - timedelta(days=90))
    suppress("email", ON_EMAIL.format("4711"), reason=why, since=timezone.now() - timedelta(days=9))
    Client().post(link_of(ask(ON_EMAIL.format("4711"), "birthday")))
    assert (reason(alma), reason(alma, "birthday")) == ("consent", "consent")


def test_what_a_file_told_after_an_erasure_of_before_it_does_not_come_back():
    publish("birthday")
    alma = make_person("4711")
    suppress("email", ON_EMAIL.format("4711"), reason="erasure", since=timezone.now() - timedelta(days=9))
    say(alma, confirmed=True, late=True, source="import", at=timezone.now() - timedelta(days=90))
    assert reason(alma) == "suppressed"
    Client().post(link_of(ask(ON_EMAIL.format("4711"), "birthday")))
    assert (reason(alma), reason(alma, "birthday")) == ("withdrawn", "consent")
    assert compare_states().ok


def test_what_was_agreed_to_after_the_list_spoke_is_left():
    publish("birthday")
    alma = make_person("4711")
    suppress("email", ON_EMAIL.format("4711"), reason="unsubscribed", since=timezone.now() - timedelta(days=9))
    say(alma, at=timezone.now() - timedelta(days=3))  # on paper: the list stands all the same
    assert reason(alma) == "suppressed"
    Client().post(link_of(ask(ON_EMAIL.format("4711"), "birthday")))
    assert (reason(alma), reason(alma, "birthday")) == ("consent", "consent")


# A number that nobody can read


def test_a_number_that_cannot_be_read_takes_no_consent(agent_client):
    alma = make_person("4711")
    ContactPoint.objects.filter(customer=alma, kind="phone").delete()
    point = ContactPoint.objects.create(customer=alma, kind="phone", value="(5) 555-4729")
    assert point.whole_index is None
    publish("phone")
    page = agent_client.get(reverse("consents:take_down", args=["4711"]), {"purpose": "phone"})
    assert "phone." not in str(page.context["form"].fields["choice"].choices)
    with pytest.raises(NotRecorded):
        say(alma, purpose="phone", channel="phone", endpoint="(5) 555-4729")
    assert not Record.objects.exists() and not State.objects.exists()
    assert (reason(alma, "phone", "phone"), reached(alma, "phone", "phone")) == ("never_asked", False)


# Post


def housed(number: str, street: str = "Elbchaussee 12", postcode: str = "22767") -> Customer:
    person = make_person(number)
    Address.objects.filter(customer=person).delete()
    Address.objects.create(customer=person, kind="billing", street=street, postcode=postcode, city="Hamburg")
    return person


def test_an_objection_to_post_outlives_the_erasure(manager):
    alma, neighbor = housed("4711"), housed("4712")
    objecting.object_now(alma, channel="mail", by=manager)
    assert reason(alma, "post", "post") == "objected"
    assert run_erasure(ask_erasure(alma).pk).state == "done"
    # Whoever lived there before the objection is somebody else: their own word counts.
    assert reason(neighbor, "post", "post") == "interests"
    again, elsewhere = housed("4713", street="ELBCHAUSSEE  12"), housed("4714", street="Am Deich 1")
    for at in (None, timezone.now()):
        assert consents.may(again, "post", "post", at=at).reason == "suppressed"
    assert reason(elsewhere, "post", "post") == "interests"
    assert [reached(one, "post", "post") for one in (neighbor, again, elsewhere)] == [True, False, True]
    page = panel_of(again)
    assert next(line for line in page if line.channel == "post").decision.reason == "suppressed"


@pytest.mark.parametrize("agreed_before", [False, True])
def test_an_objection_to_post_alone_outlives_the_person_too(manager, agreed_before):
    alma, neighbor = housed("4711"), housed("4712")
    if agreed_before:
        say(alma, purpose="post", channel="post", endpoint="")
    end_consent(alma, Purpose.objects.get(key="post"), "post", "", by=manager)
    again = housed("4713")
    assert [reason(one, "post", "post") for one in (neighbor, again)] == ["interests", "suppressed"]
    assert not suppressed("email", ON_EMAIL.format("4711"))
    # Their own word goes on deciding about them.
    say(alma, purpose="post", channel="post", endpoint="")
    assert (reason(alma, "post", "post"), reached(alma, "post", "post")) == ("consent", True)
    assert compare_states().ok


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (("Hauptstraße 5", "20095"), ("Hauptstr. 5", "20095")),
        (("Hauptstr.5", "D-20095"), ("HAUPTSTRASSE 5", "20095")),
        (("Haupt Str 5 a", "20095"), ("Hauptstraße 5A", "20095 ")),
    ],
)
def test_one_street_is_one_however_it_is_written(manager, then, now):
    alma = housed("4711", *then)
    objecting.object_now(alma, channel="mail", by=manager)
    assert run_erasure(ask_erasure(alma).pk).state == "done"
    assert reason(housed("4713", *now), "post", "post") == "suppressed"
    assert reason(housed("4714", now[0], "20099"), "post", "post") == "interests"


@pytest.mark.parametrize("field", ["restricted_at", "deactivated_at"])
def test_what_the_list_stopped_does_not_come_back_when_something_else_that_stopped_it_ends(field):
    publish("birthday")
    alma, bert = make_person("4711"), make_person("4712")
    address = ON_EMAIL.format("4711")
    ContactPoint.objects.create(customer=bert, kind="email", value=address)
    say(bert, endpoint=address, at=timezone.now() - timedelta(days=90))
    Customer.objects.filter(pk=bert.pk).update(**{field: timezone.now()})
    suppress("email", address, reason="unsubscribed", since=timezone.now() - timedelta(days=9))
    Client().post(link_of(ask(address, "birthday", customer=alma)))
    Customer.objects.filter(pk=bert.pk).update(**{field: None})
    assert consents.may(bert, "newsletter", "email", address).reason == "withdrawn"
    assert compare_states().ok


def test_a_no_that_was_noted_beside_a_bounce_stops_as_well():
    publish("birthday")
    alma, address = make_person("4711"), ON_EMAIL.format("4711")
    say(alma, at=timezone.now() - timedelta(days=90))
    suppress("email", address, reason="bounced", since=timezone.now() - timedelta(days=60))
    suppress("email", address, reason="objection", since=timezone.now() - timedelta(days=9))
    Client().post(link_of(ask(address, "birthday", customer=alma)))
    assert (reason(alma, "birthday"), reason(alma)) == ("consent", "withdrawn")
    assert State.objects.get(customer=alma, purpose__key="newsletter").since < timezone.now() - timedelta(days=8)
