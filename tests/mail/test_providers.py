"""Each provider that anymail reads has a door: bodies and signatures as the providers' own pages document them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from anymail import urls
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client

from customers.models import Suppression
from mail.events import work_off_events
from mail.models import Deliverability, ProviderEvent
from mail.providers import DOORS, check_provider
from tests.mail.writing import make_customer

pytestmark = pytest.mark.django_db

SECRET = "brief:geheim-und-lang"
ZOE = "zoe@laden.example"
KEY = "schluessel-des-anbieters"
Body = Any
Headers = Mapping[str, str]


@pytest.fixture(autouse=True)
def _nothing_set(settings):
    settings.ANYMAIL = {"WEBHOOK_SECRET": []}


def allow(settings, **keys: Any) -> None:
    settings.ANYMAIL = settings.ANYMAIL | keys


def send(provider: str, body: bytes | str, headers: Headers | None = None, kind: str = "application/json") -> int:
    """Deliver a report as it came over the wire, and let a worker work it off; the status."""
    client = Client(enforce_csrf_checks=True)
    answer = client.post(f"/anymail/{provider}/tracking/", body, content_type=kind, headers=dict(headers or {}))
    work_off_events()
    return answer.status_code


def basic(secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}


def followed() -> tuple[str, str]:
    """What came of it: reason on the suppression list, and what is known of the address."""
    assert [event.fault for event in ProviderEvent.objects.all()] == [""] * ProviderEvent.objects.count()
    entry, known = Suppression.objects.first(), Deliverability.objects.first()
    marks = {"soft": known and known.soft_bounces, "hard": known and known.hard_bounced_at,
             "complaint": known and known.complained_at}  # fmt: skip
    return entry.reason if entry else "", next((name for name, there in marks.items() if there), "")


# Bodies by provider


def mailgun(event: str, **data: Any) -> dict[str, Any]:
    """documentation.mailgun.com, Webhooks: the signature stands in the body, over timestamp and token."""
    timestamp, token = "1790000000", "a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0"
    signed = hmac.digest(KEY.encode(), f"{timestamp}{token}".encode(), "sha256").hex()
    return {
        "signature": {"token": token, "timestamp": timestamp, "signature": signed},
        "event-data": {
            "event": event, "timestamp": 1790000000.5, "id": "G9Bn5sl1TC6nu79C8C0bwg", "recipient": ZOE,
            "recipient-domain": "laden.example", "tags": [], "user-variables": {}, "log-level": "error",
            "message": {"headers": {"to": ZOE, "message-id": "20261130.1@laden.example", "from": "a@b.example"}},
        } | data,
    }  # fmt: skip


def sns(event: Mapping[str, Any], kind: str = "Notification") -> tuple[dict[str, Any], dict[str, str]]:
    """docs.aws.amazon.com/ses, event publishing over SNS: the event is a text within the notification."""
    number = "19ba9823-d7f2-53c1-860e-cb10e0d13dfc"
    body = {
        "Type": kind, "MessageId": number, "TopicArn": "arn:aws:sns:eu-central-1:1234567890:SES-events",
        "Subject": "Amazon SES Email Event Notification", "Message": json.dumps(event),
        "Timestamp": "2026-11-30T17:58:12.000Z", "SignatureVersion": "1", "Signature": "EXAMPLE-SIGNATURE==",
        "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem",
    }  # fmt: skip
    return body, {"x-amz-sns-message-type": kind, "x-amz-sns-message-id": number}


def ses(kind: str, **more: Any) -> dict[str, Any]:
    mail = {"timestamp": "2026-11-30T17:58:10.000Z", "source": "laden@laden.example", "destination": [ZOE],
            "messageId": "00000137860315fd-34208509-5b74-41f3-95c5-22c1edc3c924-000000", "headers": []}  # fmt: skip
    return {"eventType": kind, "mail": mail} | more


def ses_bounce(kind: str, sub: str) -> dict[str, Any]:
    told = {"bounceType": kind, "bounceSubType": sub, "timestamp": "2026-11-30T17:58:11.000Z", "feedbackId": "1-2",
            "bouncedRecipients": [{"emailAddress": ZOE, "action": "failed", "status": "5.1.1",
                                   "diagnosticCode": "smtp; 550 5.1.1 user unknown"}]}  # fmt: skip
    return ses("Bounce", bounce=told)


def mailersend(kind: str, morph: str | None = None) -> dict[str, Any]:
    """developers.mailersend.com, Webhooks."""
    return {
        "type": f"activity.{kind}", "domain_id": "yv69oxl5kl785kw2", "created_at": "2026-11-30T17:58:12.000000Z",
        "webhook_id": "2351ndgwr4zqx8ko", "url": "https://laden.example/anymail/mailersend/tracking/",
        "data": {
            "object": "activity", "id": "62f114f8165fe0d8db0288e3", "type": kind,
            "created_at": "2026-11-30T17:58:12.747000Z",
            "email": {"object": "email", "id": "62f114f7165fe0d8db0288e2", "from": "a@b.example", "subject": "x",
                      "status": "rejected", "tags": None, "message": {"object": "message", "id": "62fb66bef5438"},
                      "recipient": {"object": "recipient", "id": "62c69be104", "email": ZOE}},
            "morph": {"object": morph, "reason": "Host or domain name not found"} if morph else None,
        },
    }  # fmt: skip


def resend(kind: str, **data: Any) -> dict[str, Any]:
    """resend.com/docs/dashboard/webhooks/event-types."""
    told = {"created_at": "2026-11-30T17:58:11.894719+00:00", "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
            "from": "Laden <laden@laden.example>", "to": [ZOE], "subject": "x"}  # fmt: skip
    return {"type": f"email.{kind}", "created_at": "2026-11-30T17:58:12.126Z", "data": told | data}


def sparkpost(kind: str, **more: Any) -> list[dict[str, Any]]:
    """developers.sparkpost.com, webhook events."""
    about = {"type": kind, "rcpt_to": ZOE, "raw_rcpt_to": ZOE, "timestamp": "1790000000",
             "message_id": "000443ee14578172be22", "event_id": "92356927693813856", "rcpt_meta": {}}  # fmt: skip
    holder = "unsubscribe_event" if "unsubscribe" in kind else "message_event"
    return [{"msys": {holder: about | more}}]


def mandrill(kind: str, **message: Any) -> str:
    """mailchimp.com/developer/transactional, webhooks: a form with a list of events."""
    about = {"ts": 1790000000, "email": ZOE, "sender": "a@b.example", "_id": "exampleaaaaaaaaaaaaaaaaaaaaaaaaa",
             "state": "sent", "tags": [], "metadata": []} | message  # fmt: skip
    events = [{"event": kind, "_id": "exampleaaaaaaaaaaaaaaaaaaaaaaaaa", "ts": 1790000000, "msg": about}]
    return urlencode({"mandrill_events": json.dumps(events)})


def postal(status: str, output: str = "550 5.1.1 user unknown") -> dict[str, Any]:
    """docs.postalserver.io, webhooks: MessageDeliveryFailed and its kin."""
    message = {"id": 12345, "token": "abcdef123", "direction": "outgoing", "message_id": "5817a64332f44_4ec9@b.example",
               "to": ZOE, "from": "a@b.example", "subject": "x", "timestamp": 1790000000.2, "spam_status": "NotChecked",
               "tag": None}  # fmt: skip
    return {"event": "MessageDeliveryFailed", "timestamp": 1790000000.3, "uuid": "0fcc8908-92b8-4ef9-9d7f-e1c5ba3a6f1d",
            "payload": {"status": status, "details": "Permanent SMTP delivery error", "output": output, "time": 0.22,
                        "sent_with_ssl": True, "timestamp": 1790000000.3, "message": message}}  # fmt: skip


def mailtrap(kind: str, **more: Any) -> dict[str, Any]:
    """docs.mailtrap.io, webhooks."""
    about = {"event": kind, "email": ZOE, "timestamp": 1790000000, "message_id": "1df37d17-0286-4d8b-8edf-bc4ec5be86e6",
             "event_id": "bede7236-2284-43d6-a953-1fdcafd0fdbc", "sending_stream": "transactional"}  # fmt: skip
    return {"events": [about | more]}


def unisender(status: str, delivery: str) -> str:
    """godocs.unisender.ru, callback format: `auth` is the MD5 of the body in which the key stands in its place."""
    event = {"event_name": "transactional_email_status", "event_data": {
        "job_id": "1a3Q2V-0000OZ-S0", "email": ZOE, "status": status, "event_time": "2026-11-30 17:58:12",
        "delivery_info": {"delivery_status": delivery, "destination_response": "550 user unknown"}}}  # fmt: skip
    text = json.dumps({"auth": KEY, "events_by_user": [{"user_id": 456, "events": [event]}]})
    return text.replace(KEY, hashlib.md5(text.encode()).hexdigest())  # noqa: S324 - theirs


MAILGUN_FAILED = {"reason": "bounce", "severity": "permanent",
                  "delivery-status": {"code": 550, "message": "5.1.1 user unknown", "description": ""}}  # fmt: skip
# Whoever reports it, what follows is what integrations.md 3 says: a hard bounce, a complaint and an unsubscription stop
# advertising, and nothing that may pass does.
FOLLOWS: list[tuple[str, Body, tuple[str, str]]] = [
    ("mailgun", mailgun("failed", **MAILGUN_FAILED), ("bounced", "hard")),
    ("mailgun", mailgun("failed", **MAILGUN_FAILED | {"severity": "temporary", "reason": "generic"}), ("", "soft")),
    ("mailgun", mailgun("failed", **MAILGUN_FAILED | {"reason": "suppress-bounce"}), ("bounced", "hard")),
    ("mailgun", mailgun("failed", **MAILGUN_FAILED | {"reason": "suppress-unsubscribe"}), ("unsubscribed", "")),
    ("mailgun", mailgun("complained"), ("complaint", "complaint")),
    ("mailgun", mailgun("unsubscribed"), ("unsubscribed", "")),
    ("mailgun", mailgun("delivered"), ("", "")),
    ("amazon_ses", ses_bounce("Permanent", "General"), ("bounced", "hard")),
    ("amazon_ses", ses_bounce("Permanent", "OnAccountSuppressionList"), ("bounced", "hard")),
    ("amazon_ses", ses_bounce("Transient", "MailboxFull"), ("", "soft")),
    ("amazon_ses", ses_bounce("Undetermined", "Undetermined"), ("", "soft")),
    ("amazon_ses", ses("Complaint", complaint={"complainedRecipients": [{"emailAddress": ZOE}], "feedbackId": "3",
                                               "complaintFeedbackType": "abuse"}), ("complaint", "complaint")),
    # The receiver has put it out of the folder of spam: whoever likes our mails has not unsubscribed (RFC 6430).
    ("amazon_ses", ses("Complaint", complaint={"complainedRecipients": [{"emailAddress": ZOE}], "feedbackId": "4",
                                               "complaintFeedbackType": "not-spam"}), ("", "")),
    ("amazon_ses", ses("Subscription", subscription={"contactList": "L", "source": "UnsubscribeHeader",
        "newTopicPreferences": {"unsubscribeAll": True, "topicSubscriptionStatus": []},
        "oldTopicPreferences": {"unsubscribeAll": False, "topicSubscriptionStatus": []}}), ("unsubscribed", "")),
    ("amazon_ses", ses("Subscription", subscription={"contactList": "L", "source": "UnsubscribeHeader",
        "newTopicPreferences": {"unsubscribeAll": False, "topicSubscriptionStatus": []}}), ("", "")),
    ("amazon_ses", ses("Delivery", delivery={"recipients": [ZOE], "smtpResponse": "250 ok"}), ("", "")),
    # developers.brevo.com, transactional webhooks: anymail knows the word of the campaigns alone.
    ("brevo", {"event": "unsubscribed", "email": ZOE, "ts_epoch": 1790000000000}, ("unsubscribed", "")),
    ("brevo", {"event": "list_addition", "email": ZOE, "ts_epoch": 1790000000000}, ("", "")),
    ("mailersend", mailersend("hard_bounced", "recipient_bounce"), ("bounced", "hard")),
    ("mailersend", mailersend("soft_bounced", "recipient_bounce"), ("", "soft")),
    ("mailersend", mailersend("spam_complaint", "spam_complaint"), ("complaint", "complaint")),
    ("mailersend", mailersend("unsubscribed", "recipient_unsubscribe"), ("unsubscribed", "")),
    ("resend", resend("bounced", bounce={"type": "Permanent", "subType": "Suppressed",
        "message": "Resend has suppressed sending to this address because it is on the account-level list."}),
     ("bounced", "hard")),
    ("resend", resend("bounced", bounce={"type": "Permanent", "subType": "General",
        "message": "The recipient's email provider sent a hard bounce message, but didn't specify the reason."}),
     ("bounced", "hard")),
    ("resend", resend("bounced", bounce={"type": "Transient", "subType": "MailboxFull",
        "message": "The recipient's email provider sent a bounce message because the recipient's inbox was full."}),
     ("", "soft")),
    ("resend", resend("complained"), ("complaint", "complaint")),
    ("resend", resend("delivery_delayed"), ("", "soft")),
    ("sparkpost", sparkpost("bounce", bounce_class="10", reason="550 5.1.1 unknown user"), ("bounced", "hard")),
    ("sparkpost", sparkpost("bounce", bounce_class="22", reason="552 mailbox full"), ("", "soft")),
    ("sparkpost", sparkpost("spam_complaint", fbtype="abuse"), ("complaint", "complaint")),
    ("sparkpost", sparkpost("spam_complaint", fbtype="not-spam"), ("", "")),
    ("sparkpost", sparkpost("list_unsubscribe"), ("unsubscribed", "")),
    ("mailtrap", mailtrap("bounce", bounce_category="invalid", response_code=550), ("bounced", "hard")),
    ("mailtrap", mailtrap("soft bounce", response_code=450), ("", "soft")),
    ("mailtrap", mailtrap("spam"), ("complaint", "complaint")),
    ("mailtrap", mailtrap("unsubscribe"), ("unsubscribed", "")),
    ("mandrill", mandrill("hard_bounce", bounce_description="bad_mailbox", diag="smtp;550 5.1.1"), ("bounced", "hard")),
    ("mandrill", mandrill("soft_bounce", bounce_description="mailbox_full", diag="smtp;552"), ("", "soft")),
    ("mandrill", mandrill("spam"), ("complaint", "complaint")),
    ("mandrill", mandrill("unsub"), ("unsubscribed", "")),
    ("postal", postal("HardFail"), ("bounced", "hard")),
    ("postal", postal("HardFail", "550 5.7.1 refused by policy"), ("", "soft")),
    ("postal", postal("SoftFail", "450 4.2.1 try later"), ("", "soft")),
    ("postal", postal("Sent", "250 ok"), ("", "")),
    ("unisender_go", unisender("hard_bounced", "err_user_unknown"), ("bounced", "hard")),
    ("unisender_go", unisender("soft_bounced", "err_mailbox_full"), ("", "soft")),
    ("unisender_go", unisender("spam", "ok_spam_folder"), ("complaint", "complaint")),
    ("unisender_go", unisender("unsubscribed", "ok_unsubscribed"), ("unsubscribed", "")),
]  # fmt: skip
POSTAL_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SENDGRID_KEY = ec.generate_private_key(ec.SECP256R1())


def armorless(key: Any) -> str:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def signed(settings, provider: str, body: Body) -> dict[str, Any]:
    """Set what the provider's proof needs here, and sign: the arguments of `send`."""
    raw = body if isinstance(body, str) else json.dumps(body)
    sent: dict[str, Any] = {"body": raw, "headers": {}}
    if provider == "mailgun":
        allow(settings, MAILGUN_WEBHOOK_SIGNING_KEY=KEY)
    elif provider == "mailersend":
        allow(settings, MAILERSEND_SIGNING_SECRET=KEY)
        sent["headers"] = {"Signature": hmac.digest(KEY.encode(), raw.encode(), "sha256").hex()}
    elif provider == "mailtrap":
        allow(settings, MAILTRAP_TRACKING_SECRET=KEY)
        sent["headers"] = {"Mailtrap-Signature": hmac.digest(KEY.encode(), raw.encode(), "sha256").hex()}
    elif provider == "mandrill":
        allow(
            settings, MANDRILL_WEBHOOK_KEY=KEY, MANDRILL_WEBHOOK_URL="https://laden.example/anymail/mandrill/tracking/"
        )
        told = json_of_form(raw)
        seal = hmac.digest(
            KEY.encode(), f"{settings.ANYMAIL['MANDRILL_WEBHOOK_URL']}mandrill_events{told}".encode(), "sha1"
        )
        sent |= {"kind": "application/x-www-form-urlencoded",
                 "headers": {"X-Mandrill-Signature": base64.b64encode(seal).decode()}}  # fmt: skip
    elif provider == "postal":
        allow(settings, POSTAL_WEBHOOK_KEY=armorless(POSTAL_KEY))
        seal = POSTAL_KEY.sign(raw.encode(), padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - theirs
        sent["headers"] = {"X-Postal-Signature": base64.b64encode(seal).decode()}
    elif provider == "sendgrid":
        allow(settings, SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY=armorless(SENDGRID_KEY))
        seal = SENDGRID_KEY.sign(b"1790000000" + raw.encode(), ec.ECDSA(hashes.SHA256()))
        sent["headers"] = {"X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(seal).decode(),
                           "X-Twilio-Email-Event-Webhook-Timestamp": "1790000000"}  # fmt: skip
    elif provider == "unisender_go":
        allow(settings, UNISENDER_GO_API_KEY=KEY)
    else:  # no signature of its own: the secret
        allow(settings, WEBHOOK_SECRET=[SECRET])
        if provider == "amazon_ses":
            notification, headers = sns(body)
            sent = {"body": json.dumps(notification), "headers": headers, "kind": "text/plain; charset=UTF-8"}
        sent["headers"] = sent["headers"] | basic()
    return sent


def json_of_form(raw: str) -> str:
    return parse_qs(raw)["mandrill_events"][0]


def test_every_provider_of_anymail_has_a_door() -> None:
    known = {
        str(one.pattern).partition("/tracking/")[0] for one in urls.urlpatterns if "/tracking/" in str(one.pattern)
    }
    assert set(DOORS) == known - {"sendinblue"}
    assert {
        "mailgun",
        "amazon_ses",
        "postmark",
        "sendgrid",
        "sparkpost",
        "mailjet",
        "brevo",
        "mailersend",
        "resend",
    } <= known


@pytest.mark.parametrize(("provider", "body", "follows"), FOLLOWS)
def test_what_is_reported_has_the_effect_that_its_provider_means(settings, provider, body, follows) -> None:
    make_customer(ZOE)
    assert send(provider, **signed(settings, provider, body)) == 200
    assert followed() == follows


UNREADABLE = ["[]", '"x"', "null", "7", "{", '{"event": "spam", "email": "zoe@laden.example", "ts_epoch": "gestern"}']


@pytest.mark.parametrize("body", UNREADABLE)
def test_what_is_no_report_is_refused_as_such(settings, caplog, body) -> None:
    allow(settings, WEBHOOK_SECRET=[SECRET])
    with caplog.at_level(logging.INFO):
        assert send("brevo", body, basic()) == 400
    assert "zoe" not in caplog.text
    assert not ProviderEvent.objects.exists()


SIGNING = {
    provider: body
    for provider, body, _follows in FOLLOWS
    if provider not in ("amazon_ses", "brevo", "resend", "sparkpost")
}
SIGNING["sendgrid"] = [{"email": ZOE, "event": "bounce", "type": "bounce", "timestamp": 1790000000, "sg_event_id": "1"}]


@pytest.mark.parametrize("provider", SIGNING)
def test_a_signature_alone_opens_the_door_and_a_forged_one_does_not(settings, provider, caplog) -> None:
    sent = signed(settings, provider, SIGNING[provider])
    assert not settings.ANYMAIL["WEBHOOK_SECRET"]
    changed = sent["body"].replace("zoe", "zoo").replace("1790000000", "1790000001")
    with caplog.at_level(logging.INFO):
        assert send(provider, **sent | {"body": changed}) == 400
        assert send(provider, **sent | {"body": "{}"}) in (400, 404)
    assert "laden.example" not in caplog.text
    assert not ProviderEvent.objects.exists()
    assert send(provider, **sent) == 200
    assert ProviderEvent.objects.count() == 1


@pytest.mark.parametrize("provider", sorted(DOORS))
def test_where_nothing_proves_a_report_the_door_is_closed(provider) -> None:
    assert send(provider, "{}") == 404
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize("provider", ["mailgun", "mailersend", "postal", "unisender_go", "mandrill"])
def test_who_always_signs_is_not_let_in_by_the_secret_alone(settings, provider) -> None:
    allow(settings, WEBHOOK_SECRET=[SECRET])
    assert send(provider, "mandrill_events=%5B%5D", basic(), "application/x-www-form-urlencoded") == 404


def test_with_both_set_both_are_asked_for(settings) -> None:
    sent = signed(settings, "mailgun", mailgun("complained"))
    allow(settings, WEBHOOK_SECRET=[SECRET])
    assert send("mailgun", **sent) == 400
    assert send("mailgun", **sent | {"headers": basic()}) == 200


def test_amazon_is_asked_for_the_secret_as_it_wants_to_be_and_says_nothing_without(settings, caplog) -> None:
    allow(settings, WEBHOOK_SECRET=[SECRET])
    body, headers = sns(ses_bounce("Permanent", "General"))
    answer = Client().post(
        "/anymail/amazon_ses/tracking/", json.dumps(body), content_type="text/plain", headers=headers
    )
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Basic realm="Anymail WEBHOOK_SECRET"')
    with caplog.at_level(logging.INFO):
        assert send("amazon_ses", json.dumps(body), headers | basic("brief:falsch"), "text/plain") == 400
        assert send("amazon_ses", f"no JSON about {ZOE}", headers | basic(), "text/plain") == 400
        # A header that does not fit the body is none of Amazon's.
        assert (
            send("amazon_ses", json.dumps(body), headers | {"x-amz-sns-message-id": "1"} | basic(), "text/plain") == 400
        )
    assert ZOE not in caplog.text
    assert not ProviderEvent.objects.exists()


def test_mandrill_may_look_at_its_door_before_its_key_is_known_and_its_secret_goes_into_no_log(
    settings, caplog
) -> None:
    allow(settings, WEBHOOK_SECRET=[SECRET])
    assert Client().head("/anymail/mandrill/tracking/", headers=basic()).status_code == 200
    allow(settings, MANDRILL_WEBHOOK_KEY=KEY)
    forged = basic() | {"X-Mandrill-Signature": "eA=="}
    with caplog.at_level(logging.INFO):
        assert send("mandrill", mandrill("spam"), forged, "application/x-www-form-urlencoded") == 400
    assert "geheim" not in caplog.text


def test_the_check_of_the_start_says_what_the_provider_lacks(settings) -> None:
    def found(provider: str) -> list[tuple[str, str]]:
        settings.EMAIL_BACKEND = f"anymail.backends.{provider}.EmailBackend"
        return [(message.id, message.hint) for message in check_provider()]

    assert [key for key, _hint in found("brevo")] == ["mail.W001"]
    assert [key for key, _hint in found("mailgun")] == ["mail.E001"]
    assert "MAILGUN_WEBHOOK_SIGNING_KEY" in found("mailgun")[0][1]
    allow(settings, RESEND_SIGNING_SECRET="whsec_x")
    assert "svix" in found("resend")[0][1]
    allow(settings, WEBHOOK_SECRET=[SECRET], MAILGUN_API_KEY=KEY)
    assert found("brevo") == found("mailgun") == found("amazon_ses") == []
    settings.EMAIL_BACKEND = "mail.smtp.EmailBackend"
    assert check_provider() == []
