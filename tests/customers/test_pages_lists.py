"""Claimed opt-ins, the suppression list, tags and the number range."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from customers import numbering, suppression
from customers.models import ClaimReport, Customer, CustomerTag, NumberRange, OptInClaim, Origin, Tag
from customers.postal import postal_key
from datamap.catalogue import explain
from staff.models import Role, User
from tests.portal.factories import make_customer

pytestmark = pytest.mark.django_db

SUPPRESSION = "/customers/suppression/"
CLAIMS = "/customers/claims/"
TAGS = "/customers/tags/"
RANGE = "/customers/number-range/"


@pytest.fixture
def operator_client(db, signed_in):
    user = User.objects.create_user("operator@obhut.example", name="Operator", roles=[Role.OPERATOR])
    return signed_in(user)


def tagged(name, *customers):
    tag = Tag.objects.create(name=name)
    CustomerTag.objects.bulk_create(CustomerTag(customer=customer, tag=tag) for customer in customers)
    return tag


@pytest.mark.parametrize(
    ("address", "agent_status", "manager_status"),
    [(SUPPRESSION, 403, 200), (CLAIMS, 403, 200), (TAGS, 200, 200), (RANGE, 403, 403)],
)
def test_who_gets_to_these_pages(
    client, agent_client, manager_client, outsider_client, address, agent_status, manager_status
):
    assert client.get(address).status_code == 302
    assert outsider_client.get(address).status_code == 403
    assert agent_client.get(address).status_code == agent_status
    assert manager_client.get(address).status_code == manager_status


def test_claims_are_counted_by_origin_and_channel_with_their_last_day(manager_client):
    origin = Origin.objects.create(kind="file", platform="mailchimp", label="mailchimp_audience")
    at = datetime(2026, 11, 1, 12, tzinfo=UTC)
    for number in range(3):
        customer = make_customer(f"1000{number}", email=f"c{number}@example.org")
        OptInClaim.objects.create(
            customer=customer,
            channel="email",
            state="yes",
            evidence={"OPTIN_IP": "203.0.113.9"},
            origin=origin,
            claimed_at=at,
        )
    ClaimReport.objects.create(origin=origin, channel="sms", dropped=12)
    response = manager_client.get(CLAIMS)
    (group,) = response.context["groups"]
    assert (group["number"], group["origin"], group["state"]) == (3, origin, "yes")
    assert group["until"] == explain("CLAIM-OPTIN", at, as_of=timezone.localdate()).deletable_from
    assert response.context["reports"][0][0].dropped == 12
    assert b"203.0.113.9" not in response.content and b"example.org" not in response.content


def test_whoever_may_prove_claims_finds_the_way_there(manager_client, signed_in):
    operator = User.objects.create_user("betrieb@laden.example", "x", name="Betrieb", roles=["operator"])
    way = f'href="{reverse("consents:claims")}"'
    assert way in manager_client.get(CLAIMS).content.decode()
    assert way not in signed_in(operator).get(CLAIMS).content.decode()


def test_the_answer_about_an_address_says_who_else_names_it(manager_client):
    origin = Origin.objects.create(kind="file", platform="mailchimp")
    suppression.suppress("email", "a@example.org", reason="unsubscribed", origin_id=origin.pk)
    suppression.suppress("email", "a@example.org", reason="objection", since=datetime(2026, 11, 2, 12, tzinfo=UTC))
    answer = manager_client.post(SUPPRESSION, {"channel": "email", "endpoint": "A@example.org"}).content.decode()
    assert "abgemeldet" in answer
    assert "außerdem Widerspruch, 02.11.2026" in answer


def test_the_suppression_list_counts_and_names_nobody(manager_client):
    suppression.suppress("email", "a@example.org", reason="unsubscribed")
    suppression.suppress("email", "b@example.org", reason="unsubscribed")
    suppression.suppress("phone", "+49405550142", reason="objection")
    suppression.suppress("email", "c@example.org", reason="bounced")
    suppression.end("email", "c@example.org")
    response = manager_client.get(SUPPRESSION)
    counts = {(g["channel"], g["reason"]): g["number"] for *_, g in response.context["rows"]}
    assert counts == {("email", "unsubscribed"): 2, ("phone", "objection"): 1}
    assert b"example.org" not in response.content


@pytest.mark.parametrize(
    ("channel", "typed", "listed"),
    [
        ("email", "A@Example.org", True),
        ("email", "nobody@example.org", False),
        ("phone", "040 555 01 42", True),
        ("phone", "+49 40 5550143", False),
        ("post", "Hauptstr. 5, 20095 Hamburg", True),
        ("post", "hauptstraße 5 20095", True),
        ("post", "Hauptstraße 5, D-20095 Hamburg", True),
        ("post", "Hauptstr. 5, 20099 Hamburg", False),
    ],
)
def test_an_address_can_be_asked_for(manager_client, caplog, channel, typed, listed):
    suppression.suppress("email", "a@example.org", reason="unsubscribed")
    suppression.suppress("phone", "+49405550142", reason="objection")
    suppression.suppress("post", postal_key("Hauptstraße 5", "20095"), reason="objection")
    caplog.set_level("DEBUG")
    response = manager_client.post(SUPPRESSION, {"channel": channel, "endpoint": typed})
    assert response.status_code == 200
    assert bool(response.context["entries"]) is listed
    assert not response.get("Location")
    assert typed not in caplog.text


def test_the_question_is_never_answered_from_the_address_bar(manager_client):
    suppression.suppress("email", "a@example.org", reason="unsubscribed")
    response = manager_client.get(SUPPRESSION, {"channel": "email", "endpoint": "a@example.org"})
    assert not response.context["asked"]
    assert b"a@example.org" not in response.content


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"channel": "email", "endpoint": "nothing"},
        {"channel": "email", "endpoint": "a\0@example.org"},
        {"channel": "phone", "endpoint": "12"},
        {"channel": "post", "endpoint": "Hauptstraße 5, Hamburg"},
        {"channel": "smoke", "endpoint": "a@example.org"},
        {"channel": "email", "endpoint": f"{'x' * 400}@example.org"},
    ],
)
def test_what_is_no_address_cannot_be_asked_for(manager_client, data):
    assert manager_client.post(SUPPRESSION, data).status_code == 422


def test_a_tag_is_renamed(agent_client):
    tag = tagged("Stamkunde", make_customer("10001"))
    assert agent_client.post(f"{TAGS}{tag.pk}/", {"name": " Stamm  kunde "}).status_code == 302
    tag.refresh_from_db()
    assert tag.name == "Stamm kunde"
    assert agent_client.post(f"{TAGS}{tag.pk}/", {"name": "stamm Kunde"}).status_code == 302
    assert Tag.objects.get().name == "stamm Kunde"


def test_two_tags_become_one_only_after_a_question(agent_client):
    anna, bert = make_customer("10001"), make_customer("10002")
    old, new = tagged("VIP!", anna, bert), tagged("VIP", bert)
    asked = agent_client.post(f"{TAGS}{old.pk}/", {"name": "vip"})
    assert asked.status_code == 409
    assert asked.context["other"] == new
    assert Tag.objects.count() == 2
    data = {"name": "vip", "merge": str(new.pk)}
    assert agent_client.post(f"{TAGS}{old.pk}/", data).status_code == 302
    assert Tag.objects.get() == new
    assert set(new.customer_tags.values_list("customer__number", flat=True)) == {"10001", "10002"}


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 61, "a, b"])
def test_a_tag_name_that_cannot_be_kept(agent_client, name):
    tag = tagged("Gut")
    response = agent_client.post(f"{TAGS}{tag.pk}/", {"name": name})
    assert response.status_code == 422
    assert response.context["form"]["name"].value() == name
    assert Tag.objects.get().name == "Gut"


def test_only_a_tag_nobody_carries_is_deleted(agent_client):
    lone, worn = tagged("Alt"), tagged("Neu", make_customer("10001"))
    assert agent_client.get(f"{TAGS}{lone.pk}/delete/").status_code == 200
    assert agent_client.get(f"{TAGS}{worn.pk}/delete/").status_code == 200
    agent_client.post(f"{TAGS}{lone.pk}/delete/")
    agent_client.post(f"{TAGS}{worn.pk}/delete/")
    assert list(Tag.objects.all()) == [worn]
    assert agent_client.get(f"{TAGS}{lone.pk}/").status_code == 404


def test_the_next_number_is_set_and_given_out(operator_client):
    assert operator_client.get(RANGE).context["now"].next_value == 10001
    assert operator_client.post(RANGE, {"prefix": "K-", "next_value": "500"}).status_code == 302
    assert numbering.next_number() == "K-500"
    assert NumberRange.objects.get().next_value == 501


def test_a_number_in_use_is_never_given_out_again(operator_client):
    Customer.objects.create(number="20000")
    Customer.objects.create(number="K-77")
    Customer.objects.create(number="legacy-99999")
    for prefix, value, status in (
        ("", "20000", 422),
        ("", "10001", 422),
        ("K-", "77", 422),
        ("K-", "78", 302),
        ("", "20001", 302),
    ):
        response = operator_client.post(RANGE, {"prefix": prefix, "next_value": value})
        assert response.status_code == status, (prefix, value)
    assert numbering.next_number() == "20001"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"prefix": "", "next_value": "0"},
        {"prefix": "", "next_value": "-5"},
        {"prefix": "", "next_value": "99999999999999999999"},
        {"prefix": "a/b", "next_value": "5"},
        {"prefix": "a\0", "next_value": "5"},
        {"prefix": "x" * 11, "next_value": "5"},
    ],
)
def test_a_range_that_cannot_be(operator_client, data):
    assert operator_client.post(RANGE, data).status_code == 422


def test_the_pages_ask_the_database_no_more_often_for_more_rows(manager_client, django_assert_max_num_queries):
    for n in range(30):
        tagged(f"Tag {n}", make_customer(f"1{n:04}"))
        suppression.suppress("email", f"a{n}@example.org", reason="objection", since=timezone.now() - timedelta(days=n))
    for address in (TAGS, SUPPRESSION, CLAIMS):
        with django_assert_max_num_queries(20):
            manager_client.get(address)
