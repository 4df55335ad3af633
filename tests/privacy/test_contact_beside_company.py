"""What a contact person has had restricted, or asked for, when the company is erased or ends by night: their row stays,
and with it the file it stands in; the rest of the company goes (domain.md 1.8, 4.2)."""

from __future__ import annotations

from datetime import date

import pytest

from customers.models import ContactPerson, ContactPoint, Customer
from datamap import holds
from orders.models import Document, Order
from privacy import closing, handling, identifying, restricting
from privacy.erasing import ask_erasure, run_erasure
from privacy.erasing_contacts import ask_contact_erasure
from privacy.planning import plan_erasure
from privacy.purging import plan_run, work
from tests.privacy.making import at, make_copy, make_order, make_paper, make_person, take

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

BERTA = "berta.buchhalter@firma.example"
DAY = date(2026, 11, 28)


@pytest.fixture
def company(db: None) -> Customer:
    found = make_person("F-1", kind="company", company="Kaffeekontor GmbH", first_name="", last_name="")
    make_paper(make_order(found, "2026-05-20"), "invoice", "2026-05-20")
    return found


@pytest.fixture
def berta(company: Customer) -> ContactPerson:
    return ContactPerson.objects.create(customer=company, first_name="Berta", last_name="Buchhalter", email=BERTA)


def is_cut(company: Customer) -> bool:
    """Whether the orders and papers of the company are no longer the company's."""
    return (
        not Order.objects.filter(customer=company).exists() and not Document.objects.filter(customer=company).exists()
    )


@pytest.mark.parametrize("case", ["a", "b", "c", "d"])
def test_the_companys_erasure_leaves_who_is_restricted_in_each_case(company, berta, officer, case) -> None:
    """Art. 18(2): nothing but storage; what the company wishes is no wish of hers."""
    one = restricting.restrict(company, case, ["all"], "Streit", by=officer, speaker=berta)
    planned = plan_erasure(company, DAY)
    assert [(hold["kind"], hold["scope"]) for hold in planned.holds] == [("art18_hold", "the person's own file")]
    erasure = run_erasure(ask_erasure(company, as_of=DAY).pk)
    assert (erasure.state, erasure.holds) == ("held", planned.holds)
    assert ContactPerson.objects.get() == berta and ContactPerson.history.filter(id=berta.pk).exists()
    assert is_cut(company)
    restricting.announce_lifting(one, "entschieden", by=officer)
    restricting.lift(one, by=officer)
    assert run_erasure(erasure.pk).state == "done"
    assert not ContactPerson.objects.exists() and not ContactPerson.history.exists()
    assert not Customer.objects.exists() and not ContactPoint.objects.exists()


@pytest.mark.parametrize("case", ["a", "b", "c", "d"])
def test_by_night_the_company_stays_for_her_and_its_due_rows_go(company, berta, officer, case) -> None:
    restricting.restrict(company, case, ["all"], "Streit", by=officer, speaker=berta)
    work(plan_run(date(2030, 1, 2)).pk)  # the order's three years are over as well
    assert ContactPerson.objects.get() == berta and Customer.objects.get() == company
    assert not Order.objects.filter(customer=company).exists()
    assert Document.objects.filter(customer=company).exists()  # taxes want it for eight years


@pytest.mark.parametrize("case", ["a", "b", "c", "d"])
def test_of_her_own_erasure_only_case_c_is_in_the_way(company, berta, officer, case) -> None:
    one = restricting.restrict(company, case, ["all"], "Streit", by=officer, speaker=berta)
    erasure = run_erasure(ask_contact_erasure(berta, suppress=False, user=officer).pk)
    assert erasure.state == ("held" if case == "c" else "done")
    if case == "c":
        restricting.announce_lifting(one, "entschieden", by=officer)
        restricting.lift(one, by=officer)
        assert run_erasure(erasure.pk).state == "done"


def test_a_colleagues_restriction_keeps_nobody_else(company, berta, officer) -> None:
    carl = ContactPerson.objects.create(customer=company, last_name="Chef", email="chef@firma.example")
    restricting.restrict(company, "c", ["all"], "Prozess", by=officer, speaker=carl)
    assert run_erasure(ask_contact_erasure(berta, suppress=False).pk).state == "done"
    assert ContactPerson.objects.get() == carl


def test_her_copy_goes_before_the_companys_erasure_and_her_own(company, berta, officer) -> None:
    case = take(officer, customer=company, email=BERTA)
    identifying.settle(case, "known_facts", version=None, by=officer)
    hers, its = ask_contact_erasure(berta, suppress=False), ask_erasure(company, as_of=DAY)
    assert run_erasure(hers.pk).holds[0]["kind"] == "open_request"
    assert run_erasure(its.pk).state == "held" and is_cut(company)
    make_copy(case, officer)
    handling.answer(case, "", way="mail", partly=False, version=None, by=officer)
    assert run_erasure(hers.pk).state == "done"
    assert run_erasure(its.pk).state == "done"
    assert closing.open_points(case) == []


def test_a_restriction_of_the_company_keeps_everything_of_it_as_before(company, berta, officer) -> None:
    restricting.restrict(company, "c", ["all"], "Prozess", by=officer)
    assert [case.is_whole for case in holds.standing([company.pk], DAY)] == [True]
    assert run_erasure(ask_erasure(company, as_of=DAY).pk).state == "held"
    assert not is_cut(company)
    assert run_erasure(ask_contact_erasure(berta, suppress=False).pk).state == "held"


# --- History stays, too ---------------------------------------------------------------------------------------------


def aged(model, **of) -> int:
    """History that is older than two years in the night; answers how many rows there are."""
    return model.history.filter(**of).update(history_date=at("2024-01-10"))


@pytest.mark.parametrize("speaks", [True, False])
def test_history_of_who_is_restricted_is_not_deleted_by_night(company, berta, officer, speaks) -> None:
    """No automatic deletion while a restriction stands, and what an authority wants preserved is preserved."""
    other = make_person("4712")
    restricting.restrict(company, "a", ["all"], "Streit", by=officer, speaker=berta if speaks else None)
    hers, its = aged(ContactPerson, id=berta.pk), aged(Customer, id=company.pk)
    aged(Customer, id=other.pk)
    work(plan_run(date(2026, 11, 28)).pk)
    assert ContactPerson.history.filter(id=berta.pk).count() == hers
    assert Customer.history.filter(id=company.pk).count() == (0 if speaks else its)
    assert not Customer.history.filter(id=other.pk, history_date__lt=at("2024-06-01")).exists()
