"""Values are read as people and platforms write them, and folding is stable."""

from __future__ import annotations

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from customers import reading
from customers.indexing import entry_for, phonetic_code, searched_words
from customers.normalizing import email_key, fold, match_key, part_key, phone_key, street_key, whole_key


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("030/12345678", "+493012345678"),
        ("0049 151 23456789", "+4915123456789"),
        ("+49 (0) 30 1234-5678", "+493012345678"),
        ("+43 1 5811000", "+4315811000"),
        ("(5) 555-4729", None),
        ("call me", None),
        ("", None),
        ("+", None),
    ],
)
def test_phone_numbers_are_read_as_german_unless_they_say_otherwise(said, read):
    assert reading.read_phone(said) == read


def test_a_number_is_read_by_the_country_it_belongs_to():
    assert reading.read_phone("01 5811000", "AT") == "+4315811000"
    assert reading.read_phone("(5) 555-4729", "MX") is None


@settings(max_examples=300, deadline=None)
@given(st.from_regex(r"\A(\+49 ?|0)[0-9]{2,5}[ /-]?[0-9]{3,9}\Z"))
def test_the_short_way_to_german_numbers_gives_the_librarys_verdict(said):
    try:
        number = phonenumbers.parse(said, "DE")
        verdict = phonenumbers.is_valid_number(number)
        expected = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if verdict else None
    except phonenumbers.NumberParseException:
        expected = None
    assert reading.read_phone(said) == expected


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.emails(), st.from_regex(r"\A[a-z.\-+@_A-ZäÄ0-9]{1,30}@[a-zA-Zä0-9.\-]{1,20}\Z"), st.text(max_size=30))
)
def test_the_short_way_to_addresses_gives_the_validators_verdict(said):
    try:
        validate_email(said, check_deliverability=False)
        expected = True
    except EmailNotValidError:
        expected = False
    assert reading.is_email(said) is expected


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("1980-02-29", (29, 2)),
        ("02-29", (29, 2)),
        ("--02-29", (29, 2)),
        ("03/15", (15, 3)),
        ("15.03.1980", (15, 3)),
        ("29.02.", (29, 2)),
        ("1.3.80", (1, 3)),
        ("1980-03-15T00:00:00Z", (15, 3)),
        ("31.02.1980", None),
        ("1981-02-29", None),
        ("yesterday", None),
        ("²-³", None),
    ],
)
def test_birthdays_keep_day_and_month(said, read):
    assert reading.read_birthday(said) == read


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Deutschland", "DE"),
        ("GERMANY", "DE"),
        ("de", "DE"),
        ("DEU", "DE"),
        ("Österreich", "AT"),
        ("Austria", "AT"),
        ("Schweiz", "CH"),
        ("UK", "GB"),
        ("USA", "US"),
        ("U.S.A.", "US"),
        ("Mexico", "MX"),
        ("Mexiko", "MX"),
        ("Atlantis", None),
    ],
)
def test_countries_are_known_by_code_and_by_both_names(said, code):
    assert reading.read_country(said) == code


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("Herr", "mr"),
        ("mr", "mr"),
        ("Frau", "ms"),
        ("Mrs.", "ms"),
        ("not_specified", ""),
        ("divers", "neutral"),
        ("Graf", None),
    ],
)
def test_forms_of_address(said, read):
    assert reading.read_salutation(said) == read


@settings(deadline=None)
@given(st.text())
def test_cleaned_text_holds_no_control_character_and_stays_as_it_is(value):
    text, _lost = reading.clean_text(value)
    assert not any(c < " " or "\x7f" <= c <= "\x9f" or "\ud800" <= c <= "\udfff" for c in text)
    assert reading.clean_text(text) == (text, False)


@given(st.text())
def test_folding_twice_is_folding_once(value):
    assert fold(fold(value)) == fold(value)


@given(st.emails())
def test_an_address_is_one_key_in_whatever_case_it_is_typed(value):
    assert email_key(value.upper()) == email_key(value.lower())
    assert whole_key(f" {value} ") == whole_key(value)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_keys_never_fail(value):
    for key in (email_key, phone_key, whole_key, part_key, match_key, street_key):
        assert key(value) is None or isinstance(key(value), str)
    assert isinstance(phonetic_code(value), str)
    assert entry_for("1", "person", value, value, value, [(value, value)]).text


def test_keys_as_the_house_compares_them():
    assert whole_key("Anna+Shop@GoogleMail.com") == "anna+shop@googlemail.com"
    assert match_key("Anna+Shop@GoogleMail.com") == "anna@gmail.com"
    assert part_key("Anna+Shop@GoogleMail.com") == "anna+shop"
    assert email_key("jörg@müller.de") == "jörg@xn--mller-kva.de"
    assert part_key("+493012345678") == "345678"
    assert match_key("+493012345678") == "012345678"
    assert street_key("Hauptstraße 5") == street_key("hauptstr. 5")
    assert phone_key("030 123") is None


def test_umlauts_are_found_in_both_spellings():
    assert set(searched_words("Müller")) & set(searched_words("Mueller")) >= {"muller", "mueller"}
    assert fold("ŁÓDŹ Straße Ærø") == "lodz strasse aero"
    assert phonetic_code("Müller") == phonetic_code("Mueller") == "657"
