"""Where very much is held the desk may ask what a request is about; the clock stands meanwhile (recital 63 GDPR)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from datamap.workdays import local_date
from privacy import clarifying, handling, identifying
from privacy.clock import deadline_for, explained
from privacy.deadlines import UnfitDates, request_deadline
from privacy.models import Policy, Request
from privacy.steps import StepRefused
from tests.privacy.making import days_ago, make_copy, make_person, take

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@pytest.fixture
def case(officer) -> Request:
    return take(officer, customer=make_person(), channel="page", language="en", received_at=days_ago(3))


def day(number: int) -> date:
    """A day of September."""
    return date(2026, 9, number)


def due(**given) -> tuple[str, int]:
    found = request_deadline(date(2026, 9, 1), as_of=date(2026, 9, 30), **given)
    return found.raw_end.isoformat(), found.suspended_days


@pytest.mark.parametrize(
    ("given", "ends", "stood"),
    [
        ({}, "2026-10-01", 0),
        ({"extent": (day(3), day(10))}, "2026-10-08", 7),
        # Eight days after the receipt: not without undue delay.
        ({"extent": (day(9), day(20))}, "2026-10-01", 0),
        # Unanswered: it stands until the day that is asked about.
        ({"extent": (day(8), None)}, "2026-10-23", 22),
        # Both questions on the same days stop it once; days apart are added.
        ({"asked_on": day(2), "answered_on": day(7), "extent": (day(4), day(9))},
         "2026-10-08", 7),
        ({"asked_on": day(2), "answered_on": day(4), "extent": (day(6), day(9))},
         "2026-10-06", 5),
    ],
)  # fmt: skip
def test_two_questions_stop_the_clock_by_calendar_days(given, ends, stood) -> None:
    assert due(**given) == (ends, stood)


def test_a_question_before_the_receipt_or_an_answer_before_its_question_is_refused() -> None:
    for extent in ((date(2026, 8, 31), None), (date(2026, 9, 3), date(2026, 9, 2))):
        with pytest.raises(UnfitDates):
            due(extent=extent)


def test_the_desk_asks_and_the_clock_stands_until_the_answer(case, officer, officer_client) -> None:
    here = reverse("privacy:request", args=[case.pk])
    ask, settle = (reverse(f"privacy:request_{name}", args=[case.pk]) for name in ("clarify", "clarified"))
    assert ask in officer_client.get(here).text
    assert officer_client.get(ask).status_code == 200
    before = deadline_for(case).raw_end
    form = {"words": "Your orders, or the notes of your calls?", "way": "mail", "version": case.version}
    assert officer_client.post(ask, form).status_code == 302
    case.refresh_from_db()
    assert (case.state, case.clock_stopped) == ("received", True)
    letter = case.letters.get(kind="clarify")
    assert "recital 63" in letter.body and form["words"] in letter.body and "stands still" in letter.body
    Request.objects.filter(pk=case.pk).update(clarification_asked_at=days_ago(2))
    assert deadline_for(Request.objects.get()).suspended_days == 2
    page = officer_client.get(here).text
    assert "clock stands" in page and settle in page and ask not in page
    assert officer_client.post(ask, form | {"version": case.version}).status_code == 422
    assert officer_client.post(settle, {"reason": " ", "version": case.version}).status_code == 422
    assert officer_client.post(settle, {"reason": "All of it.", "version": case.version}).status_code == 302
    case.refresh_from_db()
    assert not case.clock_stopped
    after = deadline_for(case)
    assert (after.raw_end, case.due_on) == (before + timedelta(days=2), after.due)
    assert "The clock stood for 2 days while a question to the person was open." in explained(case, deadline_for(case))
    assert settle not in officer_client.get(here).text
    steps = [event.reason for event in case.events.order_by("pk") if event.kind in ("clarify_asked", "clarified")]
    assert steps == [form["words"], "All of it."]


def test_a_late_question_is_asked_and_stops_nothing(officer) -> None:
    case = take(officer, customer=make_person(), channel="page", language="en", received_at=days_ago(9))
    clarifying.ask(case, "Which years?", way="mail", version=None, by=officer)
    assert not case.clock_stopped
    assert "stands still" not in case.letters.get(kind="clarify").body
    assert any("does not stop the clock" in sentence for sentence in explained(case, deadline_for(case)))


def test_only_of_access_is_it_asked_and_once(case, officer) -> None:
    erasure = take(officer, kind="erasure", customer=case.customer)
    for request, words in ((erasure, "Which?"), (case, " ")):
        with pytest.raises(StepRefused):
            clarifying.ask(request, words, way="mail", version=None, by=officer)
    with pytest.raises(StepRefused):
        clarifying.settle(case, "All", version=None, by=officer)
    assert not case.letters.exists()


def test_who_does_not_answer_gets_everything(case, officer) -> None:
    clarifying.ask(case, "Which years?", way="mail", version=None, by=officer)
    if not identifying.is_settled(case):
        identifying.settle(case, "not_needed", version=None, by=officer)
    make_copy(case, officer)
    handling.answer(case, "", way="mail", partly=False, version=None, by=officer)
    assert (case.state, local_date(case.clarified_at)) == ("answered", local_date(timezone.now()))
    assert case.events.get(kind="clarified").reason == "Answered without waiting for it."


def test_a_refusal_ends_the_question(case, officer) -> None:
    """The period no longer grows once the person has their answer."""
    Policy(refusal_needs_second=False).save()
    clarifying.ask(case, "Which of 400 orders?", way="mail", version=None, by=officer)
    handling.propose_refusal(case, "unfounded", "Repeated", "See 1 to 3", way="mail", version=None, by=officer)
    assert case.state == "refused"
    assert case.clarified_at is not None and not clarifying.is_open(case)


def test_a_question_without_an_answer_is_not_forgotten_behind_its_clock(case, officer, officer_client) -> None:
    """Who does not answer gets everything; somebody has to see that it is time."""
    clarifying.ask(case, "Which of 400 orders?", way="mail", version=None, by=officer)
    for days, waits in ((13, False), (15, True)):
        Request.objects.filter(pk=case.pk).update(clarification_asked_at=days_ago(days), received_at=days_ago(days + 1))
        items = {item.key: item for item in officer_client.get(reverse("privacy:cockpit")).context["items"]}
        assert ("questions" in items) == waits, days
    assert [row.request for row in officer_client.get(items["questions"].url).context["rows"]] == [case]
    clarifying.settle(case, "Everything", version=None, by=officer)
    assert "questions" not in {item.key for item in officer_client.get(reverse("privacy:cockpit")).context["items"]}
