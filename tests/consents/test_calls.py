"""A call keeps a consent fresh that was fresh, and revives none; of each the proof is kept anew (§ 7a UWG)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import consents
from consents.audience import allowed_among
from consents.models import Purpose, Record, State
from consents.purposes import save_purpose
from consents.rebuilding import compare_states, rebuild_states
from consents.recording import months_later
from customers.models import Customer
from customers.summary import note_contact
from interactions.models import Interaction
from tests.consents.making import say
from tests.interactions.factories import log_form
from tests.privacy.making import at, make_person

pytestmark = pytest.mark.django_db

PHONE: dict[str, Any] = {"purpose": "phone", "channel": "phone", "endpoint": "+49301234567", "source": "phone_call"}


@pytest.fixture
def alma() -> Customer:
    """Somebody who agreed to calls on 29 May 2023: without a call the consent is stale from 29 May 2026 on (POLICY)."""
    customer = make_person("4711")
    say(customer, at=at("2023-05-29"), **PHONE)
    assert reason(customer) == "stale"
    return customer


def reason(customer: Customer, day: str = "") -> str:
    return consents.may(customer, "phone", "phone", at=at(day) if day else None).reason


def call(customer: Customer, *days: str) -> None:
    for day in days:
        note_contact([customer.pk], at(day), call=True)
    assert compare_states().ok, compare_states()


def reached(customer: Customer) -> bool:
    return bool(allowed_among([customer.pk], Purpose.objects.get(key="phone"), "phone"))


def test_a_call_that_came_too_late_revives_nothing(alma: Customer) -> None:
    call(alma, "2026-10-15")
    assert (reason(alma), reached(alma)) == ("stale", False)
    assert State.objects.get().fresh_until == at("2026-05-29")
    rebuild_states()
    assert reason(alma) == "stale"
    # It was a use all the same: its proof is kept for five years from then on.
    assert Record.objects.get().used_at == at("2026-10-15")
    assert [reason(alma, day) for day in ("2026-05-28", "2026-05-30", "2026-10-16")] == ["consent", "stale", "stale"]


def test_a_call_in_time_keeps_it_fresh_whenever_it_is_noted(alma: Customer) -> None:
    call(alma, "2026-05-28")
    assert (reason(alma), reached(alma)) == ("consent", True)
    assert State.objects.get().fresh_until == at("2029-05-28")


def test_who_calls_the_shop_uses_no_consent(agent_client: Client) -> None:
    """§ 7a(2) UWG counts from each use of the consent, and that is a call of the shop."""
    customer = make_person("4711")
    given = timezone.now() - timedelta(days=900)
    say(customer, at=given, **PHONE)
    log = reverse("interactions:log", args=[customer.number])
    for direction, used in (("in", given), ("out", None)):
        assert agent_client.post(log, log_form(kind="call", direction=direction)).status_code == 302
        called = Interaction.objects.latest("pk").occurred_at
        assert Record.objects.get().used_at == (used or called)
        assert State.objects.get().fresh_until == months_later(used or called, 36)
        customer.summary.refresh_from_db()
        assert customer.summary.last_call == called
    assert compare_states().ok


def test_a_call_at_the_very_moment_is_too_late(alma: Customer) -> None:
    note_contact([alma.pk], at("2023-05-29").replace(year=2026), call=True)
    assert reason(alma) == "stale"


def test_calls_may_be_noted_in_any_order(alma: Customer) -> None:
    call(alma, "2026-10-15", "2026-05-01", "2026-04-01")
    assert reason(alma) == "consent"
    assert State.objects.get().fresh_until == at("2029-05-01")
    assert Record.objects.get().used_at == at("2026-10-15")
    # The call of October was made while it was fresh, as is known now.
    assert reason(alma, "2026-10-20") == "consent"


def test_after_a_new_yes_calls_count_again(alma: Customer) -> None:
    call(alma, "2026-10-15")
    say(alma, "renewed", at=at("2026-10-20"), **PHONE)
    call(alma, "2026-11-01")
    assert State.objects.get().fresh_until == at("2029-11-01")
    assert reason(alma) == "consent"


def test_another_limit_counts_from_the_last_use_that_was_in_time(alma: Customer) -> None:
    call(alma, "2026-10-15")
    purpose = Purpose.objects.get(key="phone")
    purpose.stale_months = 40
    save_purpose(purpose)
    # 29 May 2023 and 40 months: 29 September 2026.
    assert State.objects.get().fresh_until == at("2023-05-29").replace(year=2026, month=9)
    assert compare_states().ok
    assert reason(alma) == "stale"
    # What had gone stale by the limit of then, had.
    assert [reason(alma, day) for day in ("2026-05-28", "2026-05-30", "2026-09-28")] == ["consent", "stale", "stale"]


def test_what_never_goes_stale_stays_so() -> None:
    Purpose.objects.filter(key="phone").update(stale_months=None)
    alma = make_person("4711")
    say(alma, at=at("2023-05-29"), **PHONE)
    call(alma, "2026-10-15")
    assert reason(alma) == "consent"
    assert Record.objects.get().used_at - at("2026-10-15") == timedelta(0)
