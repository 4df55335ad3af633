"""Matters that nobody settles: what keeps a person is looked at after a year, and ends where the claim is barred."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from customers.models import Customer, Summary
from datamap.keyset import PAGE
from datamap.workdays import add_months
from interactions.models import Complaint
from orders.models import Return
from privacy import cockpit, restricting
from privacy.going_on import keep_on
from privacy.models import Request, Restriction
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


def _alerts(user: User) -> int:
    return sum(item.count for item in cockpit.items_for(user) if item.key == "cases_overdue")


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


def test_a_restriction_that_rightly_stands_is_looked_at_and_goes_on(officer: User, officer_client) -> None:
    """domain.md 4.2: who, when, why and the next review, at most twelve months ahead; then it is no alert any more."""
    customer = make_person("4716")
    restriction = restricting.restrict(customer, "c", ["all"], "Streit", by=officer)
    Restriction.objects.update(since=days_ago(380))
    page = officer_client.get(reverse("privacy:holds"), {"show": "cases"}).content.decode()
    shown = reverse("privacy:restriction", args=[restriction.pk])
    assert shown in page
    today = timezone.localdate()
    keep = reverse("privacy:restriction_keep", args=[restriction.pk])

    def send(review: date | str, reason: str = "Prozess läuft", version: int = 1) -> int:
        sent = {"review_on": str(review), "reason": reason, "version": version}
        return officer_client.post(keep, sent).status_code

    refused = [today, add_months(today, 12) + timedelta(days=1), "2026-02-30", "", "9" * 40]
    assert [send(day) for day in refused] == [422] * len(refused)
    assert send(today + timedelta(days=90), reason=" ") == 422
    assert send(today + timedelta(days=90), version=2) == 409
    assert _alerts(officer) == 1

    review = add_months(today, 12)
    assert send(review) == 302
    assert _alerts(officer) == 0
    assert "/customers/4716/" not in officer_client.get(reverse("privacy:holds"), {"show": "cases"}).content.decode()
    page = officer_client.get(shown).content.decode()
    assert "Prozess läuft" in page and "Petra Privat" in page and date_format(review, "SHORT_DATE_FORMAT") in page
    (seen,) = restriction.request.events.filter(kind="goes_on")
    assert (seen.actor, seen.at.date()) == (officer, timezone.now().date())
    assert "Prozess läuft" in seen.reason

    explained = StringIO()
    call_command("explain_retention", "LEAD", "--start", "2020-01-01", "--customer", "4716", "--json", stdout=explained)
    assert [hold["review"] for hold in json.loads(explained.getvalue())["holds"] if hold["kind"] == "art18_hold"] == [
        review.isoformat()
    ]
    Restriction.objects.update(review_on=today - timedelta(days=1))
    assert _alerts(officer) == 1


def test_a_restriction_that_has_ended_does_not_go_on(officer: User, officer_client) -> None:
    restriction = restricting.restrict(make_person("4716"), "c", ["all"], "Streit", by=officer)
    restricting.announce_lifting(restriction, "erledigt", by=officer)
    restricting.lift(restriction, by=officer)
    sent = {"review_on": timezone.localdate() + timedelta(days=9), "reason": "x", "version": restriction.version}
    assert officer_client.post(reverse("privacy:restriction_keep", args=[restriction.pk]), sent).status_code == 409
    restriction.refresh_from_db()
    assert restriction.review_on is None


def test_a_restriction_without_a_file_gets_one_when_it_is_looked_at(officer: User) -> None:
    """What a replay brought back after a restore belongs to no request."""
    restriction = restricting.restrict(make_person("4716"), "c", ["all"], "Streit", by=officer)
    Request.objects.all().delete()
    restriction.refresh_from_db()
    keep_on(restriction, timezone.localdate() + timedelta(days=9), "Prozess läuft", by=officer)
    assert restriction.request is not None
    assert restriction.request.due_on > timezone.localdate()
    assert [event.kind for event in restriction.request.events.order_by("pk")] == ["registered", "goes_on"]


def test_the_list_of_open_cases_has_pages_and_no_end_that_is_not_told(officer_client) -> None:
    """Each case once, the oldest first, also where many are of one day; and an order with two returns is one case."""
    wanted = []
    for n in range(PAGE + 7):
        customer = make_person(f"{5000 + n}")
        # Two days apart: a day of twenty-five hours may hold both ends of one.
        Complaint.objects.create(customer=customer, subject="Kanne", opened_at=days_ago(400 + n // 40 * 2))
        wanted.append((-(n // 40), customer.number))
    twice = _returning("4711", days_ago(500).date().isoformat())
    order = twice.orders.get()
    Return.objects.create(order=order, customer=twice, requested_at=days_ago(450))

    url, numbers, pages = reverse("privacy:holds") + "?show=cases", [], 0
    while url:
        answer = officer_client.get(url)
        numbers += [row["number"] for row in answer.context["rows"]]
        url = answer.context["next_url"] and reverse("privacy:holds") + answer.context["next_url"]
        pages += 1
    assert pages == 2
    assert numbers == ["4711", *(number for _at, number in sorted(wanted))]
    for odd in ("x", "a\0b", "9" * 400, "WzFd:x"):
        answer = officer_client.get(reverse("privacy:holds"), {"show": "cases", "cursor": odd})
        assert answer.context["rows"][0]["number"] == "4711"


def test_the_list_of_open_cases_is_for_whoever_keeps_holds(agent_client, outsider_client) -> None:
    for client in (agent_client, outsider_client):
        assert client.get(reverse("privacy:holds"), {"show": "cases"}).status_code == 403


def test_a_complaint_that_rightly_stays_open_is_looked_at_and_stays(officer: User, officer_client) -> None:
    """domain.md 4.2: a lawsuit lasts longer than a year; who, when, why and the next review, at most twelve months."""
    customer = make_person("4715")
    complaint = Complaint.objects.create(customer=customer, subject="Kanne leckt", opened_at=days_ago(380))
    shown = reverse("interactions:complaint", args=[complaint.pk])
    assert shown in officer_client.get(reverse("privacy:holds"), {"show": "cases"}).content.decode()
    assert "overdue" in officer_client.get(shown).content.decode()
    today = timezone.localdate()
    keep = reverse("interactions:complaint_keep", args=[complaint.pk])

    def send(review: date | str, reason: str = "Prozess läuft") -> int:
        return officer_client.post(keep, {"review_on": str(review), "reason": reason}).status_code

    refused = [today, add_months(today, 12) + timedelta(days=1), "2026-02-30", "", "9" * 40]
    assert [send(day) for day in refused] == [422] * len(refused)
    assert [send(today + timedelta(days=90), reason=words) for words in (" ", "a\0b")] == [422, 422]
    assert _alerts(officer) == 1 and not complaint.reviews.exists()

    review = add_months(today, 12)
    assert send(review) == 302
    assert _alerts(officer) == 0
    page = officer_client.get(shown).content.decode()
    assert "Prozess läuft" in page and "Petra Privat" in page and date_format(review, "SHORT_DATE_FORMAT") in page
    (seen,) = complaint.reviews.all()
    assert (seen.by, seen.reason, seen.review_on) == (officer, "Prozess läuft", review)
    assert complaint.history.latest().history_user == officer

    explained = StringIO()
    call_command("explain_retention", "LEAD", "--start", "2020-01-01", "--customer", "4715", "--json", stdout=explained)
    assert [hold["review"] for hold in json.loads(explained.getvalue())["holds"] if hold["kind"] == "claim_hold"] == [
        review.isoformat()
    ]
    Complaint.objects.update(review_on=today - timedelta(days=1))
    assert _alerts(officer) == 1


def test_a_complaint_that_is_settled_does_not_stay_open(officer_client) -> None:
    complaint = Complaint.objects.create(
        customer=make_person("4715"), subject="Kanne", opened_at=days_ago(380), closed_at=days_ago(9), state="settled"
    )
    sent = {"review_on": timezone.localdate() + timedelta(days=9), "reason": "x"}
    assert officer_client.post(reverse("interactions:complaint_keep", args=[complaint.pk]), sent).status_code == 302
    complaint.refresh_from_db()
    assert complaint.review_on is None and not complaint.reviews.exists()


def test_the_reviews_of_a_complaint_go_with_it(settings) -> None:
    """CLAIM: three years from the end of the year of the settlement (BGB §§ 195, 199)."""
    settings.DEBUG = True
    complaint = Complaint.objects.create(
        customer=make_person("4715"), subject="Kanne", opened_at=at("2021-01-04"), closed_at=at("2022-05-04"),
        state="settled",
    )  # fmt: skip
    complaint.reviews.create(reason="Prozess läuft", review_on=date(2023, 1, 1))
    _night(date(2025, 12, 31))
    assert complaint.reviews.count() == 1
    assert _night(date(2026, 1, 1))["CLAIM"]["deleted"] == 1
    assert complaint.reviews.count() == 0
