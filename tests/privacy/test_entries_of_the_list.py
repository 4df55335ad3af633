"""Entries of the advertising list are data about whom they stop: the copy tells of them (Art. 15(1); domain.md 1.6)."""

from __future__ import annotations

import pytest

from customers.models import Address, ContactPerson, Customer
from privacy import identifying, objecting
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Request
from privacy.packages.building import build
from staff.models import User
from tests.privacy.making import make_copy, make_person, take
from tests.privacy.packaging import data_of, files_of, make_shop

pytestmark = pytest.mark.django_db

LIST = "data/customers.Suppression.json"
MAIL = "alma4711@laden.example"


@pytest.fixture(autouse=True)
def _shop(db: None) -> None:
    make_shop()


def _housed(number: str = "4711") -> Customer:
    customer = make_person(number)
    Address.objects.create(customer=customer, street="Deichstr. 9", postcode="20459", city="Hamburg", country="DE")
    return customer


def _channels(files: dict[str, bytes]) -> list[tuple[str, str]]:
    return sorted((one["channel"], one["reason"]) for one in data_of(files, LIST)) if LIST in files else []


def test_who_objected_reads_of_every_endpoint_also_of_the_post(privacy: User) -> None:
    customer = _housed()
    objecting.object_now(customer, channel="phone", by=privacy)
    files = files_of(build(customer, "access"))
    assert _channels(files) == [("email", "objection"), ("phone", "objection"), ("post", "objection")]


def test_what_a_neighbour_in_the_same_house_has_said_is_in_no_copy_of_another(privacy: User) -> None:
    customer, neighbour = _housed(), _housed("4712")
    neighbour.contact_points.filter(kind="phone").delete()
    objecting.object_now(neighbour, channel="phone", by=privacy)
    assert _channels(files_of(build(customer, "access"))) == []


def test_who_was_erased_reads_of_the_entries_that_the_erasure_left(privacy: User) -> None:
    customer = _housed()
    run_erasure(ask_erasure(customer).pk, now=True)
    case = take(privacy, name="Alma Kanarienvogel", email=MAIL)
    identifying.settle(case, "known_facts", version=None, by=privacy)
    copy = files_of(make_copy(Request.on_desk().get(pk=case.pk), privacy))
    assert _channels(copy) == [("email", "erasure"), ("phone", "erasure"), ("post", "erasure")]


def test_who_objected_before_they_were_erased_reads_of_that(privacy: User) -> None:
    customer = _housed()
    objecting.object_now(customer, channel="phone", by=privacy)
    run_erasure(ask_erasure(customer).pk, now=True)
    case = take(privacy, name="Alma Kanarienvogel", email=MAIL)
    identifying.settle(case, "known_facts", version=None, by=privacy)
    copy = files_of(make_copy(Request.on_desk().get(pk=case.pk), privacy))
    assert ("email", "objection") in _channels(copy)


def test_somebody_who_speaks_for_a_company_reads_of_their_own_entry(privacy: User) -> None:
    company = Customer.objects.create(number="900", kind="company", company="Werft GmbH")
    speaker = ContactPerson.objects.create(
        customer=company, first_name="Sina", last_name="Segel", email="sina@werft.example"
    )
    objection = take(privacy, kind="objection", objects_to="advertising", customer=company, email="sina@werft.example")
    assert objection.contact_person == speaker.pk
    case = take(privacy, customer=company, email="sina@werft.example")
    identifying.settle(case, "known_facts", version=None, by=privacy)
    copy = files_of(make_copy(Request.on_desk().get(pk=case.pk), privacy))
    assert _channels(copy) == [("email", "objection")]
    assert len(bytes.fromhex(data_of(copy, LIST)[0]["endpoint"])) == 34  # as in the copy of a customer
