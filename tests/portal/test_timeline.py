"""The timeline: newest first over all apps, pages that neither lose nor repeat, filters, permissions."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.models import Note
from customers.timeline import TimelineSource, sources
from interactions.models import FollowUp, Interaction
from orders.models import Document, Order
from portal.timelines import read_timeline, types_for
from tests.portal.factories import make_customer

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def everything(customer, user, kind: str = "", per_page: int = 3) -> list[tuple[datetime, str, str]]:
    seen, cursor = [], ""
    while True:
        page = read_timeline(customer, user, kind, cursor, per_page=per_page)
        seen += [(entry.at, entry.title, entry.text) for entry in page.entries]
        if not page.older:
            return seen
        cursor = page.older


def test_events_of_all_apps_come_newest_first_and_once_also_at_ties(agent):
    customer, other = make_customer("1"), make_customer("2")
    for place in range(12):
        at = NOON - timedelta(days=place // 6)
        # Ids equal in two tables at the same instant: the hardest tie there is.
        Note.objects.create(pk=900 + place, customer=customer, text=f"Notiz {place}", created_at=at)
        Interaction.objects.create(
            pk=900 + place, customer=customer, kind="call", content=f"Anruf {place}", occurred_at=at
        )
        Order.objects.create(pk=900 + place, customer=customer, number=f"N-{place}", placed_at=at)
    Note.objects.create(customer=other, text="fremd", created_at=NOON)
    expected = 3 * 12
    for size in (1, 2, 3, 5, 7, 100):
        seen = everything(customer, agent, per_page=size)
        assert len(seen) == expected
        assert len(set(seen)) == expected
        assert [at for at, _title, _text in seen] == sorted((at for at, _title, _text in seen), reverse=True)


def test_one_kind_alone(agent, agent_client):
    customer = make_customer("1")
    Note.objects.create(customer=customer, text="merken")
    Order.objects.create(customer=customer, number="N-1")
    assert [text for _at, _title, text in everything(customer, agent, "note")] == ["merken"]
    answer = agent_client.get(reverse("portal:customer_detail", args=["1"]), {"type": "note"})
    assert [entry.text for entry in answer.context["timeline"].entries] == ["merken"]
    unknown = agent_client.get(reverse("portal:customer_detail", args=["1"]), {"type": "'; drop table"})
    assert len(unknown.context["timeline"].entries) == len(everything(customer, agent))


def test_a_kind_without_permission_is_left_out(agent, outsider):
    customer = make_customer("1")
    Note.objects.create(customer=customer, text="merken")
    assert {"note", "order", "contact", "complaint"} <= {key for key, _label in types_for(agent)}
    assert types_for(outsider) == []
    assert everything(customer, outsider) == []
    assert everything(customer, agent)


def test_older_entries_come_as_a_page_and_as_a_fragment(agent_client):
    customer = make_customer("1")
    for place in range(30):
        Note.objects.create(customer=customer, text=f"Notiz {place:02}", created_at=NOON + timedelta(minutes=place))
    first = agent_client.get(reverse("portal:customer_detail", args=["1"]))
    older = first.context["timeline"].older
    url = reverse("portal:customer_timeline", args=["1"])
    whole = agent_client.get(url, {"c": older})
    part = agent_client.get(url, {"c": older}, headers={"HX-Request": "true"})
    assert "<html" in whole.content.decode()
    assert "<html" not in part.content.decode()
    for answer in (whole, part):
        texts = [entry.text for entry in answer.context["timeline"].entries]
        assert texts == [f"Notiz {place:02}" for place in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize("cursor", ["x", "WzEsMl0:forged", "%00", ":"])
def test_a_forged_cursor_starts_at_the_top(agent, cursor):
    customer = make_customer("1")
    Note.objects.create(customer=customer, text="merken")
    page = read_timeline(customer, agent, "", cursor)
    assert page.forged
    assert [entry.text for entry in page.entries] == ["merken"]


def test_sealed_texts_of_shown_rows_alone_are_opened_by_a_fixed_number_of_queries(agent):
    customer = make_customer("1")

    def fill(count: int) -> None:
        for place in range(count):
            contact = Interaction.objects.create(customer=customer, kind="email", content="x", outcome="y")
            FollowUp.objects.create(customer=customer, interaction=contact, step="z", due_on=NOON.date(), owner=agent)
            Note.objects.create(customer=customer, text=str(place))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            read_timeline(customer, agent)
        return len(captured)

    fill(2)
    queries()
    before = queries()
    fill(20)
    assert queries() == before


def test_an_event_without_words_of_its_own_is_told_by_its_label(agent, monkeypatch):
    customer = make_customer("1")
    Note.objects.create(customer=customer, text="merken")
    odd = TimelineSource(
        "odd",
        "Etwas",
        "star",
        "select 'odd'::text, n.created_at, n.id, jsonb_build_object('what', 'geschehen') "
        "from customers_note n where n.customer_id = %(customer)s",
        "n.created_at",
        "n.id",
    )
    monkeypatch.setattr("portal.timelines.sources", lambda keys=(): [*sources(keys), odd])
    entries = read_timeline(customer, agent).entries
    assert ("Etwas", "geschehen", "star") in [(entry.title, entry.text, entry.icon) for entry in entries]


def test_a_delivery_note_tells_no_amount(agent):
    customer = make_customer("1")
    order = Order.objects.create(customer=customer, number="N-1")
    usual = {"order": order, "customer": customer, "issued_at": NOON, "currency": "EUR"}
    Document.objects.create(kind=Document.Kind.INVOICE, number="R-1", gross=20, **usual)
    Document.objects.create(kind=Document.Kind.DELIVERY_NOTE, number="L-1", gross=0, **usual)
    texts = {title.split()[-1]: text for _at, title, text in everything(customer, agent, "document")}
    assert texts["R-1"]
    assert texts["L-1"] == ""
