"""Advertising and requests for feedback leave only where a consent allows it at that moment."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from consents import gates
from consents.events import Event
from consents.models import Purpose, Record, State
from consents.recording import months_later, record
from consents.withdrawing import withdraw
from customers import summary
from customers.models import Customer, Flag
from customers.suppression import suppress
from mail.gates import reason_text
from mail.models import Message
from mail.sending import deliver_due, queue
from mail.templates import register
from tests.consents.signing_up import MAIL, advertise, ask, link_of, person, publish
from tests.mail.writing import make_due

pytestmark = pytest.mark.django_db


def given(customer: Customer, purpose: str = "newsletter", address: str = MAIL, **more) -> None:
    said = {"kind": "given", "confirmed": True, "source": "double_opt_in"} | more
    kind = said.pop("kind")
    record(Event(kind, customer.pk, customer.number, purpose, "email", address, **said))


def sent(message: Message) -> tuple[str, str]:
    deliver_due(10)
    row = Message.objects.get(pk=message.pk)
    return row.state, row.reason


CLASSES = {"advertising": "newsletter", "feedback": "feedback"}


@pytest.mark.parametrize(("message_class", "purpose"), CLASSES.items())
def test_without_a_consent_it_does_not_leave_and_with_one_it_does(mail_server, message_class, purpose):
    customer = person()
    assert sent(advertise(customer, message_class)) == ("refused", "never_asked")
    other = next(one for one in CLASSES.values() if one != purpose)
    given(customer, other)
    assert sent(advertise(customer, message_class)) == ("refused", "never_asked")
    given(customer, purpose)
    assert sent(advertise(customer, message_class)) == ("sent", "")
    assert mail_server.recipients == [MAIL]


def test_who_was_told_at_the_sale_gets_it_until_the_person_says_no(mail_server):
    customer = person()
    given(customer, kind="noticed", confirmed=False, source="sale")
    assert sent(advertise(customer)) == ("sent", "")
    withdraw(customer, "newsletter", "email", source="rfc8058")
    assert sent(advertise(customer)) == ("refused", "withdrawn")


def stop(customer: Customer, how: str) -> None:
    now = timezone.now()
    if how == "withdrawn":
        withdraw(customer, "newsletter", "email", source="desk")
    elif how == "objected":
        summary.set_advertising_stops({customer.pk: now})
    elif how == "suppressed":
        suppress("email", MAIL, reason="bounced")
    elif how in ("restricted", "deactivated"):
        Customer.objects.filter(pk=customer.pk).update(**{f"{how}_at": now})
    elif how == "too_young":
        Flag.objects.create(customer=customer, kind="minor", reason="x", review_on=now.date())
    elif how == "stale":
        State.objects.update(fresh_until=now)
    elif how == "retired":
        Purpose.objects.filter(key="newsletter").update(retired_at=now)


STOPS = ["withdrawn", "objected", "suppressed", "restricted", "deactivated", "too_young", "stale", "retired"]


@pytest.mark.parametrize("how", STOPS)
def test_what_happens_after_it_was_queued_stops_it_and_the_reason_is_kept(mail_server, how):
    customer = person()
    given(customer)
    message = advertise(customer)
    stop(customer, how)
    assert sent(message) == ("refused", how)
    assert reason_text(how) != how
    assert mail_server.accepted == []
    make_due()
    assert sent(message) == ("refused", how)


def test_a_consent_confirmed_after_an_objection_is_a_yes_to_the_outbox_as_well(mail_server):
    customer = person()
    publish()
    summary.set_advertising_stops({customer.pk: timezone.now()})
    suppress("email", MAIL, reason="objection")
    assert sent(advertise(customer)) == ("refused", "objected")
    Client().post(link_of(ask()))
    deliver_due(10)
    mail_server.accepted.clear()
    assert sent(advertise(customer)) == ("sent", "")


def test_a_consent_for_one_address_is_none_for_another(mail_server):
    customer = person()
    given(customer, address="andere@laden.example")
    assert sent(advertise(customer)) == ("refused", "never_asked")
    assert sent(advertise(customer, address="andere@laden.example")) == ("refused", "not_theirs")


def test_nobody_known_gets_no_advertising(mail_server):
    assert sent(advertise(None, address="fremd@laden.example")) == ("refused", "never_asked")


@pytest.mark.parametrize("purpose", ["account", "loyalty", "feedback", "gibt-es-nicht", "post"])
def test_no_other_purpose_lets_advertising_through(mail_server, purpose):
    customer = person()
    given(customer)
    register("werbung", "Werbung", "advertising", ["number", "purpose"], files="probe")
    message = queue("werbung", to=customer, message_class="advertising", context={"number": 1, "purpose": purpose})
    assert sent(message) == ("refused", "no_purpose")


def test_the_mail_names_its_purpose(mail_server):
    customer = person()
    given(customer, "birthday")
    register("gruss", "Gruß", "advertising", ["number", "purpose"], files="probe")
    context = {"number": 1, "purpose": "birthday"}
    assert sent(queue("gruss", to=customer, message_class="advertising", context=context)) == ("sent", "")


@pytest.mark.parametrize("message_class", ["letter", "notice", "recall"])
def test_what_is_no_advertising_needs_no_consent(mail_server, message_class):
    customer = person()
    given(customer, kind="refused")
    assert sent(advertise(customer, message_class)) == ("sent", "")


def test_each_mail_is_a_use_that_keeps_its_consent_fresh(mail_server):
    customer = person()
    long_ago = timezone.now() - timedelta(days=800)
    for purpose in ("newsletter", "feedback"):
        given(customer, purpose, at=long_ago)
    message = advertise(customer)
    assert sent(message) == ("sent", "")
    at = Message.objects.get(pk=message.pk).sent_at
    used = dict(Record.objects.values_list("purpose__key", "used_at"))
    assert used == {"newsletter": at, "feedback": long_ago}
    fresh = dict(State.objects.values_list("purpose__key", "fresh_until"))
    assert fresh["newsletter"] == months_later(at, 36)
    assert fresh["feedback"] == months_later(long_ago, 36)


def test_a_mail_that_did_not_leave_is_no_use(mail_server):
    customer = person()
    long_ago = timezone.now() - timedelta(days=800)
    given(customer, at=long_ago)
    mail_server.answers[MAIL] = ["550 5.1.1 nobody here"]
    assert sent(advertise(customer))[0] == "failed"
    assert Record.objects.get().used_at == long_ago


def test_uses_are_noted_for_a_set_at_once(mail_server):
    ids = []
    for n in range(8):
        customer = person(f"K-{n}", f"n{n}@laden.example")
        given(customer, address=f"n{n}@laden.example", at=timezone.now() - timedelta(days=800))
        ids.append(advertise(customer).pk)
    Message.objects.update(state="sent", sent_at=timezone.now())
    with CaptureQueriesContext(connection) as one:
        gates.note_sent(ids[:1])
    with CaptureQueriesContext(connection) as all_:
        gates.note_sent(ids)
    assert len(one) == len(all_)
    assert not Record.objects.filter(used_at__lt=timezone.now() - timedelta(days=1)).exists()


def test_a_prospect_who_gets_what_was_asked_for_is_no_forgotten_lead(mail_server):
    prospect = person(status="prospect")
    given(prospect)
    assert sent(advertise(prospect)) == ("sent", "")
    assert Customer.objects.get(pk=prospect.pk).summary.last_contact is not None
    account = person("K-2", "konto@laden.example")
    given(account, address="konto@laden.example")
    assert sent(advertise(account)) == ("sent", "")
    assert not Customer.objects.filter(pk=account.pk, summary__last_contact__isnull=False).exists()
