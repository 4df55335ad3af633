"""A whole shop to look at: the demo, and through pages and commands what its desk would leave behind."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from uuid import uuid4

from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client, TestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from config.celery import app
from consents.models import LegalText
from consents.opting_in import Visitor, confirm
from consents.panel import panel_of
from consents.sealing import seal_pending
from consents.texts import published
from customers.models import ContactPoint, Customer, Origin, Tombstone
from customers.postal import note_marks, postal_key
from customers.suppression import suppress
from customers.tombstones import marks_of
from datamap.models import Quarantine
from intake.models import Batch
from interactions.models import Complaint
from mail.events import work_off_events
from mail.models import ProviderEvent
from mail.sending import deliver_due, queue
from orders.documents import issue_credit_note, issue_document
from orders.entering import LineInput, OrderInput, enter_order
from orders.models import Document, Return
from orders.returning import announce_return
from privacy import handling, identifying, objecting, publishing, rectifying, restricting
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import DeletionLog, Recipient, Request
from privacy.notices import open_notices, queue_notices
from privacy.purging import plan_run, work
from privacy.receiving import Incoming, register
from staff.models import Role, User
from tests.consents.signing_up import ask, publish, token_of
from tests.customers.making import bring_in, make_row
from tests.interactions.factories import log_form
from tests.staff.conftest import PASSWORD, SECRET
from tests.tracking import making as tracking

DAY = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
SHARED_ADDRESS = "familie@laden.example"
NEWCOMERS = [
    ["Kundennummer", "Vorname", "Nachname", "E-Mail", "PLZ", "Ort", "Geburtstag"],
    ["N-1", "Jürgen", "Größenwahn", "juergen@laden.example", "20354", "Hamburg", "01.02.1980"],
    ["N-2", "Zoë", "Brandt", SHARED_ADDRESS, "28195", "Bremen", ""],  # two accounts have it: held
    ["", "", "", "", "50667", "Köln", ""],  # nothing to know anybody by: rejected
]


def open_shop(client: Client, user: User, customers: int = 150, days: int = 1) -> None:
    """Fill the empty database: the demo of this size, then days of work by this user, who has every role."""
    with override_settings(DEBUG=True):  # the demo fills no database in earnest
        call_command("demo", customers=customers, seed=7, stdout=StringIO())
    user.set_password(PASSWORD)
    user.save()
    client.force_login(user)
    _sent(client, reverse("account_reauthenticate"), {"password": PASSWORD})  # some pages ask for it again
    TOTP.activate(user, SECRET)
    RecoveryCodes.activate(user)
    EmailAddress.objects.get_or_create(user=user, email=user.email, verified=True, primary=True)
    for day in range(days):
        _bring_files(client, day)
        # A platform that says when somebody was seen last.
        bring_in(make_row(external_id=f"W-{day}", last_activity=timezone.now()), platform="woocommerce")
        _talk(client)
        _keep_lists(client, day)
        _account(client, user, day)
        _sell(user)
        _consent(client, day)
        _employ(client, day)
        _correspond(client, day)
        _sign_up(day)
        _ask_for_rights(client, user, day)
        _hand_out(client)
        _be_seen(day)
    _end_somebody(user)
    for origin in (Origin.objects.order_by("pk")[0].pk, None):  # a file names an address, then the person objects
        suppress("email", "nie@laden.example", reason="objection", origin_id=origin)
    # Who objected to post lived there before everybody else came in.
    suppress("post", postal_key("Am Deich 99", "20095"), reason="objection", since=datetime(2020, 1, 1, tzinfo=UTC))
    note_marks()
    gone = marks_of(emails=["weg@laden.example"])
    Tombstone.objects.bulk_create(Tombstone(kind=k, mark=m, erased_at=timezone.now()) for k, m in gone)


def _be_seen(day: int) -> None:
    """Somebody has agreed to be recognised, on the device and as a customer."""
    customer = Customer.objects.filter(
        restricted_at=None, deactivated_at=None, flags=None, contact_points__kind="email"
    ).order_by("pk")[0]
    if not day:
        tracking.publish_wording()
        tracking.say(customer)
    with override_settings(TRACKING_ORIGINS=[tracking.ORIGIN], TRACKING_LINK_SECRETS=[tracking.SECRET]):
        seen = [{"path": "/kaffee", "referrer": "www.example.org", "campaign": "herbst"}]
        tracking.report(visits=seen, kind="phone", device=f"geraet-nummer-{day:04}")
        tracking.link(customer, f"geraet-nummer-{day:04}")


def _hand_out(client: Client) -> None:
    """The copy of somebody's data, which waits for a look at what names others, and the data to take along."""
    customer = Customer.objects.order_by("pk")[0]
    eager = app.conf.task_always_eager
    app.conf.task_always_eager = True
    try:
        with TestCase.captureOnCommitCallbacks(execute=True):
            _sent(client, reverse("privacy:package_create", args=[customer.number]), {"kind": "both"})
    finally:
        app.conf.task_always_eager = eager


def _end_somebody(user: User) -> None:
    """An erasure that an open order holds, a retention run that finds nothing, a quarantine that is over."""
    customer = Customer.objects.create(number="E-1", last_name="Endlich", registered_at=timezone.now())
    line = LineInput(sku="BOHNE-1", name="Espressobohnen", quantity=Decimal(1), unit_price=Decimal("11.90"))
    enter_order(OrderInput([line], {"name": "Endlich"}, customer_id=customer.pk), token=uuid4(), user_id=user.pk)
    held = run_erasure(ask_erasure(customer, user=user).pk)
    assert held.holds
    run = plan_run(date(2000, 1, 3))
    work(run.pk)
    DeletionLog.objects.create(run=run, rule_key="ACCOUNT", rule_version=1, model="customers.Customer", count=0)
    now, other = timezone.now(), User.objects.exclude(pk=user.pk).order_by("pk")[0]
    Quarantine.objects.create(
        reason="older", first_release_by=user.pk, first_release_at=now, second_release_by=other.pk, ended_at=now,
        ended_how="released",
    )  # fmt: skip


def _bring_files(client: Client, day: int) -> None:
    """One file waits for its columns, one is checked, one is in, with a rejected and a held row."""
    twins = Customer.objects.filter(status="account").order_by("pk")[:2]
    for twin in twins:
        ContactPoint.objects.create(customer=twin, kind="email", value=SHARED_ADDRESS)
    text = StringIO()
    csv.writer(text, delimiter=";").writerows([cell.replace("N-", f"N{day}-") for cell in row] for row in NEWCOMERS)
    batches = [_upload(client, text.getvalue()) for _ in range(3)]
    eager = app.conf.task_always_eager
    app.conf.task_always_eager = True  # the worker's part, here and now
    try:
        for batch in batches[1:]:
            page = client.get(reverse("intake:columns", args=[batch.pk]))
            choices = {c.field: c.target for c in page.context["columns"] if c.target}
            form = {"profile": batch.profile, "version": batch.version, **choices}
            with TestCase.captureOnCommitCallbacks(execute=True):
                _sent(client, reverse("intake:columns", args=[batch.pk]), form)
            batch.refresh_from_db()
        with TestCase.captureOnCommitCallbacks(execute=True):
            _sent(client, reverse("intake:start", args=[batches[2].pk]), {"version": batches[2].version})
    finally:
        app.conf.task_always_eager = eager


def _upload(client: Client, text: str) -> Batch:
    file = SimpleUploadedFile("neu.csv", text.encode())
    address = _sent(client, reverse("intake:upload"), {"kind": "customers", "file": file})
    return Batch.objects.get(pk=address.split("/")[-3])


def _sent(client: Client, address: str, form: dict[str, Any]) -> str:
    """Send a form as the page would; answers where it leads. A form that comes back is a mistake of this file."""
    answer = client.post(address, form)
    assert answer.status_code == 302, (address, answer.status_code)
    return answer["Location"]


def _talk(client: Client) -> None:
    """A complaint by telephone with a paper, a next step for today, and one that waits."""
    for place, customer in enumerate(Customer.objects.order_by("pk")[:4]):
        form = log_form(content=f"Die Mühle {place} klemmt.", next_step="Zurückrufen", waits="on" if place else "")
        form["due_on"] = (timezone.localdate() + timedelta(days=place)).isoformat()
        if not place % 2:
            form["new_complaint"] = "Mühle defekt"
        form["attachments"] = SimpleUploadedFile("foto.txt", b"zu sehen ist wenig", content_type="text/plain")
        _sent(client, reverse("interactions:log", args=[customer.number]), form)
        _sent(client, reverse("customers:note_add", args=[customer.number]), {"text": "Ruft gern am Abend an."})
        client.get(reverse("portal:customer_detail", args=[customer.number]))
    review = {"review_on": (timezone.localdate() + timedelta(days=90)).isoformat(), "reason": "Der Streit läuft."}
    for complaint in Complaint.objects.order_by("pk"):
        _sent(client, reverse("interactions:complaint_keep", args=[complaint.pk]), review)


def _sell(user: User) -> None:
    """One order that may still be changed, and one with its invoice and goods on their way back."""
    customer = Customer.objects.order_by("pk")[0]
    for _ in range(2):
        line = LineInput(sku="BOHNE-1", name="Espressobohnen", quantity=Decimal(2), unit_price=Decimal("11.90"))
        data = OrderInput([line], {"name": "Alma", "city": "Hamburg"}, customer_id=customer.pk, note="eilig")
        data.gift_note = "Alles Gute!"
        data.texts, data.texts_place = tuple(version.pk for version in published()), "order:1"
        order = enter_order(data, token=uuid4(), user_id=user.pk)
    for kind in (Document.Kind.INVOICE, Document.Kind.DELIVERY_NOTE):
        issue_document(order.pk, kind, user_id=user.pk)
    invoice = order.documents.get(kind=Document.Kind.INVOICE)
    issue_credit_note(invoice.pk, Decimal(1), reason="kam zu spät", user_id=user.pk)
    lines = {line.pk: Decimal(1) for line in order.lines.all()}
    back = announce_return(order.pk, lines, reason=Return.Reason.DEFECT, note="kam nass an", user_id=user.pk)
    assert back.state


def _keep_lists(client: Client, day: int) -> None:
    """A search, a view for everyone, a file of the list."""
    narrowed = _sent(client, reverse("portal:customer_list"), {"find": "a"})
    query = narrowed.partition("?")[2]
    client.get(f"{reverse('portal:customer_list')}?{query}")
    _sent(client, f"{reverse('portal:view_create')}?{query}", {"name": f"Mit A {day}", "shared": "on"})
    file = client.post(f"{reverse('portal:customer_export')}?{query}", {"file_format": "csv"})
    b"".join(file.streaming_content)


def _correspond(client: Client, day: int) -> None:
    """A letter with a file, of whose delivery the provider reports, and a mail that somebody decides about."""
    customer = Customer.objects.filter(contact_points__kind="email", restricted_at=None).order_by("pk")[0]
    paper = [("Brief.pdf", b"%PDF-1.7", "application/pdf")]
    key = f"laden:{day}"
    letter = queue("enclosed", to=customer, message_class="letter", context={}, key=key, attachments=paper)
    deliver_due(10)
    raw: dict[str, Any] = {"event": {"day": day}, "recipient": "", "reject_reason": "other", "metadata": {}}
    raw["message_id"] = letter.message_id
    ProviderEvent.objects.create(provider="Brevo", kind="bounced", raw=raw, occurred_at=DAY)
    work_off_events()
    elsewhere = "anderswo@laden.example"
    waiting = queue("enclosed", to=customer, address=elsewhere, message_class="letter", context={})
    _sent(client, reverse("mail:decide", args=[waiting.pk]), {"decision": "cancel"})


def _sign_up(day: int) -> None:
    """Somebody confirms the newsletter, and asks for it once more: that form waits."""
    if not day:
        publish()
    known = ContactPoint.objects.filter(kind="email", customer__status="account", customer__restricted_at=None)
    confirm(token_of(ask(known.order_by("pk")[day].value)))
    ask(known.order_by("pk")[day].value, visitor=Visitor("192.0.2.1", "Feuerfuchs"))


def _ask_for_rights(client: Client, user: User, day: int) -> None:
    """A request with every step, a change of a name, a copy of a card, a restriction, an objection."""
    customer, other = Customer.objects.unrestricted().order_by("-pk")[:2]
    form = {
        "channel": "mail", "received_at": timezone.localtime().strftime("%Y-%m-%dT%H:%M"), "kind": "rectification",
        "text": "Mein Name ist falsch geschrieben.", "name": "Alma Alt", "email": f"alma{day}@laden.example",
        "phone": f"+494055501{day:02}", "address": "Am Deich 4\n20095 Hamburg", "language": "de", "token": uuid4(),
    }  # fmt: skip
    place = _sent(client, reverse("privacy:request_for", args=[customer.number]), form)
    case = Request.objects.get(pk=place.split("/")[-2])
    identifying.ask(case, "Andere Adresse", way="post", version=None, by=user)
    copy = SimpleUploadedFile("karte.pdf", b"%PDF-1.7 nichts zu sehen", content_type="application/pdf")
    identifying.add_copy(case, copy, by=user)
    change = rectifying.stage(case, "customer:last_name", f"Neuname {day}", "gesehen", by=user)
    rectifying.reject(case, [change.pk], "kein Beleg", by=user)
    rectifying.stage(case, "customer:first_name", f"Vorname {day}", "gesehen", by=user)
    erasure = Incoming(kind="erasure", channel="staff", received_at=timezone.now(), customer=customer)
    public = publishing.note(register(erasure, by=user)[0], "Bewertung im Shop", version=None, by=user)
    publishing.settle(public.pk, "told", "Suchmaschine gebeten", version=None, by=user)
    handling.propose_refusal(case, "unfounded", "Unsinn", "Mail", way="post", version=None, by=user)
    freeze = restricting.restrict(other, "a", ["all"], "bestritten", by=user)
    restricting.announce_lifting(freeze, "stimmt", by=user)
    restricting.lift(freeze, by=user)
    restricting.restrict(other, "c", ["address"], "für Ansprüche", by=user)
    objecting.object_now(Customer.objects.unrestricted().order_by("pk")[3], channel="phone", by=user)


def _consent(client: Client, day: int) -> None:
    """A consent on the phone, one on paper, one that ended, all sealed; a text with a draft and two versions."""
    person = Customer.objects.filter(restricted_at=None, contact_points__kind="phone").order_by("-pk")[0]
    url = reverse("consents:take_down", args=[person.number])
    paper = SimpleUploadedFile("zettel.pdf", b"%PDF-1.4 gut", "application/pdf")
    for purpose, how in (
        ("phone", {"source": "phone_call", "note": f"gern, {day}"}),
        ("newsletter", {"source": "paper", "scans": paper}),
    ):
        form = client.get(url, {"purpose": purpose}).context["form"]
        choice, wording = (form.fields[name].choices[0][0] for name in ("choice", "wording"))
        said = {"purpose": purpose, "choice": choice, "agrees": "yes", "wording": wording, "token": str(uuid4())}
        _sent(client, url, said | how)
    line = next(line for line in panel_of(person) if line.purpose.key == "phone" and line.may_end)
    _sent(client, reverse("consents:withdraw", args=[person.number]), {"purpose": "phone", "line": line.key})
    text = LegalText.objects.order_by("pk")[0]
    for n in range(2):
        words = {"title_de": "Newsletter", "title_en": "Newsletter", "body_de": f"Ja {day} {n}", "body_en": f"Yes {n}"}
        _sent(client, reverse("consents:draft", args=[text.pk]), words | {"valid_from": "2024-01-01"})
        if n == 0:
            draft = text.versions.get(published_at=None)
            _sent(client, reverse("consents:publish", args=[draft.pk]), {})
    seal_pending()


def _account(client: Client, user: User, day: int) -> None:
    """Recipients, one that is told of a correction, a hold that goes on, a breach with its follow-up, a kept paper."""
    customer = Customer.objects.filter(restricted_at=None).order_by("pk")[0]
    nobody = {"country": "DE", "language": "de"}
    carrier = {**nobody, "name": f"Nordpost {day}", "kind": "parcel", "role": "controller", "contact": "Kai 1"}
    _sent(client, reverse("privacy:recipient_new"), {**carrier, "email": "post@nord.example"})
    recipient = Recipient.objects.latest("pk")
    said = {
        "recipient": recipient.pk,
        "at": "2026-01-05T10:00",
        "data": "Name",
        "purpose": "Zustellung",
        "note": "eilig",
    }
    _sent(client, reverse("privacy:disclosure_new", args=[customer.number]), {**said, "basis": "6(1)(b)"})
    queue_notices("rectification", customer.pk, None, what="Nachname")
    for notice in open_notices():
        _sent(client, reverse("privacy:notice_settle", args=[notice.pk, "told"]), {"reason": "Brief"})
    soon = (timezone.localdate() + timedelta(days=60)).isoformat()
    hold = {"kind": "claim", "customer": customer.number, "owner": user.pk, "review_on": soon, "reason": "Streit"}
    held = _sent(client, reverse("privacy:hold_new"), hold)
    _sent(client, f"{held}extend/", {"review_on": soon, "reason": "läuft noch"})
    breach = {"title": "Fehlversand", "aware_at": "2026-01-05T10:00", "facts": "Eine Mail an alle.", "risk": "none"}
    page = _sent(client, reverse("privacy:breach_new"), breach)
    _sent(client, f"{page}entry/", {"text": "Es waren zwölf."})
    law = {"valid_from": f"{2028 + day}-01-01", "hours": 96, "told_from": "high", "statute": "GDPR Art. 33(1)"}
    _sent(client, reverse("privacy:breach_rules"), law | {"reason": "im Amtsblatt"})
    _sent(client, reverse("privacy:paper_keep", args=["notice"]), {})


def _employ(client: Client, day: int) -> None:
    """Somebody new."""
    service = Role.objects.get(key=Role.SERVICE)
    form = {"email": f"neu{day}@laden.example", "name": "Nele Neu", "language": "de", "roles": [service.pk]}
    _sent(client, reverse("staff:invite"), form)
