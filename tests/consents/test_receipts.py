"""Receipts go out once for each change, when it is sealed and signed, and say who, what, why and how to withdraw."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from consents import checkpoints
from consents.checkpoints import sign_checkpoint
from consents.receipts import NotYet, public_key, receipt_of, send_checkpoint, send_receipts
from consents.sealing import seal_pending
from consents.tasks import send_receipts as beat_task
from consents.verify import RECEIPT, unarmored, verify
from consents.withdrawing import withdraw
from datamap.models import AccessLog
from mail.models import Message
from mail.sending import deliver_due
from staff.models import Role, User
from tests.consents.making import say
from tests.privacy.making import make_person
from tests.privacy.packaging import make_shop

pytestmark = pytest.mark.django_db


def seal_and_sign() -> None:
    seal_pending()
    sign_checkpoint()


def test_a_change_is_told_once_and_not_before_it_is_signed() -> None:
    make_shop()
    customer = make_person("4711")
    say(customer, confirmed=True)
    assert send_receipts() == 0
    seal_pending()
    assert send_receipts() == 0  # sealed, not signed
    sign_checkpoint()
    assert send_receipts() == 1
    assert send_receipts() == 0
    beat_task()
    message = Message.objects.get()
    assert (message.message_class, message.customer_id) == ("notice", customer.pk)
    assert set(message.context) == {"entries"}
    deliver_due(10)
    (sent,) = mail.outbox
    assert sent.to == ["alma4711@laden.example"]
    assert "newsletter" not in sent.subject.lower()
    for words in ("Laden am Deich GmbH", "Newsletter, E-Mail", "jederzeit", public_key()):
        assert words in sent.body, sent.body
    content = unarmored(sent.body.encode(), RECEIPT)
    note = checkpoints.written()[0]
    assert verify(content, note, checkpoints.verifying_key()).kind == "given"


def test_several_changes_of_one_person_are_one_mail_and_each_is_told() -> None:
    customer = make_person("4711")
    say(customer)
    say(customer, purpose="birthday")
    seal_and_sign()
    withdraw(customer, "newsletter", "email", source="rfc8058")
    seal_and_sign()
    assert send_receipts() == 1
    assert len(Message.objects.get().context["entries"]) == 3


def test_no_receipt_where_nothing_was_decided_or_a_file_told_it() -> None:
    customer = make_person("4711")
    say(customer, "requested")
    say(customer, "noticed", purpose="feedback", source="sale")
    say(customer, purpose="birthday", source="import", late=True)
    seal_and_sign()
    assert send_receipts() == 0


def test_the_next_page_goes_on_where_the_last_one_ended() -> None:
    for number in range(7):
        say(make_person(str(4711 + number)))
    seal_and_sign()
    assert send_receipts(at_once=3) == 7
    assert Message.objects.values("customer").distinct().count() == 7


def test_an_english_reader_gets_english_words() -> None:
    customer = make_person("4711", language="en")
    say(customer)
    seal_and_sign()
    send_receipts()
    deliver_due(10)
    assert "You may withdraw at any time" in mail.outbox[0].body


def test_whoever_is_restricted_meanwhile_is_not_written_to() -> None:
    customer = make_person("4711")
    say(customer)
    seal_and_sign()
    send_receipts()
    customer.restricted_at = "2026-11-02T10:00:00+01:00"
    customer.save()
    deliver_due(10)
    assert mail.outbox == []


def test_the_privacy_role_downloads_receipt_and_checkpoint_and_the_log_says_so(signed_in) -> None:  # type: ignore[no-untyped-def]
    customer = make_person("4711")
    entry = say(customer)
    user = User.objects.create_user("ps@obhut.example", name="PS", roles=[Role.PRIVACY])
    other = User.objects.create_user("ks@obhut.example", name="KS", roles=[Role.SERVICE])
    page = reverse("receipts:receipt", args=[entry])
    assert signed_in(user).get(page).status_code == 404  # not sealed yet
    with pytest.raises(NotYet):
        receipt_of(entry)
    seal_and_sign()
    file = signed_in(user).get(page)
    note = signed_in(user).get(reverse("receipts:checkpoint", args=[entry]))
    assert (file.status_code, note.status_code) == (200, 200)
    assert customer.number not in file["Content-Disposition"]
    assert verify(file.content, note.content.decode(), checkpoints.verifying_key()).purpose == "newsletter"
    assert AccessLog.objects.filter(customer_number="4711", page="receipts:receipt").exists()
    assert signed_in(other).get(page).status_code == 403
    assert signed_in(user).get(reverse("receipts:receipt", args=[entry + 1])).status_code == 404


def test_anybody_reads_the_public_key(client: Client) -> None:
    out = StringIO()
    call_command("consent_key", stdout=out)
    assert client.get(reverse("receipts:key")).content.decode() == out.getvalue()
    said = StringIO()
    call_command("consent_key", json=True, stdout=said)
    assert json.loads(said.getvalue())["key"] == out.getvalue().strip()


def test_the_officer_gets_the_newest_checkpoint_once_a_day() -> None:
    assert send_checkpoint() is False
    make_shop()
    assert send_checkpoint() is False  # nothing is signed
    say(make_person("4711"))
    seal_and_sign()
    assert send_checkpoint() and send_checkpoint()
    deliver_due(10)
    (sent,) = mail.outbox
    assert sent.to == ["datenschutz@laden.example"]
    assert checkpoints.written()[-1].strip() in sent.body
