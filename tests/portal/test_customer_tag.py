"""Tagging many customers at once."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from customers.models import CustomerTag, Tag
from portal import tagging
from tests.portal.factories import make_customer
from tests.portal.test_customer_list import narrow

pytestmark = pytest.mark.django_db


def tagged(name: str) -> set[str]:
    return set(CustomerTag.objects.filter(tag__name=name).values_list("customer__number", flat=True))


def test_the_chosen_customers_get_the_tag_once(agent_client):
    for number in ("1", "2", "3"):
        make_customer(number)
    for _time in range(2):
        agent_client.post(reverse("portal:customer_tag"), {"customer": ["1", "3"], "tag": "  Stamm  kunde "})
    assert tagged("Stamm kunde") == {"1", "3"}
    agent_client.post(reverse("portal:customer_tag"), {"customer": ["1"], "tag": "Stamm kunde", "action": "remove"})
    assert tagged("Stamm kunde") == {"3"}


def test_the_tags_there_are_are_offered_to_whoever_may_set_them(agent_client, outsider_client):
    for name in ("Stammkunde", "<b>VIP"):
        Tag.objects.create(name=name)
    options = agent_client.get(reverse("portal:tag_options"), headers={"HX-Request": "true"})
    assert options.content.decode() == '<option value="&lt;b&gt;VIP"><option value="Stammkunde">'
    assert agent_client.get(reverse("portal:tag_options")).url == reverse("portal:customer_list")
    assert outsider_client.get(reverse("portal:tag_options")).status_code == 403


def test_a_tag_is_one_whatever_its_capitals(agent_client):
    make_customer("1")
    for name in ("VIP", "vip"):
        agent_client.post(reverse("portal:customer_tag"), {"customer": ["1"], "tag": name})
    assert list(CustomerTag.objects.values_list("tag__name", flat=True)) == ["VIP"]
    agent_client.post(reverse("portal:customer_tag"), {"customer": ["1"], "tag": "Vip", "action": "remove"})
    assert not CustomerTag.objects.exists()


def test_all_that_match_are_tagged_by_a_fixed_number_of_statements(agent_client):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            agent_client.post(reverse("portal:customer_tag"), {"s": state, "all": "1", "tag": "Nord"})
        return len(captured)

    for number in range(4):
        make_customer(str(number), revenue=300 if number else 1)
    state = narrow(agent_client, revenue_from="200").context["listing"].state
    first = queries()
    assert tagged("Nord") == {"1", "2", "3"}
    for number in range(4, 30):
        make_customer(str(number), revenue=300)
    assert queries() <= first
    assert len(tagged("Nord")) == 29


def test_more_than_the_cap_changes_nothing(agent_client, monkeypatch):
    for number in range(4):
        make_customer(str(number))
    monkeypatch.setattr("portal.views.tagging.CAP", 3)
    agent_client.post(reverse("portal:customer_tag"), {"all": "1", "tag": "Alle"})
    assert not CustomerTag.objects.exists()
    assert tagging.CAP == 10_000


@pytest.mark.parametrize(
    "data",
    [{"customer": "1"}, {"tag": "x"}, {"customer": "1", "tag": "x" * 61}, {"customer": "\0", "tag": "x"}],
)
def test_without_tag_or_customers_nothing_changes(agent_client, data):
    make_customer("1")
    assert agent_client.post(reverse("portal:customer_tag"), data).status_code == 302
    assert not CustomerTag.objects.exists()


def test_an_ended_search_tags_nobody(agent_client):
    make_customer("1")
    for sent in ({"all": "1"}, {"customer": "1"}):
        url = reverse("portal:customer_tag")
        answer = agent_client.post(url, {"s": "forged", "tag": "x", **sent}, follow=True)
        assert "Nichts wurde verschlagwortet: Diese Suche ist abgelaufen." in answer.content.decode()
    assert not CustomerTag.objects.exists()


def test_restricted_customers_and_people_without_permission_change_nothing(
    agent_client, outsider_client, signed_in, privacy
):
    make_customer("1", restricted_at=timezone.now())
    make_customer("2")
    assert outsider_client.post(reverse("portal:customer_tag"), {"customer": "2", "tag": "x"}).status_code == 403
    assert signed_in(privacy).post(reverse("portal:customer_tag"), {"customer": "2", "tag": "x"}).status_code == 403
    agent_client.post(reverse("portal:customer_tag"), {"customer": ["1"], "tag": "x"})
    agent_client.post(reverse("portal:customer_tag"), {"all": "1", "tag": "x"})
    assert tagged("x") == {"2"}
    assert agent_client.get(reverse("portal:customer_tag")).status_code == 405
