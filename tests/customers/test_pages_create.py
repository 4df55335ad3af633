"""Entering a new customer: nothing typed is lost, nobody is entered twice, and doubts are shown first."""

import threading
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers import suppression, tombstones
from customers.models import Customer, Tombstone
from tests.portal.factories import make_customer

pytestmark = pytest.mark.django_db

URL = "/customers/new/"


def typed(**changes):
    """What a browser sends for a person with everything filled in."""
    data = {
        "token": str(uuid4()),
        "kind": "person",
        "salutation": "neutral",
        "title": "Dr.",
        "first_name": "Änne",
        "last_name": "Großmann-Łuczak",
        "company": "",
        "vat_id": "",
        "status": "account",
        "language": "de",
        "birthday_day": "29",
        "birthday_month": "2",
        "tags": "Stammkunde, Kaffee",
        "channels": ["email", "post"],
        "interests": "Mühlen",
        "said_by": "customer",
        "email": "Aenne@Example.org",
        "phone": "040 5550142",
        "recipient": "",
        "street": "Elbchaussee 12",
        "postcode": "22767",
        "city": "Hamburg",
        "country": "Deutschland",
    }
    return data | changes


def banner(response):
    return response.context["doubts"]


def test_who_may_enter_customers(client, agent_client, manager_client, outsider_client):
    assert reverse("customers:create") == URL
    assert client.get(URL).status_code == 302
    assert outsider_client.get(URL).status_code == 403
    assert outsider_client.post(URL, typed()).status_code == 403
    assert agent_client.get(URL).status_code == 200
    assert manager_client.get(URL).status_code == 200
    assert not Customer.objects.exists()


def test_what_is_typed_is_stored_as_files_would_store_it(agent_client, agent):
    response = agent_client.post(URL, typed())
    customer = Customer.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"/customers/{customer.number}/"
    assert (customer.first_name, customer.last_name) == ("Änne", "Großmann-Łuczak")
    assert (customer.birthday_day, customer.birthday_month) == (29, 2)
    assert customer.salutation == "neutral"
    assert {(p.kind, p.value, p.is_primary) for p in customer.contact_points.all()} == {
        ("email", "Aenne@Example.org", True),
        ("phone", "+49405550142", True),
    }
    address = customer.addresses.get()
    assert (address.street, address.postcode, address.city, address.country, address.is_default) == (
        "Elbchaussee 12",
        "22767",
        "Hamburg",
        "DE",
        True,
    )
    assert set(customer.customer_tags.values_list("tag__name", flat=True)) == {"Stammkunde", "Kaffee"}
    assert set(customer.preferences.values_list("kind", "value", "said_by", "recorded_by")) == {
        ("channel", "email", "customer", agent.pk),
        ("channel", "post", "customer", agent.pk),
        ("interest", "Mühlen", "customer", agent.pk),
    }
    assert customer.origin.kind == "staff"
    assert customer.history.get().history_user == agent
    assert customer.search_entry.text


def test_a_company_needs_a_name_and_a_right_vat_id(agent_client):
    refused = agent_client.post(URL, typed(kind="company", vat_id="DE123456789"))
    assert refused.status_code == 422
    assert set(refused.context["form"].errors) == {"company", "vat_id"}
    assert "Großmann-Łuczak" in refused.content.decode()
    # The Federal Central Tax Office's own example of a valid number.
    right = agent_client.post(URL, typed(kind="company", company="Müller KG", vat_id="DE 136 695 976"))
    assert right.status_code == 302
    assert Customer.objects.get().vat_id == "DE136695976"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"email": "a@b\0.example"}, "email"),
        ({"last_name": "x" * 151}, "last_name"),
        ({"last_name": "Mül\0ler"}, "last_name"),
        ({"street": "Weg\0 1"}, "street"),
        ({"country": "Atlantis"}, "country"),
        ({"birthday_day": "31", "birthday_month": "4"}, "birthday_day"),
        ({"birthday_day": "31", "birthday_month": ""}, "birthday_day"),
        ({"birthday_day": "99999999999999999999"}, "birthday_day"),
        ({"tags": "x" * 61}, "tags"),
        ({"kind": "robot"}, "kind"),
        ({"language": "Klingon"}, "language"),
        ({"first_name": "", "last_name": "", "email": ""}, "last_name"),
    ],
)
def test_bad_input_names_the_field_and_keeps_the_rest(agent_client, changes, field):
    response = agent_client.post(URL, typed(**changes))
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert "Elbchaussee 12" in response.content.decode() or field == "street"
    assert "Stammkunde, Kaffee" in response.content.decode() or field == "tags"
    assert not Customer.objects.exists()


def test_a_phone_number_that_cannot_be_read_is_kept_as_typed(agent_client):
    response = agent_client.post(URL, typed(phone="ask for Ulla, ext. 3"), follow=True)
    assert Customer.objects.get().contact_points.get(kind="phone").value == "ask for Ulla, ext. 3"
    assert len(response.context["messages"]) == 2


def test_markup_in_a_name_is_only_text(agent_client):
    response = agent_client.post(URL, typed(last_name="<script>alert(1)</script>", email="bad"))
    assert b"<script>alert(1)" not in response.content
    assert b"&lt;script&gt;alert(1)" in response.content


def test_a_likely_duplicate_is_shown_first_and_entered_on_demand(agent_client):
    make_customer("10482", email="aenne+shop@example.org", first_name="Anne", last_name="Grossmann")
    data = typed()
    response = agent_client.post(URL, data)
    assert response.status_code == 409
    assert [one.customer.number for one in banner(response).likely.candidates] == ["10482"]
    page = response.content.decode()
    assert '/customers/10482/"' in page
    assert "Großmann-Łuczak" in page and "Elbchaussee 12" in page and "Mühlen" in page
    assert Customer.objects.count() == 1
    anyway = response.context["anyway"]
    assert agent_client.post(URL, data | {"anyway": anyway}).status_code == 302
    assert Customer.objects.count() == 2


def test_anyway_counts_only_for_the_duplicates_that_were_shown(agent_client):
    make_customer("10482", email="aenne@example.org")
    make_customer("10483", email="other@example.org")
    data = typed()
    anyway = agent_client.post(URL, data).context["anyway"]
    response = agent_client.post(URL, data | {"anyway": anyway, "email": "other@example.org"})
    assert response.status_code == 409
    assert [one.customer.number for one in banner(response).likely.candidates] == ["10483"]


def test_of_a_protected_record_only_its_being_there_is_told(agent_client):
    make_customer("10999", email="aenne@example.org", last_name="Geheim", restricted_at=timezone.now())
    response = agent_client.post(URL, typed())
    assert response.status_code == 409
    assert banner(response).likely.protected
    assert b"10999" not in response.content
    assert b"Geheim" not in response.content


def test_an_erased_person_comes_back_as_somebody_new(agent_client):
    erased_at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    ((kind, mark),) = tombstones.marks_of(emails=["aenne@example.org"])
    Tombstone.objects.create(kind=kind, mark=mark, erased_at=erased_at)
    data = typed()
    response = agent_client.post(URL, data)
    assert response.status_code == 409
    assert banner(response).erased_at == erased_at
    assert not Customer.objects.exists()
    assert agent_client.post(URL, data | {"anyway": response.context["anyway"]}).status_code == 302
    assert Customer.objects.count() == 1
    assert Tombstone.objects.count() == 1


def test_a_suppressed_address_is_told_and_stays_suppressed(agent_client):
    suppression.suppress("email", "aenne@example.org", reason="unsubscribed")
    response = agent_client.post(URL, typed(), follow=True)
    assert Customer.objects.count() == 1
    assert len(response.context["messages"]) == 2
    assert all("example.org" not in str(message) for message in response.context["messages"])
    assert suppression.suppressed("email", "aenne@example.org")


def test_the_same_form_twice_makes_one_customer(agent_client):
    data = typed()
    first = agent_client.post(URL, data)
    again = agent_client.post(URL, data)
    assert (first.status_code, again.status_code) == (302, 302)
    assert first["Location"] == again["Location"]
    assert Customer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_double_click_makes_one_customer(agent_client):
    data = typed()
    places = []

    def press() -> None:
        browser = Client()
        browser.cookies = agent_client.cookies
        response = browser.post(URL, data)
        places.append((response.status_code, response.get("Location")))
        connection.close()

    presses = [threading.Thread(target=press) for _ in range(3)]
    for one in presses:
        one.start()
    for one in presses:
        one.join()
    assert Customer.objects.count() == 1
    assert {status for status, _ in places} <= {302, 409}


def test_the_token_of_somebody_else_leads_nowhere(agent_client, manager_client):
    data = typed(email="", phone="", postcode="")
    agent_client.post(URL, data)
    manager_client.post(URL, data | {"last_name": "Anders", "first_name": "Ganz"})
    assert Customer.objects.count() == 2
