"""What had been made public about who is erased: others who use it are told, or it says why not (Art. 17(2) GDPR)."""

from __future__ import annotations

import pytest
from django.urls import reverse

from privacy import closing, handling, publishing
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import PublishedData, Request
from privacy.steps import StepRefused
from tests.privacy.making import make_person, take

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@pytest.fixture
def case(officer) -> Request:
    return take(officer, kind="erasure", customer=make_person(), channel="page", language="en")


def test_the_step_is_noted_told_in_the_answer_and_holds_the_case_open(case, officer, officer_client) -> None:
    here, where = reverse("privacy:request", args=[case.pk]), reverse("privacy:request_published", args=[case.pk])
    assert where in officer_client.get(here).text
    assert officer_client.post(where, {"what": " ", "version": case.version}).status_code == 422
    for what in ("A review of the mill in the shop.", "A picture in the blog"):
        case.refresh_from_db()
        assert officer_client.post(where, {"what": what, "version": case.version}).status_code == 302
    run_erasure(ask_erasure(case.customer, request=case).pk)
    case.refresh_from_db()
    first, second = PublishedData.objects.order_by("pk")
    settle = [reverse("privacy:published_settle", args=[case.pk, one.pk]) for one in (first, second)]
    assert settle[0] in officer_client.get(here).text
    said = {"state": "told", "steps": "Two search engines asked to drop it.", "version": case.version}
    assert officer_client.post(settle[0], said | {"steps": ""}).status_code == 422
    assert officer_client.post(settle[0], said | {"state": "open"}).status_code == 422
    assert officer_client.post(settle[0], said).status_code == 302
    assert officer_client.post(settle[0], said).status_code == 409
    handling.answer(case, "", way="mail", partly=False, version=None, by=officer)
    letter = case.letters.get(kind="answer").body
    assert "A review of the mill in the shop. We have told others" in letter
    assert "Two search engines asked to drop it." in letter
    assert "A picture in the blog. We are telling others" in letter
    assert [label for label, _words in closing.open_points(case)] == ["Made public"]
    assert not closing.closable(Request.on_desk().filter(pk=case.pk)).exists()
    publishing.settle(second.pk, "unreasonable", "Nobody has copied it.", version=None, by=officer)
    assert closing.open_points(case) == []
    assert closing.closable(Request.on_desk().filter(pk=case.pk)).get() == case


def test_it_belongs_to_erasures_that_have_no_answer_yet(case, officer, officer_client) -> None:
    access = take(officer, customer=case.customer)
    with pytest.raises(StepRefused):
        publishing.note(access, "A review", version=None, by=officer)
    noted = publishing.note(case, "A review", version=None, by=officer)
    wrong = reverse("privacy:published_settle", args=[access.pk, noted.pk])
    assert officer_client.post(wrong, {"state": "told", "steps": "x", "version": access.version}).status_code == 404


def test_who_may_not_work_on_requests_has_no_such_step(case, agent_client, outsider) -> None:
    for name in ("request_published", "request_clarified", "request_speaker"):
        assert agent_client.post(reverse(f"privacy:{name}", args=[case.pk])).status_code == 403
    assert agent_client.get(reverse("privacy:request_clarify", args=[case.pk])).status_code == 403
