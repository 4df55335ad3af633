"""Noting a contact from the customer page."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from customers.models import Customer
from datamap.models import AccessLog
from interactions.forms import next_working_day
from interactions.models import Attachment, Complaint, FollowUp, Interaction
from tests.interactions.factories import log_form, make_customer

pytestmark = pytest.mark.django_db


def _url(customer):
    return reverse("interactions:log", args=[customer.number])


def test_type_and_content_are_enough(agent_client, agent):
    customer = make_customer()
    response = agent_client.post(_url(customer), log_form(content="Wo bleibt das Paket?"))
    assert response.status_code == 302
    noted = Interaction.objects.get()
    assert (noted.customer, noted.kind, noted.direction, noted.staff) == (customer, "call", "in", agent)
    assert noted.content == "Wo bleibt das Paket?"
    assert noted.closed_at is not None
    assert AccessLog.objects.filter(customer_number=customer.number, user_id=agent.pk).exists()


def test_the_summary_learns_of_a_call(agent_client):
    customer = make_customer()
    agent_client.post(_url(customer), log_form(kind="call"))
    noted = Interaction.objects.get()
    customer.summary.refresh_from_db()
    assert customer.summary.last_call == noted.occurred_at == customer.summary.last_contact


def test_a_next_step_goes_to_its_owner_on_its_day(agent_client, agent, manager):
    due = timezone.localdate() + timedelta(days=3)
    form = log_form(next_step="call back", due_on=due.isoformat(), owner=manager.pk)
    agent_client.post(_url(make_customer()), form)
    step = FollowUp.objects.get()
    assert (step.step, step.due_on, step.owner, step.created_by) == ("call back", due, manager, agent)


def test_a_next_step_without_a_day_is_due_on_the_next_working_day(agent_client, agent):
    agent_client.post(_url(make_customer()), log_form(next_step="call back"))
    step = FollowUp.objects.get()
    assert step.due_on > timezone.localdate()
    assert step.due_on.weekday() < 5
    assert step.owner == agent


def test_a_next_step_for_a_day_that_is_over_is_asked_about(agent_client):
    yesterday = timezone.localdate() - timedelta(days=1)
    form = log_form(next_step="call back", due_on=yesterday.isoformat())
    response = agent_client.post(_url(make_customer()), form)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["due_on"]
    assert not Interaction.objects.exists() and not FollowUp.objects.exists()
    agent_client.post(_url(Customer.objects.get()), form | {"due_on": timezone.localdate().isoformat()})
    assert FollowUp.objects.get().due_on == timezone.localdate()


def test_a_day_without_a_step_is_asked_about(agent_client):
    response = agent_client.post(_url(make_customer()), log_form(due_on="2030-01-02"))
    assert response.status_code == 422
    assert "next_step" in response.context["form"].errors
    assert not Interaction.objects.exists()


def test_a_form_sent_twice_counts_once(agent_client):
    customer, form = make_customer(), log_form(next_step="call back", new_complaint="broken")
    assert [agent_client.post(_url(customer), form).status_code for _ in range(2)] == [302, 302]
    assert (Interaction.objects.count(), FollowUp.objects.count(), Complaint.objects.count()) == (1, 1, 1)


def test_what_has_not_happened_yet_is_refused(agent_client):
    later = (timezone.localtime() + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    response = agent_client.post(_url(make_customer()), log_form(occurred_at=later))
    assert response.status_code == 422
    assert "occurred_at" in response.context["form"].errors


@pytest.mark.parametrize("text", ["", "a\x00b"])
def test_content_that_cannot_be_kept_is_refused(agent_client, text):
    assert agent_client.post(_url(make_customer()), log_form(content=text)).status_code == 422
    assert not Interaction.objects.exists()


def test_attachments_lie_sealed_and_come_back_whole(agent_client, settings, tmp_path):
    body = b"%PDF-1.7 canary-in-the-file " * 5000
    file = SimpleUploadedFile("Brief von Zoë.pdf", body, content_type="application/pdf")
    agent_client.post(_url(make_customer()), log_form(kind="letter", attachments=file))
    attachment = Attachment.objects.get()
    assert (attachment.name, attachment.size) == ("Brief von Zoë.pdf", len(body))
    with open(attachment.file.storage.path(attachment.file.name), "rb") as stored:
        assert b"canary" not in stored.read()
    response = agent_client.get(reverse("interactions:attachment", args=[attachment.pk]))
    assert b"".join(response.streaming_content) == body
    attachment.file.delete(save=False)


def test_a_file_a_browser_would_run_is_only_downloaded(agent_client):
    file = SimpleUploadedFile("x.html", b"<script>alert(1)</script>", content_type="text/html")
    agent_client.post(_url(make_customer()), log_form(attachments=file))
    attachment = Attachment.objects.get()
    response = agent_client.get(reverse("interactions:attachment", args=[attachment.pk]))
    assert response["Content-Disposition"].startswith("attachment")
    assert response["Content-Type"] == "application/octet-stream"
    response.close()
    attachment.file.delete(save=False)


def test_only_who_may_note_contacts_notes_them(manager_client, outsider_client, client):
    customer = make_customer()
    assert manager_client.get(_url(customer)).status_code == 200
    assert outsider_client.get(_url(customer)).status_code == 403
    assert outsider_client.post(_url(customer), log_form()).status_code == 403
    assert client.post(_url(customer), log_form()).status_code == 302
    assert not Interaction.objects.exists()


def test_an_unknown_customer_is_not_found(agent_client):
    assert agent_client.get(reverse("interactions:log", args=["nobody"])).status_code == 404


def test_a_restricted_customer_is_out_of_reach(agent_client):
    customer = make_customer(restricted_at=timezone.now())
    assert agent_client.post(_url(customer), log_form()).status_code == 404
    assert not Interaction.objects.exists()


def test_a_complaint_makes_the_contact_part_of_the_dispute(agent_client):
    customer = make_customer()
    agent_client.post(_url(customer), log_form(new_complaint="grinder is loud", order_number="4711"))
    noted, complaint = Interaction.objects.get(), Complaint.objects.get()
    assert (noted.complaint, noted.record_class) == (complaint, "claim")
    assert (complaint.subject, complaint.order_number) == ("grinder is loud", "4711")
    customer.summary.refresh_from_db()
    assert customer.summary.open_complaints == 1


def test_the_complaint_of_another_customer_cannot_be_chosen(agent_client, agent):
    other = make_customer()
    complaint = Complaint.objects.create(customer=other, subject="theirs", owner=agent)
    response = agent_client.post(_url(make_customer()), log_form(complaint=complaint.pk))
    assert response.status_code == 422


def test_history_names_who_noted_it(agent_client, agent):
    agent_client.post(_url(make_customer()), log_form())
    entry = Interaction.history.get()
    assert (entry.history_type, entry.history_user_id) == ("+", agent.pk)


def test_words_typed_never_stand_in_a_url(agent_client):
    response = agent_client.post(_url(make_customer()), log_form(content="secretword"))
    assert "secretword" not in response["Location"]


def test_the_due_day_of_a_friday_contact_is_monday():
    assert next_working_day(date(2026, 11, 20)) == date(2026, 11, 23)


def test_words_written_after_going_back_are_not_lost(agent_client):
    customer, form = make_customer(), log_form(content="asked for the parcel")
    agent_client.post(_url(customer), form)
    agent_client.post(_url(customer), form | {"content": "asked for the invoice"})
    assert {noted.content for noted in Interaction.objects.all()} == {"asked for the parcel", "asked for the invoice"}
    other = make_customer()
    agent_client.post(_url(other), form)
    assert other.interactions.count() == 1


def test_a_browser_may_call_a_file_whatever_it_likes(agent_client):
    file = SimpleUploadedFile("x.bin", b"bytes", content_type="application/" + "x" * 300)
    assert agent_client.post(_url(make_customer()), log_form(attachments=file)).status_code == 302
    attachment = Attachment.objects.get()
    assert len(attachment.content_type) == 100
    attachment.file.delete(save=False)


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_open_one_complaint(agent, signed_in):
    customer, form = make_customer(), log_form(new_complaint="broken", next_step="call back")
    clients, barrier = [signed_in(agent) for _ in range(3)], Barrier(3)

    def press(client):
        try:
            barrier.wait(timeout=20)
            return client.post(_url(customer), form).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(press, clients)) == [302] * 3
    assert (Interaction.objects.count(), FollowUp.objects.count(), Complaint.objects.count()) == (1, 1, 1)
