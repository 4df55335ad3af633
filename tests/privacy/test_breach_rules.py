"""What the law wants after a breach stands in versions with their first day: the hours, and the risk from which on the
authority is told (domain.md 1.11)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from privacy import breaches
from privacy.models import Breach, BreachRule
from staff.models import Role, User
from tests.privacy.noting import at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

REFORM = {"valid_from": "2028-01-01", "hours": 96, "told_from": "high", "statute": "GDPR Art. 33(1) (2027)",
          "reason": "Digital Omnibus, OJ L 2027/1"}  # fmt: skip


def add(**changed: Any) -> BreachRule:
    return BreachRule.objects.create(**{"version": 2, **REFORM, **changed})


def known(aware: str, risk: str = "risk") -> Breach:
    return Breach.objects.create(title="Laptop im Zug", facts="Blieb liegen.", aware_at=at(aware), risk=risk)


def deadline(received: str) -> str:
    out = StringIO()
    call_command("deadline", received=received, kind="breach", as_of="2027-12-31", json=True, stdout=out)
    return str(json.loads(out.getvalue())["due"])


def test_the_version_of_the_day_it_became_known_decides() -> None:
    add()
    assert breaches.due_at(known("2027-12-31T23:00")) == at("2028-01-03T23:00")
    assert breaches.due_at(known("2028-01-01T00:00")) == at("2028-01-05T00:00")
    assert deadline("2027-12-31T23:00") == "2028-01-03T23:00:00+01:00"
    assert deadline("2028-01-01T00:00") == "2028-01-05T00:00:00+01:00"


def test_without_a_version_of_the_shop_the_law_of_2018_holds() -> None:
    assert breaches.due_at(known("2026-10-24T10:00")).isoformat() == "2026-10-27T09:00:00+01:00"


def test_from_which_risk_on_the_authority_is_told_is_a_matter_of_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2028, 2, 1, 12, tzinfo=UTC))
    add()
    with pytest.raises(breaches.BreachRefused):
        breaches.decide(known("2027-12-31T10:00").pk, "not", "Kein hohes Risiko.")
    later = known("2028-01-02T10:00")
    assert breaches.decide(later.pk, "not", "Kein hohes Risiko.").decision == "not"
    with pytest.raises(breaches.BreachRefused):
        breaches.decide(known("2028-01-02T10:00", "high").pk, "not", "wird schon gut gehen")
    # A higher risk turns out: the clock runs again.
    assert breaches.assess(later.pk, risk="high").decision == ""


def test_how_late_is_said_in_the_hours_of_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2028, 2, 1, 12, tzinfo=UTC))
    add()
    breach = known("2028-01-01T10:00")
    breaches.decide(breach.pk, "notify", "Adressen")
    with pytest.raises(breaches.BreachRefused) as refused:
        breaches.notified(breach.pk, at("2028-01-05T10:01"))
    assert "96 hours" in str(refused.value)
    assert breaches.notified(breach.pk, at("2028-01-05T10:00")).late_reasons == ""


def test_the_privacy_role_adds_a_version_and_edits_none(officer_client: Any, officer: User) -> None:
    url = reverse("privacy:breach_rules")
    assert "72" in officer_client.get(url).content.decode()
    assert officer_client.post(url, REFORM).status_code == 302
    rule = BreachRule.objects.get()
    assert (rule.version, rule.hours, rule.told_from, rule.created_by) == (2, 96, "high", officer.pk)
    page = officer_client.get(url).content.decode()
    assert "72" in page and "96" in page and "Digital Omnibus" in page
    rule.hours = 1
    for attempt in (rule.save, rule.delete):
        with pytest.raises(ValueError, match="version"):
            attempt()
    assert BreachRule.objects.get().hours == 96


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"hours": "0"}, "hours"),
        ({"valid_from": "2027-12-31"}, "valid_from"),
        ({"valid_from": "2028-01-01"}, "valid_from"),
        ({"valid_from": ""}, "valid_from"),
        ({"valid_from": "2028-02-30"}, "valid_from"),
        ({"told_from": "none"}, "told_from"),
    ],
)
def test_a_version_that_cannot_be_is_refused(officer_client: Any, wrong: dict[str, str], field: str) -> None:
    add()
    answer = officer_client.post(reverse("privacy:breach_rules"), {**REFORM, "valid_from": "2029-01-01", **wrong})
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert BreachRule.objects.count() == 1


def test_nobody_else_sees_or_changes_it(signed_in: Any, agent_client: Any, client: Any) -> None:
    url = reverse("privacy:breach_rules")
    manager = User.objects.create_user("m@obhut.example", name="Mia", roles=[Role.MANAGER])
    for who in (agent_client, signed_in(manager)):
        assert (who.get(url).status_code, who.post(url, REFORM).status_code) == (403, 403)
    assert client.get(url).status_code == 302
    assert not BreachRule.objects.exists()
