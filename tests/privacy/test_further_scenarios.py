"""Ten further scenarios of the kind of P01 to P20, on other dates; every result counted by hand from the statutes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from customers.models import Customer
from interactions.models import Complaint
from orders.models import Document
from tests.privacy.making import at, make_contact, make_order, make_paper, make_person
from tests.privacy.test_trials_erasure import erase, items
from tests.privacy.test_trials_retention import counts, purge, said

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on_a_developers_machine(settings: Any) -> None:
    """Only there may a day to come really delete."""
    settings.DEBUG = True


def test_leap_day_extended_on_the_last_day_of_the_month() -> None:
    """Received on 29 February 2028 (Tuesday): one month ends on 29 March, three on 29 May (Monday)."""
    told = said("deadline", "--received", "2028-02-29", "--extended-on", "2028-03-29", "--as-of", "2028-05-29")
    assert (told["extension_notice_due"], told["due"], told["status"]) == ("2028-03-29", "2028-05-29", "extended")
    late = said("deadline", "--received", "2028-02-29", "--extended-on", "2028-03-30", "--as-of", "2028-03-30")
    assert (late["due"], late["status"]) == ("2028-03-29", "overdue")


def test_identity_asked_for_over_the_turn_of_the_year() -> None:
    """23 January 2027 is a Saturday and moves the day for a notice alone; ten days of waiting end on 2 February."""
    told = said(
        "deadline", "--received", "2026-12-23", "--asked-on", "2026-12-28", "--answered-on", "2027-01-07",
        "--as-of", "2027-01-08",
    )  # fmt: skip
    assert (told["suspended_days"], told["raw_end"], told["due"]) == (10, "2027-02-02", "2027-02-02")
    assert (told["extension_notice_due"], told["status"]) == ("2027-01-25", "open")


def test_a_saturday_a_reformation_day_and_all_saints() -> None:
    """30 October 2027 is a Saturday; 1 November is a holiday in Bavaria, and none in Lower Saxony."""
    asked = ["--received", "2027-09-30", "--as-of", "2027-10-01"]
    assert said("deadline", *asked)["due"] == "2027-11-01"
    assert said("deadline", *asked, "--regional", "NI")["due"] == "2027-11-01"
    bavaria = said("deadline", *asked, "--regional", "BY")
    assert bavaria["due"] == "2027-11-02"
    assert [shift["date"] for shift in bavaria["shifts"]] == ["2027-10-30", "2027-10-31", "2027-11-01"]


def test_a_breach_before_the_summer_time_of_2028_ends() -> None:
    """The night of 29 October 2028 has 25 hours: 72 hours after 15:00 it is 14:00."""
    told = said("deadline", "--received", "2028-10-28T15:00", "--kind", "breach", "--as-of", "2028-10-29")
    assert told["due"] == "2028-10-31T14:00:00+01:00"


def test_two_invoices_of_one_night_belong_to_two_years() -> None:
    """Issued an hour before and half an hour after midnight in Berlin: eight years from 2017 and from 2018."""
    customer = make_person(last_activity="2026-05-01")
    for number, issued in (
        ("alt", datetime(2017, 12, 31, 22, tzinfo=UTC)),
        ("neu", datetime(2017, 12, 31, 23, 30, tzinfo=UTC)),
    ):
        Document.objects.create(
            customer=customer, kind="invoice", number=number, issued_at=issued, currency="EUR", gross=1, net=1
        )
    assert purge("2025-12-31", "--rule", "INV") == {}
    assert purge("2026-01-01", "--rule", "INV") == {"INV": counts(due=1, deleted=1)}
    assert purge("2026-12-31", "--rule", "INV") == {}
    assert Document.objects.get().number == "neu"
    assert purge("2027-01-01", "--rule", "INV") == {"INV": counts(due=1, deleted=1)}


def test_a_leap_day_invoice_of_2016_at_the_change_of_the_law() -> None:
    """Ten years until the end of 2024 on paper, eight from 1 January 2025 on, and then at once; ten for a bank."""
    line = ["INV", "--start", "2016-02-29", "--as-of"]
    old, new = said("explain_retention", *line, "2024-12-31"), said("explain_retention", *line, "2025-01-01")
    assert (old["rule_version"], old["end"], old["deletable_from"]) == (1, "2026-12-31", "2027-01-01")
    assert (new["rule_version"], new["end"], new["deletable_from"]) == (2, "2024-12-31", "2025-01-01")
    bank = said("explain_retention", *line, "2025-01-01", "--supervised")
    assert (bank["variant"], bank["deletable_from"]) == ("supervised", "2027-01-01")


def test_an_erasure_between_two_turns_of_years() -> None:
    """On 1 March 2028: what ended with 2026 and 2027 goes, the rest is blocked until its own day."""
    customer = make_person(last_activity="2028-02-01")
    order = make_order(customer, "2024-02-26")
    for issued in ("2018-12-30", "2020-01-02", "2024-02-29"):
        make_paper(order, "invoice", issued)
    for received in ("2021-12-31", "2022-01-01"):
        make_contact(customer, received, "letter")
    make_contact(customer, "2028-02-29", "ticket")
    expected = {
        ("orders.Document", "delete", None): 1,
        ("orders.Document", "block", "2029-01-01"): 1,
        ("orders.Document", "block", "2033-01-01"): 1,
        ("interactions.Interaction", "delete", None): 2,
        ("interactions.Interaction", "block", "2029-01-01"): 1,
        ("orders.Order", "anonymize", None): 1,
    }
    plan = erase(customer.number, "--dry-run", "--as-of", "2028-03-01")
    assert Customer.objects.exists() and not plan["holds"]
    done = erase(customer.number, "--as-of", "2028-03-01")
    for told in (plan, done):
        assert {key: count for key, count in items(told).items() if key in expected} == expected
        assert {key for key in items(told) if key[0] in ("orders.Document", "interactions.Interaction")} <= {*expected}
    assert done["complete"] and not Customer.objects.exists()
    assert purge("2029-01-01", "--rule", "INV") == {"INV": counts(due=1, deleted=1)}
    assert purge("2029-01-01", "--rule", "LETTER") == {"LETTER": counts(due=1, deleted=1)}


def test_a_right_of_withdrawal_that_ends_after_new_year() -> None:
    """Delivered on 18 December 2026: 14 days end on New Year's Day, then a weekend; the last day is Monday the 4th."""
    customer = make_person(last_activity="2026-12-15")
    make_paper(make_order(customer, "2026-12-15"), "invoice", "2026-12-18")
    held = erase(customer.number, "--dry-run", "--as-of", "2027-01-04")
    assert [hold["kind"] for hold in held["holds"]] == ["open_order"]
    assert ("orders.Document", "keep", None) in items(held) and not held["complete"]
    free = erase(customer.number, "--dry-run", "--as-of", "2027-01-05")
    assert free["holds"] == [] and ("orders.Document", "block", "2035-01-01") in items(free)


def test_a_repair_on_the_last_day_and_a_call_on_a_leap_day() -> None:
    """BGB § 475e(5): twelve months once, where it was repaired in time; UWG § 7a: five years from the last call."""
    line = ["WARR", "--start", "2027-02-28", "--contract", "2027-02-20", "--as-of", "2029-06-01", "--repaired"]
    assert said("explain_retention", *line, "2029-02-28")["deletable_from"] == "2030-03-01"
    assert said("explain_retention", *line, "2029-03-01")["deletable_from"] == "2029-03-01"
    called = said(
        "explain_retention", "CONSENT-TEL", "--start", "2024-02-29", "--last-use", "2028-02-29", "--as-of", "2028-03-01"
    )
    assert (called["end"], called["deletable_from"]) == ("2033-02-28", "2033-03-01")


def test_a_complaint_settled_on_new_years_day_and_an_account_of_28_february() -> None:
    """CLAIM counts from the end of the year of the settlement; 24 months after 28 February 2027 end on the 28th."""
    customer = make_person(last_activity="2027-02-28")
    Complaint.objects.create(
        customer=customer, subject="Mühle", state="settled", opened_at=at("2027-11-01"), closed_at=at("2028-01-01")
    )
    plan = erase(customer.number, "--dry-run", "--as-of", "2028-02-01")
    assert items(plan)["interactions.Complaint", "block", "2032-01-01"] == 1
    Complaint.objects.all().delete()
    assert purge("2029-02-28", "--rule", "ACCOUNT", "--dry-run") == {}
    assert purge("2029-03-01", "--rule", "ACCOUNT", "--dry-run")["ACCOUNT"] == counts(due=1, deleted=1)
