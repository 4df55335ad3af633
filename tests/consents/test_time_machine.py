"""What was allowed at a moment of the past, with proof: as page, PDF and JSON."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from consents import checkpoints
from consents.forms import CLOCK
from consents.hashing import canonical, commitment
from consents.models import Entry
from consents.sealing import seal_pending
from customers.models import ContactPoint, Customer
from datamap.models import AccessLog
from tests.consents.publishing import give, make_version
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> Customer:
    """Somebody who consented to the newsletter twenty days ago and withdrew ten days ago."""
    customer = make_person("4711")
    version = make_version()
    now = timezone.now()
    give(customer, now - timedelta(days=20), wording=version.wording("de"))
    give(customer, now - timedelta(days=10), kind="withdrawn", source="rfc8058", confirmed=False)
    return customer


def ask(client, person: Customer, days: float, suffix: str = "", **given: str):
    point = ContactPoint.objects.get(customer=person, kind="email")
    at = timezone.localtime(timezone.now() - timedelta(days=days)).strftime(CLOCK)
    query = {"purpose": "newsletter", "choice": f"email.{point.pk}", "at": at} | given
    return client.get(reverse(f"consents:answer{suffix}", args=[person.number]), query)


@pytest.mark.parametrize(
    ("days", "allowed", "reason", "events"),
    [(30, False, "never_asked", 0), (15, True, "consent", 1), (5, False, "withdrawn", 2)],
)
def test_each_moment_has_its_answer(person, agent_client, days, allowed, reason, events):
    answer = ask(agent_client, person, days).context["answer"]
    assert (answer.decision.allowed, answer.decision.reason, len(answer.events)) == (allowed, reason, events)


def test_the_page_shows_wording_seal_and_checkpoint_and_is_logged(person, agent_client):
    seal_pending()
    signed = checkpoints.sign_checkpoint()
    page = ask(agent_client, person, 15)
    for shown in ("Ich kann jederzeit widersprechen.", signed.at, signed.hash.hex(), "Die Person hat eingewilligt."):
        assert shown in page.text
    assert AccessLog.objects.filter(customer_number="4711", page="consents:answer").exists()


def test_the_json_proves_each_event(person, agent_client):
    seal_pending()
    checkpoints.sign_checkpoint()
    answer = ask(agent_client, person, 5, "_json")
    assert "4711" not in answer["Content-Disposition"]
    said = json.loads(answer.content)
    assert (said["allowed"], said["reason"], said["customer"]) == (False, "withdrawn", "4711")
    assert [event["kind"] for event in said["events"]] == ["given", "withdrawn"]
    for event, entry in zip(said["events"], Entry.objects.order_by("pk"), strict=True):
        assert commitment(bytes.fromhex(event["salt"]), canonical(event["payload"])) == bytes(entry.commitment)
        assert event["leaf"] == bytes(entry.leaf).hex()
        assert event["seal"]["hash"] == said["checkpoint"]["hash"]
    assert said["events"][0]["wording"]["body"].startswith("Ja, schreiben Sie mir")


def test_the_pdf_is_one_and_says_so_before_anything_is_sealed(person, agent_client):
    for days in (30, 5):
        answer = ask(agent_client, person, days, "_pdf")
        assert answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")
        assert "4711" not in answer["Content-Disposition"]


def test_an_address_that_is_gone_can_still_be_asked_about(person, agent_client):
    ContactPoint.objects.filter(customer=person).delete()
    form = agent_client.get(reverse("consents:answer", args=[person.number])).context["form"]
    key = next(key for key, label in form.fields["choice"].choices if "alma4711@laden.example" in label)
    at = timezone.localtime(timezone.now() - timedelta(days=15)).strftime(CLOCK)
    query = {"purpose": "newsletter", "choice": key, "at": at}
    answer = agent_client.get(reverse("consents:answer", args=[person.number]), query).context["answer"]
    assert len(answer.events) == 1
    assert "@" not in key


def test_bad_questions_get_no_answer(person, agent_client, outsider_client):
    other = make_person("4712")
    foreign = ContactPoint.objects.get(customer=other, kind="email")
    for wrong in (
        {"purpose": "erfunden"}, {"choice": "email.0"}, {"choice": f"email.{foreign.pk}"}, {"at": "gestern"},
        {"at": "2099-01-01T10:00"}, {"choice": ""},
    ):  # fmt: skip
        for suffix in ("", "_json", "_pdf"):
            assert ask(agent_client, person, 5, suffix, **wrong).status_code == 422
    assert agent_client.get(reverse("consents:answer", args=[person.number])).status_code == 200
    assert ask(outsider_client, person, 5).status_code == 403
