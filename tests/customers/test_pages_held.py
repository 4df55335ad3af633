"""Held rows: who sees them, and that each is decided once."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers import deciders, menu
from customers.models import Customer, HeldIntake, Origin
from datamap.catalogue import explain
from datamap.declarations import registry
from datamap.models import AccessLog
from datamap.navigation import figures_of
from staff.models import Role, User
from tests.customers.making import bring_in, make_row
from tests.portal.factories import make_customer

pytestmark = pytest.mark.django_db

LIST = "/customers/held/"


@pytest.fixture
def privacy_client(db, signed_in):
    user = User.objects.create_user("privacy@obhut.example", name="Privacy", roles=[Role.PRIVACY])
    return signed_in(user)


def ambiguous(**fields):
    """A row that fits two accounts with one e-mail address, as the import holds it."""
    first = make_customer("10482", email="family@example.org", first_name="Anna", last_name="Beispiel")
    make_customer("10483", email="family@example.org", first_name="Bert", last_name="Beispiel")
    row = make_row(line=7, email="family@example.org", first_name="Anna", last_name="Beispiel", **fields)
    assert bring_in(row).held == 1
    return HeldIntake.objects.get(), first


def restricted():
    """News about a customer whose data are restricted."""
    bring_in(make_row(external_id="4711", first_name="Greta", last_name="Geheim"))
    Customer.objects.update(restricted_at=timezone.now())
    bring_in(make_row(external_id="4711", first_name="Greta", last_name="Anders"))
    return HeldIntake.objects.get()


def page(held):
    return reverse("customers:held_decide", args=[held.pk])


def test_who_may_decide(client, agent_client, manager_client, outsider_client, privacy_client):
    held, _ = ambiguous()
    for address in (LIST, page(held)):
        assert client.get(address).status_code == 302
        assert agent_client.get(address).status_code == 403
        assert outsider_client.get(address).status_code == 403
        assert manager_client.get(address).status_code == 200
        assert privacy_client.get(address).status_code == 200
    assert agent_client.post(page(held), {"decision": "dropped"}).status_code == 403
    held.refresh_from_db()
    assert held.decision == ""


def test_the_list_says_what_waits_and_why(manager_client, manager):
    held, _ = ambiguous()
    ((row, who, age, late),) = manager_client.get(LIST).context["rows"]
    assert (row, who, age, late) == (held, "Anna Beispiel", 0, False)
    assert figures_of([menu.HELD], manager) == [1]
    deciders.drop(held.pk, manager.pk)
    assert manager_client.get(LIST).context["rows"] == []
    assert figures_of([menu.HELD], manager) == [None]


def test_a_row_that_waits_for_more_than_a_month_is_overdue_work(manager_client, manager):
    held, _ = ambiguous()
    HeldIntake.objects.update(received_at=timezone.now() - timedelta(days=31))

    listed = manager_client.get(LIST)
    assert [(row, age, late) for row, _who, age, late in listed.context["rows"]] == [(held, 31, True)]
    assert listed.context["overdue"] == 1
    values = {figure.value: figure.late for figure in manager_client.get("/").context["cards"].figures[-2:]}
    assert values == {"1": True}

    deciders.drop(held.pk, manager.pk)
    assert manager_client.get(LIST).context["overdue"] == 0


def test_the_period_of_a_held_row_begins_when_somebody_decides_it(manager):
    held, _ = ambiguous()
    HeldIntake.objects.update(received_at=timezone.now() - timedelta(days=400))
    about = next(group for group in registry.declaration_for(HeldIntake).groups if "payload" in group.fields)
    (path,) = (name for start in about.starts for name in start)

    def begun():
        return HeldIntake.objects.values_list(path, flat=True).get(pk=held.pk)

    assert begun() is None  # it waits for a person: no run takes it undecided
    deciders.drop(held.pk, manager.pk)
    assert explain(about.categories[0], begun(), as_of=timezone.localdate()).deletable_from == (
        timezone.localdate() + timedelta(days=31)
    )


def test_a_row_about_a_restricted_customer_is_for_the_privacy_role(manager_client, privacy_client):
    held = restricted()
    listed = manager_client.get(LIST)
    assert listed.context["rows"] == []
    assert listed.context["hidden"] == 1
    assert b"Geheim" not in listed.content and b"Anders" not in listed.content
    assert manager_client.get(page(held)).status_code == 404
    assert manager_client.post(page(held), {"decision": "dropped"}).status_code == 404
    assert privacy_client.get(page(held)).status_code == 200
    # Restricted data may be stored, not changed: applying waits for the restriction to be lifted.
    number = Customer.objects.get().number
    refused = privacy_client.post(page(held), {"decision": "applied", "number": number})
    assert refused.status_code == 422
    held.refresh_from_db()
    assert held.decision == ""
    assert privacy_client.post(page(held), {"decision": "dropped"}).status_code == 302


def test_what_came_in_stands_beside_the_customers_and_each_look_is_noted(manager_client, manager):
    held, _ = ambiguous(city="Kiel", postcode="24103", street="Hafen 1")
    response = manager_client.get(page(held))
    values = [value for _, value in response.context["facts"]]
    assert "family@example.org" in values
    assert any("Hafen 1" in value for value in values)
    assert {card["customer"].number for card in response.context["candidates"]} == {"10482", "10483"}
    looks = AccessLog.objects.filter(page="customers:held_decide", user_id=manager.pk)
    assert set(looks.values_list("customer_number", flat=True)) == {"10482", "10483"}


@pytest.mark.parametrize("field", ["number", "other"])
def test_applied_to_a_customer(manager_client, manager, field):
    held, first = ambiguous(phone="040 5550142")
    response = manager_client.post(page(held), {"decision": "applied", field: "10482"})
    assert response["Location"] == LIST
    held.refresh_from_db()
    assert (held.decision, held.decided_by) == ("applied", manager)
    assert first.contact_points.get(kind="phone").value == "+49405550142"
    assert Customer.objects.count() == 2


def test_created_as_a_new_customer(manager_client):
    held, _ = ambiguous()
    manager_client.post(page(held), {"decision": "created"})
    assert Customer.objects.count() == 3
    held.refresh_from_db()
    assert held.decision == "created"


def test_dropped(manager_client):
    held, _ = ambiguous()
    manager_client.post(page(held), {"decision": "dropped"})
    assert Customer.objects.count() == 2
    held.refresh_from_db()
    assert held.decision == "dropped"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"decision": "applied"},
        {"decision": "applied", "other": "99999"},
        {"decision": "applied", "other": "10\x00482"},
        {"decision": "applied", "other": "x" * 61},
        {"decision": "burnt"},
    ],
)
def test_an_answer_that_says_nothing_decides_nothing(manager_client, data):
    held, _ = ambiguous()
    assert manager_client.post(page(held), data).status_code == 422
    held.refresh_from_db()
    assert held.decision == ""


def test_the_second_of_two_people_is_told(manager_client, privacy_client):
    held, _ = ambiguous()
    manager_client.post(page(held), {"decision": "dropped"})
    late = privacy_client.post(page(held), {"decision": "created"}, follow=True)
    assert [message.level_tag for message in late.context["messages"]] == ["info"]
    assert Customer.objects.count() == 2
    held.refresh_from_db()
    assert held.decision == "dropped"


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_make_one_customer(manager_client):
    held, _ = ambiguous()
    answers = []

    def decide() -> None:
        browser = Client()
        browser.cookies = manager_client.cookies
        answers.append(browser.post(page(held), {"decision": "created"}).status_code)
        connection.close()

    people = [threading.Thread(target=decide) for _ in range(3)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert answers == [302] * 3
    assert Customer.objects.count() == 3


def test_a_row_of_an_app_without_decider_can_be_dropped_only(manager_client):
    origin = Origin.objects.create(kind="file", batch=uuid4())
    held = HeldIntake.objects.create(kind="parcel", reason="ambiguous", payload={}, fingerprint=b"1", origin=origin)
    assert manager_client.get(LIST).status_code == 200
    assert not manager_client.get(page(held)).context["decidable"]
    assert manager_client.post(page(held), {"decision": "created"}).status_code == 422
    assert manager_client.post(page(held), {"decision": "dropped"}).status_code == 302


def test_an_app_above_decides_its_own_rows(manager_client, monkeypatch):
    done = []
    decider = deciders.Decider(
        "parcel",
        lambda payload: [("Weight", payload["weight"])],
        lambda payload: deciders.Person(last_name="Paket"),
        lambda held_id, decision, *, user_id, customer: done.append((held_id, decision, customer)),
    )
    monkeypatch.setattr(deciders, "_deciders", {"parcel": decider})
    origin = Origin.objects.create(kind="file", batch=uuid4())
    held = HeldIntake.objects.create(
        kind="parcel", reason="ambiguous", payload={"weight": "2 kg"}, fingerprint=b"1", origin=origin
    )
    assert b"2 kg" in manager_client.get(page(held)).content
    manager_client.post(page(held), {"decision": "created"})
    assert done == [(held.pk, "created", None)]


def test_an_unknown_row_is_404_and_a_strange_cursor_begins_at_the_start(manager_client):
    ambiguous()
    assert manager_client.get("/customers/held/999999/").status_code == 404
    assert len(manager_client.get(LIST, {"after": "7:x"}).context["rows"]) == 1


def test_the_list_goes_on_by_key_with_a_fixed_number_of_queries(manager_client, django_assert_max_num_queries):
    origin = Origin.objects.create(kind="file", batch=uuid4())
    HeldIntake.objects.bulk_create(
        HeldIntake(kind="parcel", reason="ambiguous", payload={}, fingerprint=bytes([n]), origin=origin)
        for n in range(70)
    )
    with django_assert_max_num_queries(25):
        first = manager_client.get(LIST)
    second = manager_client.get(f"{LIST}{first.context['next_url']}")
    seen = [row.pk for page_ in (first, second) for row, *_ in page_.context["rows"]]
    assert seen == sorted(HeldIntake.objects.values_list("pk", flat=True))
    assert second.context["next_url"] == ""


def test_markup_in_a_row_is_only_text(manager_client):
    evil = "<script>alert(1)</script>"
    held, _ = ambiguous(company=evil)
    for address in (LIST, page(held)):
        content = manager_client.get(address).content
        assert evil.encode() not in content
        assert b"&lt;script&gt;" in content
