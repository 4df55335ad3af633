"""Service figures: counts by month, medians, ages."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from interactions import evaluation
from interactions.complaining import open_complaint
from interactions.models import Complaint, Interaction
from interactions.recording import close
from tests.interactions.factories import make_contact, make_customer

pytestmark = pytest.mark.django_db


def test_contacts_are_counted_in_the_month_of_local_time(agent):
    customer, now = make_customer(), timezone.now()
    for kind in ("call", "call", "chat"):
        make_contact(customer, agent, kind=kind, occurred_at=now)
    months = evaluation.contacts_by_month(3)
    assert [month.total for month in months] == [0, 0, 3]
    assert months[-1].counts == {"call": 2, "chat": 1}
    assert months[-1].month == timezone.localdate(now).replace(day=1)


def test_the_median_answer_of_mails_counts_from_their_arrival(agent):
    now = timezone.now()
    for hours in (1, 3, 10):
        customer = make_customer()
        make_contact(customer, agent, kind="email", occurred_at=now - timedelta(hours=hours), closed=False)
        make_contact(customer, agent, kind="email", direction="out", occurred_at=now)
    times = {row.kind: row for row in evaluation.answer_times(timezone.localdate() - timedelta(days=30))}
    assert times["email"].answered == 3
    assert times["email"].first_answer == timedelta(hours=3)
    assert times["email"].closed == 0


def test_a_call_is_answered_when_it_is_taken(agent):
    call = make_contact(make_customer(), agent, kind="call")
    assert call.answered_at == call.occurred_at


def test_a_mail_noted_as_settled_says_nothing_of_how_long_that_took(agent):
    now = timezone.now()
    make_contact(make_customer(), agent, kind="email", occurred_at=now - timedelta(hours=9), closed=True)
    mail = make_contact(make_customer(), agent, kind="email", occurred_at=now - timedelta(hours=4), closed=False)
    close(mail, "done", by=agent)
    make_contact(make_customer(), agent, kind="call", occurred_at=now)
    times = {row.kind: row for row in evaluation.answer_times(timezone.localdate() - timedelta(days=2))}
    assert (times["email"].closed, times["call"].closed) == (1, 1)
    assert times["email"].resolution >= timedelta(hours=4)
    assert times["call"].resolution == timedelta(0)


def test_the_first_day_of_an_evaluation_begins_at_the_shops_midnight(agent):
    day = date(2026, 7, 1)
    midnight = timezone.make_aware(datetime.combine(day, time.min))
    make_contact(make_customer(), agent, kind="call", occurred_at=midnight)
    make_contact(make_customer(), agent, kind="call", occurred_at=midnight - timedelta(seconds=1))
    (calls,) = evaluation.answer_times(day)
    assert calls.answered == 1


def test_closing_stamps_once(agent, manager):
    mail = make_contact(make_customer(), agent, kind="email", closed=False)
    assert close(mail, "sent the form", by=agent) is True
    assert close(mail, "something else", by=manager) is False
    mail.refresh_from_db()
    assert mail.outcome == "sent the form"


def test_open_complaints_by_age(agent):
    now = timezone.now()
    for days in (0, 2, 3, 7, 8, 14, 15, 30, 31, 400):
        complaint = open_complaint(make_customer(), "x", by=agent)
        Complaint.objects.filter(pk=complaint.pk).update(opened_at=now - timedelta(days=days, minutes=1))
    assert [count for _low, _high, count in evaluation.open_complaints_by_age()] == [2, 2, 2, 2, 2]


def test_the_page_is_for_those_who_manage(manager_client, agent_client, outsider_client, manager):
    make_contact(make_customer(), manager)
    url = reverse("interactions:evaluation")
    assert manager_client.get(url).status_code == 200
    assert agent_client.get(url).status_code == 403
    assert outsider_client.get(url).status_code == 403


def test_the_list_filters_by_kind_and_openness(agent_client, agent):
    customer = make_customer()
    call = make_contact(customer, agent)
    mail = make_contact(customer, agent, kind="email", closed=False)

    def shown(**query):
        page = agent_client.get(reverse("interactions:list"), query).context["page"]
        return {row.pk for row in page.rows}

    assert shown() == {call.pk, mail.pk}
    assert shown(kind="call") == {call.pk}
    assert shown(only="open") == {mail.pk}
    assert shown(kind="nonsense") == {call.pk, mail.pk}


def test_a_contact_page_shows_content_and_closes(agent_client, agent):
    mail = make_contact(make_customer(), agent, kind="email", closed=False, content="<b>Zoë</b> asks")
    url = reverse("interactions:detail", args=[mail.pk])
    assert "&lt;b&gt;Zoë&lt;/b&gt; asks" in agent_client.get(url).content.decode()
    assert agent_client.post(reverse("interactions:close", args=[mail.pk]), {"outcome": ""}).status_code == 422
    agent_client.post(reverse("interactions:close", args=[mail.pk]), {"outcome": "answered"})
    assert Interaction.objects.get(pk=mail.pk).closed_at is not None


@pytest.mark.parametrize("name", ["detail", "close", "attachment", "followup_done", "followup_postpone", "complaint"])
def test_foreign_ids_are_not_found(agent_client, name):
    url = reverse(f"interactions:{name}", args=[987654321])
    response = agent_client.post(url, {"outcome": "x"}) if name in ("close", "followup_done") else agent_client.get(url)
    assert response.status_code == 404
