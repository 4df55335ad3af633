"""The dashboard: each role sees its own, and a customer the person may not see stays out."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import HeldIntake, Origin
from interactions.models import Complaint, FollowUp
from orders.models import Order
from tests.portal.factories import make_customer

pytestmark = pytest.mark.django_db


def lists(response) -> dict[str, list[str]]:
    return {card.icon: [line.url for line in card.lines] for card in response.context["cards"].lists}


def test_everyone_who_works_here_has_a_dashboard(agent_client, manager_client, outsider_client, client):
    assert agent_client.get("/").status_code == 200
    assert manager_client.get("/").status_code == 200
    empty = outsider_client.get("/")
    assert (empty.status_code, empty.context["cards"].figures, lists(empty)) == (200, [], {})
    assert client.get("/").status_code == 302


def test_my_steps_are_listed_the_latest_due_last(agent_client, agent, manager):
    customer, other = make_customer("1"), make_customer("2")
    today = timezone.localdate()
    FollowUp.objects.create(customer=other, step="morgen", due_on=today + timedelta(days=1), owner=agent)
    FollowUp.objects.create(customer=customer, step="gestern", due_on=today - timedelta(days=1), owner=agent)
    FollowUp.objects.create(customer=customer, step="fremd", due_on=today, owner=manager)
    FollowUp.objects.create(customer=customer, step="fertig", due_on=today, owner=agent, done_at=timezone.now())
    answer = agent_client.get("/")
    steps = answer.context["cards"].lists[0].lines
    assert [(line.text, line.late) for line in steps] == [("gestern", True), ("morgen", False)]
    assert answer.context["cards"].figures[0].value == "1"


def test_customers_opened_last_come_from_the_access_log(agent_client):
    for number in ("1", "2", "3"):
        make_customer(number)
    for number in ("1", "2", "1"):
        agent_client.get(f"/customers/{number}/")
    assert lists(agent_client.get("/"))["clock"] == ["/customers/1/", "/customers/2/"]


def test_restricted_customers_are_on_no_card(agent_client, agent, signed_in, privacy):
    customer = make_customer("1", restricted_at=timezone.now())
    Complaint.objects.create(customer=customer, subject="geheim")
    FollowUp.objects.create(customer=customer, step="geheim", due_on=timezone.localdate(), owner=agent)
    assert "geheim" not in agent_client.get("/").content.decode()
    assert "geheim" in signed_in(privacy).get("/").content.decode()


def test_the_figures_count(manager_client):
    customer = make_customer("1")
    Order.objects.create(number="1", customer=customer)
    Order.objects.create(number="2", customer=customer, placed_at=timezone.now() - timedelta(days=30))
    Complaint.objects.create(customer=customer, subject="x")
    origin = Origin.objects.create(kind="file")
    HeldIntake.objects.create(reason="ambiguous", payload={}, fingerprint=b"1" * 32, origin=origin)
    values = [figure.value for figure in manager_client.get("/").context["cards"].figures]
    assert values == ["0", "1", "1", "1", "1"]


def test_the_number_of_queries_does_not_grow(agent_client, agent):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            agent_client.get("/")
        return len(captured)

    def fill(first: int, last: int) -> None:
        for number in range(first, last):
            customer = make_customer(str(number))
            Complaint.objects.create(customer=customer, subject="x")
            FollowUp.objects.create(customer=customer, step="x", due_on=timezone.localdate(), owner=agent)
            agent_client.get(f"/customers/{number}/")

    fill(0, 2)
    queries()
    before = queries()
    fill(2, 8)
    assert queries() == before
