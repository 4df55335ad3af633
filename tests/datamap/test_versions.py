"""A rule changes by a new version: its page, what it changes, and what the law's clock makes of it (2.2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from customers.models import Customer
from datamap.catalogue import cutoff, explain
from datamap.models import ImmutableRule, RetentionRule
from datamap.versioning import RuleChanged, add_version, newest, shifts, successor
from interactions.models import Interaction
from staff.models import Role, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def privacy(signed_in: Callable[[User], Client]) -> Client:
    return signed_in(User.objects.create_user("privacy@obhut.example", name="Privacy", roles=[Role.PRIVACY]))


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def form(**changed: Any) -> dict[str, Any]:
    """Six years from the year end for invoices, from 2030 on."""
    said = {
        "number": "6", "unit": "y", "year_end": "on", "valid_from": "2030-01-01", "transition": "not_yet_expired",
        "statute": "AO § 147(3)", "transition_statute": "EGAO Art. 97", "action": "block_delete",
        "on_request": "block", "review_on": "2031-01-01", "reason": "A law of 2029",
    }  # fmt: skip
    return {name: value for name, value in {**said, **changed}.items() if value is not None}


def rules(*periods: tuple[int, str, bool, str | None, str]) -> list[RetentionRule]:
    """A ladder made by hand: number, unit, year end, valid from, transition."""
    return [
        RetentionRule(
            key="X", version=place, number=number, unit=unit, year_end=year_end, transition=transition,
            valid_from=date.fromisoformat(start) if start else None, start_event="issued_at", statute="§",
        )
        for place, (number, unit, year_end, start, transition) in enumerate(periods, start=1)
    ]  # fmt: skip


def last_day(ladder: list[RetentionRule], start: str, as_of: str) -> str | None:
    due = explain("X", date.fromisoformat(start), as_of=date.fromisoformat(as_of), rules=ladder).deletable_from
    return due.isoformat() if due else None


STILL = "not_yet_expired"
TEN_TO_SIX = rules((10, "y", True, None, ""), (6, "y", True, "2030-01-01", STILL))
TEN_TO_SIX_FOR_ALL = rules((10, "y", True, None, ""), (6, "y", True, "2030-01-01", ""))
SIX_TO_TEN = rules((6, "y", True, None, ""), (10, "y", True, "2030-01-01", STILL))


@pytest.mark.parametrize(
    ("ladder", "start", "as_of", "due"),
    [
        # Shortened: until the day before, the old law; then the shorter end, never before the law's first day.
        (TEN_TO_SIX, "2022-05-01", "2029-12-31", "2033-01-01"),
        (TEN_TO_SIX, "2022-05-01", "2030-01-01", "2030-01-01"),
        (TEN_TO_SIX, "2026-05-01", "2030-01-01", "2033-01-01"),
        # Was over by 2029-12-31 under ten years: it keeps its own day.
        (TEN_TO_SIX, "2019-05-01", "2030-01-01", "2030-01-01"),
        (TEN_TO_SIX, "2018-05-01", "2030-01-01", "2029-01-01"),
        # Without a transition the new period is for everything, from its first day on.
        (TEN_TO_SIX_FOR_ALL, "2022-05-01", "2030-01-01", "2030-01-01"),
        (TEN_TO_SIX_FOR_ALL, "2018-05-01", "2030-01-01", "2030-01-01"),
        (TEN_TO_SIX_FOR_ALL, "2027-05-01", "2030-01-01", "2034-01-01"),
        # Lengthened: expired stays deletable, running gets the longer end.
        (SIX_TO_TEN, "2023-05-01", "2030-01-01", "2030-01-01"),
        (SIX_TO_TEN, "2022-05-01", "2030-01-01", "2029-01-01"),
        (SIX_TO_TEN, "2024-01-01", "2030-01-01", "2035-01-01"),
        (SIX_TO_TEN, "2024-01-01", "2029-12-31", "2031-01-01"),
    ],
)
def test_a_future_law_counts_from_its_day_on(ladder, start, as_of, due):
    assert last_day(ladder, start, as_of) == due


@pytest.mark.parametrize("ladder", [TEN_TO_SIX, TEN_TO_SIX_FOR_ALL, SIX_TO_TEN])
@pytest.mark.parametrize("as_of", ["2029-12-31", "2030-01-01", "2034-06-30"])
def test_the_run_takes_exactly_what_the_explanation_lets_go(ladder, as_of):
    day = date.fromisoformat(as_of)
    limit = cutoff("X", day, rules=ladder)
    for start in ("2018-12-31", "2019-01-01", "2023-12-31", "2024-01-01", "2028-01-01"):
        due = explain("X", date.fromisoformat(start), as_of=day, rules=ladder).deletable_from
        assert (due <= day) == (date.fromisoformat(start) <= limit)


def test_the_page_is_for_the_privacy_role(privacy, agent_client, outsider_client):
    page = reverse("datamap:rule", args=["INV"])
    assert privacy.get(page).status_code == 200
    assert agent_client.get(page).status_code == 403
    assert outsider_client.post(page, form()).status_code == 403
    assert newest("INV").version == 2


def test_a_rule_that_does_not_exist_is_not_found(privacy):
    assert privacy.get(reverse("datamap:rule", args=["NIX"])).status_code == 404


def test_a_change_is_a_new_version_with_its_reason_and_explain_retention_follows(privacy):
    answer = privacy.post(reverse("datamap:rule", args=["INV"]), form())
    assert answer.status_code == 302
    added = newest("INV")
    assert (added.version, added.number, added.reason) == (3, 6, "A law of 2029")
    assert added.created_by == int(privacy.session["_auth_user_id"])
    assert added.category == RetentionRule.objects.get(key="INV", variant="", version=2).category
    out = StringIO()
    call_command("explain_retention", "INV", "--start", "2025-03-10", "--as-of", "2032-02-01", "--json", stdout=out)
    said = json.loads(out.getvalue())
    assert (said["rule_version"], said["end"], said["deletable_from"]) == (3, "2031-12-31", "2032-01-01")
    assert "EGAO Art. 97" in said["statute"]
    out = StringIO()
    call_command("explain_retention", "INV", "--start", "2025-03-10", "--as-of", "2029-12-31", "--json", stdout=out)
    assert json.loads(out.getvalue())["deletable_from"] == "2034-01-01"
    assert "A law of 2029" in privacy.get(reverse("datamap:rule", args=["INV"])).content.decode()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"valid_from": "2024-12-31"}, "valid_from"),  # its predecessor began on 2025-01-01
        ({"valid_from": "2025-01-01"}, "valid_from"),
        ({"valid_from": "2030-02-30"}, "valid_from"),
        ({"valid_from": None}, "valid_from"),
        ({"reason": ""}, "reason"),
        ({"reason": "   "}, "reason"),
        ({"unit": "w"}, "unit"),
        ({"unit": ""}, "unit"),
        ({"number": "-1"}, "number"),
        ({"number": "99999"}, "number"),
        ({"action": "burn"}, "action"),
        ({"statute": ""}, "statute"),
    ],
)
def test_bad_input_changes_nothing_and_says_why(privacy, wrong, field):
    answer = privacy.post(reverse("datamap:rule", args=["INV"]), form(**wrong))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert newest("INV").version == 2


def test_a_rule_without_a_period_of_its_own_cannot_be_changed_here(privacy):
    page = reverse("datamap:rule", args=["MINOR"])
    assert "ORDER" in privacy.get(page).content.decode()
    assert privacy.post(page, form()).status_code == 422
    assert newest("MINOR").version == 1


def test_an_open_period_needs_no_unit(privacy):
    answer = privacy.post(reverse("datamap:rule", args=["CART"]), form(number="", unit="d"))
    assert answer.status_code == 302
    added = newest("CART")
    assert (added.number, added.unit, added.year_end) == (None, "", False)


def test_a_variant_has_its_own_ladder(privacy):
    assert privacy.post(reverse("datamap:rule", args=["STAFF:session"]), form(unit="m")).status_code == 302
    assert newest("STAFF:session").version == 2
    assert newest("STAFF").version == 1


def test_two_who_add_a_version_at_once_do_not_both_win():
    one, other = successor(newest("CART")), successor(newest("CART"))
    one.valid_from, other.valid_from = date(2030, 1, 1), date(2031, 1, 1)
    add_version(one, user_id=None)
    with pytest.raises(RuleChanged):
        add_version(other, user_id=None)
    with pytest.raises(ImmutableRule):
        one.save()


def tickets(*days: str) -> None:
    customer = Customer.objects.create(number="T-1", last_name="Test", status="account")
    for day in days:
        at = timezone.datetime.fromisoformat(f"{day}T12:00:00+01:00")
        Interaction.objects.create(customer=customer, kind="call", direction="in", occurred_at=at, closed_at=at)


def test_the_preview_counts_whose_last_day_moves(privacy):
    # Twelve months today: the first is over in 2026-11, the others run until 2027.
    tickets("2025-11-01", "2026-06-10", "2026-11-10")
    page = reverse("datamap:rule", args=["TICKET"])
    said = form(number="6", unit="m", year_end=None, valid_from="2026-12-01", preview="1", statute="POLICY")
    answer = privacy.post(page, said)
    assert answer.status_code == 200
    assert [(shift.label, shift.earlier, shift.later) for shift in answer.context["shifts"]] == [
        ("interactions.Interaction", 2, 0)
    ]
    assert newest("TICKET").version == 1  # a look writes nothing
    longer = privacy.post(page, {**said, "number": "24"})
    assert [(shift.earlier, shift.later) for shift in longer.context["shifts"]] == [(0, 2)]
    same = privacy.post(page, {**said, "number": "12"})
    assert same.context["shifts"] == []


def test_the_preview_of_a_shop_under_supervision_looks_at_its_variant():
    rule = successor(newest("INV:supervised"))
    rule.valid_from, rule.number = date(2030, 1, 1), 12
    assert shifts(rule, date(2026, 12, 1)) == []
