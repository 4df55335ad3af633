"""The objection to advertising: immediate, person-wide, without reasons; and the one with reasons."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from customers.models import Address, ContactPoint, Customer, Suppression
from customers.suppression import suppressed
from datamap import erasing, journal
from mail import sending
from mail.gates import refusal_of
from privacy import objecting
from privacy.models import Request, Restriction
from staff.models import Role, User
from tests.portal.factories import make_customer
from tests.privacy.making import form, person, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(db):
    found = person()
    ContactPoint.objects.create(customer=found, kind="email", value="zweite@laden.example")
    Address.objects.create(customer=found, kind="shipping", street="Am Deich 4", postcode="20095", city="Hamburg")
    return found


def stopped(customer):
    return Customer.objects.get(pk=customer.pk).summary.advertising_stopped_at


def test_one_click_stops_every_endpoint(agent_client, customer):
    answer = agent_client.post(reverse("privacy:objection", args=[customer.number]), {"channel": "phone"})
    assert answer["Location"] == reverse("portal:customer_detail", args=[customer.number])
    assert stopped(customer) is not None
    assert suppressed("email", "ZOE@laden.example")
    assert suppressed("email", "zweite@laden.example")
    assert suppressed("phone", "+49405550142")
    assert suppressed("sms", "+49405550142")
    assert suppressed("post", objecting.postal_key("Am Deich 4", "20095"))
    assert suppressed("post", objecting.postal_key("Elbchaussee  12", "22767"))
    assert set(Suppression.objects.values_list("reason", flat=True)) == {"objection"}
    case = Request.objects.get()
    assert (case.kind, case.objects_to, case.state) == ("objection", "advertising", "answered")


def test_clicking_twice_is_one_objection(agent_client, customer):
    for _ in range(2):
        agent_client.post(reverse("privacy:objection", args=[customer.number]), {"channel": "phone"})
    assert Request.objects.count() == 1
    assert Suppression.objects.count() == 5


def test_looking_at_the_address_stops_nothing(agent_client, customer):
    assert agent_client.get(reverse("privacy:objection", args=[customer.number])).status_code == 405
    assert stopped(customer) is None


def test_the_header_shows_it_and_the_button_goes(agent_client, customer):
    url = reverse("portal:customer_detail", args=[customer.number])
    button = reverse("privacy:objection", args=[customer.number])
    assert button in agent_client.get(url).text
    agent_client.post(button, {"channel": "phone"})
    page = agent_client.get(url)
    assert button not in page.text
    assert "keine Werbung" in page.text


def test_registering_it_carries_it_out_for_somebody_unknown_too(agent_client):
    sent = form(kind="objection", objects_to="advertising", email="fremd@laden.example", phone="040 5550199")
    agent_client.post(reverse("privacy:request_new"), sent)
    assert suppressed("email", "fremd@laden.example")
    assert suppressed("phone", "+49405550199")


def test_finding_the_person_later_widens_it(privacy_client, privacy, customer):
    case = take(privacy, kind="objection", objects_to="advertising", email="unbekannt@laden.example")
    assert stopped(customer) is None
    privacy_client.post(
        reverse("privacy:request_assign", args=[case.pk]), {"version": case.version, "other": customer.number}
    )
    assert stopped(customer) is not None
    assert suppressed("email", "zoe@laden.example")


def test_apps_with_segments_are_told(customer, agent):
    told = []
    with erasing.registered_temporarily():
        erasing.register_objection("probe", lambda ids, at: told.append(ids))
        objecting.object_now(customer, channel="phone", by=agent)
    assert told == [[customer.pk]]


def test_letters_and_recalls_go_on(customer, agent):
    objecting.object_now(customer, channel="phone", by=agent)
    message = sending.queue("enclosed", to=customer, message_class="letter", context={})
    assert refusal_of(message, "zoe@laden.example") is None


def test_an_objection_with_reasons_restricts_until_it_is_decided(privacy_client, privacy, customer):
    case = take(privacy, customer=customer, kind="objection", objects_to="reasons", text="Ich wurde verwechselt.")
    restriction = Restriction.objects.get()
    assert (restriction.case, restriction.request) == ("d", case)
    customer.refresh_from_db()
    assert customer.restricted_at is not None
    assert stopped(customer) is None
    answer = reverse("privacy:request_answer", args=[case.pk])
    assert privacy_client.post(answer, {"version": case.version, "decision": " ", "way": "mail"}).status_code == 422
    decision = {"version": case.version, "decision": "Die Gründe überwiegen nicht.", "way": "mail"}
    assert privacy_client.post(answer, decision).status_code == 302
    case.refresh_from_db()
    assert case.decision == "Die Gründe überwiegen nicht."
    assert "Die Gründe überwiegen nicht." in case.letters.get().body


def test_who_may_object_for_a_customer(client, outsider_client, manager_client, customer):
    url = reverse("privacy:objection", args=[customer.number])
    assert client.post(url).status_code == 302
    assert stopped(customer) is None
    assert outsider_client.post(url).status_code == 403
    assert stopped(customer) is None
    assert manager_client.post(url).status_code == 302
    assert stopped(customer) is not None


def test_the_journal_brings_it_back(customer, agent):
    objecting.object_now(customer, channel="phone", by=agent)
    (payload,) = [dict(entry.payload) for entry in journal.entries() if entry.kind == "objection"]
    assert payload["customer"] == customer.pk
    Customer.objects.get(pk=customer.pk).summary.__class__.objects.update(advertising_stopped_at=None)
    assert objecting.replay(payload) == "replayed"
    assert stopped(customer) is not None
    assert objecting.replay(payload) == "already"
    assert objecting.replay(payload | {"customer": 987654321}) == "already"


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_are_one_objection():
    agent = User.objects.create_user("a@obhut.example", name="A", roles=[Role.SERVICE])
    customer = make_customer("10001", email="zoe@laden.example")

    def click(_number):
        try:
            return objecting.object_now(customer, channel="phone", by=agent).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(click, range(4)))) == 1
    assert Request.objects.count() == 1
    assert timezone.now() >= Request.objects.get().received_at
