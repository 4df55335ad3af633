"""Recipients are told by mail, through the outbox; what comes back stays open (Art. 19 GDPR)."""

from __future__ import annotations

import csv
import json
import uuid

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.models import Customer
from datamap import journal
from mail.events import work_off_events
from mail.models import Message, ProviderEvent
from mail.sending import deliver_due
from privacy import closing, notices, rectifying, restricting
from privacy.models import Notice, Request
from privacy.tasks import follow_notices
from tests.privacy.making import make_copy, take
from tests.privacy.noting import disclose, make_customer, make_recipient
from tests.privacy.packaging import files_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def told(email: str = "post@nord.example", **values):
    customer = make_customer()
    recipient = make_recipient("Nordpost", "parcel", email=email, language="en", **values)
    disclose(recipient, customer, "2026-10-01")
    return customer, recipient


def come_back(message: Message) -> None:
    """The provider reports, days later, that the mailbox does not exist."""
    raw = {
        "event": {},
        "reject_reason": "bounced",
        "recipient": message.recipient,
        "message_id": "",
        "metadata": {"message": str(message.uuid)},
    }
    ProviderEvent.objects.create(provider="test", kind="bounced", raw=raw)
    assert work_off_events() == 1


def test_a_recipient_with_an_address_is_told_by_mail_in_its_language():
    customer, recipient = told()
    notices.queue_notices("erasure", customer.pk, uuid.uuid4())
    (notice,) = notices.open_notices()
    assert notice.state == "queued"
    message = Message.objects.get()
    assert customer.last_name not in str(message.context)  # the outbox names nobody
    deliver_due(10)
    (sent,) = mail.outbox
    assert sent.to == ["post@nord.example"]
    assert "erased the personal data" in sent.body and customer.last_name in sent.body and customer.number in sent.body
    assert notices.open_notices() == []
    told_of = Notice.archive.get()
    assert (told_of.state, told_of.sent_at) == ("sent", Message.objects.get().sent_at)


def test_a_bounced_notice_stays_open_and_is_sent_again_to_the_corrected_address(officer_client):
    customer, recipient = told("weg@nord.example")
    request = Request.objects.create(kind="rectification", customer=customer)
    notices.queue_notices("rectification", customer.pk, None, request=request, what="Nachname: Möller")
    deliver_due(10)
    assert notices.open_notices() == []
    come_back(Message.objects.get())
    (notice,) = notices.open_notices(request=request)
    assert notice.state == "bounced"
    assert closing.open_points(request)
    again = reverse("privacy:notice_retry", args=[notice.pk])
    recipient.email = "neu@nord.example"
    recipient.save()
    assert officer_client.post(again).status_code == 302
    assert officer_client.post(again).status_code == 422  # it is on its way
    deliver_due(10)
    assert [one.to for one in mail.outbox] == [["weg@nord.example"], ["neu@nord.example"]]
    assert notices.open_notices(request=request) == []
    assert not closing.open_points(request)


def test_reading_follows_no_mail_and_writes_nothing(privacy_client):
    """What became of a mail is noted when it goes out or comes back, and by beat: a page that is read only reads."""
    customer, _recipient = told()
    case = Request.objects.create(kind="rectification", customer=customer, state="answered")
    notices.queue_notices("rectification", customer.pk, None, request=case, what="Nachname: Möller")
    Message.objects.update(bounce="hard", state="failed")  # nobody has told yet
    before = [entry.position for entry in journal.entries()]
    pages = ["privacy:cockpit", "privacy:notices", "privacy:requests"]
    addresses = [reverse(name) for name in pages]
    addresses += [reverse("privacy:request", args=[case.pk]), reverse("privacy:disclosures", args=[customer.number])]
    for address in addresses:
        with CaptureQueriesContext(connection) as asked:
            assert privacy_client.get(address).status_code == 200, address
        asked_of = [one["sql"] for one in asked if "privacy_notice" in one["sql"]]
        assert all(sql.lstrip().startswith("SELECT") for sql in asked_of), address
    assert Notice.archive.get().state == "queued"
    assert [entry.position for entry in journal.entries()] == before
    follow_notices()
    assert Notice.archive.get().state == "bounced"


def test_the_copy_says_in_words_what_recipients_are_still_to_be_told(officer):
    """What a notice tells is kept under keys until it is settled; people read words (Art. 12(1) GDPR)."""
    customer, _recipient = told("")
    case = take(officer, customer=customer, channel="page", language="en")
    Customer.objects.filter(pk=customer.pk).update(language="en")
    change = rectifying.stage(
        Request.objects.create(kind="rectification", customer=customer, state="in_progress"),
        "customer:last_name", "Möller", "Ausweis", by=officer,
    )  # fmt: skip
    rectifying.apply_all(change.request, [change.pk], by=officer)
    restricting.restrict(Customer.objects.get(pk=customer.pk), "a", ["address"], "Streit", by=officer)
    files = files_of(make_copy(case, officer))
    page = files["index.html"].decode()
    notice = page[page.index("<h3>Notices to recipients</h3>") :]
    notice = notice.partition("</details>")[0]
    assert "last name: möller" in notice.casefold() and "E-mail: " in notice and "<dd>Nordpost</dd>" in notice
    assert "customer:last_name" not in notice and "\t" not in notice
    # The files for machines as well: who is told is named, and what a key says stands beside it.
    first = json.loads(files["data/privacy.Notice.json"])[-1]
    assert first["recipient"] == "Nordpost" and "last name: Möller" in first["details"] and "\t" not in first["details"]
    table = list(csv.DictReader(files["data/privacy.Notice.csv"].decode().splitlines()))
    assert all(row["recipient"] == "Nordpost" for row in table)
    properties = json.loads(files["schemas/privacy.Notice.schema.json"])["items"]["properties"]
    assert "lifting = end of a restriction" in properties["kind"]["description"]
    tables = json.loads(files["datapackage.json"])["resources"]
    columns = next(one for one in tables if one["path"] == "data/privacy.Notice.csv")["schema"]["fields"]
    assert "queued = " in next(one for one in columns if one["name"] == "state")["description"]


def test_without_an_address_a_person_tells_the_recipient():
    customer, _recipient = told("")
    notices.queue_notices("restriction", customer.pk, None)
    assert not Message.objects.exists()
    assert len(notices.open_notices()) == 1


def test_what_has_arrived_no_longer_names_the_person(monkeypatch):
    customer, _recipient = told()
    notices.queue_notices("erasure", customer.pk, uuid.uuid4())
    deliver_due(10)
    follow_notices()
    assert Notice.archive.get().details != ""
    Notice.archive.update(sent_at="2026-01-01T00:00:00+00:00")
    follow_notices()
    settled = Notice.archive.get()
    assert (settled.state, settled.details) == ("done", "")


def test_a_rectification_and_a_restriction_tell_the_recipients_and_keep_the_case_open(officer):
    customer, _recipient = told("")
    request = Request.objects.create(kind="rectification", customer=customer, state="in_progress")
    change = rectifying.stage(request, "customer:last_name", "Möller", "Ausweis", by=officer)
    rectifying.apply_all(request, [change.pk], by=officer)
    (notice,) = notices.open_notices(request=request)
    assert notice.kind == "rectification" and "Möller" in notice.details
    assert [label for label, _words in closing.open_points(request)] == ["Recipients"]
    notices.mark_told(notice.pk, "Brief", by=officer)
    assert closing.open_points(request) == []

    restriction = restricting.restrict(Customer.objects.get(pk=customer.pk), "a", ["address"], "Streit", by=officer)
    (notice,) = notices.open_notices()
    assert (notice.kind, notice.request) == ("restriction", restriction.request)
    notices.mark_told(notice.pk, "Brief", by=officer)
    restricting.announce_lifting(restriction, "Die Anschrift stimmt.", by=officer)
    restricting.lift(restriction, by=officer)
    assert [one.kind for one in notices.open_notices()] == ["lifting"]
