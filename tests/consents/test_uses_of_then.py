"""Whether a consent was stale at a moment of the past is asked of the uses and of the limit of then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

import consents
from consents.models import Purpose, Record
from consents.purposes import save_purpose
from consents.rebuilding import compare_states
from consents.recording import months_later
from customers.models import Customer
from customers.summary import note_contact
from tests.consents.making import say
from tests.consents.signing_up import MAIL, advertise, person
from tests.consents.test_gates import given, sent
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db

PHONE: dict[str, Any] = {"purpose": "phone", "channel": "phone", "endpoint": "+49301234567", "source": "phone_call"}


def limit(key: str, months: int | None) -> datetime:
    """Set from when a consent is stale; the moment after it is set."""
    purpose = Purpose.objects.get(key=key)
    purpose.stale_months, purpose.warn_months = months, None
    save_purpose(purpose)
    return timezone.now()


def months_ago(months: int) -> datetime:
    return months_later(timezone.now(), -months)


def phone(customer: Customer, at: datetime | None = None) -> str:
    return consents.may(customer, "phone", "phone", at=at).reason


def agreed_to_calls(months: int) -> Customer:
    alma = make_person("4711")
    say(alma, at=months_ago(months), late=True, **PHONE)
    return alma


def call(customer: Customer, at: datetime) -> None:
    note_contact([customer.pk], at, call=True)
    assert compare_states().ok, compare_states()


def test_a_mail_of_today_makes_nothing_fresh_that_was_stale_yesterday(mail_server) -> None:
    customer = person()
    given(customer, at=months_ago(14), late=True)
    short = limit("newsletter", 12)
    assert consents.may(customer, "newsletter", "email", MAIL).reason == "stale"
    limit("newsletter", 36)
    assert sent(advertise(customer)) == ("sent", "")
    told = consents.may(customer, "newsletter", "email", MAIL, at=short)
    assert (told.reason, told.since) == ("stale", months_later(Record.objects.get().occurred_at, 12))
    assert consents.may(customer, "newsletter", "email", MAIL).reason == "consent"
    # Nor does the next one.
    assert sent(advertise(customer)) == ("sent", "")
    assert consents.may(customer, "newsletter", "email", MAIL, at=short).reason == "stale"


def test_nor_does_a_call() -> None:
    alma = agreed_to_calls(14)
    short = limit("phone", 12)
    assert phone(alma) == "stale"
    limit("phone", 36)
    call(alma, timezone.now())
    assert [phone(alma, at) for at in (short, None)] == ["stale", "consent"]


def test_a_call_that_came_too_late_stays_so_after_others_that_did_not() -> None:
    alma = agreed_to_calls(14)
    short = limit("phone", 12)
    call(alma, timezone.now())
    later = timezone.now()
    assert phone(alma) == "stale"
    limit("phone", 36)
    call(alma, timezone.now())
    assert [phone(alma, at) for at in (short, later, None)] == ["stale", "stale", "consent"]


def test_each_of_several_long_times_is_known() -> None:
    alma = agreed_to_calls(40)
    for months in (26, 25, 12):
        call(alma, months_ago(months))
    short = limit("phone", 6)
    assert phone(alma) == "stale"
    limit("phone", 36)
    call(alma, timezone.now())
    again = limit("phone", 6)
    assert [phone(alma, at) for at in (short, again, None)] == ["stale", "consent", "consent"]


def test_a_call_of_then_that_is_noted_later_counts_for_then() -> None:
    alma = agreed_to_calls(14)
    short = limit("phone", 12)
    limit("phone", 36)
    call(alma, timezone.now())
    assert phone(alma, short) == "stale"
    call(alma, months_ago(6))
    assert phone(alma, short) == "consent"


def test_one_that_was_too_late_by_any_limit_does_not() -> None:
    alma = agreed_to_calls(30)
    short = limit("phone", 12)
    limit("phone", 36)
    call(alma, timezone.now())
    call(alma, months_ago(6))
    assert phone(alma, short) == "stale"


def test_what_is_used_often_keeps_nothing_more(mail_server) -> None:
    customer = person()
    given(customer, at=timezone.now() - timedelta(days=1_000), late=True)
    for _ in range(3):
        assert sent(advertise(customer)) == ("sent", "")
    assert Record.objects.get().pauses is None
