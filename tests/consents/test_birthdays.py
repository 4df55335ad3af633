"""A birthday goes with the last consent to greetings, from the row and from its history."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from consents import birthdays
from consents.tasks import forget_birthdays
from consents.withdrawing import withdraw
from customers.editing import save_customer
from customers.models import Customer
from privacy.models import Hold
from staff.models import User
from tests.consents.making import say
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db


def kept(customer: Customer) -> tuple[int | None, int]:
    """The month that is kept, and in how many rows of the history one stands."""
    month = Customer.objects.values_list("birthday_month", flat=True).get(pk=customer.pk)
    return month, Customer.history.filter(id=customer.pk, birthday_month__isnull=False).count()


@pytest.fixture
def alma(agent: User) -> Customer:
    """Somebody who is greeted by mail, and whose birthday was corrected once."""
    alma = make_person("4711", birthday_day=29, birthday_month=2)
    alma.birthday_day = 28
    save_customer(alma, version=alma.version, user=agent)
    say(alma, purpose="birthday", confirmed=True)
    assert kept(alma) == (2, 2)
    return alma


def test_withdrawn_at_the_desk_it_is_gone_at_once_with_its_history(
    alma: Customer, agent_client: Any, manager: User
) -> None:
    bert = make_person("4712", birthday_day=1, birthday_month=4)
    version = Customer.objects.get(pk=alma.pk).version
    page = reverse("consents:withdraw", args=[alma.number])
    point = alma.contact_points.get(kind="email")
    answer = agent_client.post(page, {"purpose": "birthday", "line": f"email.{point.pk}", "back": "customer"})
    assert answer.status_code == 302
    assert kept(alma) == (None, 0)
    # Whoever has the page of before open brings it back no more than any other change that crossed.
    assert Customer.objects.get(pk=alma.pk).version == version + 1
    assert kept(bert) == (4, 1)


@pytest.mark.parametrize("kind", ["withdrawn", "refused", "revoked", "expired", "invalidated"])
def test_whatever_ends_the_consent_ends_its_reason(alma: Customer, kind: str) -> None:
    say(alma, kind, "birthday")
    assert kept(alma) == (None, 0)


def test_another_channel_or_another_purpose_keeps_it(alma: Customer) -> None:
    say(alma, purpose="birthday", channel="sms", endpoint="+49301234567")
    say(alma, "withdrawn", "newsletter")
    withdraw(alma, "birthday", "email", source="desk")
    assert kept(alma) == (2, 2)
    withdraw(alma, "birthday", "sms", source="desk")
    assert kept(alma) == (None, 0)


def test_a_no_told_late_that_a_younger_yes_has_overtaken_deletes_nothing(alma: Customer) -> None:
    say(alma, "withdrawn", "birthday", at=timezone.now() - timedelta(days=9), late=True)
    assert kept(alma) == (2, 2)


def test_while_a_hold_stands_it_waits_and_what_comes_again_goes_by_night(alma: Customer, manager: User) -> None:
    today = timezone.localdate()
    hold = Hold.objects.create(
        customer=alma, kind="claim", reason="Streit", review_on=today + timedelta(days=90), set_by=manager
    )
    withdraw(alma, "birthday", "email", source="desk")
    assert birthdays.sweep() == 0
    assert kept(alma) == (2, 2)
    Hold.objects.filter(pk=hold.pk).update(released_at=timezone.now())
    assert birthdays.sweep() == 1
    assert kept(alma) == (None, 0)
    # A file brings it again.
    Customer.objects.filter(pk=alma.pk).update(birthday_day=28, birthday_month=2)
    forget_birthdays()
    assert kept(alma) == (None, 0)
    assert birthdays.sweep() == 0


def test_who_was_never_asked_keeps_it() -> None:
    carla = make_person("4713", birthday_day=1, birthday_month=4)
    say(carla, "requested", "birthday")
    assert birthdays.sweep() == 0
    assert kept(carla) == (4, 1)
