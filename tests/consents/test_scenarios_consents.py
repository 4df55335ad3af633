"""Exact cases of consent: P11, P12 and P16."""

from __future__ import annotations

from datetime import UTC, date, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

import consents
from consents import unsubscribing
from consents.audience import allowed_among
from consents.events import Event
from consents.models import Entry, PendingOptIn, Purpose, Record, State
from consents.opting_in import Outcome, ask_opt_in, confirm
from consents.recording import record
from consents.tokens import read_unsubscribe_token
from customers.models import Customer, OptInClaim, Suppression
from customers.rows import OptInRow
from customers.suppression import suppressed
from datamap.models import Controller
from mail.models import Message
from mail.sending import deliver_due
from tests.consents.signing_up import advertise, ask, person, publish, token_of
from tests.customers.making import bring_in, make_row
from tests.mail.writing import make_due

pytestmark = pytest.mark.django_db

BERLIN = ZoneInfo("Europe/Berlin")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.fixture(autouse=True)
def _wordings(db):
    publish()


@pytest.fixture
def clock(monkeypatch):
    """Sets the time of day of the whole house."""

    def set_to(text: str) -> datetime:
        now = local(text).astimezone(UTC)
        monkeypatch.setattr(timezone, "now", lambda: now)
        return now

    return set_to


def test_p11_one_click_unsubscribe_against_a_running_campaign(mail_server, clock):
    clock("2026-05-05T10:00")
    people = [person(f"K{n}", f"k{n}@laden.example") for n in (1, 2)]
    for n, one in enumerate(people, start=1):
        record(
            Event("given", one.pk, one.number, "newsletter", "email", f"k{n}@laden.example", confirmed=True,
                  source="double_opt_in")
        )  # fmt: skip
    clock("2026-11-24T08:00")
    newsletter = Purpose.objects.get(key="newsletter")
    assert allowed_among([one.pk for one in people], newsletter, "email") == {one.pk for one in people}
    first, second = [advertise(one) for one in people]
    Message.objects.update(next_attempt_at=local("2026-11-24T10:00"))
    links = [urlsplit(unsubscribing.unsubscribe_url(message)).path for message in (first, second)]

    clock("2026-11-24T08:30")
    for link in links:  # a scanner looks at every link
        assert Client().get(link).status_code == 200
        assert Client().head(link).status_code == 200
    assert Record.objects.filter(kind="withdrawn").count() == 0

    at = clock("2026-11-24T09:00")
    click = {"data": "List-Unsubscribe=One-Click", "content_type": "application/x-www-form-urlencoded"}
    for _ in range(2):  # the second is idempotent
        answer = Client(enforce_csrf_checks=True).post(links[0], **click)
        assert 200 <= answer.status_code < 300
        assert "Location" not in answer
    withdrawal = Record.objects.get(kind="withdrawn")
    assert (withdrawal.customer, withdrawal.source, withdrawal.occurred_at) == (people[0], "rfc8058", at)

    clock("2026-11-24T10:00")
    deliver_due(10)
    assert mail_server.recipients == ["k2@laden.example"]
    row = Message.objects.get(pk=first.pk)
    assert (row.state, row.reason) == ("refused", "withdrawn")
    assert allowed_among([one.pk for one in people], newsletter, "email") == {people[1].pk}

    def proofs() -> int:
        return Record.archive.filter(customer=people[0]).count()

    kept = proofs()
    for day, left in (("2029-12-31", kept), ("2030-01-01", 0)):
        clock(f"{day}T03:30")
        call_command("purge_expired", "--rule", "CONSENT", verbosity=0)
        assert proofs() == left, day


def test_p12_unsubscribed_imported_reconsented(mail_server, clock):
    clock("2025-01-01T10:00")
    address, other = "zoe@laden.example", "zweite@laden.example"
    customer = person("K1", address)
    customer.contact_points.create(kind="email", value=other)
    customer.contact_points.create(kind="phone", value="+49405550142")
    for channel, endpoint, purpose in (
        ("email", address, "newsletter"), ("email", other, "newsletter"), ("phone", "+49405550142", "phone"),
    ):  # fmt: skip
        record(Event("given", customer.pk, "K1", purpose, channel, endpoint, confirmed=True, source="double_opt_in"))

    clock("2026-03-01T09:00")
    message = advertise(customer)
    token = urlsplit(unsubscribing.unsubscribe_url(message)).path.rpartition("/")[2]
    unsubscribing.unsubscribe(read_unsubscribe_token(token))
    assert suppressed("email", address)
    Message.objects.all().delete()

    clock("2026-06-01T09:00")
    row = make_row(email="ZOE@LADEN.EXAMPLE ", first_name="Zoë", opt_ins=(OptInRow("email", "yes"),))
    outcome = bring_in(row, platform="mailchimp")
    assert [warning.field for warning in outcome.warnings] == ["newsletter"]  # rejected and reported
    assert not OptInClaim.objects.exists()
    assert Customer.objects.get(pk=customer.pk).first_name == "Zoë"  # its master data may change
    assert suppressed("email", address)
    assert consents.may(customer, "newsletter", "email", address).reason == "withdrawn"

    def others() -> list[tuple]:
        return sorted(State.objects.exclude(endpoint_index=address).values_list("pk", "state", "since", "open"))

    before, entries = others(), Entry.objects.count()
    clock("2026-09-10T18:00")
    pending = ask(address)
    advertise(customer)
    make_due()
    deliver_due(10)
    assert [mail["List-Unsubscribe"] for _to, mail in mail_server.accepted] == [None]  # the neutral mail alone
    assert suppressed("email", address)

    at = clock("2026-09-12T07:00")
    assert confirm(token_of(pending)) is Outcome.CONFIRMED
    decision = consents.may(customer, "newsletter", "email", address)
    assert (decision.reason, decision.since) == ("consent", at)
    assert Entry.objects.count() == entries + 1
    kinds = Record.objects.filter(endpoint_index=address).order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["given", "withdrawn", "given"]  # a new record; the old history is kept
    ended = Suppression.objects.get()
    assert ended.ended_at == at
    assert others() == before
    assert consents.may(customer, "newsletter", "email", address, at=local("2026-09-11T12:00")).reason == "withdrawn"


@pytest.mark.parametrize(("country", "allowed"), [("DE", False), ("AT", True)])
def test_p16_a_minor_signs_up(mail_server, clock, country, allowed):
    Controller(jurisdiction=country).save()
    clock("2026-11-24T10:00")
    address, born = "kind@laden.example", date(2011, 1, 15)
    ask_opt_in(address, ["newsletter"], page="sign_up", born=born)
    pending = PendingOptIn.objects.first()
    assert (pending is not None) == allowed
    make_due()
    deliver_due(10)
    assert mail_server.recipients == ([address] if allowed else [])
    if allowed:
        assert confirm(token_of(pending)) is Outcome.CONFIRMED
        assert consents.may(Customer.objects.get(), "newsletter", "email").reason == "consent"
        return
    assert not Message.objects.exists()  # nothing is kept of it

    clock("2027-01-15T08:00")  # the sixteenth birthday
    deliver_due(10)
    assert mail_server.recipients == []
    assert not Customer.objects.exists()
    assert not Entry.objects.exists()
    ask_opt_in(address, ["newsletter"], page="sign_up", born=born)  # it takes a fresh consent
    assert confirm(token_of(PendingOptIn.objects.get())) is Outcome.CONFIRMED
    assert consents.may(Customer.objects.get(), "newsletter", "email").reason == "consent"


@pytest.mark.parametrize("country", ["DE", "AT"])
def test_p16_by_the_form_everybody_gets_the_same_answer(client, clock, country):
    Controller(jurisdiction=country).save()
    clock("2026-11-24T10:00")
    version = publish(number=2)
    form = {"email": "kind@laden.example", "yes-newsletter": "on", "text-newsletter": version.sha256_de}
    answers = [client.post("/c/sign-up/", form | {"born": born}) for born in ("2011-01-15", "1980-01-15")]
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, "/c/sign-up/sent/")}
    assert PendingOptIn.objects.count() == (2 if country == "AT" else 1)
    # What can be nobody's date of birth checks no age, and whoever slipped is told.
    for born in ("0085-01-15", "1899-01-15", "2026-11-25"):
        answer = client.post("/c/sign-up/", form | {"born": born})
        assert answer.status_code == 422
        assert "Das kann kein Geburtsdatum sein." in answer.text
    assert PendingOptIn.objects.count() == (2 if country == "AT" else 1)
