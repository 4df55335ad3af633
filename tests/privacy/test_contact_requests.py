"""What the desk does with a request of who speaks for a company acts on them alone, whoever it was taken for first."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from customers.models import ContactPerson, ContactPoint, Customer, Tombstone
from customers.suppression import suppressed
from privacy import identifying, receiving
from privacy.erasing import run_erasure
from privacy.erasing_contacts import ask_contact_erasure
from privacy.packages import reviewing
from privacy.packages.building import build, work_on
from tests.privacy.making import days_ago, make_person, take
from tests.privacy.packaging import everything, files_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

BERTA = "berta.buchhalter@firma.example"
PHONE = "+494055501420"
SHARED = "einkauf@firma.example"


@pytest.fixture
def company(db: None) -> Customer:
    return make_person("F-1", kind="company", company="Kaffeekontor GmbH", first_name="", last_name="")


@pytest.fixture
def berta(company: Customer) -> ContactPerson:
    return ContactPerson.objects.create(
        customer=company, first_name="Berta", last_name="Buchhalter", email=BERTA, phone=PHONE
    )


def stopped() -> bool:
    return Customer.objects.filter(summary__advertising_stopped_at__isnull=False).exists()


def test_an_objection_goes_with_who_is_said_to_object(company, berta, officer) -> None:
    """By phone nobody knows at first; what it stopped for the company is taken back, hers is stopped (Art. 21(3))."""
    case = take(officer, kind="objection", objects_to="advertising", customer=company, channel="phone")
    assert stopped() and not suppressed("email", BERTA)
    receiving.say_who(case, berta, version=None, by=officer)
    assert suppressed("email", BERTA) and suppressed("phone", PHONE)
    assert not stopped() and not suppressed("email", "almaF-1@laden.example")
    receiving.say_who(case, None, version=None, by=officer)
    assert stopped() and suppressed("email", "almaF-1@laden.example")
    assert not suppressed("email", BERTA)


def test_a_second_objection_of_hers_keeps_her_stopped(company, berta, officer) -> None:
    said = {"kind": "objection", "objects_to": "advertising", "customer": company, "email": BERTA}
    first = take(officer, **said, received_at=days_ago(2))
    take(officer, **said)
    receiving.say_who(first, None, version=None, by=officer)
    assert suppressed("email", BERTA) and stopped()


def test_the_address_she_writes_from_is_stopped_though_the_company_has_it_too(company, berta, officer) -> None:
    ContactPoint.objects.create(customer=company, kind="email", value=BERTA)
    case = take(officer, kind="objection", objects_to="advertising", customer=company, email=BERTA)
    assert case.contact_person is None and stopped()
    receiving.say_who(case, berta, version=None, by=officer)
    assert suppressed("email", BERTA) and not stopped()


def test_how_the_company_was_known_proves_nothing_of_her(company, berta, officer) -> None:
    company.contact_points.filter(kind="email").update(verified_at=timezone.now())
    case = take(officer, customer=company, email="almaF-1@laden.example")
    assert identifying.is_settled(case)
    receiving.say_who(case, berta, version=None, by=officer)
    assert not identifying.is_settled(case)


def test_an_address_of_two_contact_persons_is_neither_ones_own(company, berta, officer) -> None:
    for name in ("Anna", "Carl"):
        ContactPerson.objects.create(customer=company, first_name=name, last_name="Einkauf", email=SHARED)
    run_erasure(ask_contact_erasure(ContactPerson.objects.get(first_name="Anna"), suppress=True).pk)
    assert not suppressed("email", SHARED)
    assert not Tombstone.objects.filter(kind="email").exists()


def test_nobody_elses_address_stands_in_the_words_of_her_request(company, berta, officer) -> None:
    """Art. 15(4): the words of others are looked through here as in every copy, and wait for a person."""
    ContactPerson.objects.create(customer=company, first_name="Carl", last_name="Vorgesetzter", email="c@firma.example")
    text = "Mein Chef Carl Vorgesetzter (c@firma.example) weiß davon, ich bin Berta Buchhalter, " + BERTA
    case = take(officer, customer=company, email=BERTA, text=text)
    package = build(berta, "access", request=case, user_id=officer.pk)
    assert package.state == "review"
    read = everything(files_of(package))
    assert "c@firma.example" not in read and "Vorgesetzter" not in read
    assert "Buchhalter" in read and BERTA in read
    reviewing.decide(package, dict.fromkeys(package.redactions.values_list("pk", flat=True), "redact"), officer.pk)
    reviewing.finish(package, officer.pk)
    work_on(package.pk)
    package.refresh_from_db()
    assert package.state == "ready" and "c@firma.example" not in everything(files_of(package))


def test_the_companys_copy_tells_nothing_of_what_its_contact_persons_ask(company, berta, officer) -> None:
    hers = take(officer, customer=company, email=BERTA, text="Nur meine Sache")
    own = take(officer, customer=company, channel="letter", text="Sache der Firma")
    files = files_of(build(company, "access", user_id=officer.pk))
    read = everything(files)
    assert "Sache der Firma" in read and str(own.ref) in read
    assert "Nur meine Sache" not in read and str(hers.ref) not in read
    assert "contact_person" not in json.loads(files["data/privacy.Request.json"])[0]
    assert {row["request"] for row in json.loads(files["data/privacy.RequestEvent.json"])} == {own.pk}


def test_a_former_address_is_known_again_after_her_erasure(company, berta, officer) -> None:
    berta.email = "neu@firma.example"
    berta.save()
    erasure = run_erasure(ask_contact_erasure(berta, suppress=True, user=officer).pk)
    assert Tombstone.objects.filter(kind="email", subject_ref=erasure.subject_ref).count() == 2
    assert suppressed("email", "neu@firma.example") and not suppressed("email", BERTA)


def test_a_former_address_that_is_a_colleagues_now_marks_nobody(company, berta, officer) -> None:
    berta.email = "neu@firma.example"
    berta.save()
    ContactPerson.objects.create(customer=company, last_name="Nachfolger", email=BERTA)
    run_erasure(ask_contact_erasure(berta, suppress=True, user=officer).pk)
    assert Tombstone.objects.filter(kind="email").count() == 1
