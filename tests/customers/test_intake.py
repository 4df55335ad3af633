"""Rows that come in end as customers, each person once, and the same rows again write nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from customers.fields import VatField
from customers.intake import write_customers
from customers.models import (
    ContactPoint,
    Customer,
    ExternalId,
    HeldIntake,
    NumberRange,
    OptInClaim,
    SearchEntry,
    SearchWord,
    Summary,
)
from customers.rows import AddressRow, OptInRow, Source
from tests.customers.making import (
    bring_in,
    contents,
    make_row,
    make_source,
    only_customer,
    point,
    try_then_write,
)

pytestmark = pytest.mark.django_db


def full_row(**kw):
    given = {
        "external_id": "706405506930370000",
        "salutation": "Frau Dr.",
        "first_name": "Änne",
        "last_name": "Weiß-Müller",
        "email": "Aenne@Example.de",
        "phone": "030 12345678",
        "birthday": "1980-02-29",
        "addresses": [AddressRow("billing", "", "Hauptstr. 5", "01067", "Dresden", "Deutschland")],
        "tags": ("VIP", "Newsletter"),
        "note": "prefers\nmornings",
        "opt_ins": (OptInRow("email", "yes", {"OPTIN_IP": "192.0.2.1"}),),
    }
    return make_row(**(given | kw))


def test_a_full_row_becomes_a_customer_with_everything_in_its_place():
    outcome = try_then_write(full_row())
    assert (outcome.created, outcome.error_count, outcome.warning_count) == (1, 0, 0)
    customer = only_customer()
    assert (customer.salutation, customer.title, customer.status, customer.kind) == (
        "ms",
        "Dr.",
        "account",
        "person",
    )
    assert (customer.birthday_day, customer.birthday_month) == (29, 2)
    assert customer.number == "10001"
    assert point(customer) == "Aenne@Example.de"
    assert point(customer, "phone") == "+493012345678"
    address = customer.addresses.get()
    assert (address.street, address.postcode, address.country) == ("Hauptstr. 5", "01067", "DE")
    assert customer.external_ids.get().value == "706405506930370000"
    assert sorted(customer.customer_tags.values_list("tag__name", flat=True)) == ["Newsletter", "VIP"]
    assert customer.notes.get().text == "prefers\nmornings"
    assert customer.opt_in_claims.get().evidence == {"OPTIN_IP": "192.0.2.1"}
    assert customer.sort_name == "weiss-muller anne"
    assert customer.summary.last_activity is not None
    for model in (Customer, ContactPoint):
        assert set(model.history.values_list("history_type", flat=True)) == {"+"}
    assert ContactPoint.objects.get(whole_index="aenne@example.de").customer == customer
    assert ContactPoint.objects.get(part_index="+49345678").customer == customer


def test_the_same_file_again_writes_no_row():
    rows = (
        full_row(),
        make_row(3, email="guest@example.de", status="guest"),
        make_row(4, last_name="Nameonly"),
        make_row(5, external_id="9", phone="(5) 555-4729", country="Mexico", city="México"),
    )
    first = bring_in(*rows)
    before = contents()
    again = try_then_write(*rows)
    assert contents() == before
    assert (first.created, again.created, again.updated, again.unchanged) == (4, 0, 0, 4)


def test_an_unreadable_phone_is_kept_as_typed_and_found_by_nobody():
    outcome = try_then_write(make_row(external_id="1", phone="(5) 555-4729", country="Mexico", city="México"))
    assert (outcome.created, outcome.warning_count, outcome.error_count) == (1, 1, 0)
    phone = ContactPoint.objects.get(kind="phone")
    assert phone.value == "(5) 555-4729"
    assert phone.whole_index is phone.part_index is phone.match_index is None


def test_a_change_updates_in_place_and_an_empty_value_erases_nothing():
    bring_in(full_row())
    customer = only_customer()
    source = make_source()
    outcome = write_customers(
        [make_row(external_id="706405506930370000", last_name="Weiß", phone="", email="neu@example.de")],
        source,
    )
    assert (outcome.created, outcome.updated) == (0, 1)
    after = only_customer()
    assert (after.first_name, after.last_name, after.version) == ("Änne", "Weiß", customer.version + 1)
    assert point(after) == "neu@example.de"
    assert point(after, "phone") == "+493012345678"
    assert after.contact_points.count() == 2
    assert after.sort_name == "weiss anne"
    assert "muller" not in after.search_entry.text.split()
    history = Customer.history.filter(id=after.pk).latest("history_id")
    assert (history.history_type, history.batch, history.last_name) == ("~", source.batch, "Weiß")


def test_the_same_platform_and_id_is_the_same_customer_whatever_the_email():
    bring_in(make_row(external_id="1", email="a@example.de"))
    outcome = try_then_write(make_row(external_id="1", email="b@example.de"))
    assert (outcome.updated, Customer.objects.count()) == (1, 1)


def test_a_second_platform_joins_the_account_with_that_email_and_adds_its_id():
    bring_in(make_row(external_id="1", email="a@example.de"))
    outcome = try_then_write(make_row(external_id="77", email="A@example.de "), platform="hubspot")
    assert (outcome.created, outcome.updated) == (0, 1)
    ids = only_customer().external_ids.values_list("platform", "value")
    assert sorted(ids) == [("hubspot", "77"), ("shopify", "1")]


def test_another_id_of_the_same_platform_is_another_customer_though_the_email_is_shared():
    outcome = try_then_write(
        make_row(2, external_id="1", email="family@example.de"),
        make_row(3, external_id="2", email="family@example.de"),
        make_row(4, external_id="3", email="family@example.de"),
    )
    assert outcome.created == 3
    assert try_then_write(make_row(external_id="4", email="family@example.de")).created == 1


def test_several_accounts_with_the_email_hold_the_row_once():
    bring_in(make_row(2, external_id="1", email="f@example.de"), make_row(3, external_id="2", email="f@example.de"))
    outcome = try_then_write(make_row(email="f@example.de"), platform="mailchimp")
    assert (outcome.held, outcome.created, outcome.updated) == (1, 0, 0)
    held = HeldIntake.objects.get()
    assert (held.reason, held.payload["row"]["email"]) == ("ambiguous", "f@example.de")
    before = contents()
    assert try_then_write(make_row(9, email="f@example.de"), platform="mailchimp").held == 1
    assert contents() == before


@pytest.mark.parametrize("status", ["guest", "prospect"])
def test_guests_and_prospects_are_never_matched_by_email(status):
    bring_in(make_row(external_id="1", email="a@example.de"))
    outcome = try_then_write(make_row(email="a@example.de", status=status), platform="woocommerce")
    assert (outcome.created, Customer.objects.count()) == (1, 2)
    third = try_then_write(make_row(email="a@example.de", external_id="5"), platform="hubspot")
    assert third.updated == 1, "the guest is no account and makes nothing ambiguous"


def test_two_rows_of_one_customer_in_one_file_make_one_and_the_later_wins():
    outcome = try_then_write(
        make_row(2, external_id="1", first_name="Ann", phone="030 12345678"),
        make_row(3, external_id="1", first_name="Anna"),
        make_row(4, email="x@example.de"),
        make_row(5, email="X@example.de", first_name="Xaver"),
    )
    assert outcome.created == 2
    assert sorted(Customer.objects.values_list("first_name", flat=True)) == ["Anna", "Xaver"]
    assert ExternalId.objects.count() == 1


def test_chunks_of_one_file_are_tried_as_they_will_be_written():
    chunks = [
        [make_row(2, external_id="1", email="a@example.de"), make_row(3, external_id="2", number="500")],
        [make_row(4, external_id="1", email="a@example.de"), make_row(5, external_id="3", number="500")],
        [make_row(6, external_id="1", first_name="Neu"), make_row(7, email="a@example.de", first_name="Neu")],
        [make_row(8, email="q@example.de"), make_row(9, external_id="5", email="q@example.de")],
        [make_row(10, external_id="6", email="q@example.de"), make_row(11, email="q@example.de")],
    ]
    source = make_source()
    trial = Source(source.batch, source.platform, None)
    tried = [write_customers(chunk, trial, dry_run=True) for chunk in chunks]
    assert Customer.objects.count() == 0
    assert tried == [write_customers(chunk, source) for chunk in chunks]
    assert [one.created for one in tried] == [2, 1, 0, 1, 1]


def test_a_number_of_the_file_is_kept_if_free_and_warned_about_if_not():
    outcome = try_then_write(
        make_row(2, external_id="1", number="10002"),
        make_row(3, external_id="2", number="10002"),
        make_row(4, external_id="3"),
    )
    numbers = dict(ExternalId.objects.values_list("value", "customer__number"))
    assert numbers == {"1": "10002", "2": "10001", "3": "10003"}
    assert (outcome.warning_count, outcome.warnings[0].line) == (1, 3)
    assert NumberRange.objects.get().next_value == 10004


def test_a_record_that_says_nothing_about_anybody_is_rejected_and_the_rest_is_unharmed():
    outcome = try_then_write(
        make_row(2, last_name=""),
        make_row(3, last_name="", email="no address"),
        make_row(4, first_name="x" * 151),
        make_row(5, external_id="1"),
    )
    assert (outcome.created, outcome.error_count) == (1, 3)
    assert [(e.line, e.field) for e in outcome.errors] == [
        (2, "external_id"),
        (3, "external_id"),
        (4, "first_name"),
    ]


def test_what_cannot_be_read_is_warned_about_by_line_and_field():
    outcome = try_then_write(
        make_row(
            7,
            external_id="1",
            email="not an address",
            birthday="31.02.1980",
            salutation="Durchlaucht",
            vat_id="nonsense",
            postcode="1067",
            city="Dresden",
            country="Germany",
            first_name="A\x00nna",
        )
    )
    fields = {(w.line, w.field) for w in outcome.warnings}
    assert fields == {(7, name) for name in ("email", "birthday", "salutation", "vat_id", "postcode", "first_name")}
    customer = only_customer()
    assert (customer.first_name, customer.vat_id, customer.birthday_day) == ("Anna", "NONSENSE", None)
    assert customer.addresses.get().postcode == "01067"
    assert ContactPoint.objects.get().whole_index is None


def test_four_digits_are_a_postcode_of_their_own_in_austria():
    assert try_then_write(make_row(external_id="1", postcode="1010", city="Wien", country="AT")).warning_count == 0
    assert only_customer().addresses.get().postcode == "1010"


def test_a_phone_is_read_by_the_country_though_no_address_is_known():
    try_then_write(make_row(external_id="1", phone="0664 1234567", country="Österreich"))
    assert point(only_customer(), "phone") == "+436641234567"
    assert not only_customer().addresses.exists()


def test_further_addresses_of_one_person_stay_apart():
    places = [
        {"kind": "billing", "street": "Weg 1", "postcode": "53111", "city": "Bonn"},
        {"kind": "other", "street": "Domplatz 1", "postcode": "50667", "city": "Köln"},
        {"kind": "other", "street": "Ring 9", "city": "Ulm"},
        {"kind": "other", "street": "Ring 9", "city": "ULM"},
    ]
    rows = [make_row(n, email="a@b.example", addresses=[AddressRow(**place)]) for n, place in enumerate(places)]

    try_then_write(*rows)

    known = [(a.kind, a.street, a.postcode, a.city) for a in only_customer().addresses.order_by("pk")]
    assert known == [
        ("billing", "Weg 1", "53111", "Bonn"), ("other", "Domplatz 1", "50667", "Köln"), ("other", "Ring 9", "", "ULM"),
    ]  # fmt: skip
    assert try_then_write(*rows[:3]).updated == 1  # a town in small letters again
    assert try_then_write(*rows[:3]).unchanged == 1
    fourth = make_row(email="a@b.example", addresses=[AddressRow("other", "", "Hafen 2", "24103", "Kiel")])
    try_then_write(fourth)
    assert only_customer().addresses.count() == 4


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("DE 136.695.976", "DE136695976"), ("de136695976", "DE136695976"), ("ATU 13585627", "ATU13585627")],
)
def test_a_vat_id_is_kept_as_its_country_writes_it(typed, kept):
    assert try_then_write(make_row(external_id="1", vat_id=typed)).warning_count == 0
    assert only_customer().vat_id == kept
    assert VatField().clean(typed) == kept


def test_formulas_stay_text():
    try_then_write(make_row(external_id="1", first_name="=1+1", last_name="@SUM(A1)", company="-2+3"))
    customer = only_customer()
    assert (customer.first_name, customer.last_name, customer.company) == ("=1+1", "@SUM(A1)", "-2+3")


def test_rows_past_their_last_day_are_counted():
    as_of = date(2026, 11, 22)
    old, new = datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        make_row(2, external_id="1", last_activity=old),
        make_row(3, external_id="2", last_activity=new, registered_at=old),
        make_row(4, external_id="3", registered_at=old),
        make_row(5, external_id="4"),
        make_row(6, external_id="5", status="prospect", last_activity=datetime(2025, 11, 20, tzinfo=UTC)),
        make_row(7, external_id="6", status="prospect", last_activity=new),
    ]
    assert write_customers(rows, make_source(as_of=as_of)).overdue == 3


def test_words_summary_and_search_entries_stand_beside_every_customer():
    bring_in(full_row())
    entry = SearchEntry.objects.get()
    assert {"anne", "aenne", "weiss-muller", "weiss-mueller", "10001", "dresden", "01067"} <= set(entry.text.split())
    assert (entry.postcode, entry.phonetic.count(" ")) == ("01067", 1)
    assert SearchWord.objects.filter(word="dresden").exists()
    assert Summary.objects.count() == 1


def test_a_later_claim_of_the_same_channel_is_news_and_an_equal_one_is_not():
    claim = OptInRow("email", "yes", {"a": "1", "b": "2"})
    bring_in(make_row(external_id="1", opt_ins=(claim,)))
    same = OptInRow("email", "yes", {"b": "2", "a": "1"})
    assert try_then_write(make_row(external_id="1", opt_ins=(same,))).unchanged == 1
    assert try_then_write(make_row(external_id="1", opt_ins=(OptInRow("email", "no"),))).updated == 1
    assert OptInClaim.objects.count() == 2


def test_a_row_without_id_joins_the_customer_whom_the_same_file_gives_that_address():
    bring_in(make_row(external_id="1", email="old@example.de"))
    rows = (make_row(2, external_id="1", email="new@example.de"), make_row(3, email="new@example.de", first_name="N"))
    outcome = try_then_write(*rows)
    assert (outcome.updated, outcome.created, only_customer().first_name) == (1, 0, "N")
    assert try_then_write(*rows).unchanged == 1
