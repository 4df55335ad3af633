"""What is ready to be closed: the list names exactly the cases that close, by one question for all of them."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from privacy import closing, cockpit, notices
from privacy.models import Erasure, Notice, Rectification, Request, Restriction
from privacy.steps import StepRefused
from staff.models import User
from tests.privacy.noting import disclose, make_customer, make_recipient

pytestmark = pytest.mark.django_db


def answered(state: str = "answered", **values: object) -> Request:
    fields = {"kind": "access", "channel": "mail", "customer": make_customer(), "answered_at": timezone.now()}
    return Request.objects.create(state=state, **{**fields, **values})


def cases() -> dict[str, Request]:
    """One case of each kind that stands in the way, and one in which that very thing is settled."""
    made = {name: answered(name) for name in ("answered", "partially_answered", "refused", "in_progress", "received")}
    made["closed"] = answered("closed", closed_at=timezone.now())
    for state in ("staged", "applied"):
        made[state] = answered(kind="rectification")
        Rectification.objects.create(request=made[state], field="customer:last_name", after="Groß", state=state)
    for name, objects_to, lifted in (
        ("frozen", "reasons", False),
        ("lifted", "reasons", True),
        ("ads", "advertising", 0),
    ):
        made[name] = answered(kind="objection", objects_to=objects_to)
        at = timezone.now() if lifted else None
        Restriction.objects.create(
            customer=made[name].customer, request=made[name], case="d", parts=["all"], reason="x", notice_sent_at=at,
            lifted_at=at,
        )  # fmt: skip
    for state in ("running", "held", "done", "cancelled"):
        made[state] = answered(kind="erasure")
        Erasure.objects.create(customer=made[state].customer, request=made[state], as_of="2026-11-01", state=state)
    made["asked twice"] = answered(kind="erasure", customer=made["held"].customer)
    recipient = make_recipient("Nordpost")
    for state in Notice.State.values:
        made[f"notice {state}"] = one = answered(kind="rectification")
        assert one.customer is not None
        disclose(recipient, one.customer, "2026-10-01")
        notices.queue_notices("rectification", one.customer.pk, None, request=one)
        Notice.archive.filter(request=one).update(state=state)
    gone = made["notice of its erasure"] = answered(kind="erasure")
    erasure = Erasure.objects.create(request=gone, as_of="2026-11-01", state="done")
    Notice.objects.create(recipient=recipient, kind="erasure", erasure=erasure)
    return made


def closes(case: Request, user: User) -> bool:
    try:
        closing.close(case, version=None, by=user)
    except StepRefused:
        return False
    return True


def test_the_list_names_exactly_the_cases_that_close(officer, officer_client):
    made = cases()
    item = next(one for one in cockpit.items_for(officer) if one.key == "requests_closable")
    shown = {row.request.pk for row in officer_client.get(item.url).context["rows"]}
    assert item.count == len(shown)
    listed = {name for name, case in made.items() if case.pk in shown}
    assert listed == {name for name, case in made.items() if closes(case, officer)}
    assert listed == {
        "answered", "refused", "applied", "lifted", "ads", "done", "cancelled", "notice sent", "notice done",
        "notice impossible",
    }  # fmt: skip
    assert "requests_closable" not in {one.key for one in cockpit.items_for(officer)}


def test_each_open_point_says_in_a_set_what_it_says_of_one(officer):
    for case in cases().values():
        for point in closing._points.values():
            found = Request.on_desk().filter(point.opens(), pk=case.pk).exists()
            assert found == bool(point.ask(case)), (point.key, case.kind)


def test_the_question_is_one_however_many_cases_there_are(officer_client):
    page = reverse("privacy:cockpit")

    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert officer_client.get(page).status_code == 200
        return len(queries)

    cases()
    officer_client.get(page)
    few = asked()
    for _n in range(15):
        answered()
    assert asked() == few
