"""From the outbox to the mail: what is stored, what is written when, in which language, under which headers."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from customers.models import ContactPoint
from datamap.models import Controller
from mail.headers import register_headers
from mail.models import Enclosure, Letter, Message, MessageClass
from mail.sending import deliver_due, queue
from mail.templates import UnknownTemplate
from tests.mail.conftest import MailServer
from tests.mail.writing import make_customer, now, write

pytestmark = pytest.mark.django_db


def body_of(server: MailServer, subtype: str = "plain") -> str:
    part = server.accepted[-1][1].get_body((subtype,))
    assert part is not None
    return part.get_content()


def test_a_mail_goes_to_the_customers_address_of_the_moment_it_is_sent(mail_server):
    customer = make_customer("alt@laden.example")
    message = write(customer)
    customer.contact_points.all().delete()
    ContactPoint.objects.create(customer=customer, kind="email", value="neu@laden.example")
    assert deliver_due(10) == 1
    assert mail_server.recipients == ["neu@laden.example"]
    sent = now(message)
    assert (sent.state, sent.attempts, sent.lease) == (Message.State.SENT, 1, None)
    assert sent.sent_at is not None


def test_the_outbox_holds_no_word_of_the_mail_and_no_address(mail_server):
    customer = make_customer("zoe@laden.example")
    write(customer)
    write(None, address="fremd@laden.example")
    deliver_due(10)
    assert len(mail_server.accepted) == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(m)::text FROM mail_message m")
        stored = "\n".join(text for (text,) in cursor.fetchall())
    for word in ("zoe@", "fremd@", "Groß", "laden.example"):
        assert word not in stored
    assert Letter.archive.count() == 0


@pytest.mark.parametrize(
    ("customers", "asked", "word", "greeting"),
    [
        ("de", None, "Gesendet", "Guten Tag Zoë Groß,"),
        ("de-AT", None, "Gesendet", "Guten Tag Zoë Groß,"),
        ("en", None, "Sent", "Hello Zoë Groß,"),
        ("fr", None, "Sent", "Hello Zoë Groß,"),
        ("en", "de", "Gesendet", "Guten Tag Zoë Groß,"),
    ],
)
def test_it_is_written_in_the_language_of_the_person(mail_server, customers, asked, word, greeting):
    write(make_customer(language=customers), language=asked)
    deliver_due(10)
    mail = mail_server.accepted[0][1]
    assert mail["Subject"] == f"{word}: Groß"
    for part in ("plain", "html"):
        assert f"{word}: Groß 7" in body_of(mail_server, part)
    assert body_of(mail_server).startswith(greeting)


@pytest.mark.parametrize(
    ("fields", "greeting"),
    [
        ({"salutation": "ms", "title": "Dr."}, "Sehr geehrte Frau Dr. Groß,"),
        ({"salutation": "mr"}, "Sehr geehrter Herr Groß,"),
        ({"salutation": "neutral"}, "Guten Tag Zoë Groß,"),
        ({"first_name": "", "last_name": "", "company": "Rösterei KG"}, "Sehr geehrte Damen und Herren,"),
    ],
)
def test_nobody_is_called_mr_or_ms_unasked(mail_server, fields, greeting):
    write(make_customer(**fields))
    deliver_due(10)
    assert body_of(mail_server).startswith(greeting)


def test_every_mail_says_who_has_written_it(mail_server):
    Controller.objects.create(name="Kaffeekontor GmbH", street="Kai 1", postcode="20457", city="Hamburg")
    write(make_customer())
    deliver_due(10)
    for part in ("plain", "html"):
        assert "Kaffeekontor GmbH, Kai 1, 20457 Hamburg" in body_of(mail_server, part)


def test_a_name_in_the_html_part_is_escaped_and_in_the_text_is_not(mail_server):
    write(make_customer(last_name="<b>O'Neill</b>"))
    deliver_due(10)
    assert "&lt;b&gt;O&#x27;Neill" in body_of(mail_server, "html")
    assert "<b>O'Neill</b>" in body_of(mail_server)


def test_nothing_that_a_name_holds_becomes_a_header(mail_server):
    customer = make_customer(last_name="Groß\r\nBcc: alle@laden.example\r\n\r\nKauft!\u202e")
    write(customer)
    deliver_due(10)
    assert mail_server.recipients == ["zoe@laden.example"]
    mail = mail_server.accepted[0][1]
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Gesendet: Groß Bcc: alle@laden.example Kauft!"


@pytest.mark.parametrize("address", ["zoe@laden.example\r\nBcc: a@b.example", "zoe", "a@b.example, c@d.example", ""])
def test_an_address_that_is_none_is_not_taken(address):
    with pytest.raises(ValueError, match="no e-mail address"):
        write(None, address=address)


def test_an_address_as_typed_in_that_is_none_is_refused_when_sent(mail_server):
    message = write(make_customer("zoe at laden"))
    deliver_due(10)
    assert (now(message).state, now(message).reason) == (Message.State.REFUSED, "bad_address")
    assert mail_server.accepted == []


def test_the_message_id_is_known_from_the_start_and_ours(mail_server, settings):
    settings.DEFAULT_FROM_EMAIL = "Kaffeekontor <post@kontor.example>"
    message = write(make_customer())
    assert message.message_id == f"<{message.uuid}@kontor.example>"
    deliver_due(10)
    mail = mail_server.accepted[0][1]
    assert mail["Message-ID"] == message.message_id
    assert mail["From"] == "Kaffeekontor <post@kontor.example>"
    assert mail["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("message_class", ["letter", "notice", "recall"])
def test_what_nobody_can_unsubscribe_from_offers_no_such_thing(mail_server, message_class):
    with pytest.raises(ValueError, match="Only advertising"):
        register_headers(message_class, lambda message: {"List-Unsubscribe": "<https://laden.example/>"})
    write(make_customer(), message_class)
    deliver_due(10)
    assert mail_server.accepted[0][1]["List-Unsubscribe"] is None


def test_the_same_key_is_the_same_mail(mail_server):
    customer = make_customer()
    first, second = write(customer, key="inactive:2026:1"), write(customer, number=8, key="inactive:2026:1")
    assert first.pk == second.pk
    assert write(customer).pk != write(customer).pk
    deliver_due(10)
    assert len(mail_server.accepted) == 3


def test_a_mail_of_a_transaction_that_fails_is_not_sent(mail_server):
    customer = make_customer()
    with pytest.raises(RuntimeError), transaction.atomic():
        write(customer)
        raise RuntimeError
    assert deliver_due(10) == 0


def test_one_worker_is_woken_however_many_mails_are_queued(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as woken:
        for number in range(5):
            write(make_customer(f"k{number}@laden.example"))
    assert len(woken) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"context": {}},
        {"context": {"number": 1, "more": 2}},
        {"context": {"number": "zoe@laden.example"}},
        {"context": {"number": "x" * 301}},
        {"context": {"number": object()}},
        {"message_class": "letter"},
        {"message_class": "spam"},
        {"attachments": [("a.pdf", b"%PDF", "application/pdf")]},
        {"letter_category": "LETTER"},
        {"to": None},
    ],
)
def test_what_does_not_fit_is_refused_when_it_is_queued(wrong):
    customer = make_customer()
    write(customer)
    values = {"to": customer, "message_class": "notice", "context": {"number": 1}} | wrong
    with pytest.raises(ValueError):  # noqa: PT011
        queue("probe-notice", **values)
    assert Message.objects.count() == 1


def test_an_unknown_template_is_refused():
    with pytest.raises(UnknownTemplate):
        queue("no-such", to=make_customer(), message_class="notice", context={})


def test_a_letter_is_kept_exactly_as_sent_with_its_files(mail_server):
    customer = make_customer(company="Rösterei KG")
    files = [("Antwort.pdf", b"%PDF-1.7 eins", "application/pdf"), ("zwei.txt", "zwei ü".encode(), "text/plain")]
    message = write(customer, "letter", attachments=files, letter_category="REQUEST")
    deliver_due(10)
    letter = Letter.objects.get(message=message)
    mail = mail_server.accepted[0][1]
    assert (letter.kept_as, letter.subject, letter.body) == ("REQUEST", mail["Subject"], body_of(mail_server))
    assert letter.html == body_of(mail_server, "html")
    assert letter.recipient_lines == "Rösterei KG\nZoë Groß\nzoe@laden.example"
    assert letter.sent_at == now(message).sent_at
    sent = [(part.get_filename(), part.get_content()) for part in mail.iter_attachments()]
    assert sent == [("Antwort.pdf", b"%PDF-1.7 eins"), ("zwei.txt", "zwei ü")]
    kept = [(one.name, one.file.open("rb").read()) for one in letter.enclosures.order_by("pk")]
    assert kept == [(name, content) for name, content, _type in files]


def test_a_kept_letter_lies_sealed_its_files_too(mail_server, sealed_root):
    write(make_customer(), "letter", attachments=[("Zoë.pdf", b"%PDF Klartext", "application/pdf")])
    deliver_due(10)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(l)::text FROM mail_letter l")
        stored = cursor.fetchone()[0]
        cursor.execute("SELECT to_jsonb(e)::text FROM mail_enclosure e")
        stored += cursor.fetchone()[0]
    assert "Groß" not in stored
    assert "Zoë" not in json.loads(json.dumps(stored))
    (file,) = [path for path in sealed_root.rglob("*") if path.is_file()]
    assert b"Klartext" not in file.read_bytes()
    assert Enclosure.objects.get().file.open("rb").read() == b"%PDF Klartext"


def test_a_letter_is_written_once_whatever_changes_before_the_second_attempt(mail_server):
    customer = make_customer()
    mail_server.answers["zoe@laden.example"] = ["451 4.7.1 later"]
    message = write(customer, "letter")
    deliver_due(10)
    assert now(message).state == Message.State.QUEUED
    customer.last_name = "Klein"
    customer.save()
    Message.objects.update(next_attempt_at=timezone.now() - timedelta(minutes=1))
    deliver_due(10)
    assert "Groß" in body_of(mail_server)
    assert mail_server.accepted[0][1]["Message-ID"] == message.message_id


def test_a_blocked_letter_is_found_in_the_archive_alone(mail_server):
    message = write(make_customer(), "letter")
    deliver_due(10)
    Letter.objects.filter(message=message).update(blocked_at=timezone.now(), customer=None)
    assert not Letter.objects.exists()
    assert Letter.archive.get().subject


def test_every_class_has_its_words():
    assert [str(label) for label in MessageClass.labels] == [
        "Brief",
        "Mitteilung",
        "Werbung",
        "Bitte um Rückmeldung",
        "Produktrückruf",
    ]
