"""What an erasure stops in the outbox, and what still goes out."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection

from mail.models import Letter, Message
from mail.sending import deliver_due, queue
from tests.mail.writing import make_customer, make_due, now, write

pytestmark = pytest.mark.django_db(transaction=True)


def erase(number: str) -> None:
    call_command("erase_person", number, "--json")


def test_what_waits_for_an_erased_person_is_never_sent(mail_server, capsys):
    customer = make_customer(number="K-1")
    for message_class in ("notice", "letter", "recall"):
        write(customer, message_class)
    write(None, address="zoe@laden.example")
    erase("K-1")
    make_due()
    deliver_due(10)
    assert mail_server.accepted == []


def test_the_answer_to_the_request_still_reaches_the_person(mail_server, capsys):
    customer = make_customer(number="K-1")
    files = [("Antwort.pdf", b"%PDF", "application/pdf")]
    answer = write(customer, "letter", letter_category="REQUEST", attachments=files)
    erase("K-1")
    make_due()
    deliver_due(10)
    assert mail_server.recipients == ["zoe@laden.example"]
    mail = mail_server.accepted[0][1]
    assert not Message.objects.filter(pk=answer.pk).exists()
    assert "Groß" in mail.get_body(("plain",)).get_content()
    assert [part.get_filename() for part in mail.iter_attachments()] == ["Antwort.pdf"]
    letter = Letter.archive.get()
    assert letter.customer is None
    assert letter.sent_at is not None


def test_a_letter_that_was_sent_is_blocked_and_the_row_of_its_mail_is_gone(mail_server, capsys):
    customer = make_customer(number="K-1")
    letter, notice = write(customer, "letter"), write(customer)
    deliver_due(10)
    erase("K-1")
    assert not Letter.objects.exists()
    kept = Letter.archive.get()
    assert (kept.customer, bool(kept.subject_ref), bool(kept.blocked_at)) == (None, True, True)
    assert not Message.objects.filter(pk=letter.pk).exists()
    left = now(notice)
    assert (left.customer, left.key, left.context, left.provider_id) == (None, None, {}, "")


def test_no_row_of_the_outbox_leads_to_the_address_any_more(mail_server, capsys):
    customer = make_customer(number="K-1")
    write(customer, address="alt@laden.example")
    write(None, address="zoe@laden.example")
    deliver_due(10)
    erase("K-1")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM mail_message WHERE recipient IS NOT NULL OR recipient_index IS NOT NULL")
        assert cursor.fetchone()[0] == 0


def test_other_people_get_their_mails_all_the_same(mail_server, capsys):
    make_customer(number="K-1")
    write(make_customer("otto@laden.example", number="K-2"))
    queue("trial", address="team@laden.example", message_class="notice", context={})
    erase("K-1")
    make_due()
    deliver_due(10)
    assert sorted(mail_server.recipients) == ["otto@laden.example", "team@laden.example"]
