"""More of the same as the scenarios: deadlines and last days on other dates, each counted by hand from the statutes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from customers.models import (
    ContactPoint,
    Customer,
    CustomerTag,
    Flag,
    HeldIntake,
    Note,
    OptInClaim,
    Origin,
    Preference,
    Summary,
    Suppression,
    Tag,
    Tombstone,
)
from datamap.models import AccessLog, Controller
from datamap.versioning import add_version, newest, successor
from interactions.models import Complaint, FollowUp, Interaction
from mail.models import Letter, Message
from orders.models import Document, Order, Return
from privacy import restricting
from privacy.models import Breach, BreachEntry, Disclosure, Hold, Package, Request
from staff.models import Role, User
from tests.privacy.making import at, make_contact, make_order, make_paper, make_person, take
from tests.privacy.noting import make_recipient

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on_a_developers_machine(settings: Any) -> None:
    """Only there may a day to come really delete."""
    settings.DEBUG = True


def said(command: str, *arguments: str) -> dict[str, Any]:
    """The JSON of a command, whatever its exit code says."""
    out = StringIO()
    try:
        call_command(command, *arguments, "--json", stdout=out)
    except SystemExit as ended:
        assert ended.code == 3
    return json.loads(out.getvalue())


def purge(as_of: str, *arguments: str) -> dict[str, Any]:
    """What one run did, by category; the logs of earlier runs of the test, which are over by then, are left out."""
    told = said("purge_expired", "--as-of", as_of, *arguments)
    return {key: counted for key, counted in told["categories"].items() if key != "DELLOG"}


def counts(**kw: int) -> dict[str, int]:
    return dict.fromkeys(("due", "deleted", "anonymized", "blocked", "held", "failed"), 0) | kw


# --- deadlines ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "raw", "due"),
    [
        # Regulation 1182/71 Art. 3(2)(c), (4): the same day number, clipped, then the next working day
        ("--received 2026-12-31", "2027-01-31", "2027-02-01"),  # a Sunday
        ("--received 2027-10-31", "2027-11-30", "2027-11-30"),  # November has no 31st
        ("--received 2027-04-01", "2027-05-01", "2027-05-03"),  # 1 May on a Saturday, then Sunday
        ("--received 2027-04-06", "2027-05-06", "2027-05-07"),  # Ascension: Easter (28 March) and 39 days
        ("--received 2028-03-14", "2028-04-14", "2028-04-18"),  # Good Friday to Easter Monday of 2028
        ("--received 2027-11-24", "2027-12-24", "2027-12-24"),  # Christmas Eve is a working day
        ("--received 2027-11-25", "2027-12-25", "2027-12-27"),  # Saturday and Sunday are the holidays
        ("--received 2029-12-31", "2030-01-31", "2030-01-31"),
        ("--received 2031-01-30 --extended-on 2031-02-28", "2031-04-30", "2031-04-30"),  # notice on the last day
        ("--received 2028-11-30 --extended-on 2028-12-01", "2029-02-28", "2029-02-28"),
        # 3 days of waiting: 30 November and 3 days, a Friday
        ("--received 2027-10-31 --asked-on 2027-11-02 --answered-on 2027-11-05", "2027-12-03", "2027-12-03"),
        # 12 days of waiting end on New Year's Day, a Saturday: Monday the 3rd
        ("--received 2027-11-20 --asked-on 2027-11-22 --answered-on 2027-12-04", "2028-01-01", "2028-01-03"),
    ],
)
def test_a_month_ends_on_its_day(line: str, raw: str, due: str) -> None:
    found = said("deadline", *line.split(), "--as-of", "2026-01-01")
    assert (found["raw_end"], found["due"]) == (raw, due)
    passed = [date.fromisoformat(shift["date"]) for shift in found["shifts"]]
    first = date.fromisoformat(raw)
    assert passed == [first + timedelta(days=n) for n in range((date.fromisoformat(due) - first).days)]


@pytest.mark.parametrize(
    ("received", "land", "plain", "there"),
    [
        ("2027-04-27", "NW", "2027-05-27", "2027-05-28"),  # Corpus Christi, Easter and 60 days
        ("2027-04-27", "SH", "2027-05-27", "2027-05-27"),
        ("2027-02-08", "BE", "2027-03-08", "2027-03-09"),  # Women's Day in Berlin and Mecklenburg
        ("2027-02-08", "MV", "2027-03-08", "2027-03-09"),
        ("2026-12-06", "BW", "2027-01-06", "2027-01-07"),  # Epiphany
        ("2026-12-06", "HE", "2027-01-06", "2027-01-06"),
        ("2027-10-17", "SN", "2027-11-17", "2027-11-18"),  # the Wednesday before 23 November
        ("2027-08-20", "TH", "2027-09-20", "2027-09-21"),  # Children's Day
        ("2030-09-30", "NI", "2030-10-30", "2030-10-30"),
        ("2028-10-01", "SL", "2028-11-01", "2028-11-02"),  # All Saints
    ],
)
def test_holidays_of_a_land_count_where_asked_for(received: str, land: str, plain: str, there: str) -> None:
    asked = ["--received", received, "--as-of", received]
    assert said("deadline", *asked)["due"] == plain
    assert said("deadline", *asked, "--regional", land)["due"] == there


def test_a_notice_after_the_month_extends_nothing_though_the_clock_stood() -> None:
    # Due for the notice: 2027-04-09, whatever the waiting; given a day later it is none.
    line = "--received 2027-03-09 --asked-on 2027-03-16 --answered-on 2027-03-31 --extended-on 2027-04-10"
    found = said("deadline", *line.split(), "--as-of", "2027-04-11")
    assert (found["extension_notice_due"], found["suspended_days"], found["status"]) == ("2027-04-09", 15, "overdue")
    assert (found["raw_end"], found["due"]) == ("2027-04-24", "2027-04-26")  # Saturday, Sunday


@pytest.mark.parametrize(
    ("aware", "due"),
    [
        ("2027-03-27T15:00", "2027-03-30T16:00:00+02:00"),  # the night of 28 March 2027 lacks an hour
        ("2027-10-29T12:00", "2027-11-01T11:00:00+01:00"),  # that of 31 October has one more
        ("2027-10-31T02:30+01:00", "2027-11-03T02:30:00+01:00"),  # the second half past two
        ("2028-03-26T03:00", "2028-03-29T03:00:00+02:00"),  # right after the change
        ("2027-12-31T23:59", "2028-01-03T23:59:00+01:00"),
    ],
)
def test_72_hours_across_both_changes_of_the_clock(aware: str, due: str) -> None:
    assert said("deadline", "--received", aware, "--kind", "breach", "--as-of", "2027-01-01")["due"] == due


# --- one rule applied -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "start", "end", "due"),
    [
        # C3: years to year end; days and months exact, the day of the event not counted
        ("INV", "2027-01-01", "2035-12-31", "2036-01-01"),
        ("LETTER", "2028-02-29", "2034-12-31", "2035-01-01"),
        ("TAXDOC", "2026-12-31", "2032-12-31", "2033-01-01"),
        ("DELNOTE", "2027-05-04", "2027-05-04", "2027-05-04"),
        ("ORDER", "2026-01-01", "2029-12-31", "2030-01-01"),
        ("WARR", "2024-02-29", "2026-02-28", "2026-03-01"),
        ("CART", "2027-01-31", "2027-03-02", "2027-03-03"),
        ("QUOTE", "2027-08-30", "2028-02-29", "2028-03-01"),
        ("ACCOUNT", "2026-02-28", "2028-02-28", "2028-02-29"),
        ("GUEST", "2026-12-14", "2027-01-13", "2027-01-14"),
        ("TICKET", "2028-02-29", "2029-02-28", "2029-03-01"),
        ("CLAIM", "2027-02-10", "2030-12-31", "2031-01-01"),
        ("CONSENT", "2027-12-31", "2030-12-31", "2031-01-01"),
        ("DOI-PEND", "2027-12-02", "2028-01-01", "2028-01-02"),
        ("TOMB", "2027-06-30", "2030-12-31", "2031-01-01"),
        ("SENDLOG", "2027-01-01", "2030-12-31", "2031-01-01"),
        ("SENDLOG-TRACE", "2027-12-01", "2028-02-29", "2028-03-01"),
        ("TRACK", "2027-01-30", "2028-02-29", "2028-03-01"),
        ("SEGMENT", "2027-03-31", "2028-03-31", "2028-04-01"),
        ("LOYALTY", "2027-09-09", "2030-12-31", "2031-01-01"),
        ("POINTS-B", "2019-07-07", "2027-12-31", "2028-01-01"),
        ("POINTS", "2027-09-09", "2030-12-31", "2031-01-01"),
        ("VOUCHER", "2027-12-24", "2030-12-31", "2031-01-01"),
        ("BDAY", "2027-04-04", "2027-04-04", "2027-04-04"),
        ("AGECHK", "2027-04-04", "2027-04-04", "2027-04-04"),
        ("FEEDBACK", "2026-02-28", "2028-02-28", "2028-02-29"),
        ("PAYTOK", "2026-12-31", "2028-02-29", "2028-03-01"),
        ("DUNNING", "2027-03-03", "2030-12-31", "2031-01-01"),
        ("DUNNING:title", "2028-02-29", "2058-02-28", "2058-03-01"),
        ("REFUSAL", "2027-10-30", "2028-02-29", "2028-03-01"),
        ("FRAUD", "2027-05-31", "2029-05-31", "2029-06-01"),
        ("REQUEST", "2027-01-02", "2030-12-31", "2031-01-01"),
        ("IDDOC", "2027-01-02", "2027-01-02", "2027-01-02"),
        ("DSARPKG", "2027-02-20", "2027-03-06", "2027-03-07"),
        ("DISCLOSE", "2027-01-02", "2030-12-31", "2031-01-01"),
        ("DELLOG", "2027-01-02", "2030-12-31", "2031-01-01"),
        ("BREACH", "2027-01-02", "2032-12-31", "2033-01-01"),
        ("SECLOG", "2027-12-01", "2028-02-29", "2028-03-01"),
        ("WEBLOG", "2028-02-20", "2028-03-05", "2028-03-06"),
        ("IMPORT", "2028-01-31", "2028-03-01", "2028-03-02"),
        ("BACKUP", "2028-02-01", "2028-03-07", "2028-03-08"),
        ("LEAD", "2027-02-28", "2028-02-28", "2028-02-29"),
        ("APPLIC", "2027-08-31", "2028-02-29", "2028-03-01"),
        ("STAFF", "2027-08-31", "2028-02-29", "2028-03-01"),
        ("CLAIM-OPTIN", "2027-08-31", "2028-02-29", "2028-03-01"),
        ("EVENT", "2028-01-31", "2028-03-01", "2028-03-02"),
        ("ACCESSLOG", "2027-02-28", "2028-02-28", "2028-02-29"),
        ("MERGE", "2028-02-29", "2029-02-28", "2029-03-01"),
        ("BOOK", "2027-07-07", "2037-12-31", "2038-01-01"),
    ],
)
def test_each_key_of_the_catalogue_on_a_day_of_its_own(key: str, start: str, end: str, due: str) -> None:
    found = said("explain_retention", key, "--start", start, "--as-of", "2028-01-01")
    assert (found["end"], found["deletable_from"]) == (end, due)
    assert f"{found['rule_key']}{':' + found['variant'] if found['variant'] else ''}" == key
    assert found["statute"] and found["why"] and found["start_date"] == start


@pytest.mark.parametrize(
    ("start", "as_of", "version", "end", "due"),
    [
        # Ten years of 2013 ran out with 2023: nothing revives or moves it (EGAO Art. 97 § 19a(2)).
        ("2013-12-31", "2025-06-01", 1, "2023-12-31", "2024-01-01"),
        # Ten years of 2014 end with 2024: over before the new text, and the same day either way.
        ("2014-07-07", "2025-06-01", 1, "2024-12-31", "2025-01-01"),
        # 2015 and 2016 still ran: eight years, not before the new text.
        ("2015-01-01", "2024-12-31", 1, "2025-12-31", "2026-01-01"),
        ("2015-01-01", "2025-01-01", 2, "2023-12-31", "2025-01-01"),
        ("2016-12-31", "2025-01-01", 2, "2024-12-31", "2025-01-01"),
        ("2017-01-01", "2025-01-01", 2, "2025-12-31", "2026-01-01"),
        ("2018-06-30", "2024-06-30", 1, "2028-12-31", "2029-01-01"),
        ("2018-06-30", "2026-06-30", 2, "2026-12-31", "2027-01-01"),
    ],
)
def test_ten_years_became_eight(start: str, as_of: str, version: int, end: str, due: str) -> None:
    found = said("explain_retention", "INV", "--start", start, "--as-of", as_of)
    assert (found["rule_version"], found["end"], found["deletable_from"]) == (version, end, due)
    kept = said("explain_retention", "INV", "--start", start, "--as-of", as_of, "--supervised")
    year = int(start[:4]) + 11  # HGB § 257(4) s. 2: ten years for good
    assert (kept["variant"], kept["deletable_from"]) == ("supervised", f"{year}-01-01")


@pytest.mark.parametrize(
    ("arguments", "due"),
    [
        # UWG § 7a: five years from the grant, and again from each use
        ("CONSENT-TEL --start 2024-02-29", "2029-03-01"),
        ("CONSENT-TEL --start 2025-05-05 --last-use 2028-02-29", "2033-03-01"),
        ("CONSENT-TEL --start 2025-05-05 --last-use 2025-05-05", "2030-05-06"),
        # BGB § 475e(5), EGBGB Art. 229 § 72: contracts from 31 July 2026, a repair within the period, once
        ("WARR --start 2026-08-31 --contract 2026-07-31 --repaired 2028-08-31", "2029-09-01"),
        ("WARR --start 2026-08-31 --contract 2026-07-31 --repaired 2028-09-01", "2028-09-01"),
        ("WARR --start 2026-08-31 --contract 2026-07-30 --repaired 2027-08-31", "2028-09-01"),
        ("WARR --start 2028-02-29 --contract 2028-02-20 --repaired 2029-01-01", "2031-03-01"),
    ],
)
def test_uses_and_repairs_extend(arguments: str, due: str) -> None:
    assert said("explain_retention", *arguments.split(), "--as-of", "2028-01-01")["deletable_from"] == due


# --- the night's run ------------------------------------------------------------------------------------------


def _anna() -> Customer:
    """A customer who is active whenever these runs come."""
    return make_person(last_activity="2045-01-01")


def _paper(customer: Customer, kind: str, issued: str | datetime, **kw: Any) -> Document:
    """A paper of an order that is made anonymous long since, so that only the paper is due."""
    issued_at = at(issued) if isinstance(issued, str) else issued
    return Document.objects.create(
        customer=customer, kind=kind, number=f"{kind}-{issued_at:%Y%m%d%H%M%S}", issued_at=issued_at, currency="EUR",
        gross=1, net=1, **kw,
    )  # fmt: skip


def _file() -> Origin:
    return Origin.objects.create(kind="file")


def _letter(customer: Customer) -> None:
    Letter.objects.create(customer=customer, body="Guten Tag", created_at=at("2026-03-03"), sent_at=at("2026-03-04"))


def _answer(customer: Customer) -> None:
    Letter.objects.create(
        customer=customer, kept_as="REQUEST", created_at=at("2026-03-03"), sent_at=at("2026-03-04"),
        closed_at=at("2027-01-01"),
    )  # fmt: skip


def _return(customer: Customer, **kw: Any) -> None:
    Return.objects.create(customer=customer, state="refunded", **kw)


def _message(customer: Customer, kind: str) -> None:
    Message.objects.create(
        customer=customer, message_class=kind, template="trial", state="sent", message_id="<trial@laden.example>",
        created_at=at("2026-06-01"), sent_at=at("2026-06-02"),
    )  # fmt: skip


def _request(customer: Customer | None, **kw: Any) -> None:
    Request.objects.create(
        customer=customer, kind="access", channel="mail", received_at=at("2026-10-01"), due_on=date(2026, 11, 2),
        state="closed", closed_at=at("2026-10-20"), **kw,
    )  # fmt: skip


DUE: dict[str, tuple[Callable[[Customer], Any], str, str, dict[str, int]]] = {
    # AO § 147(4): from the end of the year; eight years for vouchers, six for letters
    "invoice": (lambda c: _paper(c, "invoice", "2026-01-01"), "INV", "2035-01-01", {"deleted": 1}),
    "credit note": (lambda c: _paper(c, "credit_note", "2026-12-31"), "INV", "2035-01-01", {"deleted": 1}),
    "order received": (lambda c: _paper(c, "received", "2026-05-05"), "LETTER", "2033-01-01", {"deleted": 1}),
    "confirmation": (lambda c: _paper(c, "confirmation", "2027-01-01"), "LETTER", "2034-01-01", {"deleted": 1}),
    # AO § 147(3) s. 4: at once, when the invoice is out
    "delivery note": (
        lambda c: _paper(
            c, "delivery_note", "2027-01-04", order=make_order(c, "2027-01-02", invoiced_at=at("2027-03-05"))
        ),
        "DELNOTE", "2027-03-05", {"deleted": 1},
    ),
    "contract mail": (lambda c: make_contact(c, "2026-12-31", "letter"), "LETTER", "2033-01-01", {"deleted": 1}),
    "letter kept as sent": (_letter, "LETTER", "2033-01-01", {"deleted": 1}),
    "answer to a request": (_answer, "REQUEST", "2031-01-01", {"deleted": 1}),
    "enquiry": (lambda c: make_contact(c, "2027-02-28", "ticket"), "TICKET", "2028-02-29", {"deleted": 1}),
    "bare claim": (lambda c: make_contact(c, "2027-05-05", "claim"), "CLAIM", "2031-01-01", {"deleted": 1}),
    "complaint": (
        lambda c: Complaint.objects.create(
            customer=c, subject="Mühle", state="settled", opened_at=at("2026-12-01"), closed_at=at("2027-01-02")
        ),
        "CLAIM", "2031-01-01", {"deleted": 1},
    ),
    "follow-up": (
        lambda c: FollowUp.objects.create(customer=c, step="anrufen", due_on="2027-04-30", done_at=at("2027-04-30")),
        "TICKET", "2028-05-01", {"deleted": 1},
    ),
    "note": (
        lambda c: Note.objects.create(customer=c, text="Mag Kaffee", created_at=at("2028-02-29")),
        "TICKET", "2029-03-01", {"deleted": 1},
    ),
    "fraud flag": (
        lambda c: Flag.objects.create(
            customer=c, kind="fraud", reason="geplatzt", set_at=at("2026-02-28"), review_on="2027-02-28"
        ),
        "FRAUD", "2028-02-29", {"deleted": 1},
    ),
    "withdrawal": (
        lambda c: _return(c, reason="withdrawal", requested_at=at("2026-07-01"), refunded_at=at("2027-01-10")),
        "LETTER", "2033-01-01", {"deleted": 1},
    ),
    "defect": (
        lambda c: _return(c, reason="defect", requested_at=at("2026-12-20"), refunded_at=at("2027-01-10")),
        "CLAIM", "2031-01-01", {"deleted": 1},
    ),
    "order": (lambda c: make_order(c, "2026-12-28"), "ORDER", "2030-01-01", {"anonymized": 1}),  # delivered on the 31st
    "order of the new year": (lambda c: make_order(c, "2026-12-29"), "ORDER", "2031-01-01", {"anonymized": 1}),
    "cancelled order": (
        lambda c: make_order(c, "2026-12-31", delivered_at=None, status="cancelled", cancelled_at=at("2027-01-02")),
        "ORDER", "2030-01-01", {"anonymized": 1},
    ),
    "mail to many": (lambda c: _message(c, "advertising"), "SENDLOG", "2030-01-01", {"anonymized": 1}),
    "mail to an address without a file": (
        lambda _c: Message.objects.create(
            recipient="post@nord.example", context={"notices": [1]}, key="notice:1", message_class="notice",
            template="trial", state="sent", message_id="<trial@laden.example>", sent_at=at("2026-06-02"),
        ),
        "SENDLOG", "2030-01-01", {"anonymized": 1},
    ),
    "transport of a letter": (lambda c: _message(c, "letter"), "EVENT", "2026-07-03", {"deleted": 1}),
    "opt-in of a file": (
        lambda c: OptInClaim.objects.create(
            origin=_file(), customer=c, channel="email", state="yes", claimed_at=at("2026-08-31")
        ),
        "CLAIM-OPTIN", "2027-03-01", {"deleted": 1},
    ),
    "decided news": (
        lambda c: HeldIntake.objects.create(
            origin=_file(), customer=c, reason="restricted", payload={"a": 1}, fingerprint=b"1", decision="dropped",
            received_at=at("2026-01-01"), decided_at=at("2027-01-31"),
        ),
        "EVENT", "2027-03-03", {"deleted": 1},
    ),
    "reading": (
        lambda c: AccessLog.objects.create(customer_number=c.number, page="customer_detail", at=at("2027-03-31")),
        "ACCESSLOG", "2028-04-01", {"deleted": 1},
    ),
    "request": (_request, "REQUEST", "2030-01-01", {"deleted": 1}),
    "request of nobody known": (lambda c: _request(None), "REQUEST", "2030-01-01", {"deleted": 1}),
    "package": (
        lambda c: Package.objects.create(
            customer=c, kind="access", state="ready", built_at=at("2027-02-10"), provided_at=at("2027-02-20")
        ),
        "DSARPKG", "2027-03-07", {"deleted": 1},
    ),
    "closed breach": (
        lambda c: Breach.objects.create(title="Fehlversand", aware_at=at("2026-12-30"), closed_at=at("2027-01-01")),
        "BREACH", "2033-01-01", {"deleted": 1},
    ),
    "released hold": (
        lambda c: Hold.objects.create(
            kind="claim", customer=c, reason="Streit", review_on="2027-01-01", released_at=at("2026-12-31")
        ),
        "CLAIM", "2030-01-01", {"deleted": 1},
    ),
    "disclosure of somebody erased": (
        lambda c: Disclosure.archive.create(
            recipient=make_recipient("Nordpost"), at=at("2020-01-01"), data="Name", purpose="Lieferung",
            basis="6(1)(b)", blocked_at=at("2026-12-31"),
        ),
        "DISCLOSE", "2030-01-01", {"deleted": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DUE)
def test_it_goes_on_its_day_and_not_the_day_before(what: str) -> None:
    make, key, day, done = DUE[what]
    make(_anna())
    before = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
    assert purge(before) == {}
    expected = {key: counts(due=1, **done)}
    assert purge(day, "--dry-run") == expected
    assert purge(day, "--rule", "QUOTE") == {}
    assert purge(day, "--rule", key) == expected
    assert purge(day) == {}
    assert Customer.objects.count() == 1


@pytest.mark.parametrize("what", ["invoice", "enquiry", "order", "mail to many"])
def test_a_margin_makes_a_run_later_and_never_earlier(what: str) -> None:
    Controller(execution_margin_days=15).save()
    make, key, day, done = DUE[what]
    make(_anna())
    first = date.fromisoformat(day) + timedelta(days=15)
    assert purge((first - timedelta(days=1)).isoformat()) == {}
    assert purge(first.isoformat()) == {key: counts(due=1, **done)}


@pytest.mark.parametrize("what", ["open breach", "open complaint", "waiting news", "objection", "standing hold"])
def test_what_has_not_begun_to_end_stays(what: str) -> None:
    customer = _anna()
    if what == "open breach":
        breach = Breach.objects.create(title="Fehlversand", aware_at=at("2020-12-30"))
        BreachEntry.objects.create(breach=breach, text="gemeldet")
    elif what == "open complaint":
        Complaint.objects.create(customer=customer, subject="Mühle", opened_at=at("2020-12-01"))
    elif what == "waiting news":
        HeldIntake.objects.create(
            origin=_file(),
            customer=customer,
            reason="restricted",
            payload={"a": 1},
            fingerprint=b"1",
            received_at=at("2020-01-01"),
        )
    elif what == "objection":
        Suppression.objects.create(endpoint=b"1", channel="email", reason="objection", since=at("2020-01-01"))
    else:
        Hold.objects.create(kind="claim", customer=customer, reason="Streit", review_on="2021-01-01")
    assert purge("2040-01-01") == {}


@pytest.mark.parametrize(
    ("issued", "due"),
    [
        (datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC), "2035-01-01"),  # a second before midnight in Hamburg
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), "2036-01-01"),  # the new year there, the old one in Greenwich
    ],
)
def test_the_year_of_an_invoice_is_that_of_the_shop(issued: datetime, due: str) -> None:
    _paper(_anna(), "invoice", issued)
    assert purge((date.fromisoformat(due) - timedelta(days=1)).isoformat()) == {}
    assert purge(due) == {"INV": counts(due=1, deleted=1)}


@pytest.mark.parametrize(
    ("closed", "due"),
    [
        # Midsummer: midnight in Hamburg is 22:00 in Greenwich.
        (datetime(2026, 6, 30, 21, 59, tzinfo=UTC), "2027-07-01"),
        (datetime(2026, 6, 30, 22, 0, tzinfo=UTC), "2027-07-02"),
    ],
)
def test_a_day_begins_at_midnight_of_the_shop(closed: datetime, due: str) -> None:
    make_contact(_anna(), "2026-06-01", "ticket", closed_at=closed)
    assert purge((date.fromisoformat(due) - timedelta(days=1)).isoformat()) == {}
    assert purge(due)["TICKET"] == counts(due=1, deleted=1)


# --- holds ----------------------------------------------------------------------------------------------------


def _rich(**kw: Any) -> Customer:
    """A customer with one due row of several keys, all on 2027-06-01."""
    customer = make_person(last_activity="2045-01-01", **kw)
    order = make_order(customer, "2022-05-05")  # ORDER until 2025-12-31
    make_paper(order, "invoice", "2018-05-05")  # INV until 2026-12-31
    make_paper(order, "confirmation", "2019-05-05")  # LETTER until 2025-12-31
    make_contact(customer, "2026-05-01", "ticket")  # TICKET until 2027-05-01
    make_contact(customer, "2023-05-01", "claim", order_number=order.number)  # CLAIM until 2026-12-31
    # ACCESSLOG until 2027-05-31; it knows the customer by number alone, and an answer tells of it (domain.md 1.6)
    AccessLog.objects.create(customer_number=customer.number, page="customer_detail", at=at("2026-05-31"))
    return customer


ALL_DUE = {
    "ACCESSLOG": counts(due=1, deleted=1),
    "CLAIM": counts(due=1, deleted=1),
    "INV": counts(due=1, deleted=1),
    "LETTER": counts(due=1, deleted=1),
    "ORDER": counts(due=1, anonymized=1),
    "TICKET": counts(due=1, deleted=1),
}
OF_ORDER = ("CLAIM", "INV", "LETTER", "ORDER")


def _hold(customer: Customer, kind: str, **kw: Any) -> Callable[[], Any]:
    hold = Hold.objects.create(kind=kind, customer=customer, reason="läuft", review_on=date(2027, 1, 1), **kw)

    def release() -> None:
        Hold.objects.filter(pk=hold.pk).update(released_at=at("2027-06-01"))

    return release


def _restrict(customer: Customer, case: str) -> Callable[[], Any]:
    officer = User.objects.create_user("p@obhut.example", name="P", roles=[Role.PRIVACY])
    restriction = restricting.restrict(customer, case, ["address"], "bestritten", by=officer)

    def release() -> None:
        restricting.announce_lifting(restriction, "geklärt", by=officer)
        restricting.lift(restriction, by=officer)
        Request.objects.update(state="closed", closed_at=at("2027-06-01"))

    return release


def _open_request(customer: Customer) -> Callable[[], Any]:
    request = take(kind="access", customer=customer)

    def release() -> None:
        Request.objects.filter(pk=request.pk).update(state="closed", closed_at=at("2027-06-01"))

    return release


def _open_order(customer: Customer) -> Callable[[], Any]:
    """Goods of the old order are on their way back, and no money yet."""
    back = Return.objects.create(
        order=customer.orders.get(), customer=customer, requested_at=at("2027-05-20"), state="received"
    )

    def release() -> None:
        Return.objects.filter(pk=back.pk).update(state="refunded", refunded_at=at("2027-06-01"))

    return release


def _open_complaint(customer: Customer) -> Callable[[], Any]:
    case = Complaint.objects.create(
        customer=customer, subject="Mühle", order_number=customer.orders.get().number, opened_at=at("2027-05-20")
    )

    def release() -> None:
        Complaint.objects.filter(pk=case.pk).update(state="settled", closed_at=at("2027-06-01"))

    return release


# What each hold of domain.md 4.2 keeps of what is due: everything of the person, or what belongs to the order.
HOLDS: dict[str, tuple[Callable[[Customer], Callable[[], Any]], tuple[str, ...]]] = {
    "claim": (lambda c: _hold(c, "claim"), tuple(ALL_DUE)),
    "claim of an order": (lambda c: _hold(c, "claim", order_number=c.orders.get().number), OF_ORDER),
    "claim of another order": (lambda c: _hold(c, "claim", order_number="B-0"), ()),
    "payment": (lambda c: _hold(c, "payment", order_number=c.orders.get().number), OF_ORDER),
    "authority": (lambda c: _hold(c, "authority"), tuple(ALL_DUE)),
    "art18 a": (lambda c: _restrict(c, "a"), tuple(ALL_DUE)),
    "art18 b": (lambda c: _restrict(c, "b"), tuple(ALL_DUE)),
    "art18 c": (lambda c: _restrict(c, "c"), tuple(ALL_DUE)),
    "art18 d": (lambda c: _restrict(c, "d"), tuple(ALL_DUE)),
    "open request": (_open_request, tuple(ALL_DUE)),
    "open order": (_open_order, OF_ORDER),
    "open complaint": (_open_complaint, OF_ORDER),
}


@pytest.mark.parametrize("kind", HOLDS)
def test_a_hold_keeps_its_case_alone_and_the_night_after_its_release_takes_it(kind: str) -> None:
    set_up, kept = HOLDS[kind]
    release = set_up(_rich())
    _rich(number="4712")  # somebody else, whom it does not concern
    told = {
        key: counts(**{name: 2 * count for name, count in one.items()})
        if key not in kept
        else counts(due=2, held=1, **{name: count for name, count in one.items() if name != "due" and count})
        for key, one in ALL_DUE.items()
    }
    assert purge("2027-06-01", "--dry-run") == told
    assert purge("2027-06-01") == told
    # Its review was due on 2027-01-01: an alert, no release.
    assert purge("2027-06-02") == {key: counts(due=1, held=1) for key in kept}
    release()
    assert purge("2027-06-03") == {key: ALL_DUE[key] for key in kept}
    assert purge("2027-06-04") == {}


@pytest.mark.parametrize(
    ("first", "last", "categories", "kept"),
    [
        (2018, 2018, ["INV"], {"INV"}),
        (2018, 2019, ["INV", "LETTER"], {"INV", "LETTER"}),
        (2018, 2019, [], {"INV", "LETTER"}),  # AO § 147(3): papers, never tickets, claims or orders
        (2019, 2023, ["INV"], set()),
        (2019, 2019, ["LETTER"], {"LETTER"}),
    ],
)
def test_a_tax_matter_keeps_papers_of_its_years_of_everybody(
    first: int, last: int, categories: list[str], kept: set[str]
) -> None:
    _rich()
    _rich(number="4712")
    hold = Hold.objects.create(
        kind="tax", first_year=first, last_year=last, categories=categories, reason="Prüfung", review_on="2027-01-01"
    )
    told = purge("2027-06-01")
    assert {key for key, one in told.items() if one["held"] == 2} == kept
    assert all(one["held"] == 0 for key, one in told.items() if key not in kept)
    Hold.objects.filter(pk=hold.pk).update(released_at=at("2027-06-01"))
    assert set(purge("2027-06-02")) == kept


# --- the guard ------------------------------------------------------------------------------------------------


def _crowd(ended: int, active: int, **kw: Any) -> None:
    """So many accounts that end on 2027-06-02 (M24 after 2025-06-01), and so many that do not."""
    for number in range(ended + active):
        make_person(f"{number:03}", last_activity="2025-06-01" if number < ended else "2027-05-01", **kw)


@pytest.mark.parametrize(
    ("ended", "active", "arguments", "speaks"),
    [
        (10, 40, [], False),  # a fifth is no more than a fifth
        (11, 39, [], True),
        (49, 0, [], False),  # 49 customers: too few for a share to say anything
        (50, 0, [], True),
        (11, 39, ["--allow-share", "0.22"], False),
        (1, 49, ["--allow-share", "0"], True),
        (11, 39, ["--rule", "TICKET"], False),  # nobody's row is lost
    ],
)
def test_the_guard_speaks_above_its_share(ended: int, active: int, arguments: list[str], speaks: bool) -> None:
    _crowd(ended, active)
    assert said("purge_expired", "--as-of", "2027-06-01", *arguments)["guard"] is None
    for dry in (["--dry-run"], []):
        told = said("purge_expired", "--as-of", "2027-06-02", *arguments, *dry)
        assert (told["guard"] is not None, told["complete"]) == (speaks, not speaks)
        if speaks:
            assert told["guard"]["persons"] == ended
    goes = 0 if speaks or "TICKET" in arguments else ended
    assert Customer.objects.count() == ended + active - goes


def test_the_guard_counts_those_who_would_go_not_those_whom_a_case_keeps() -> None:
    _crowd(15, 35)
    for customer in Customer.objects.filter(number__lt="010"):
        Hold.objects.create(kind="claim", customer=customer, reason="Streit", review_on="2028-01-01")
    for arguments in (["--dry-run"], []):
        told = said("purge_expired", "--as-of", "2027-06-02", *arguments)
        assert told["guard"] is None
        assert told["categories"]["ACCOUNT"] == counts(due=15, deleted=5, held=10)
    assert Customer.objects.count() == 45


# --- the end of a person's own file ---------------------------------------------------------------------------


def _everything(customer: Customer) -> None:
    """Rows of many categories whose own periods still run on 2027-06-02."""
    order = make_order(customer, "2026-03-01")
    make_paper(order, "invoice", "2026-03-02")
    make_paper(order, "confirmation", "2026-03-01")
    make_contact(customer, "2026-12-01", "letter")
    make_contact(customer, "2026-12-01", "ticket")
    make_contact(customer, "2026-12-01", "claim")
    Complaint.objects.create(customer=customer, subject="Mühle", state="settled", closed_at=at("2026-12-01"))
    FollowUp.objects.create(customer=customer, step="anrufen", due_on=date(2026, 12, 24))
    Return.objects.create(
        order=order,
        customer=customer,
        reason="withdrawal",
        state="refunded",
        requested_at=at("2026-03-09"),
        refunded_at=at("2026-03-20"),
    )
    Note.objects.create(customer=customer, text="Mag Kaffee", created_at=at("2027-01-01"))
    Flag.objects.create(customer=customer, kind="fraud", reason="x", set_at=at("2026-12-01"), review_on="2027-12-01")
    CustomerTag.objects.create(customer=customer, tag=Tag.objects.get_or_create(name="VIP")[0])
    Preference.objects.create(customer=customer, kind="interest", value="Kaffee", said_by="customer")
    _letter(customer)
    _message(customer, "advertising")
    _request(customer)
    AccessLog.objects.create(customer_number=customer.number, page="customer_detail", at=at("2027-05-01"))


ENDS = {
    "account": ("ACCOUNT", {"last_activity": at("2025-06-01")}),  # M24
    "guest": ("GUEST", {"withdrawal_end": date(2027, 5, 2)}),  # D30
    "prospect": ("LEAD", {"last_contact": at("2026-06-01")}),  # M12
}


@pytest.mark.parametrize("status", ENDS)
def test_when_the_file_of_a_person_ends_the_rest_ends_as_on_request(status: str) -> None:
    key, start = ENDS[status]
    customer = make_person(status=status, last_activity="2027-05-01")
    Summary.objects.update(**start)
    _everything(customer)
    Summary.objects.update(**start)
    assert purge("2027-06-01") == {}
    # The column "on request" of domain.md 5; the order of a guest stays blocked for the rest of ORDER.
    expected = {
        key: counts(due=1, deleted=1),
        "INV": counts(blocked=1),
        "LETTER": counts(blocked=4),  # confirmation, mail, withdrawal, letter as sent
        "CLAIM": counts(blocked=2),
        "TICKET": counts(deleted=3),  # enquiry, follow-up, note
        "FRAUD": counts(deleted=1),
        "SENDLOG": counts(anonymized=1),
        "REQUEST": counts(blocked=1),
        "ORDER": counts(blocked=1) if status == "guest" else counts(anonymized=1),
    }
    assert purge("2027-06-02", "--dry-run") == expected
    assert purge("2027-06-02") == expected
    assert not Customer.objects.exists() and not Document.objects.exists() and not Interaction.objects.exists()
    assert not CustomerTag.objects.exists() and not Preference.objects.exists() and not ContactPoint.objects.exists()
    assert AccessLog.objects.get().customer_number == ""
    assert purge("2027-06-03") == {}
    # Each blocked row still ends on its own day.
    assert purge("2030-01-01", "--rule", "CLAIM") == {"CLAIM": counts(due=2, deleted=2)}
    assert purge("2033-01-01", "--rule", "LETTER") == {"LETTER": counts(due=4, deleted=4)}
    assert purge("2035-01-01", "--rule", "INV") == {"INV": counts(due=1, deleted=1)}


def test_an_order_that_is_over_leads_to_nobody_not_even_to_whom_it_was_given() -> None:
    """ORDER: anonymized once; a figure that names the recipient of a gift would be about somebody."""
    customer, friend = make_person(), make_person("4712")
    make_order(customer, "2022-05-05", gift_recipient=friend, gift_note="Alles Liebe")
    for expected in ({"ORDER": counts(due=1, anonymized=1)}, {}):
        assert purge("2026-01-01", "--dry-run") == expected
        assert purge("2026-01-01") == expected
    order = Order.objects.get()
    assert (order.customer_id, order.gift_recipient_id, order.gift_note) == (None, None, None)


@pytest.mark.parametrize("status", ["guest", "prospect"])
def test_the_night_that_ends_a_gift_recipient_takes_their_part_of_the_givers_order(status: str) -> None:
    """A row of daily work that is about the giver cannot be blocked for the friend: what names the friend goes."""
    giver, friend = make_person(last_activity="2026-10-01"), make_person("4712", status=status, first_name="Ole")
    Summary.objects.filter(customer=friend).update(
        last_activity=at("2024-03-03"), last_contact=at("2024-03-03"), withdrawal_end=date(2024, 3, 20)
    )
    place = {"name": "Ole Beschenkt", "street": "Hafen 7"}
    order = make_order(giver, "2026-03-03", gift_recipient=friend, gift_note="Lieber Ole", shipping=place)
    paper = make_paper(order, "delivery_note", "2026-03-04", gift_recipient=friend, gift_note="Lieber Ole")
    purge("2026-11-01", "--rule", "GUEST" if status == "guest" else "LEAD")
    assert list(Customer.objects.values_list("number", flat=True)) == ["4711"]
    order.refresh_from_db()
    assert (order.customer, order.gift_recipient, order.shipping, order.gift_note) == (giver, None, None, None)
    assert order.blocked_at is None and order.number and order.billing
    assert "Ole" not in json.dumps([[row.shipping, row.gift_note] for row in order.history.all()])
    assert not Document.archive.filter(pk=paper.pk).exclude(gift_note=None).exists()


def test_what_is_due_with_its_person_is_counted_once() -> None:
    customer = make_person(last_activity="2025-06-01")
    make_contact(customer, "2026-05-01", "ticket")
    make_paper(make_order(customer, "2022-05-05"), "invoice", "2018-05-05")
    tried = purge("2027-06-02", "--dry-run")
    assert tried == {
        "ACCOUNT": counts(due=1, deleted=1),
        "INV": counts(due=1, deleted=1),
        "ORDER": counts(due=1, anonymized=1),
        "TICKET": counts(due=1, deleted=1),
    }
    assert purge("2027-06-02") == tried


def test_the_mark_of_a_person_stays_until_the_last_blocked_row_is_gone() -> None:
    customer = make_person(last_activity="2025-06-01")
    make_paper(make_order(customer, "2025-05-05"), "invoice", "2025-05-05")  # INV until 2033-12-31
    purge("2027-06-02")
    marks = Tombstone.objects.count()
    Tombstone.objects.update(erased_at=at("2027-06-02"))
    assert marks >= 3  # e-mail, phone, number
    assert purge("2031-01-01") == {}  # three years to year end are over, the invoice is not
    assert purge("2034-01-01")["INV"] == counts(due=1, deleted=1)
    assert purge("2034-01-02") == {"TOMB": counts(due=marks, deleted=marks)}
    # Without blocked rows: three years from the end of the year.
    other = make_person("4712", last_activity="2025-06-01")
    purge("2027-06-02")
    assert not Customer.objects.filter(pk=other.pk).exists()
    Tombstone.objects.update(erased_at=at("2027-06-02"))
    assert purge("2030-12-31") == {}
    assert purge("2031-01-01") == {"TOMB": counts(due=marks, deleted=marks)}
    assert not Suppression.objects.filter(reason="erasure").exists()  # nobody objected: the night adds no entry


def test_an_order_about_nobody_is_reached_from_none_of_the_papers_that_still_name_somebody(
    manager_client: Client,
) -> None:
    customer = make_person(last_activity="2045-01-01")
    order = make_order(customer, "2022-05-05")  # ORDER until 2025-12-31, INV until 2030-12-31
    paper = make_paper(order, "invoice", "2022-05-06")
    back = Return.objects.create(
        order=order, customer=customer, reason="withdrawal", state="refunded", requested_at=at("2022-05-20"),
        refunded_at=at("2022-05-30"),
    )  # fmt: skip
    line = back.lines.create(line=order.lines.get(), quantity=1, name="Bohnen")
    assert purge("2026-01-01") == {"ORDER": counts(due=1, anonymized=1)}
    for row in (paper, back, line):
        row.refresh_from_db()
    # Anonymous is what no means reasonably likely lead back from (GDPR recital 26).
    assert (paper.order, back.order, line.line) == (None, None, None)
    assert paper.customer == back.customer == customer
    assert manager_client.get(reverse("orders:document", args=[paper.pk])).status_code == 200
    assert manager_client.get(reverse("orders:credit", args=[paper.pk])).status_code == 404
    assert manager_client.get(reverse("portal:customer_detail", args=[customer.number])).status_code == 200
    found = manager_client.get(reverse("orders:detail", args=[order.pk]))
    assert found.status_code == 404 or customer.last_name not in found.text


def test_a_supervised_shop_keeps_vouchers_ten_years_by_night_and_on_request() -> None:
    Controller(supervised_financial=True).save()
    _paper(_anna(), "invoice", "2026-06-06")
    leaver = make_person("4712")
    _paper(leaver, "credit_note", "2026-06-07")
    told = said("erase_person", "4712", "--as-of", "2026-11-28")
    (item,) = [one for one in told["items"] if one["model"] == "orders.Document"]
    assert (item["action"], item["until"], item["statute"]) == (
        "block",
        "2037-01-01",
        "HGB § 257(4) s. 2; EGAO Art. 97 § 19a(3)",
    )
    assert "INV" not in purge("2036-12-31")
    assert purge("2037-01-01")["INV"] == counts(due=2, deleted=2)


def test_a_longer_period_of_a_later_law_holds_for_what_still_runs_on_its_first_day() -> None:
    rule = successor(newest("LETTER"))
    rule.number, rule.valid_from, rule.reason = 8, date(2033, 1, 1), "longer"
    rule.transition = "not_yet_expired"
    add_version(rule, user_id=None)
    anna = _anna()
    _paper(anna, "confirmation", "2026-06-06")  # six years end with 2032, before the new text
    _paper(anna, "confirmation", "2027-06-06")  # six years end with 2033: eight, to the end of 2035
    assert "LETTER" not in purge("2032-12-31")
    assert purge("2033-01-01")["LETTER"] == counts(due=1, deleted=1)
    assert "LETTER" not in purge("2035-12-31")
    assert purge("2036-01-01")["LETTER"] == counts(due=1, deleted=1)
