"""What was allowed at a moment of the past, with proof: as page, PDF and JSON."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from consents import answering, checkpoints
from consents.forms import CLOCK
from consents.hashing import canonical, commitment
from consents.models import Entry, Purpose
from consents.sealing import seal_pending
from customers.models import ContactPoint, Customer
from datamap.models import AccessLog
from tests.consents.making import moment
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
    nothing = agent_client.get(reverse("consents:answer_json", args=[person.number]))
    assert (nothing.status_code, set(nothing.json()["errors"])) == (422, {"purpose", "choice"})
    assert ask(outsider_client, person, 5).status_code == 403


def test_of_the_hour_that_comes_twice_either_can_be_asked(agent_client):
    person = make_person("4711")
    give(person, moment("2024-10-27T02:15:00+02:00"), late=True)
    give(person, moment("2024-10-27T02:45:00+02:00"), kind="withdrawn", late=True)
    asked = {"at": "2024-10-27T02:30"}
    page = ask(agent_client, person, 0, **asked)
    assert page.context["answer"].at == moment("2024-10-27T02:30:00+01:00")
    assert page.context["answer"].decision.reason == "withdrawn"
    assert "Diese Stunde gab es zweimal" in page.text and "02:30 CET" in page.text
    page = ask(agent_client, person, 0, first="on", **asked)
    assert page.context["answer"].at == moment("2024-10-27T02:30:00+02:00")
    assert page.context["answer"].decision.reason == "consent"
    assert "02:30 CEST" in page.text
    said = json.loads(ask(agent_client, person, 0, "_json", first="on", **asked).content)
    assert (said["at"], said["reason"]) == ("2024-10-27T00:30:00.000000Z", "consent")
    ordinary = ask(agent_client, person, 0, first="on", at="2024-10-27T03:30")
    assert ordinary.context["answer"].at == moment("2024-10-27T03:30:00+01:00")
    assert "zweimal" not in ordinary.text
    # An hour that never was has no answer.
    assert ask(agent_client, person, 0, at="2024-03-31T02:30").status_code == 422


def test_the_very_instant_of_an_event_is_after_it(agent_client):
    person = make_person("4711")
    give(person, moment("2024-06-01T10:00:00.000002+02:00"), late=True)
    reasons = {
        at: ask(agent_client, person, 0, at=at).context["answer"].decision.reason
        for at in ("2024-06-01T10:00:00.000001", "2024-06-01T10:00:00.000002", "2024-06-01T10:00:00.000002+02:00")
    }
    assert list(reasons.values()) == ["never_asked", "consent", "consent"]


def dated(person: Customer, days: float, *kinds: str) -> None:
    """Let the last of these kinds of history of the e-mail address have been written so many days ago."""
    rows = ContactPoint.history.filter(kind="email", history_type__in=kinds)
    newest = rows.order_by("-history_id").first()
    ContactPoint.history.filter(pk=newest.pk).update(history_date=timezone.now() - timedelta(days=days))


@pytest.fixture
def known(person) -> Customer:
    """The same person, entered thirty days ago with the address; no withdrawal."""
    long_ago = timezone.now() - timedelta(days=30)
    Customer.objects.filter(pk=person.pk).update(created_at=long_ago)
    ContactPoint.objects.filter(customer=person).update(created_at=long_ago)
    ContactPoint.history.update(history_date=long_ago, created_at=long_ago)
    person.refresh_from_db()
    return person


def said(person: Customer, days: float) -> tuple[str, bool | None]:
    """The reason of that day, and whether the address was on file."""
    found = answering.answer(
        person, Purpose.objects.get(key="newsletter"), "email", "ALMA4711@laden.example ",
        timezone.now() - timedelta(days=days),
    )  # fmt: skip
    return found.decision.reason, found.on_file


def test_an_address_that_was_removed_was_no_longer_theirs(known):
    ContactPoint.objects.get(customer=known, kind="email").delete()
    dated(known, 15, "-")
    assert said(known, 16) == ("consent", True)
    assert said(known, 14) == ("not_theirs", False)
    assert said(known, 5) == ("withdrawn", False)


def test_an_address_that_came_later_was_not_theirs_before(known):
    point = ContactPoint.objects.get(customer=known, kind="email")
    point.value = "alt@laden.example"
    point.save()
    point.value = "alma4711@laden.example"
    point.save()
    dated(known, 12, "~")
    ContactPoint.history.filter(kind="email", history_type="~").exclude(
        pk=ContactPoint.history.filter(kind="email").latest("history_id").pk
    ).update(history_date=timezone.now() - timedelta(days=18))
    assert said(known, 19) == ("consent", True)
    assert said(known, 17) == ("not_theirs", False)
    assert said(known, 11) == ("consent", True)


def test_a_new_address_of_somebody_known_was_not_theirs_before(known):
    ContactPoint.objects.filter(customer=known, kind="email")._raw_delete("default")
    ContactPoint.history.filter(kind="email").delete()
    ContactPoint.objects.create(customer=known, kind="email", value="alma4711@laden.example")
    assert said(known, 15) == ("not_theirs", False)


def test_an_address_that_went_to_somebody_else_was_no_longer_theirs(known):
    other = make_person("4712")
    point = ContactPoint.objects.get(customer=known, kind="email")
    point.customer = other
    point.save()
    dated(known, 15, "~")
    assert said(known, 16) == ("consent", True)
    assert said(known, 14) == ("not_theirs", False)


@pytest.mark.parametrize("left", ["nothing", "the customer is younger", "a younger history"])
def test_beyond_the_history_the_ledger_decides_and_the_answer_says_so(person, known, agent_client, left):
    if left == "nothing":
        ContactPoint.objects.filter(customer=known, kind="email")._raw_delete("default")
        ContactPoint.history.filter(kind="email").delete()
    elif left == "the customer is younger":
        now = timezone.now()
        Customer.objects.filter(pk=known.pk).update(created_at=now)
        ContactPoint.history.update(history_date=now, created_at=now)
        known.refresh_from_db()
    else:
        ContactPoint.history.update(history_date=timezone.now())
    assert said(known, 15) == ("consent", None)
    if left != "nothing":
        assert json.loads(ask(agent_client, known, 15, "_json").content)["on_file"] is None
        assert "nicht gefragt" in ask(agent_client, known, 15).text


def test_on_a_channel_without_addresses_there_is_nothing_to_ask(person):
    found = answering.answer(person, Purpose.objects.get(key="post"), "post", "", timezone.now())
    assert (found.on_file, found.on_file_words) == (None, "")
