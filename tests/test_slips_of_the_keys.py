"""A day that nobody can mean is a slip of the keys on every page, and leaves nothing: not in the year 26, and not as a
page that nobody can open any more."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django import forms
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from datamap.days import MomentField
from interactions.models import FollowUp, Interaction
from orders.models import Order, OrderType
from staff.models import Role, User
from tests.consents.test_texts import order_form
from tests.interactions.factories import log_form
from tests.privacy.making import make_order, make_person

pytestmark = pytest.mark.django_db

HOUSE = {"consents", "customers", "datamap", "intake", "interactions", "mail", "orders", "portal", "privacy", "staff"}
SLIPS = ("0001-01-01", "0026-11-20", "9999-12-31")


@pytest.fixture
def everybody(signed_in: Any) -> Client:
    roles = [Role.MANAGER, Role.TAX, Role.PRIVACY, Role.OPERATOR]
    return signed_in(User.objects.create_user("all@obhut.example", name="Alle", roles=roles))


@pytest.mark.parametrize("day", SLIPS)
def test_a_contact_a_step_and_an_order_are_of_no_such_day(everybody: Client, day: str) -> None:
    person = make_person("4711")
    log, kind = reverse("interactions:log", args=["4711"]), OrderType.objects.create(name="Brief")
    for given in ({"occurred_at": f"{day}T00:00"}, {"next_step": "anrufen", "due_on": day}):
        assert everybody.post(log, log_form(**given)).status_code == 422
    order = order_form(kind, person, placed_at=f"{day}T00:00")
    assert everybody.post(reverse("orders:new"), order).status_code == 422
    assert not Interaction.objects.exists() and not FollowUp.objects.exists() and not Order.objects.exists()
    assert everybody.get(reverse("portal:customer_detail", args=["4711"])).status_code == 200


@pytest.mark.parametrize("day", SLIPS)
def test_a_step_is_put_off_to_no_such_day(everybody: Client, day: str) -> None:
    make_person("4711")
    everybody.post(reverse("interactions:log", args=["4711"]), log_form(next_step="anrufen", due_on="2999-12-31"))
    url = reverse("interactions:followup_postpone", args=[FollowUp.objects.get().pk])
    assert everybody.get(url).status_code == 200
    assert everybody.post(url, {"due_on": day}).status_code == 422


@pytest.mark.parametrize("day", SLIPS)
def test_no_list_is_narrowed_by_such_a_day_and_each_still_answers(everybody: Client, day: str) -> None:
    make_order(make_person("4711"), "2026-01-02")
    for name in ("begin", "end"):
        assert everybody.get(reverse("orders:list"), {name: day}).status_code in (200, 400, 422)
        found = everybody.post(reverse("portal:archive"), {name: day, "purpose": "Steuerprüfung 2026"})
        assert found.status_code == 422
        assert everybody.get(reverse("consents:ledger"), {name: day}).status_code == 422
    for name in ("active_from", "active_to"):
        assert everybody.post(reverse("portal:customer_list"), {name: day}, follow=True).status_code in (200, 422)
    for name in ("first", "last"):
        assert everybody.post(reverse("datamap:access_log"), {name: day}).status_code in (200, 422)


@pytest.mark.parametrize("day", SLIPS)
@pytest.mark.parametrize("command", [["purge_expired"], ["erase_person", "4711"]])
def test_no_command_is_run_as_of_such_a_day(command: list[str], day: str) -> None:
    make_person("4711")
    with pytest.raises(CommandError) as refused:
        call_command(*command, "--dry-run", "--as-of", day, json=True, stdout=StringIO())
    assert "2026-11-24" in str(refused.value)


def test_of_the_hour_that_comes_twice_the_second_is_meant() -> None:
    """On 25 October 2026 the clocks of Hamburg show half past two twice; nobody is told that it is no time."""
    assert MomentField().clean("2026-10-25T02:30") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    with pytest.raises(forms.ValidationError):
        MomentField().clean("2026-03-29T02:30")


def test_every_field_for_a_day_refuses_them() -> None:
    """Also those that come one day: no form of the house reads days by itself."""
    reverse("portal:dashboard")  # all pages and their forms are read
    found = {cls for cls in _subclasses(forms.BaseForm) if cls.__module__.partition(".")[0] in HOUSE}
    assert len(found) > 50
    left = {
        f"{cls.__name__}.{name}"
        for cls in found
        for name, field in getattr(cls, "base_fields", {}).items()
        if type(field) in (forms.DateField, forms.DateTimeField)
    }
    # Bounded by themselves: the age of a person, and the review of a warning mark within a year.
    assert left == {"SignUpForm.born", "FlagForm.review_on"}


def _subclasses(cls: type) -> set[type]:
    return {one for own in cls.__subclasses__() for one in {own, *_subclasses(own)}}
