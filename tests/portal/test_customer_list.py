"""The customer list: order, pages, search, filters, and what never stands in an address."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import gettext, override

from customers.indexing import alike, alike_sql, refresh
from customers.models import Address, CustomerTag, Tag
from portal.models import ListState
from portal.querying import ORDERS, PER_PAGE, ForgedCursor, Selection, capped_count, read_page
from portal.views.customers import found_words
from tests.portal.factories import make_customer

LIST = "/customers/"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def numbers(response) -> list[str]:
    return re.findall(r'class="who" href="/customers/([^/]+)/"', response.content.decode())


def narrow(client: Client, **filters: str):
    """What a person gets who fills in the form."""
    return client.post(LIST, filters, follow=True)


def test_each_role_gets_what_it_may(agent_client, manager_client, outsider_client, client):
    make_customer("10001")
    assert numbers(agent_client.get(LIST)) == ["10001"]
    assert numbers(manager_client.get(LIST)) == ["10001"]
    assert outsider_client.get(LIST).status_code == 403
    assert client.get(LIST).status_code == 302


@pytest.mark.parametrize("order", ORDERS)
def test_pages_forward_and_backward_show_everybody_once_also_at_ties_and_without_a_summary(order):
    ids = []
    for place in range(11):
        tie = place // 4
        customer = make_customer(
            str(10100 - place),
            last_name=["Öz", "Abel", "Zorn"][tie],
            first_name="",
            revenue=tie,
            last_activity=NOON - timedelta(days=tie),
            summary=place not in (2, 9),
        )
        ids.append(customer.pk)
    seen, cursor, pages = [], "", []
    while True:
        page = read_page(Selection(), order, cursor, per_page=3)
        pages.append([row.id for row in page.rows])
        seen += pages[-1]
        if not page.next:
            break
        cursor = page.next
    assert sorted(seen) == sorted(ids)
    assert len(pages) == 4
    back = [pages[-1]]
    while page.previous:
        page = read_page(Selection(), order, page.previous, per_page=3)
        back.insert(0, [row.id for row in page.rows])
    assert back == pages


def test_orders_sort_by_what_they_say():
    make_customer("9999", last_name="Zorn", first_name="", revenue=5, last_activity=NOON)
    make_customer("10001", last_name="Ärmel", first_name="", revenue=50, last_activity=NOON - timedelta(days=3))
    make_customer("10002", last_name="Baum", first_name="", revenue=0.5, last_activity=NOON + timedelta(days=3))

    def listed(order: str) -> list[str]:
        return [row.number for row in read_page(Selection(), order).rows]

    assert listed("name") == ["10001", "10002", "9999"]
    assert listed("number") == ["9999", "10001", "10002"]
    assert listed("revenue") == ["10002", "9999", "10001"]
    assert listed("activity") == ["10001", "9999", "10002"]
    for order in ("name", "number", "revenue", "activity"):
        assert listed(f"-{order}") == listed(order)[::-1]


def test_customers_without_figures_come_last_in_both_directions_of_revenue():
    make_customer("1", summary=False)
    make_customer("2", revenue=5)
    make_customer("3", revenue=7)
    assert [row.number for row in read_page(Selection(), "revenue").rows] == ["2", "3", "1"]
    assert [row.number for row in read_page(Selection(), "-revenue").rows] == ["3", "2", "1"]


@pytest.mark.parametrize("cursor", ["n1", "n1:forged", "x", "n999999:", "%00"])
def test_a_forged_cursor_is_refused(agent_client, cursor):
    make_customer("10001")
    with pytest.raises(ForgedCursor):
        read_page(Selection(), "name", cursor)
    response = agent_client.get(LIST, {"c": cursor})
    assert response.status_code == 400
    assert numbers(response) == ["10001"]


def test_an_unknown_order_falls_back_to_the_usual_one(agent_client):
    make_customer("10001")
    assert numbers(agent_client.get(LIST, {"o": "password"})) == ["10001"]


@pytest.mark.parametrize("typed", ["Muller", "Müller", "mueller", "MÜLLER", "Jürgen Mül"])
def test_umlauts_are_found_however_they_are_typed(agent_client, typed):
    make_customer("10001", last_name="Müller", first_name="Jürgen")
    make_customer("10002", last_name="Schmidt", first_name="Eva")
    assert numbers(narrow(agent_client, words=typed)) == ["10001"]


@pytest.mark.parametrize(
    "words",
    [
        "Weiß",
        "Bremen",
        "28195",
        "10977",
        "anna.weiss@example.org",
        "ANNA.Weiss@Example.ORG",
        "+49 421 218500",
    ],
)
def test_name_town_postcode_number_whole_email_and_phone_are_searched(agent_client, words):
    make_customer(
        "10977",
        company="Weiß & Söhne GmbH",
        kind="company",
        city="Bremen",
        postcode="28195",
        email="anna.weiss@example.org",
        phone="+49421218500",
    )
    make_customer("20000", last_name="Anders", email="anna@example.org", phone="+49421218511")
    assert numbers(narrow(agent_client, words=words)) == ["10977"]


def test_searched_words_never_stand_in_an_address(agent_client):
    words = "geheim.name@example.org"
    make_customer("10001", last_name="Zwiebelfisch", email=words)
    for typed in (words, "Zwiebelfisch"):
        for path in (LIST, reverse("portal:search")):
            answer = agent_client.post(path, {"words": typed, "q": typed}, follow=True)
            addresses = [unquote(url) for url, _status in answer.redirect_chain]
            addresses += re.findall(r'(?:href|action)="([^"]*)"', unquote(answer.content.decode()))
            assert addresses
            assert not [url for url in addresses if typed.lower() in url.lower() or "@" in url]


def test_words_and_filters_lie_sealed_in_the_database(agent_client):
    narrow(agent_client, words="Zwiebelfisch", city="Buxtehude")
    with connection.cursor() as cursor:
        cursor.execute("select query from portal_liststate")
        sealed = bytes(cursor.fetchone()[0])
    assert b"Zwiebelfisch" not in sealed
    assert b"Buxtehude" not in sealed


def test_a_search_belongs_to_one_person_and_ends(agent_client, manager_client):
    make_customer("10001", last_name="Abel")
    answer = narrow(agent_client, words="Abel")
    address = answer.redirect_chain[-1][0]
    assert manager_client.get(address).status_code == 302
    ListState.objects.update(expires_at=NOON - timedelta(days=365))
    response = agent_client.get(address)
    assert (response.status_code, response.url) == (302, LIST)
    assert agent_client.get(LIST, {"s": "forged"}).status_code == 302


def test_narrowing_or_choosing_columns_of_an_ended_search_says_that_it_has_ended(agent_client):
    make_customer("1", last_name="Abel", revenue=300)
    make_customer("2", last_name="Abel")
    make_customer("3", last_name="Bauer")
    signed = narrow(agent_client, revenue_from="200").context["listing"].state
    ListState.objects.all().delete()
    for sent, found in (({"find": "Abel"}, ["1", "2"]), ({"drop": "revenue_from"}, ["1", "2", "3"])):
        answer = agent_client.post(LIST, {"s": signed, **sent}, follow=True)
        assert sorted(numbers(answer)) == found
        assert "Diese Suche ist abgelaufen." in answer.content.decode()
    chosen = agent_client.post(reverse("portal:column_choice"), {"s": signed, "column": ["number"]}, follow=True)
    assert "Diese Suche ist abgelaufen." in chosen.content.decode()
    assert "abgelaufen" not in agent_client.post(LIST, {"find": "Abel"}, follow=True).content.decode()


FILTERS = [
    ({"status": "guest"}, {"status": "guest"}),
    ({"kind": "company"}, {"kind": "company"}),
    ({"postcode": "80"}, {"postcode": "80331"}),
    ({"city": "Münch"}, {"city": "München"}),
    ({"city": "bad töl"}, {"city": "Bad Tölz"}),
    ({"revenue_from": "200"}, {"revenue": 200}),
    ({"revenue_from": "200", "revenue_to": "300,50"}, {"revenue": "300.50"}),
    ({"revenue_from": "1.234,50", "revenue_to": "2.000"}, {"revenue": "1234.50"}),
    ({"active_from": "2026-05-01", "active_to": "2026-05-01"}, {"last_activity": NOON}),
    ({"complaints": "yes"}, {"open_complaints": 1}),
    ({"advertising_stop": "yes"}, {"advertising_stopped_at": NOON}),
    ({"deactivated": "yes"}, {"deactivated_at": NOON}),
]


@pytest.mark.parametrize(("filters", "fields"), FILTERS)
def test_a_filter_leaves_whoever_it_names(agent_client, filters, fields):
    make_customer("1", **{"last_activity": NOON - timedelta(days=9), "revenue": 100, "postcode": "79999"})
    make_customer("2", **{"last_activity": NOON + timedelta(days=1), **fields})
    assert numbers(narrow(agent_client, **filters)) == ["2"]


@pytest.mark.parametrize("name", ["complaints", "advertising_stop", "deactivated"])
def test_no_is_the_opposite_of_yes(agent_client, name):
    fields = {"complaints": {"open_complaints": 2}, "advertising_stop": {"advertising_stopped_at": NOON}}
    make_customer("1", **fields.get(name, {"deactivated_at": NOON}))
    make_customer("2")
    assert numbers(narrow(agent_client, **{name: "no"})) == ["2"]


def test_filter_by_tag_and_country(agent_client):
    first, second = make_customer("1"), make_customer("2")
    tag = Tag.objects.create(name="Stammkunde")
    CustomerTag.objects.create(customer=first, tag=tag)
    second.addresses.update(country="AT")
    assert numbers(narrow(agent_client, tag=str(tag.pk))) == ["1"]
    for typed in ("at", "Österreich", "Austria"):
        answer = narrow(agent_client, country=typed)
        assert numbers(answer) == ["2"]
        assert "Land Österreich" in answer.text


def test_a_list_by_place_shows_the_address_it_found(agent_client):
    customer = make_customer("1", city="Frankfurt", postcode="60316")
    Address.objects.create(customer=customer, city="Hamburg", postcode="22085")
    refresh([customer.pk])
    assert "Frankfurt" in agent_client.get(LIST).text
    for filters in ({"postcode": "2"}, {"city": "hamb"}, {"postcode": "2", "country": "DE"}):
        page = narrow(agent_client, **filters).text
        assert "Hamburg" in page
        assert "Frankfurt" not in page


def test_a_chip_takes_its_filter_away(agent_client):
    make_customer("1", revenue=10)
    make_customer("2", revenue=300)
    answer = narrow(agent_client, revenue_from="200", status="account")
    state = re.search(r'name="s" value="([^"]+)"', answer.content.decode())[1]
    answer = agent_client.post(LIST, {"s": state, "drop": "revenue_from"}, follow=True)
    assert sorted(numbers(answer)) == ["1", "2"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"revenue_from": "viel"},
        {"revenue_from": "300", "revenue_to": "200"},
        {"active_from": "gestern"},
        {"country": "Nirgendwo"},
        {"status": "admin"},
        {"tag": "999999"},
        {"words": "x" * 201},
    ],
)
def test_a_filter_that_cannot_be_read_is_said_and_nothing_is_kept(agent_client, wrong):
    answer = agent_client.post(LIST, wrong)
    assert answer.status_code == 422
    assert not ListState.objects.exists()


@pytest.mark.parametrize("words", ["\0", "%", "_", "\\", "'; drop table customers_customer; --", "𝕏" * 50, "a" * 200])
def test_odd_words_find_nobody_and_break_nothing(agent_client, words):
    make_customer("10001")
    assert narrow(agent_client, words=words, city=words[:100]).status_code in (200, 422)


def test_restricted_customers_are_absent_without_the_permission(agent_client, signed_in, privacy):
    make_customer("10001", last_name="Abel", restricted_at=NOON)
    make_customer("10002", last_name="Baum")
    assert numbers(agent_client.get(LIST)) == ["10002"]
    assert numbers(narrow(agent_client, words="Abel")) == []
    assert sorted(numbers(signed_in(privacy).get(LIST))) == ["10001", "10002"]


def test_names_are_shown_and_never_run(agent_client):
    make_customer("10001", last_name="<script>alert(1)</script>\"'", first_name="{{ 7|add:7 }}", city="<b>{0}")
    page = agent_client.get(LIST).content.decode()
    assert "<script>alert(1)" not in page
    assert "<b>{0}" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{ 7|add:7 }}" in page


def test_the_number_of_queries_does_not_grow_with_rows(agent_client):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert agent_client.get(LIST).status_code == 200
        return len(captured)

    for number in range(5):
        make_customer(str(number), open_complaints=1, kind="company", company="Firma")
    queries()
    before = queries()
    for number in range(5, 40):
        make_customer(str(number), open_complaints=1, kind="company", company="Firma")
    assert queries() == before


def test_a_full_page_leads_to_the_next_and_back(agent_client):
    for number in range(PER_PAGE + 1):
        make_customer(f"{number:05}")
    first = agent_client.get(LIST, {"o": "number"})
    assert len(numbers(first)) == PER_PAGE
    second = agent_client.get(
        LIST + re.search(r'href="/customers/([^"]*)" rel="next"', first.content.decode())[1].replace("&amp;", "&")
    )
    assert numbers(second) == ["00050"]
    back = re.search(r'href="/customers/([^"]*)" rel="prev"', second.content.decode())[1].replace("&amp;", "&")
    assert numbers(agent_client.get(LIST + back)) == numbers(first)


@pytest.mark.parametrize(("language", "words"), [("de", "24.073 Kunden"), ("en", "24,073 customers")])
def test_large_counts_are_grouped(language, words):
    with override(language):
        assert found_words(24_073, 1_000_000) == words


def test_the_count_is_capped():
    for number in range(4):
        make_customer(str(number))
    assert capped_count(Selection(), cap=3) == 4
    assert capped_count(Selection(), cap=2) == 3
    assert capped_count(Selection({"status": "guest"})) == 0


def test_chosen_columns_stay(agent_client):
    make_customer("10001", orders=41)
    agent_client.post(reverse("portal:column_choice"), {"column": ["number", "country", "nonsense"]})
    page = agent_client.get(LIST).content.decode()
    assert "aria-sort" in page or "10001" in page
    assert ">41<" not in page
    assert ">DE<" in page


def test_a_search_that_finds_more_than_is_listed_says_so_and_is_exported_whole(manager_client, monkeypatch):
    for number in range(5):
        make_customer(str(10001 + number), last_name="Haufen")
    monkeypatch.setattr("portal.listing.Listing.selection.__defaults__", (3,))
    answer = narrow(manager_client, words="haufen")
    assert len(numbers(answer)) == 3
    assert answer.context["found"] == gettext("more than %s customers") % 3
    tagged = {"s": answer.context["listing"].state, "all": "1", "tag": "viele", "action": "add"}
    manager_client.post(reverse("portal:customer_tag"), tagged)
    assert CustomerTag.objects.count() == 5


@pytest.mark.parametrize("typed", ["Koeln", "Köln", "koln", "KÖLN", "köl", "Koel"])
def test_a_town_is_filtered_by_however_its_umlauts_are_written(agent_client, typed):
    make_customer("10001", city="Köln")
    make_customer("10002", city="Koeln")
    make_customer("10003", city="KÖLN")
    make_customer("10004", city="Bonn", last_name="Köln")
    assert sorted(numbers(narrow(agent_client, city=typed))) == ["10001", "10002", "10003"]


@pytest.mark.parametrize(
    ("typed", "city"),
    [("Giessen", "Gießen"), ("bad soden", "Bad  Soden"), ("Orsted", "Ørsted"), ("Lodz", "Łódź"), ("Sceaux", "Sceaux")],
)
def test_towns_are_folded_by_the_database_as_by_the_search(agent_client, typed, city):
    make_customer("10001", city=city)
    make_customer("10002", city="Soden")
    assert numbers(narrow(agent_client, city=typed)) == ["10001"]
    assert numbers(narrow(agent_client, city=city)) == ["10001"]


def test_the_database_and_the_search_have_one_rule_for_towns():
    letters = [chr(n) for n in (*range(0x20, 0x250), *range(0x1E00, 0x1F00), 0x2003, 0x212A, 0x212B, 0xFB01)]
    towns = [f"x{letter}y {letter}" for letter in letters if letter != "\x7f" and not 0x80 <= ord(letter) < 0xA0]
    towns += [
        "Köln", "KOELN", "Straße", "STRASSE", "ǾRSTED", "Łódź", "  Bad\u00a0 Soden ", "Œuilly", "Ærø", "i̇stanbul",
        "İstanbul",
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT t, {alike_sql('t')} FROM unnest(%s::text[]) AS t", [towns])
        told = dict(cursor.fetchall())
    assert {town: told[town] for town in towns if told[town] != alike(town)} == {}
