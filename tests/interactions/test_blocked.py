"""Contacts and complaints that a statute keeps after an erasure are on no page of daily work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import ProtectedError
from django.urls import reverse
from django.utils import timezone

from customers.timeline import sources
from interactions import evaluation
from interactions.complaining import open_complaint, refresh_summary
from interactions.models import Attachment, Complaint, Interaction
from tests.interactions.factories import make_contact, make_customer

pytestmark = pytest.mark.django_db


def block(row, customer=None) -> None:
    type(row).archive.filter(pk=row.pk).update(customer=customer, subject_ref=uuid4(), blocked_at=timezone.now())


@pytest.fixture
def customer():
    return make_customer()


@pytest.fixture
def letter(customer, agent) -> Interaction:
    interaction = make_contact(customer, agent, kind="letter", record_class="letter", content="ganz geheim")
    block(interaction)
    return interaction


@pytest.fixture
def complaint(customer, agent) -> Complaint:
    found = open_complaint(customer, "zerbrochen", by=agent)
    Complaint.objects.filter(pk=found.pk).update(closed_at=datetime(2026, 2, 10, tzinfo=UTC), state="settled")
    block(found)
    return found


def test_no_list_shows_them(agent_client, letter, complaint):
    for url in (
        reverse("interactions:list"),
        reverse("interactions:complaints"),
        reverse("interactions:complaints") + "?show=closed",
        reverse("portal:dashboard"),
    ):
        page = agent_client.get(url).content.decode()
        assert "ganz geheim" not in page
        assert "zerbrochen" not in page


def test_their_own_pages_are_gone(agent_client, letter, complaint):
    attached = Attachment.objects.create(
        interaction=letter, name="a.txt", content_type="text/plain", size=1, file=SimpleUploadedFile("a.txt", b"x")
    )

    assert agent_client.get(reverse("interactions:detail", args=[letter.pk])).status_code == 404
    assert agent_client.post(reverse("interactions:close", args=[letter.pk]), {"outcome": "x"}).status_code == 404
    assert agent_client.get(reverse("interactions:attachment", args=[attached.pk])).status_code == 404
    assert agent_client.get(reverse("interactions:complaint", args=[complaint.pk])).status_code == 404
    moved = agent_client.post(reverse("interactions:complaint_move", args=[complaint.pk, "settle"]), {"outcome": "x"})
    assert moved.status_code == 404


def test_the_timeline_leaves_them_out_even_where_the_person_is_still_named(customer, agent):
    letter, complaint = make_contact(customer, agent), open_complaint(customer, "zerbrochen", by=agent)
    for row in (letter, complaint):
        block(row, customer)
    told = []
    for source in sources(("contact", "complaint")):
        with connection.cursor() as cursor:
            cursor.execute(source.sql, {"customer": customer.pk})
            told += cursor.fetchall()

    assert told == []


def test_the_evaluation_counts_without_them(customer, agent, letter, complaint):
    since = timezone.localdate() - timedelta(days=365)

    assert sum(month.total for month in evaluation.contacts_by_month()) == 0
    assert evaluation.answer_times(since) == []
    assert evaluation.complaint_times(since) is None
    make_contact(customer, agent)
    assert [times.answered for times in evaluation.answer_times(since)] == [1]


def test_a_blocked_open_complaint_is_not_counted_at_the_customer(customer, agent):
    complaint = open_complaint(customer, "zerbrochen", by=agent)
    block(complaint, customer)

    refresh_summary([customer.pk])

    customer.summary.refresh_from_db()
    assert customer.summary.open_complaints == 0
    assert sum(n for _low, _high, n in evaluation.open_complaints_by_age()) == 0
    assert evaluation.complaints_by_owner() == []


def test_the_archive_still_has_them(letter, complaint):
    assert Interaction.archive.get(pk=letter.pk).content == "ganz geheim"
    assert Complaint.archive.get(pk=complaint.pk).subject == "zerbrochen"


def test_a_person_with_contacts_is_not_deleted_by_the_way(customer, agent):
    make_contact(customer, agent)

    with pytest.raises(ProtectedError):
        customer.delete()
