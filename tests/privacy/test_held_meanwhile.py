"""What happens to a person while a case keeps their erasure from ending: nothing of it is forgotten when it ends."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.utils import timezone

from customers.models import ContactPerson, ContactPoint, Customer, ExternalId, Summary
from customers.suppression import suppressed
from customers.tombstones import erased
from datamap.diagnosis import Options
from orders.models import Document
from privacy import letters
from privacy.erasing import ask_erasure, run_erasure
from privacy.erasing_contacts import ask_contact_erasure
from privacy.invariants import check_erased
from privacy.models import Erasure, Hold, Request
from privacy.purging import plan_run, rehearse, report_of, work
from tests.privacy.making import at, make_order, make_paper, make_person, take

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

NEW = "neu@anderswo.example"


def claim(customer: Customer) -> Hold:
    return Hold.objects.create(kind="claim", customer=customer, reason="Streit", review_on=date(2027, 6, 1))


def released(hold: Hold, erasure: Erasure) -> Erasure:
    Hold.objects.filter(pk=hold.pk).update(released_at=timezone.now())
    done = run_erasure(erasure.pk)
    assert done.state == "done"
    return done


@pytest.fixture
def held(db: Any) -> tuple[Customer, Hold, Erasure]:
    """Somebody with a dispute who has asked for erasure."""
    person = make_person()
    hold = claim(person)
    erasure = run_erasure(ask_erasure(person).pk)
    assert erasure.state == "held"
    return person, hold, erasure


def test_an_address_that_came_in_meanwhile_is_buried_and_suppressed_too(held) -> None:
    """By a file, a platform or a colleague: by it, too, the person comes in again, or is written to."""
    person, hold, erasure = held
    ContactPoint.objects.create(customer=person, kind="email", value=NEW)
    ExternalId.objects.create(customer=person, platform="shopify", value="706405506930370000")
    done = released(hold, erasure)
    for way in ({"email": NEW}, {"external": ("shopify", "706405506930370000")}, {"email": "alma4711@laden.example"}):
        found = erased(**way)
        assert found is not None and found[1] == done.subject_ref, way
    assert suppressed("email", NEW) and suppressed("email", "alma4711@laden.example")


def test_a_trace_of_that_address_keeps_the_erasure_open(held) -> None:
    person, hold, erasure = held
    ContactPoint.objects.create(customer=person, kind="email", value=NEW)
    other = make_person("4712")
    Customer.objects.filter(pk=other.pk).update(company=f"siehe {NEW}")
    Hold.objects.filter(pk=hold.pk).update(released_at=timezone.now())
    done = run_erasure(erasure.pk)
    assert done.state == "open_stores"
    assert done.steps.get(key="rescan").error == "TracesLeft"


def test_a_request_that_came_in_meanwhile_can_still_be_answered(held, officer) -> None:
    """Told by telephone: name and address stand in the person's rows alone, which go."""
    person, hold, erasure = held
    case = take(officer, kind="erasure", channel="phone", customer=person)
    released(hold, erasure)
    case = Request.on_desk().get(pk=case.pk)
    assert case.customer is None and case.subject_ref == erasure.subject_ref
    assert case.person_email == "alma4711@laden.example" and "Kanarienvogel" in case.person_name
    assert [way for way, _label in letters.ways_for(case)] == ["mail"]


def test_the_same_goes_for_a_contact_person_of_a_company(officer) -> None:
    company = make_person("F-1", kind="company", company="Kaffeekontor GmbH", first_name="", last_name="")
    berta = ContactPerson.objects.create(customer=company, first_name="Berta", last_name="Buch", email="b@alt.example")
    hold = claim(company)
    erasure = run_erasure(ask_contact_erasure(berta, suppress=True, user=officer).pk)
    assert erasure.state == "held"
    berta.email = NEW
    berta.save()
    case = take(officer, kind="erasure", channel="mail", email=NEW, customer=company)
    assert case.contact_person == berta.pk
    done = released(hold, erasure)
    for email in (NEW, "b@alt.example"):
        assert erased(email=email) is not None and suppressed("email", email)
    case.refresh_from_db()
    assert (case.person_name, done.needles) == ("Berta Buch", None)
    assert check_erased(Options()).ok


def night(only: str = "ACCOUNT") -> dict[str, int]:
    run = plan_run(timezone.localdate(), only=only)
    work(run.pk)
    return {name: count for name, count in report_of(run).as_dict()["categories"][only].items() if count}


def test_the_night_leaves_who_is_being_erased_to_their_erasure(held) -> None:
    """The hold is over and the account is due as well: one receipt tells the whole, and one mark leads to it."""
    person, hold, erasure = held
    make_paper(make_order(person, "2024-05-20"), "invoice", "2024-06-01")
    Summary.objects.filter(customer=person).update(last_activity=at("2015-05-20"))
    Hold.objects.filter(pk=hold.pk).update(released_at=timezone.now())
    assert rehearse(timezone.localdate(), only="ACCOUNT").as_dict()["categories"]["ACCOUNT"]["held"] == 1
    assert night() == {"due": 1, "held": 1}
    assert Customer.objects.get() == person
    done = run_erasure(erasure.pk)
    assert done.state == "done" and not Customer.objects.exists()
    assert {item["model"] for item in done.items if item["action"] == "block"} >= {"orders.Document"}
    assert set(Document.archive.values_list("subject_ref", flat=True)) == {done.subject_ref}


@pytest.mark.parametrize("kind", ["erasure", "withdrawal"])
def test_who_asked_and_was_ended_by_the_night_can_still_be_answered(kind: str, officer) -> None:
    """Told by telephone: what the answer is sent to stood in the person's rows alone."""
    person = make_person(last_activity="2015-05-20", registered_at=at("2015-05-20"))
    case = take(officer, kind=kind, channel="phone", customer=person)
    assert night() == {"due": 1, "deleted": 1}
    case = Request.on_desk().get(pk=case.pk)
    assert (case.customer, case.subject_ref is None) == (None, False)
    assert case.person_email == "alma4711@laden.example" and "Kanarienvogel" in case.person_name
    assert [way for way, _label in letters.ways_for(case)] == ["mail"]
