"""An opt-in of an import is proved or dropped by hand: from then on every page and every answer says the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

import consents
from consents import overview
from consents.audience import allowed_among
from consents.checkpoints import sign_checkpoint, verifying_key, written
from consents.models import Entry, Purpose, Record
from consents.rebuilding import compare_states
from consents.receipts import send_receipts
from consents.sealing import seal_pending
from consents.verify import RECEIPT, unarmored
from consents.verify import verify as verify_receipt
from consents.verifying import verify
from customers.models import ContactPoint, Customer, OptInClaim, Origin
from mail.sending import deliver_due
from tests.consents.publishing import give, make_version
from tests.consents.test_overview import claim_for, prove_all
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db

AGREED = datetime(2025, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def origin(db: None) -> Origin:
    return Origin.objects.create(kind="file", platform="mailchimp", label="audience.csv", batch=uuid4())


def form_for(customer: Customer, kind: str = "email", **more: Any) -> dict[str, Any]:
    """What somebody types who has found the paper."""
    point = ContactPoint.objects.get(customer=customer, kind=kind)
    return {"endpoint": str(point.pk), "at": "2025-03-01T10:00", "note": "Ordner 4."} | more


def told_by_mail() -> list[str]:
    """Seal and sign, and let out the receipts that are due; their texts."""
    seal_pending()
    sign_checkpoint()
    send_receipts()
    deliver_due(10)
    return [str(one.body) for one in mail.outbox]


@pytest.mark.parametrize("confirmed", ["", "on"])
@pytest.mark.parametrize("channel", ["email", "phone"])
def test_what_was_proved_is_a_consent_everywhere(
    manager_client: Client, origin: Origin, channel: str, confirmed: str
) -> None:
    purpose = Purpose.objects.get(key={"email": "newsletter", "phone": "phone"}[channel])
    person, version = make_person("1"), None
    if channel == "email":
        version = make_version()
    claim = claim_for(person, origin, channel=channel, evidence={"OPTIN_IP": "192.0.2.7"})
    page = reverse("consents:claim", args=[claim.pk])
    assert not consents.may(person, purpose.key, channel)
    form = form_for(person, channel, confirmed=confirmed, wording=f"{version.pk}.de" if version else "")
    answer = manager_client.post(page, form, follow=True)
    assert "In das Nachweisbuch" in answer.text or "Einwilligung eingetragen" in answer.text, answer.text
    # The answer, the set, the past.
    decision = consents.may(person, purpose.key, channel)
    assert (decision.allowed, decision.reason, decision.since) == (True, "consent", AGREED)
    assert decision.wording == (version.sha256_de if version else "")
    assert allowed_among([person.pk], purpose, channel) == {person.pk}
    moments = [AGREED - timedelta(seconds=1), AGREED]
    assert [consents.may(person, purpose.key, channel, at=at).reason for at in moments] == ["never_asked", "consent"]
    # The overview and the lists.
    (rate,) = [one for one in overview.rates() if (one.purpose, one.channel) == (purpose, channel)]
    assert (rate.asked, rate.granted, rate.allowed) == (1, 1, 1)
    assert manager_client.get(reverse("consents:overview")).context["unproven"] == {"all": 0, "yes": 0}
    assert manager_client.get(reverse("consents:claims")).context["rows"] == []
    # The ledger and the page of the customer.
    record = Record.objects.get()
    assert (record.occurred_at, record.late, record.confirmed) == (AGREED, True, bool(confirmed))
    shown = manager_client.get(reverse("consents:customer", args=[person.number])).text
    assert "01.03.2025" in shown and "Import" in shown
    assert compare_states().ok and verify().ok
    # The person is told, as of any change, and can prove it.
    (body,) = told_by_mail()
    assert purpose.name_de in body
    receipt = verify_receipt(unarmored(body.encode(), RECEIPT), written()[-1], verifying_key())
    assert (receipt.kind, receipt.purpose) == ("given", purpose.key)


def test_a_file_that_proves_itself_writes_to_nobody(manager_client: Client, origin: Origin) -> None:
    claim_for(make_person("1"), origin)
    prove_all(manager_client, origin)
    assert Record.objects.count() == 1
    assert told_by_mail() == []


def test_what_was_dropped_is_nowhere(manager_client: Client, origin: Origin) -> None:
    person = make_person("1")
    claim = claim_for(person, origin)
    assert manager_client.get(reverse("consents:claim_drop", args=[claim.pk])).status_code == 405
    manager_client.post(reverse("consents:claim_drop", args=[claim.pk]))
    assert consents.may(person, "newsletter", "email").reason == "never_asked"
    assert not Entry.objects.exists() and told_by_mail() == []
    assert manager_client.get(reverse("consents:overview")).context["unproven"] == {"all": 0, "yes": 0}
    assert overview.rates() == []
    for address in ("consents:claim", "consents:claim_drop"):
        assert manager_client.post(reverse(address, args=[claim.pk]), form_for(person)).status_code == 404


def test_of_several_addresses_the_one_that_was_chosen_counts(manager_client: Client, origin: Origin) -> None:
    person = make_person("1")
    other = ContactPoint.objects.create(customer=person, kind="email", value="zwei@laden.example")
    claim = claim_for(person, origin)
    form = {"endpoint": str(other.pk), "at": "2025-03-01T10:00", "note": "Ordner 4."}
    assert manager_client.post(reverse("consents:claim", args=[claim.pk]), form).status_code == 302
    assert consents.may(person, "newsletter", "email", "zwei@laden.example").allowed
    assert consents.may(person, "newsletter", "email", "alma1@laden.example").reason == "never_asked"


def test_a_withdrawal_that_came_while_the_form_was_open_counts(manager_client: Client, origin: Origin) -> None:
    person = make_person("1")
    claim = claim_for(person, origin)
    assert manager_client.get(reverse("consents:claim", args=[claim.pk])).status_code == 200
    give(person, kind="withdrawn")
    refused = manager_client.post(reverse("consents:claim", args=[claim.pk]), form_for(person))
    assert refused.status_code == 422 and "widerrufen" in refused.text
    assert OptInClaim.objects.filter(pk=claim.pk).exists()
    assert consents.may(person, "newsletter", "email").reason == "withdrawn"


@pytest.mark.parametrize("state", ["no", "pending"])
def test_what_says_no_yes_is_no_consent_whatever_somebody_types(
    manager_client: Client, origin: Origin, state: str
) -> None:
    person = make_person("1")
    claim = claim_for(person, origin, state=state)
    assert manager_client.post(reverse("consents:claim", args=[claim.pk]), form_for(person)).status_code == 422
    assert not Entry.objects.exists()


def test_what_the_file_says_is_shown_in_the_time_of_the_shop(manager_client: Client, origin: Origin) -> None:
    claim = claim_for(make_person("1"), origin, evidence={"OPTIN_TIME": "2020-12-05T20:09:32+00:00", "SOURCE": "Messe"})
    page = manager_client.get(reverse("consents:claim", args=[claim.pk])).text
    assert "05.12.2020 21:09" in page and "Messe" in page and "T20:09" not in page
