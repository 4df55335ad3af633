"""What the board counts as late is what the page of the request calls late (domain.md 1.4)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse

from datamap.controlling import controller
from privacy import handling, identifying
from privacy.board import overdue
from privacy.clock import deadline_for
from privacy.models import Request
from tests.privacy.making import at, days_ago, person, take

pytestmark = pytest.mark.django_db


def _change(**given) -> None:
    who = controller()
    for name, value in given.items():
        setattr(who, name, value)
    who.save()


def test_a_holiday_that_counts_from_now_on_moves_what_the_board_sorts_by(privacy) -> None:
    """Received on 1 October 2027: one month ends on Monday, 1 November, All Saints' Day in Bavaria."""
    _change(land="BY", regional_holidays=False)
    case = take(privacy, customer=person(), received_at=at("2027-10-01"))
    assert case.due_on == date(2027, 11, 1)
    _change(regional_holidays=True)
    case.refresh_from_db()
    assert (case.due_on, deadline_for(case).due) == (date(2027, 11, 2), date(2027, 11, 2))
    _change(land="HH")
    case.refresh_from_db()
    assert case.due_on == date(2027, 11, 1)


def test_a_notice_of_extension_that_was_late_is_late_on_the_board_too(privacy, privacy_client) -> None:
    """P04 (b): ineffective, status overdue, alert to the privacy officer; also where a question about identity had
    stopped the clock, which does not move the last day of the notice."""
    received = days_ago(50)
    case = take(privacy, customer=person(), received_at=received)
    identifying.ask(case, "fremde Adresse", way="mail", version=None, by=privacy)
    asked, proven = received + timedelta(days=2), received + timedelta(days=27)
    Request.objects.filter(pk=case.pk).update(identity_asked_at=asked)
    case.refresh_from_db()
    identifying.settle(case, "call_back", version=None, by=privacy)
    Request.objects.filter(pk=case.pk).update(identity_proven_at=proven)
    case.refresh_from_db()
    late_on = (received + timedelta(days=40)).date()
    assert not handling.extend(case, "viele Daten", way=None, announced_on=late_on, version=None, by=privacy)
    deadline = deadline_for(case)
    assert (deadline.status, deadline.due >= date.today()) == ("overdue", True)
    assert list(overdue(Request.on_desk())) == [case]
    page = privacy_client.get(reverse("privacy:requests"), {"state": "overdue"}).content.decode()
    assert case.code in page
