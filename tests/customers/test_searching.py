"""The search box finds people by what staff know of them, in the order of names."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers import indexing
from customers.editing import save_customer
from customers.models import ContactPerson, Customer, SearchEntry, SearchWord
from customers.searching import COUNTED, matching_ids, search
from tests.customers.making import bring_in, make_row

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def people(db):
    bring_in(
        make_row(
            2,
            external_id="1",
            first_name="Jörg",
            last_name="Müller",
            email="joerg.m@example.de",
            city="Görlitz",
            postcode="02826",
        ),
        make_row(
            3, external_id="2", first_name="Anna", last_name="Mueller", phone="030 12345678", email="anna@example.de"
        ),
        make_row(4, external_id="3", first_name="Zoë", last_name="Weiß", number="K-77", city="Fürth"),
        make_row(5, external_id="4", company="Elektro Öztürk GmbH", last_name=""),
    )


def found(text: str, **kw) -> list[str]:
    ids = search(text, **kw).ids
    names = {c.pk: c.first_name or c.company.split()[0] for c in Customer.objects.filter(pk__in=ids)}
    return [names[id_] for id_ in ids]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        # Whose name begins as typed comes first.
        ("müller", ["Jörg", "Anna"]),
        ("Mueller", ["Anna", "Jörg"]),
        ("ülle", ["Anna", "Jörg"]),
        ("mül", ["Jörg", "Anna"]),
        ("mü", ["Anna", "Jörg"]),
        ("m", ["Anna", "Jörg"]),
        ("jörg müller", ["Jörg"]),
        ("muller jo", ["Jörg"]),
        ("weiss", ["Zoë"]),
        ("WEIẞ", ["Zoë"]),
        ("zoe", ["Zoë"]),
        ("gorlitz", ["Jörg"]),
        ("02826", ["Jörg"]),
        ("K-77", ["Zoë"]),
        ("k-77", ["Zoë"]),
        ("Öztürk", ["Elektro"]),
        ("Anna@Example.de", ["Anna"]),
        ("joerg.m", ["Jörg"]),
        ("joerg.m@", ["Jörg"]),
        ("030/123 456 78", ["Anna"]),
        ("(030) 123 456 78", ["Anna"]),
        ("(030)12345678", ["Anna"]),
        ("Müller, Jörg", ["Jörg"]),
        (",", []),
        ("345678", ["Anna"]),
        ("Müllre", ["Jörg", "Anna"]),  # Müller is more like it than Mueller
        ("Görlizt", ["Jörg"]),
        ("nobody@example.de", []),
        ("xyzxyz", []),
        ("", []),
        ("  ", []),
        ("%", []),
        ("100%_\\", []),
        ("a\0b", []),
    ],
)
def test_people_are_found_by_what_staff_know(text, names):
    assert found(text) == names


def test_restricted_customers_are_left_out_unless_the_person_may_see_them():
    Customer.objects.filter(last_name="Weiß").update(restricted_at=timezone.now())
    assert found("weiss") == []
    assert found("weiss", restricted_too=True) == ["Zoë"]


def test_contact_persons_of_a_company_are_found_by_whole_address_and_number():
    company = Customer.objects.get(kind="company")
    ContactPerson.objects.create(customer=company, last_name="Kontakt", email="k@firma.de", phone="+4917155500000")
    assert found("K@firma.de") == ["Elektro"]
    assert found("+49 171 55500000") == ["Elektro"]


def test_more_hits_than_are_counted_are_said_to_be_more():
    bring_in(*(make_row(n, external_id=f"x{n}", last_name=f"Haufen{n}") for n in range(10, 512)))
    hits = search("haufen")
    assert (len(hits.ids), hits.more, hits.count) == (COUNTED, True, "500+")
    assert matching_ids("haufen") == hits.ids
    everyone = search("haufen", cap=2000)
    assert (len(everyone.ids), everyone.more) == (502, False)


def test_a_search_asks_the_database_once_and_a_typo_a_few_times_more(django_assert_max_num_queries):
    bring_in(*(make_row(n, external_id=f"y{n}", last_name="Vielda") for n in range(10, 20)))
    with django_assert_max_num_queries(1):
        search("vielda")
    with django_assert_max_num_queries(5):
        assert len(search("viedla").ids) == 10


def test_a_word_nobody_carries_any_more_leaves_the_dictionary():
    assert SearchWord.objects.filter(word="gorlitz").exists()
    Customer.objects.get(first_name="Jörg").delete()
    assert indexing.recount_words() > 0
    assert not SearchWord.objects.filter(word="gorlitz").exists()
    assert SearchWord.objects.get(word="mueller").entries == 1


def test_refreshing_what_is_true_already_writes_nothing():
    before = set(SearchEntry.objects.values_list("customer_id", "text", "phonetic", "postcode"))
    indexing.refresh(Customer.objects.values_list("pk", flat=True))
    assert set(SearchEntry.objects.values_list("customer_id", "text", "phonetic", "postcode")) == before


def test_a_phone_number_does_not_stand_in_the_text_of_a_query():
    with CaptureQueriesContext(connection) as asked:
        assert found("+49 30 12345678") == ["Anna"]
        assert found("+493012345678") == ["Anna"]
        assert found("+49 30 99999999") == []
    assert not any(digits in query["sql"] for query in asked for digits in ("12345678", "99999999"))


def test_whose_name_begins_as_typed_comes_before_whose_name_only_holds_it(db):
    names = ["Altmüller", "Bruckmüller", "Müller", "Müllerburg", "Weiß"]
    bring_in(*[make_row(external_id=str(n), last_name=name) for n, name in enumerate(names)])
    by_id = dict(Customer.objects.values_list("pk", "last_name"))
    assert [by_id[pk] for pk in search("müller").ids] == ["Müller", "Müllerburg", "Altmüller", "Bruckmüller"]


def test_whose_name_is_most_like_what_was_typed_comes_first(db):
    bring_in(
        make_row(external_id="11", first_name="Leopold", last_name="Bergbauer", city="Mainz"),
        make_row(external_id="12", first_name="Leo", last_name="Kirchmann", city="Mainz"),
        make_row(external_id="13", first_name="Leon", last_name="Mayer", city="Amsterdam"),
    )
    assert found("Maier Leo")[0] == "Leon"
    assert set(found("Maier Leo")) == {"Leon", "Leopold", "Leo"}


def test_a_company_is_found_by_whoever_speaks_for_it(agent):
    company = Customer.objects.get(company__startswith="Elektro")
    person = ContactPerson(first_name="Petra", last_name="Sonnenschön", email="petra@oez.example")
    save_customer(company, version=company.version, user=agent, children=[person])
    for text in ("Sonnenschön", "petra sonnenschoen", "Sonenschön", "petra@oez.example"):
        assert found(text) == ["Elektro"], text
    before = set(SearchEntry.objects.values_list("customer_id", "text"))
    indexing.refresh([company.pk])
    assert set(SearchEntry.objects.values_list("customer_id", "text")) == before
    save_customer(company, version=company.version, user=agent, removed=[person])
    assert found("Sonnenschön") == []


@pytest.mark.parametrize("text", ["k-77", "K - 77", "K-77"])
def test_a_number_is_found_as_people_type_it(text):
    assert found(text) == ["Zoë"]


@pytest.mark.parametrize(
    "text",
    [
        "Lüdenscheit",
        "Lüdenschiedt",
        "Wehnner",
        "Wehner-Ludenschiedt",
        "Wenher Lüdenscheidt",
        "Marrie",
        "Lnea",
        "Annalena",
        "Lüdenscheidt-Wehnre",
    ],
)
def test_a_typo_in_one_half_of_a_double_name_is_forgiven(text):
    bring_in(make_row(2, external_id="9", first_name="Anke-Marie", last_name="Wehner-Lüdenscheidt"))
    bring_in(make_row(2, external_id="8", first_name="Anna-Lena", last_name="Wehner-Lüdenscheidt"))
    ids = search(text).ids
    assert ids
    assert set(Customer.objects.filter(pk__in=ids).values_list("last_name", flat=True)) == {"Wehner-Lüdenscheidt"}


def test_the_dictionary_holds_the_halves_of_double_names_and_none_of_a_number():
    bring_in(make_row(2, external_id="9", first_name="Anna-Lena", last_name="Wehner-Ost"))
    words = set(SearchWord.objects.filter(word__regex="anna|lena|wehner|ost").values_list("word", flat=True))
    assert words == {"anna", "lena", "wehner"}
    assert indexing.recount_words() == 0
    assert words <= set(SearchWord.objects.values_list("word", flat=True))
    assert "1234" not in indexing.entry_for("KD-1234", "person", "Eva", "Ost", "").text.split()
    assert indexing.searched_words("Anna-Lena") == ("anna-lena", "anna", "lena")


def test_the_nightly_count_chooses_the_words_that_a_change_chooses():
    for number, name in enumerate(("٣abcd", "²quadrat", "1abcd", "Ost", "O-Neill", "q" * 60, "z" * 61)):
        bring_in(make_row(number, external_id=f"w{number}", last_name=name))
    chosen = set(SearchWord.objects.values_list("word", flat=True))
    assert {"neill", "q" * 60} <= chosen
    assert not {"1abcd", "ost", "z" * 61} & chosen
    assert indexing.recount_words() == 0
    assert set(SearchWord.objects.values_list("word", flat=True)) == chosen


@pytest.mark.parametrize("text", ["Shcmidt", "Scmhidt", "Schmitd", "Wenher", "Wehnre"])
def test_two_letters_the_wrong_way_round_are_forgiven_also_in_a_short_name(text):
    bring_in(make_row(2, external_id="9", last_name="Schmidt"), make_row(3, external_id="8", last_name="Wehner"))
    assert len(search(text).ids) == 1
