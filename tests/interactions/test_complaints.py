"""Complaints from the first word to the settlement."""

from __future__ import annotations

import pytest
from django.urls import reverse

from interactions.complaining import AlreadyClosed, open_complaint, reject, settle, take_up
from interactions.models import Complaint
from staff import handover
from tests.interactions.factories import make_contact, make_customer

pytestmark = pytest.mark.django_db


def _open(customer, agent):
    return open_complaint(customer, "grinder is loud", by=agent)


def test_opened_and_settled_the_summary_follows(agent):
    customer = make_customer()
    complaint = _open(customer, agent)
    customer.summary.refresh_from_db()
    assert customer.summary.open_complaints == 1
    settle(complaint, "replaced", by=agent)
    customer.summary.refresh_from_db()
    assert customer.summary.open_complaints == 0
    assert (complaint.state, complaint.resolution) == ("settled", "replaced")
    assert complaint.answered_at == complaint.closed_at


def test_open_complaints_go_along_when_staff_leave(agent, manager):
    mine, closed = _open(make_customer(), agent), _open(make_customer(), agent)
    settle(closed, "replaced", by=agent)
    theirs = _open(make_customer(), manager)
    assert [(kind.key, number) for kind, number in handover.open_work(agent)] == [("complaints", 1)]
    handover.hand_over(agent, manager)
    owners = dict(Complaint.objects.values_list("pk", "owner"))
    assert owners == {mine.pk: manager.pk, closed.pk: agent.pk, theirs.pk: manager.pk}
    assert mine.history.latest().owner_id == manager.pk
    assert Complaint.objects.get(pk=mine.pk).version == mine.version + 1


def test_a_closed_complaint_stays_as_it_was(agent):
    complaint = _open(make_customer(), agent)
    settle(complaint, "replaced", by=agent)
    with pytest.raises(AlreadyClosed):
        reject(complaint, "no", by=agent)
    complaint.refresh_from_db()
    assert (complaint.state, complaint.resolution) == ("settled", "replaced")


def test_an_answer_to_the_customer_is_the_first_answer(agent):
    customer = make_customer()
    complaint = _open(customer, agent)
    answer = make_contact(customer, agent, direction="out", kind="email")
    complaint.refresh_from_db()
    assert complaint.answered_at == answer.occurred_at


def test_the_page_settles_with_a_reason_only(agent_client, agent):
    complaint = _open(make_customer(), agent)
    url = reverse("interactions:complaint_move", args=[complaint.pk, "settle"])
    assert agent_client.post(url, {"outcome": ""}).status_code == 422
    assert agent_client.post(url, {"outcome": "replaced"}).status_code == 302
    complaint.refresh_from_db()
    assert complaint.closed_at is not None


def test_taking_up_needs_no_words(agent_client, agent):
    complaint = _open(make_customer(), agent)
    agent_client.post(reverse("interactions:complaint_move", args=[complaint.pk, "take-up"]))
    complaint.refresh_from_db()
    assert complaint.state == "in_progress"
    assert complaint.closed_at is None


def test_an_unknown_verb_is_a_bad_request(agent_client, agent):
    complaint = _open(make_customer(), agent)
    url = reverse("interactions:complaint_move", args=[complaint.pk, "burn"])
    assert agent_client.post(url, {"outcome": "x"}).status_code == 400


def test_lists_part_open_from_closed(agent_client, agent):
    open_one, closed = _open(make_customer(), agent), _open(make_customer(), agent)
    settle(closed, "done", by=agent)

    def shown(show):
        page = agent_client.get(reverse("interactions:complaints"), {"show": show}).context["page"]
        return [row.pk for row in page.rows]

    assert shown("open") == [open_one.pk]
    assert shown("closed") == [closed.pk]


def test_noted_on_its_own_page(agent_client, agent):
    customer = make_customer()
    response = agent_client.post(
        reverse("interactions:complaint_open", args=[customer.number]),
        {"subject": "late", "order_number": ""},
    )
    complaint = Complaint.objects.get()
    assert response["Location"] == reverse("interactions:complaint", args=[complaint.pk])
    assert (complaint.customer, complaint.owner) == (customer, agent)


def test_who_may_see_and_move(outsider_client, client, agent):
    complaint = _open(make_customer(), agent)
    url = reverse("interactions:complaint", args=[complaint.pk])
    assert outsider_client.get(url).status_code == 403
    assert client.get(url).status_code == 302
    assert outsider_client.post(url + "settle/", {"outcome": "x"}).status_code == 403
    complaint.refresh_from_db()
    assert complaint.closed_at is None


def test_a_form_sent_twice_opens_one_complaint(agent_client):
    customer = make_customer()
    form = {"subject": "grinder is loud", "order_number": "B-1"}
    pages = [agent_client.post(reverse("interactions:complaint_open", args=[customer.number]), form) for _ in range(2)]
    assert pages[0]["Location"] == pages[1]["Location"]
    assert Complaint.objects.count() == 1
    agent_client.post(reverse("interactions:complaint_open", args=[customer.number]), form | {"order_number": "B-2"})
    assert Complaint.objects.count() == 2


def test_taking_up_is_no_answer_and_counts_once(agent, manager):
    complaint = open_complaint(make_customer(), "broken", by=agent)
    for _n in range(2):
        take_up(complaint, by=manager)
    assert (complaint.state, complaint.answered_at) == (Complaint.State.IN_PROGRESS, None)
    assert complaint.history.count() == 2
    settle(complaint, "a new one is on its way", by=agent)
    assert complaint.answered_at == complaint.closed_at
