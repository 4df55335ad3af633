"""What mail providers report through their webhooks, with bodies as they send them."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from customers.models import ContactPoint, Suppression
from mail.bouncing import SOFT_LIMIT
from mail.events import work_off_events
from mail.models import Deliverability, Letter, Message, ProviderEvent
from mail.sending import deliver_due
from tests.mail.writing import make_customer, now, write

pytestmark = pytest.mark.django_db

SECRET = "brief:geheim-und-lang"
State = Message.State


@pytest.fixture(autouse=True)
def _secret(settings):
    settings.ANYMAIL = settings.ANYMAIL | {"WEBHOOK_SECRET": [SECRET]}


@pytest.fixture
def payloads(shared_data: Path) -> Path:
    folder = shared_data / "payloads" / "esp"
    if not folder.is_dir():
        pytest.skip("The bodies of mail providers are not on this machine.")
    return folder


def report(provider: str, body: Any, secret: str = SECRET) -> int:
    """Send it as the provider does, and let a worker work it off; answers the status."""
    sign_in = "Basic " + base64.b64encode(secret.encode()).decode()
    address = f"/anymail/{provider}/tracking/"
    answer = Client(enforce_csrf_checks=True).post(
        address, json.dumps(body), content_type="application/json", headers={"Authorization": sign_in}
    )
    work_off_events()
    return answer.status_code


def brevo(event: str, email: str = "zoe@laden.example", **more: Any) -> dict[str, Any]:
    return {"event": event, "email": email, "ts_epoch": 1_790_000_000_000, "message-id": "<1@relay.example>"} | more


def with_address(body: Any, email: str) -> Any:
    """The same body about another mailbox."""
    for one in body if isinstance(body, list) else [body]:
        for name in ("email", "Email", "Recipient"):
            if name in one:
                one[name] = email
    return body


# From what integrations.md 3 says of each: hard bounces, complaints and unsubscriptions stop advertising, nothing else.
FOLLOWS = {
    "brevo.complaint.json": "complaint",
    "brevo.delivered_event.json": "",
    "brevo.hard_bounce.json": "bounced",
    "brevo.soft_bounce_event.json": "",
    "brevo.spam.json": "complaint",
    "brevo.unsubscribe.json": "unsubscribed",
    "mailjet.bounce_event.json": "bounced",
    "mailjet.bounced_greylist_event.json": "",
    "mailjet.spam_event.json": "complaint",
    "mailjet.unsub_event.json": "unsubscribed",
    "postmark.bounce_event.json": "bounced",
    "postmark.delivered_event.json": "",
    "postmark.spam_event.json": "complaint",
    "postmark.subscription_change_bounce.json": "bounced",
    "postmark.unsubscribe.json": "unsubscribed",
    "sendgrid.bounce_event.json": "bounced",
    "sendgrid.delivered_event.json": "",
    "sendgrid.dropped_bounced.json": "bounced",
    "sendgrid.dropped_unsubscribed_event.json": "unsubscribed",
}


@pytest.mark.parametrize(("name", "reason"), FOLLOWS.items())
def test_a_real_body_stops_advertising_only_where_it_has_to(payloads, name, reason):
    make_customer("zoe@laden.example")
    body = with_address(json.loads((payloads / name).read_text()), "zoe@laden.example")
    assert report(name.partition(".")[0], body) == 200
    assert ProviderEvent.objects.get().processed_at is not None
    assert ProviderEvent.objects.get().fault == ""
    assert [entry.reason for entry in Suppression.objects.all()] == ([reason] if reason else [])
    known = Deliverability.objects.first()
    assert bool(known and known.hard_bounced_at) == (reason == "bounced")
    assert bool(known and known.complained_at) == (reason == "complaint")
    assert bool(known and known.soft_bounces) == ("soft" in name or "greylist" in name)


def test_a_body_without_an_address_is_taken_and_does_nothing(payloads):
    body = json.loads((payloads / "postmark.bounce_unsubscribe_variant.json").read_text())
    assert report("postmark", body) == 200
    assert not Suppression.objects.exists()


def test_what_came_lies_sealed(payloads):
    report("brevo", brevo("hard_bounce", "zoe@laden.example"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(e)::text FROM mail_providerevent e")
        assert "zoe" not in cursor.fetchone()[0]
    assert ProviderEvent.objects.get().raw["recipient"] == "zoe@laden.example"


@pytest.mark.parametrize("secret", ["brief:falsch", "", "brief"])
def test_without_the_secret_nothing_is_taken(secret):
    assert report("brevo", brevo("hard_bounce"), secret) == 400
    assert not ProviderEvent.objects.exists()


def test_where_no_secret_is_set_the_door_is_closed(settings):
    settings.ANYMAIL = settings.ANYMAIL | {"WEBHOOK_SECRET": []}
    assert report("brevo", brevo("hard_bounce")) == 404
    assert not ProviderEvent.objects.exists()


def test_the_old_secret_goes_on_while_it_is_replaced(settings):
    settings.ANYMAIL = settings.ANYMAIL | {"WEBHOOK_SECRET": ["brief:neu", SECRET]}
    assert report("brevo", brevo("delivered")) == 200


@pytest.mark.parametrize("kind", ["unique_opened", "click", "proxy_open"])
def test_who_opened_and_clicked_is_not_kept(kind):
    assert report("brevo", brevo(kind, link="https://laden.example/")) == 200
    assert not ProviderEvent.objects.exists()


def test_the_same_report_twice_counts_once():
    make_customer()
    for _ in range(3):
        assert report("brevo", brevo("soft_bounce")) == 200
    assert ProviderEvent.objects.count() == 1
    assert Deliverability.objects.get().soft_bounces == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_report_eight_times_at_once_has_one_effect():
    make_customer()

    def send(_n: int) -> int:
        try:
            return report("brevo", brevo("soft_bounce"))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as provider:
        assert set(provider.map(send, range(8))) == {200}
    work_off_events()
    assert ProviderEvent.objects.count() == 1
    assert Deliverability.objects.get().soft_bounces == 1


def test_soft_bounces_in_a_row_become_a_hard_one_and_an_arrival_breaks_the_row():
    make_customer()
    for n in range(SOFT_LIMIT - 1):
        report("brevo", brevo("soft_bounce", id=n))
    assert not Suppression.objects.exists()
    report("brevo", brevo("delivered", id=100))
    assert Deliverability.objects.get().soft_bounces == 0
    for n in range(SOFT_LIMIT):
        report("brevo", brevo("soft_bounce", id=200 + n))
    assert Suppression.objects.get().reason == "bounced"


def test_a_family_that_shares_an_address_shares_its_bounces():
    make_customer("familie@laden.example")
    make_customer("Familie@laden.example")
    report("brevo", brevo("hard_bounce", "familie@laden.example"))
    assert Deliverability.objects.filter(hard_bounced_at__isnull=False).count() == 2
    assert ContactPoint.objects.count() == 2


def sent_message(settings, **fields: Any) -> Message:
    message = write(make_customer())
    deliver_due(10)
    Message.objects.filter(pk=message.pk).update(**fields)
    return now(message)


def named(message: Message) -> list[dict[str, Any]]:
    """The three ways in which a provider names one of our mails."""
    return [
        {"X-Mailin-custom": json.dumps({"message": str(message.uuid)})},
        {"message-id": message.message_id},
        {"message-id": "<provider-77@relay.example>"},
    ]


@pytest.mark.parametrize("way", range(3))
def test_a_report_is_put_to_the_mail_it_is_about(settings, way):
    message = sent_message(settings, provider_id="provider-77@relay.example")
    report("brevo", brevo("delivered", **named(message)[way]))
    report("brevo", brevo("hard_bounce", **named(message)[way]))
    row = now(message)
    assert (row.state, row.bounce) == (State.SENT, "hard")
    assert row.delivered_at is not None
    assert {event.customer_id for event in ProviderEvent.objects.all()} == {message.customer_id}


def test_a_later_and_milder_report_does_not_hide_a_worse_one(settings):
    message = sent_message(settings)
    report("brevo", brevo("complaint", **{"message-id": message.message_id}))
    report("brevo", brevo("soft_bounce", **{"message-id": message.message_id}))
    assert now(message).bounce == "complaint"


def test_a_report_about_a_mail_in_doubt_proves_that_it_went_out(settings):
    at = timezone.now()
    message = sent_message(settings, state=State.UNKNOWN, sent_at=None, reason="lost", attempted_at=at)
    report("brevo", brevo("delivered", **{"message-id": message.message_id}))
    row = now(message)
    assert (row.state, row.reason, row.sent_at) == (State.SENT, "", at)


def test_a_mail_that_the_provider_did_not_send_has_failed(settings):
    message = write(make_customer(), "letter")
    deliver_due(10)
    report("brevo", brevo("blocked", **{"message-id": message.message_id}))
    row = now(message)
    assert (row.state, row.reason, row.sent_at) == (State.FAILED, "server_refused", None)
    assert Letter.objects.get().sent_at is None


def at_brevo(at: Any) -> Any:
    return "brevo", brevo("complaint") | {"ts_epoch": at}


def at_postmark(at: Any) -> Any:
    return "postmark", {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "Email": "zoe@laden.example",
                        "MessageID": "1", "ID": 1, "BouncedAt": at}  # fmt: skip


def at_sendgrid(at: Any) -> Any:
    return "sendgrid", [{"event": "spamreport", "email": "zoe@laden.example", "timestamp": at, "sg_event_id": "1"}]


def at_mailjet(at: Any) -> Any:
    return "mailjet", {"event": "spam", "email": "zoe@laden.example", "time": at, "MessageID": 1}


# No place has such a zone, and no calendar such a year; RFC 3339 itself allows the hours.
ODD_TIMES = {
    "a zone of twenty hours": at_postmark("2026-11-20T10:00:00+20:00"),
    "a zone of sixteen hours": at_postmark("2026-11-20T10:00:00-16:00"),
    "before the calendar": at_postmark("0001-01-01T00:00:00+14:00"),
    "after the calendar": at_postmark("9999-12-31T23:59:59-12:00"),
    "no zone": at_postmark("2026-11-20T10:00:00"),
    "far to come": at_sendgrid(250_000_000_000),
    "a number without a date": at_sendgrid(10**18),
    "a number without end": at_mailjet(1e300),
    "milliseconds without end": at_brevo(10**24),
    "long ago": at_sendgrid(-62_000_000_000),
}


@pytest.mark.parametrize("case", ODD_TIMES)
def test_a_report_whose_time_nobody_can_read_is_refused_whole_or_counts_from_its_arrival(case):
    """A complaint that is lost because of a clock would be answered with the next mail."""
    make_customer()
    began = timezone.now()
    status = report(*ODD_TIMES[case])
    assert status in (200, 400)
    if status == 400:
        assert not ProviderEvent.objects.exists()
        assert not Suppression.objects.exists()
    else:
        event, entry = ProviderEvent.objects.get(), Suppression.objects.get()
        assert (event.fault, event.processed_at is not None) == ("", True)
        assert entry.reason == "complaint"
        assert entry.since <= timezone.now()
        if "zone of" not in case and case != "no zone":
            assert entry.since >= began


def test_a_report_that_cannot_be_worked_off_is_marked_and_stops_no_other():
    make_customer()
    ProviderEvent.objects.create(provider="Brevo", kind="bounced", raw={"broken": 1})
    report("brevo", brevo("hard_bounce"))
    first, second = ProviderEvent.objects.order_by("pk")
    assert (first.fault, second.fault) == ("KeyError", "")
    assert Suppression.objects.exists()


def test_what_is_known_of_an_address_goes_with_it_also_in_sql():
    make_customer()
    report("brevo", brevo("hard_bounce"))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM customers_contactpoint")
    assert not Deliverability.objects.exists()


def test_one_mail_counts_once_however_often_its_tries_are_reported(settings):
    """Providers try a mail for days and report each try (integrations.md 3): it is one mail that did not arrive."""
    message = sent_message(settings)
    names = {"X-Mailin-custom": json.dumps({"message": str(message.uuid)})}
    for n in range(SOFT_LIMIT + 2):
        report("brevo", brevo("deferred" if n % 2 else "soft_bounce", id=n, **names))
    assert Deliverability.objects.get().soft_bounces == 1
    assert not Suppression.objects.exists()
    # Five mails that did not arrive are five.
    for n in range(SOFT_LIMIT - 1):
        other = write(message.customer)
        deliver_due(10)
        names = {"X-Mailin-custom": json.dumps({"message": str(other.uuid)})}
        for again in range(2):
            report("brevo", brevo("soft_bounce", id=100 + 10 * n + again, **names))
        assert Deliverability.objects.get().soft_bounces == n + 2
    assert Suppression.objects.get().reason == "bounced"


@pytest.mark.parametrize("stored", ["20000-01-01 00:00:00+00", "0001-01-01 00:00:00+00 BC", "9999-12-31 23:59:59-12"])
def test_a_row_of_before_whose_time_nobody_can_read_keeps_no_report_waiting(stored):
    make_customer()
    report("brevo", brevo("hard_bounce", "anna@laden.example"))
    ProviderEvent.objects.update(processed_at=None)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE mail_providerevent SET occurred_at = %s", [stored])
        cursor.execute(import_module("mail.migrations.0003_reports_of_no_calendar").MEND)
    report("brevo", brevo("hard_bounce"))
    assert ProviderEvent.objects.filter(processed_at__isnull=False, fault="").count() == 2
    assert Suppression.objects.count() == 2
