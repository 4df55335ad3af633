"""An answer in part does not meet the month of Art. 12(3) GDPR: the case goes on until the rest is answered."""

from __future__ import annotations

import pytest
from django.urls import reverse

from datamap.navigation import figures_of
from privacy import closing, cockpit, handling, identifying
from privacy.board import LATE
from privacy.models import Request
from tests.privacy.making import days_ago, person, take

pytestmark = pytest.mark.django_db


def in_part(by, days: int, number: str = "10001") -> Request:
    case = take(by, kind="rectification", customer=person(number), received_at=days_ago(days))
    identifying.settle(case, "known_facts", version=None, by=by)
    handling.answer(case, "Teil eins", way="mail", partly=True, version=None, by=by)
    return case


def board(client, state: str = "") -> list[tuple[int, str]]:
    page = client.get(reverse("privacy:requests"), {"state": state})
    return [(row.request.pk, row.light.color) for row in page.context["rows"]]


def test_after_the_month_it_is_red_overdue_and_in_the_cockpit(privacy_client, privacy):
    case = in_part(privacy, 80)
    assert "Der Rest folgt" in case.letters.get().body
    assert board(privacy_client) == board(privacy_client, "overdue") == [(case.pk, "red")]
    assert board(privacy_client, "closable") == []
    assert figures_of([LATE], privacy) == [1]
    found = {item.key: item.count for item in cockpit.items_for(privacy)}
    assert found["requests_late"] == 1 and "requests_closable" not in found


def test_before_it_is_counted_as_any_open_case(privacy_client, privacy):
    soon, new = in_part(privacy, 26), in_part(privacy, 1, "10002")
    assert board(privacy_client) == [(soon.pk, "amber"), (new.pk, "green")]
    found = {item.key: item.count for item in cockpit.items_for(privacy)}
    assert (found["requests_soon"], found["requests_in_time"]) == (1, 1)


def test_it_closes_only_after_the_rest(privacy_client, privacy):
    case = in_part(privacy, 80)
    page = privacy_client.post(reverse("privacy:request_close", args=[case.pk]), {"version": case.version})
    assert page.status_code == 409 and "Der Rest der Antwort steht noch aus." in page.text
    handling.answer(case, "Teil zwei", way="mail", partly=False, version=None, by=privacy)
    assert (case.state, board(privacy_client, "overdue")) == ("answered", [])
    closing.close(case, version=None, by=privacy)
    assert case.closed_at is not None


def test_the_rest_may_be_refused(privacy, second):
    case = in_part(privacy, 10)
    handling.propose_refusal(case, "excessive", "Der Rest", "Mail", way="mail", version=None, by=privacy)
    handling.approve_refusal(case, way="mail", version=None, by=second)
    assert case.state == "refused" and not closing.open_points(case)
