"""A hold set in the very moment in which its person, or rows about them, end: one of the two waits, none is lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from customers.models import Customer
from customers.tombstones import erasure_of_number
from datamap.holds import HoldRefused
from datamap.workdays import local_date
from interactions.complaining import open_complaint
from interactions.models import Complaint, Interaction
from privacy import receiving
from privacy.erasing import ask_erasure, run_erasure
from privacy.holding import set_hold
from privacy.models import Hold, Request, RetentionRun
from privacy.purging import plan_run, report_of, work
from privacy.steps import StepRefused
from staff.models import User
from tests.privacy.beside import LATEST, closing, somebody_waits, wait_for
from tests.privacy.making import BERLIN, at, make_contact, make_order, make_person, take

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("english")]


def claim(customer: Customer, officer: User, **changed: Any) -> Hold:
    review = local_date(timezone.now(), BERLIN) + timedelta(days=90)
    said = {"customer": customer, "reason": "Streit", "owner": officer, "review_on": review, "by": officer} | changed
    return set_hold("claim", **said)


def beside(pool: ThreadPoolExecutor, act: Callable[[], Any]) -> Future[Any]:
    """Another worker with a connection of its own begins, and meets the lock that this transaction has."""
    begun = pool.submit(closing(act))
    wait_for(lambda: somebody_waits() or begun.done())
    assert not begun.done(), "the other one should wait"
    return begun


def due(only: str) -> RetentionRun:
    return plan_run(local_date(timezone.now(), BERLIN), only=only)


@pytest.fixture
def old(transactional_db: None) -> Customer:
    """An account of which nobody has heard for ages."""
    return make_person(last_activity="2015-05-20", registered_at=at("2015-05-20"))


def counted(run: RetentionRun, key: str) -> dict[str, int]:
    return {name: count for name, count in report_of(run).as_dict()["categories"][key].items() if count}


def test_the_night_waits_for_a_hold_being_set_and_keeps_the_person(old, officer) -> None:
    run = due("ACCOUNT")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            claim(old, officer)
            begun = beside(pool, lambda: work(run.pk))
        begun.result()
    assert counted(run, "ACCOUNT") == {"due": 1, "held": 1}
    assert Customer.objects.get() == old and Hold.objects.get().customer == old


def test_a_hold_that_comes_after_the_end_began_is_refused_in_words(old, officer) -> None:
    run = due("ACCOUNT")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            work(run.pk)
            begun = beside(pool, lambda: claim(old, officer))
        with pytest.raises(HoldRefused) as refused:
            begun.result()
    assert refused.value.field == "customer"
    assert not Customer.objects.exists() and not Hold.objects.exists()


@pytest.mark.parametrize("how", ["hold", "complaint"])
def test_rows_whose_person_gets_a_case_meanwhile_stay(how: str, officer) -> None:
    customer = make_person()
    case = Complaint.objects.create(customer=customer, subject="Mühle", opened_at=at("2020-01-02"))
    Complaint.objects.filter(pk=case.pk).update(closed_at=at("2020-01-03"), state="settled")
    order = make_order(customer, "2015-05-20")
    ticket = make_contact(customer, "2015-06-20")
    run = due("ORDER") if how == "complaint" else due("TICKET")
    key = "ORDER" if how == "complaint" else "TICKET"
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            if how == "hold":
                claim(customer, officer)
            else:
                open_complaint(customer, "Sie klemmt wieder", by=officer, order_number=order.number)
            begun = beside(pool, lambda: work(run.pk))
        begun.result()
    assert counted(run, key) == {"due": 1, "held": 1}
    order.refresh_from_db()
    assert order.customer_id == customer.pk and Interaction.objects.get() == ticket


def test_the_night_waits_for_a_request_being_registered_and_keeps_what_its_answer_needs(old, officer) -> None:
    """Asked for while the night is at it: the copy tells of what there was when it was asked for (Art. 12(3), 15)."""
    ticket = make_contact(old, "2015-06-20")
    runs = [due("ACCOUNT"), due("TICKET")]
    with ThreadPoolExecutor(1) as pool:
        for run in runs:
            with transaction.atomic():
                case = take(officer, customer=old)
                begun = beside(pool, lambda run=run: work(run.pk))
            begun.result()
            assert counted(run, run.only) == {"due": 1, "held": 1}
            assert case.customer == old
    assert Customer.objects.get() == old and Interaction.objects.get() == ticket


def test_a_request_being_assigned_makes_the_night_wait_too(old, officer) -> None:
    make_contact(old, "2015-06-20")
    case = take(officer, channel="letter")
    run = due("TICKET")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            receiving.assign(case, old, version=None, by=officer)
            begun = beside(pool, lambda: work(run.pk))
        begun.result()
    assert counted(run, "TICKET") == {"due": 1, "held": 1}


def test_a_request_that_comes_after_the_end_began_is_that_of_somebody_erased(old, officer) -> None:
    """It is registered all the same, as one that came a moment before: its answer tells what is still kept."""
    run = due("ACCOUNT")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            work(run.pk)
            begun = beside(pool, lambda: take(officer, customer=old, email="alma4711@laden.example"))
        case = begun.result()
    assert not Customer.objects.exists()
    assert (case.customer, case.blocked_at is None, case.closed_at) == (None, False, None)
    assert case.subject_ref == erasure_of_number("4711")[1] and case in Request.on_desk()
    with pytest.raises(StepRefused):
        receiving.assign(take(officer, channel="letter"), old, version=None, by=officer)


def test_rows_end_while_others_work_on_the_person(officer) -> None:
    """Only a case makes the night wait: an edit of the person goes on beside it."""
    customer = make_person()
    make_contact(customer, "2015-06-20")
    run = due("TICKET")
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
        pool.submit(closing(lambda: work(run.pk))).result(timeout=LATEST.total_seconds())
    assert counted(run, "TICKET") == {"due": 1, "deleted": 1}


def test_an_erasure_asked_for_waits_for_a_hold_being_set(old, officer) -> None:
    erasure = ask_erasure(old)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            claim(old, officer)
            begun = beside(pool, lambda: run_erasure(erasure.pk))
        assert begun.result().state == "held"
    assert Customer.objects.get() == old


def test_two_at_once_over_one_person_end_both(old) -> None:
    """Persons before rows on either side: the end of the person and of a row about them never wait crosswise."""
    make_contact(old, "2015-06-20")
    runs = [due("ACCOUNT"), due("TICKET")]

    with ThreadPoolExecutor(2) as pool:
        begun = [pool.submit(closing(lambda run=run: work(run.pk))) for run in runs]
        assert [one.result() for one in begun] == [1, 1]
    assert not Customer.objects.exists() and not Interaction.objects.exists()
    assert all(not run.batches.exclude(attempts=0).exists() for run in runs)
