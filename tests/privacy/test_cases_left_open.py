"""Matters that nobody settles: what keeps a person is looked at after a year, and ends where the claim is barred."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from customers.models import Customer, Summary
from interactions.models import Complaint
from orders.models import Return
from privacy import cockpit, restricting
from privacy.models import Restriction
from privacy.purging import plan_run, report_of, work
from staff.models import User
from tests.privacy.making import at, days_ago, make_order, make_person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def _returning(number: str, requested: str, **given: object) -> Customer:
    """A prospect who announced a return that nobody refunded."""
    customer = make_person(number, kind="person", status="prospect", last_activity=requested)
    Summary.objects.filter(customer=customer).update(last_contact=at(requested))
    order = make_order(customer, "2020-05-04")
    Return.objects.create(order=order, customer=customer, requested_at=at(requested), **given)
    return customer


def _night(day: date) -> dict[str, Counter[str]]:
    run = plan_run(day)
    work(run.pk)
    return report_of(run).categories


@pytest.mark.parametrize("state", ["requested", "received"])
def test_a_refund_that_is_barred_keeps_nobody(state: str, settings) -> None:
    """BGB §§ 195, 199(1): what was to be given back since June 2020 can be claimed until the end of 2023."""
    settings.DEBUG = True
    received = {"received_at": at("2020-06-05")} if state == "received" else {}
    _returning("4711", "2020-06-01", reason="defect", state=state, **received)
    assert _night(date(2023, 12, 31))["LEAD"]["held"] == 1
    assert Customer.objects.filter(number="4711").exists()
    _night(date(2024, 1, 1))
    assert not Customer.objects.filter(number="4711").exists()


def test_whatever_holds_data_for_a_year_waits_in_the_cockpit(officer: User, officer_client) -> None:
    """domain.md 4.2: an expired review is an alert, also of what follows from orders, complaints and restrictions."""
    old = timezone.localdate() - timedelta(days=380)
    young = timezone.localdate() - timedelta(days=350)
    returned = _returning("4711", old.isoformat())
    _returning("4712", young.isoformat())
    _returning("4713", old.isoformat(), state="refunded", refunded_at=timezone.now())
    unpaid = make_person("4714")
    make_order(unpaid, old.isoformat(), payment="open", paid_at=None, status="shipped", delivered_at=None)
    complaining, restricted = make_person("4715"), make_person("4716")
    Complaint.objects.create(customer=complaining, subject="Kanne leckt", opened_at=days_ago(380))
    Complaint.objects.create(customer=complaining, subject="Kanne kalt", opened_at=days_ago(380), closed_at=days_ago(9))
    restricting.restrict(restricted, "c", ["all"], "Streit", by=officer)
    Restriction.objects.update(since=days_ago(380))

    (item,) = [item for item in cockpit.items_for(officer) if item.key == "cases_overdue"]
    assert (item.count, item.severity) == (5, "warn")
    page = officer_client.get(item.url)
    numbers = re.findall(r"/customers/(\d+)/", page.content.decode())
    assert sorted(numbers) == ["4711", "4714", "4714", "4715", "4716"]
    assert [row["case"].kind for row in page.context["rows"]].count("open_order") == 2
    assert reverse("portal:customer_detail", args=[returned.number]) in page.content.decode()

    Return.objects.filter(customer=returned).update(state="refunded", refunded_at=timezone.now())
    (item,) = [item for item in cockpit.items_for(officer) if item.key == "cases_overdue"]
    assert item.count == 4


def test_a_protected_record_is_not_named_to_whom_may_not_see_it(tax_client, officer: User) -> None:
    restricting.restrict(make_person("4716"), "c", ["all"], "Streit", by=officer)
    Restriction.objects.update(since=days_ago(380))
    Complaint.objects.create(customer=make_person("4715"), subject="Kanne leckt", opened_at=days_ago(380))
    page = tax_client.get(reverse("privacy:holds"), {"show": "cases"})
    assert [row["number"] for row in page.context["rows"]] == ["", "4715"]
    # The tax role has no customer page to go to.
    assert "/customers/4715/" not in page.content.decode()


def test_the_list_of_open_cases_is_for_whoever_keeps_holds(agent_client, outsider_client) -> None:
    for client in (agent_client, outsider_client):
        assert client.get(reverse("privacy:holds"), {"show": "cases"}).status_code == 403
