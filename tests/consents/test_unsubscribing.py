"""Unsubscribing by one click (RFC 8058), by the link in the mail and at the provider: at once, and for good."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

import consents
from consents.models import Entry, Record, State
from consents.rebuilding import compare_states
from consents.tokens import Forged, Ticket, read_unsubscribe_token, unsubscribe_token
from consents.unsubscribing import unsubscribe_url
from customers.models import ContactPoint, Suppression
from customers.suppression import suppressed
from datamap import journal
from mail.events import work_off_events
from mail.models import Deliverability, Message
from mail.previewing import preview
from mail.sending import deliver_due
from mail.templates import template_of
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Request
from tests.consents.signing_up import MAIL, advertise, ask, link_of, person, publish
from tests.mail.test_events import FOLLOWS, SECRET, report, with_address
from tests.mail.writing import write

pytestmark = pytest.mark.django_db

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture(autouse=True)
def _wordings(db):
    for key in ("newsletter", "birthday", "feedback"):
        publish(key)


@pytest.fixture
def customer(db):
    found = person()
    for purpose in ("newsletter", "feedback"):
        agree(purpose)
    return found


def agree(purpose: str, address: str = MAIL) -> None:
    assert Client().post(link_of(ask(address, purpose))).status_code == 200


def link(message: Message) -> str:
    return urlsplit(unsubscribe_url(message)).path


def what(customer, purpose: str = "newsletter") -> str:
    return consents.may(customer, purpose, "email", MAIL).reason


# The mail


def test_advertising_carries_the_headers_of_the_standard_and_shows_the_link(customer, mail_server):
    message = advertise(customer)
    deliver_due(10)
    ((_to, mail),) = mail_server.accepted
    uri = mail["List-Unsubscribe"].strip()[1:-1]
    assert uri.startswith("http://127.0.0.1:8000/c/u/")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Id"] == "<newsletter.127.0.0.1>"
    assert mail["Feedback-ID"].split(":")[:3] == ["probe-advertising", "newsletter", "advertising"]
    for part in ("plain", "html"):
        assert "/c/u/" in mail.get_body((part,)).get_content()
    assert Client().post(urlsplit(uri).path, ONE_CLICK).status_code == 200
    assert what(customer) == "withdrawn"
    assert Message.objects.get(pk=message.pk).state == "sent"


@pytest.mark.parametrize("message_class", ["letter", "notice", "recall"])
def test_nothing_else_can_be_unsubscribed_from(customer, mail_server, message_class):
    write(customer, message_class)
    deliver_due(10)
    ((_to, mail),) = mail_server.accepted
    assert {"List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Feedback-ID"} & set(mail.keys()) == set()
    assert "/c/u/" not in mail.get_body(("plain",)).get_content()


def test_a_template_that_hides_the_link_is_not_sent(customer, mail_server, settings, tmp_path):
    message = advertise(customer)
    folder = tmp_path / "mail" / "texts"
    folder.mkdir(parents=True)
    for name in ("probe.html", "probe.txt"):
        (folder / name).write_text("{{ word }}")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    deliver_due(10)
    assert mail_server.accepted == []
    row = Message.objects.get(pk=message.pk)
    assert (row.state, row.reason) == ("queued", "fault")


def test_the_preview_shows_where_the_link_stands(customer):
    advertise(customer)
    assert "http://" in preview(template_of("probe-advertising"), "de").body


# The link


def test_the_link_says_nothing_and_cannot_be_made_up(customer):
    token = link(advertise(customer)).rpartition("/")[2]
    for place in (0, 3, 40, len(token) - 1):
        other = "A" if token[place] != "A" else "B"
        forged = token[:place] + other + token[place + 1 :]
        with pytest.raises(Forged):
            read_unsubscribe_token(forged)
        assert Client().post(f"/c/u/{forged}", ONE_CLICK).status_code == 404
        assert Client().get(f"/c/u/{forged}").status_code == 404
    assert MAIL not in token
    ticket = read_unsubscribe_token(token)
    assert unsubscribe_token(ticket) != token  # two links of one mail are not alike
    assert read_unsubscribe_token(unsubscribe_token(ticket)) == ticket
    assert what(customer) == "consent"


@pytest.mark.parametrize("left", ["", "A", "AAGt%20r9", "A" * 900, "ä"])
def test_what_a_mail_program_left_of_a_link_says_so_in_the_name_of_the_shop(left):
    for way in ("u", "texts"):
        answer = Client().get(f"/c/{way}/{left}")
        assert answer.status_code == 404
        assert "Vielleicht hat Ihr Mailprogramm ihn abgeschnitten." in answer.text
    assert Client().get(f"/c/confirm/{left}").templates[0].name == "consents/public/confirmed.html"


def test_the_link_of_an_opt_in_unsubscribes_nobody_and_the_other_way_round(customer):
    other = link_of(ask("neu@laden.example")).rstrip("/").rpartition("/")[2]
    assert Client().post(f"/c/u/{other}", ONE_CLICK).status_code == 404
    token = link(advertise(customer)).rpartition("/")[2]
    assert Client().post(f"/c/confirm/{token}/").status_code == 404
    assert what(customer) == "consent"


def test_looking_changes_nothing(customer):
    url = link(advertise(customer))
    entries = Entry.objects.count()
    for method in ("get", "head", "options", "put", "delete", "patch"):
        answer = getattr(Client(), method)(url)
        assert answer.status_code in (200, 405)
        assert not answer.cookies
    assert "<button" in Client().get(url).content.decode()
    assert Entry.objects.count() == entries
    assert what(customer) == "consent"


BODIES = {
    "urlencoded": {"data": "List-Unsubscribe=One-Click", "content_type": "application/x-www-form-urlencoded"},
    "multipart": {"data": ONE_CLICK},
    "empty": {},
    "empty multipart": {"data": b"", "content_type": "multipart/form-data; boundary=x"},
    "broken multipart": {"data": b"--y\r\n\r\nnothing", "content_type": "multipart/form-data; boundary="},
    "json": {"data": "{}", "content_type": "application/json"},
    "a charset that is no text": {
        "data": b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
        "content_type": "multipart/form-data; boundary=x; charset=rot13",
    },
    "too large": {"data": b"a" * 3_000_000, "content_type": "application/x-www-form-urlencoded"},
    "too many fields": {"data": b"a=1&" * 2_000, "content_type": "application/x-www-form-urlencoded"},
    "no text": {"data": b"a=\xff%ff&=&&", "content_type": "application/x-www-form-urlencoded; charset=nix"},
}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("body", BODIES)
def test_a_post_unsubscribes_whatever_its_body(customer, settings, body, slash):
    settings.SECURE_SSL_REDIRECT = True  # the answer must not be a redirect, whatever else is redirected
    settings.APPEND_SLASH = True
    url = link(advertise(customer))
    for _ in range(2):
        program = Client(enforce_csrf_checks=True)
        sent = BODIES[body]
        if isinstance(sent.get("data"), bytes):
            answer = program.generic("POST", url + slash, **sent)
        else:
            answer = program.post(url + slash, **sent)
        assert answer.status_code == 200
        assert not answer.cookies
        assert "Location" not in answer
    assert what(customer) == "withdrawn"
    record = Record.objects.get(kind="withdrawn")
    assert (record.source, record.purpose.key) == ("rfc8058", "newsletter")
    assert what(customer, "feedback") == "consent"
    assert not suppressed("email", MAIL)  # the person still wants to be asked for feedback
    assert compare_states().ok


@pytest.mark.django_db(transaction=True)
def test_eight_clicks_at_once_are_one_withdrawal():
    for key in ("newsletter", "feedback"):
        publish(key, number=2)
    customer = person()
    agree("newsletter")
    url = link(advertise(customer))

    def click(_n: int) -> int:
        try:
            return Client().post(url, ONE_CLICK).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as programs:
        assert set(programs.map(click, range(8))) == {200}
    assert Record.objects.filter(kind="withdrawn").count() == 1
    assert Suppression.objects.count() == 1


def test_the_last_purpose_puts_the_address_on_the_list_and_the_journal_knows_it(customer):
    for message_class in ("advertising", "feedback"):
        Client().post(link(advertise(customer, message_class)), ONE_CLICK)
    assert suppressed("email", MAIL)
    kinds = [entry.kind for entry in journal.entries()]
    assert kinds.count("consent_withdrawal") == 2
    assert kinds.count("suppression") == 1


def test_another_purpose_is_named_by_the_mail():
    customer = person()
    agree("newsletter")
    agree("birthday")
    message = advertise(customer)
    message.context = message.context | {"purpose": "birthday"}
    message.save()
    Client().post(link(message), ONE_CLICK)
    assert what(customer, "birthday") == "withdrawn"
    assert what(customer) == "consent"


def test_who_never_agreed_may_say_no_as_well():
    customer = person()
    message = advertise(customer)
    Client().post(link(message), ONE_CLICK)
    Client().post(link(message), ONE_CLICK)
    assert what(customer) == "withdrawn"
    assert Entry.objects.count() == 1
    assert suppressed("email", MAIL)


def test_a_link_ends_the_consent_at_the_address_it_went_to(customer):
    url = link(advertise(customer))
    ContactPoint.objects.filter(customer=customer).update(is_primary=False)
    ContactPoint.objects.create(customer=customer, kind="email", value="neu@laden.example", is_primary=True)
    agree("newsletter", "neu@laden.example")
    Client().post(url, ONE_CLICK)
    assert what(customer) == "withdrawn"
    assert consents.may(customer, "newsletter", "email", "neu@laden.example").allowed


def test_the_link_still_works_after_the_erasure(customer):
    customer.registered_at = timezone.now() - timedelta(days=9)
    customer.save()
    url = link(advertise(customer))
    run_erasure(ask_erasure(customer).pk)
    Suppression.objects.all().delete()
    for _ in range(2):
        assert Client().post(url, ONE_CLICK).status_code == 200
    assert suppressed("email", MAIL)
    assert Suppression.objects.count() == 1


# The page


def test_the_page_names_what_is_left_and_ends_that_too(customer):
    url = link(advertise(customer))
    page = Client().post(url, {"by": "page"}).content.decode()
    assert "Bitte um Bewertung" in page
    assert MAIL not in page
    assert "Groß" not in page
    assert Record.objects.get(kind="withdrawn").source == "self_service"
    assert Client().post(url, {"by": "page", "purpose": "feedback"}).status_code == 200
    assert what(customer, "feedback") == "withdrawn"
    assert suppressed("email", MAIL)


@pytest.mark.parametrize("purpose", ["birthday", "phone", "gibt-es-nicht", ""])
def test_a_purpose_that_is_not_left_ends_nothing_more(customer, purpose):
    assert Client().post(link(advertise(customer)), {"by": "page", "purpose": purpose}).status_code == 200
    assert set(Record.objects.filter(kind="withdrawn").values_list("purpose__key", flat=True)) == {"newsletter"}


def test_the_page_offers_no_advertising_at_all(customer):
    ContactPoint.objects.create(customer=customer, kind="phone", value="+49405550142")
    url = link(advertise(customer))
    page = Client().post(url, {"by": "page"}).content.decode()
    assert f'action="{url}/all"' in page
    assert Client().get(f"{url}/all").status_code == 405
    for _ in range(2):
        answer = Client(enforce_csrf_checks=True).post(f"{url}/all")
        assert (answer.status_code, len(answer.cookies)) == (200, 0)
    request = Request.objects.get()
    assert (request.kind, request.channel, request.state) == ("objection", "page", "answered")
    assert suppressed("email", MAIL)
    assert suppressed("phone", "+49405550142")
    assert what(customer, "feedback") == "objected"
    assert what(customer) == "withdrawn"
    assert consents.may(customer, "post", "post").reason == "objected"


def test_an_objection_after_a_new_consent_counts_again(customer):
    url = link(advertise(customer))
    Client().post(f"{url}/all")
    agree("newsletter")
    assert what(customer) == "consent"  # confirmed since, for exactly this address
    assert what(customer, "feedback") == "objected"
    Client().post(f"{url}/all")
    assert what(customer) == "objected"
    assert Request.objects.count() == 1


def test_without_a_customer_the_objection_is_about_the_address(customer):
    ticket = Ticket(0, State.objects.filter(purpose__key="newsletter").get().purpose_id, advertise(customer).uuid,
                    bytes(State.objects.first().mark))  # fmt: skip
    assert Client().post(f"/c/u/{unsubscribe_token(ticket)}/all").status_code == 200
    assert not Request.objects.exists()
    assert Suppression.objects.get().reason == "objection"


# Mail providers


@pytest.fixture
def esp(shared_data: Path, settings) -> Path:
    settings.ANYMAIL = settings.ANYMAIL | {"WEBHOOK_SECRET": [SECRET]}
    return shared_data / "payloads" / "esp"


@pytest.mark.parametrize(("name", "reason"), FOLLOWS.items())
def test_complaints_and_unsubscriptions_at_the_provider_are_withdrawals(customer, esp, name, reason):
    body = with_address(json.loads((esp / name).read_text()), MAIL)
    for _ in range(2):
        assert report(name.partition(".")[0], body) == 200
    withdrawn = Record.objects.filter(kind="withdrawn")
    # That the provider's own list names the address is no news of the person.
    reason = "listed" if name.startswith("sendgrid.dropped_unsubscribed") else reason
    ended = {"newsletter", "feedback"} if reason in ("complaint", "unsubscribed") else set()
    assert set(withdrawn.values_list("purpose__key", flat=True)) == ended
    assert withdrawn.count() == len(ended)
    assert set(withdrawn.values_list("source", flat=True)) == ({"provider"} if ended else set())
    assert suppressed("email", MAIL) == bool(reason)
    expected = {"": "consent", "bounced": "suppressed", "listed": "suppressed"}.get(reason, "withdrawn")
    assert what(customer) == expected
    assert compare_states().ok


def test_soft_bounces_of_brevo_count_and_withdraw_nothing(customer, esp):
    body = with_address(json.loads((esp / "brevo.soft_bounce_event.json").read_text()), MAIL)
    for n in range(4):
        report("brevo", body | {"id": n})
    assert Deliverability.objects.get().soft_bounces == 4
    assert what(customer) == "consent"
    report("brevo", body | {"id": 5})
    assert what(customer) == "suppressed"  # the fifth in a row: nothing arrives there
    assert not Record.objects.filter(kind="withdrawn").exists()


def test_everybody_at_a_shared_address_is_unsubscribed_there(customer, esp):
    sister = person("K-2", "Zoe@Laden.example")
    State.objects.filter(customer=customer, purpose__key="feedback").update(customer=sister)
    ended = State.objects.count()
    report("brevo", with_address(json.loads((esp / "brevo.unsubscribe.json").read_text()), MAIL))
    assert State.objects.filter(state="withdrawn").count() == ended


def test_a_provider_whose_clock_goes_ahead_moves_nothing_into_the_future(customer, esp):
    body = with_address(json.loads((esp / "brevo.unsubscribe.json").read_text()), MAIL)
    ahead = int((timezone.now() + timedelta(days=400)).timestamp())
    report("brevo", body | {"ts": ahead, "ts_event": ahead, "ts_epoch": ahead * 1000})
    assert State.objects.filter(state="withdrawn").count() == 2
    assert not State.objects.filter(since__gt=timezone.now()).exists()
    assert work_off_events() == 0
