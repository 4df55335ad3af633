"""The search box of every page: straight to the one exact hit, else a page of results."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from customers.models import ContactPerson
from orders.models import Document, Order
from tests.portal.factories import make_customer
from tests.portal.test_customer_list import numbers

pytestmark = pytest.mark.django_db

SEARCH = "/search/"


def ask(client, words: str):
    return client.post(SEARCH, {"q": words}, follow=True)


@pytest.mark.parametrize(
    "words",
    ["10482", " 10482 ", "j.mueller@example.org", "J.Mueller@EXAMPLE.org", "040 5550142", "+49 40 5550142"],
)
def test_one_exact_hit_opens_the_customer(agent_client, words):
    make_customer("10482", email="j.mueller@example.org", phone="+49405550142")
    make_customer("10483", email="eva@example.org")
    answer = agent_client.post(SEARCH, {"q": words})
    assert (answer.status_code, answer.url) == (302, "/customers/10482/")


def test_a_contact_person_leads_to_the_company(agent_client):
    company = make_customer("7", kind="company", company="Firma")
    ContactPerson.objects.create(customer=company, last_name="X", email="x@firma.example")
    assert agent_client.post(SEARCH, {"q": "x@firma.example"}).url == "/customers/7/"


def test_an_email_of_two_people_shows_both(agent_client):
    make_customer("1", email="familie@example.org")
    make_customer("2", email="familie@example.org")
    assert sorted(numbers(ask(agent_client, "familie@example.org"))) == ["1", "2"]


def test_orders_are_found_by_number(agent_client):
    customer = make_customer("1")
    Order.objects.create(number="4711-88", customer=customer)
    Order.objects.create(number="4711-88", customer=customer, platform="shopify", external_id="5")
    answer = ask(agent_client, "4711-88")
    assert [found.number for found in answer.context["results"].orders] == ["4711-88", "4711-88"]


def make_paper(customer, number: str, kind: str = "invoice") -> Document:
    order = Order.objects.create(number=f"B-{number}", customer=customer)
    return Document.objects.create(
        order=order, customer=customer, kind=kind, number=number, currency="EUR", gross=1, net=1, tax=0
    )


@pytest.mark.parametrize("words", ["RE-2026-00042", "re-2026-00042", " RE-2026 -00042 "])
def test_the_number_of_a_paper_opens_the_paper(agent_client, words):
    paper = make_paper(make_customer("1"), "RE-2026-00042")
    make_paper(make_customer("2"), "RE-2026-00043")
    assert agent_client.post(SEARCH, {"q": words}).url == f"/orders/documents/{paper.pk}/"


def test_papers_with_one_number_are_shown_together(agent_client):
    customer = make_customer("1")
    papers = [make_paper(customer, "77"), make_paper(customer, "77", kind="delivery_note")]
    answer = ask(agent_client, "77")
    assert sorted(found.url for found in answer.context["results"].papers) == [
        f"/orders/documents/{paper.pk}/" for paper in papers
    ]
    page = answer.content.decode()
    assert "Rechnung" in page
    assert "Lieferschein" in page


def test_names_make_a_page_of_results_with_a_way_to_the_whole_list(agent_client):
    for number in range(12):
        make_customer(str(number), last_name="Müller")
    answer = ask(agent_client, "muller")
    assert len(numbers(answer)) == 10
    link = re.search(r'href="(/customers/\?s=[^"]+)"', answer.content.decode())[1].replace("&amp;", "&")
    assert len(numbers(agent_client.get(link))) == 12


def test_a_typo_still_finds(agent_client):
    make_customer("1", last_name="Schönhausen")
    assert numbers(ask(agent_client, "Schonhaussen")) == ["1"]


def test_restricted_customers_and_their_orders_are_not_found(agent_client, signed_in, privacy):
    customer = make_customer("10482", email="a@example.org", restricted_at=timezone.now())
    Order.objects.create(number="B-1", customer=customer)
    make_paper(customer, "RE-1")
    for words in ("10482", "a@example.org", "Beispiel", "B-1", "RE-1"):
        answer = ask(agent_client, words)
        assert answer.request["PATH_INFO"] == SEARCH
        assert numbers(answer) == []
        assert not answer.context["results"].orders
        assert not answer.context["results"].papers
    assert signed_in(privacy).post(SEARCH, {"q": "10482"}).url == "/customers/10482/"


def test_without_permissions_nothing_is_found(outsider_client, client):
    make_customer("10482")
    answer = ask(outsider_client, "10482")
    assert answer.status_code == 200
    assert numbers(answer) == []
    assert client.post(SEARCH, {"q": "10482"}).url.startswith(reverse("account_login"))


@pytest.mark.parametrize("words", ["", "   ", "\0", "%", "<script>alert(1)</script>", "a" * 5000, "' or 1=1 --", "@"])
def test_odd_words_break_nothing(agent_client, words):
    make_customer("1")
    answer = ask(agent_client, words)
    assert answer.status_code == 200
    assert b"<script>alert(1)" not in answer.content


def test_an_ended_or_foreign_search_says_so(agent_client, manager_client):
    address = agent_client.post(SEARCH, {"q": "irgendwer"}).url
    assert manager_client.get(address).context["stale"]
    assert agent_client.get(address).context["words"] == "irgendwer"
