"""The pages of retention runs: what would happen tonight, what happened, the guard, and what failed."""

from __future__ import annotations

import json
from datetime import date, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers.models import ContactPoint, Customer, Note
from orders.models import Document
from privacy.models import RetentionBatch, RetentionRun
from privacy.purging import SPEAKS_FROM, next_night, plan_run, work
from staff.models import Role, User
from tests.privacy.making import BERLIN, at, make_contact, make_order, make_paper, make_person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("eager", "english")]

LONG_AGO = "2023-01-01"
NAMES = ("due", "deleted", "anonymized", "blocked", "held", "failed")


@pytest.fixture
def desk(fresh, officer: User) -> Client:
    """The browser of the privacy role, which gave its password a moment ago."""
    return fresh(officer)


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_user("betrieb@obhut.example", name="Bo Betrieb", language="en", roles=[Role.OPERATOR])


def today() -> str:
    return timezone.localdate().isoformat()


def dry_run() -> dict[str, Any]:
    out = StringIO()
    call_command("purge_expired", "--dry-run", "--json", stdout=out)
    return json.loads(out.getvalue())


def figures(page: Any) -> dict[str, dict[str, int]]:
    """What the table of a page counts, as the command prints it."""
    return {row["key"]: {name: row[name] for name in NAMES} for row in page.context["rows"]}


def something_due() -> None:
    """An invoice and a letter whose day is over, a ticket of somebody with a case, an account nobody uses."""
    customer = make_person("1", last_activity=today())
    order = make_order(customer, "2012-05-20")
    make_paper(order, "invoice", "2012-06-01")
    make_contact(customer, "2015-03-03", "letter")
    held = make_person("2", last_activity=today())
    make_contact(held, "2020-01-10", "ticket")
    make_order(held, today(), status="processing", delivered_at=None)
    make_person("3", last_activity=LONG_AGO)
    cannot_be_told()


def crowd(number: int = SPEAKS_FROM) -> None:
    """A shop of so many customers, nearly all of whom nobody has seen for years."""
    for place in range(number):
        make_person(str(place), last_activity=LONG_AGO if place else today())
    cannot_be_told()


def cannot_be_told() -> None:
    """Nobody waits for a word of people who have no e-mail (`test_warned_first`)."""
    ContactPoint.objects.filter(kind="email").delete()


def test_who_sees_what(desk, fresh, operator, agent, manager, outsider, client) -> None:
    crowd()
    run = plan_run(timezone.localdate())
    page, approve = (reverse(f"privacy:{name}", args=[run.pk]) for name in ("run", "run_approve"))
    start = reverse("privacy:run_start")
    for address in (page, reverse("privacy:runs"), reverse("privacy:tonight")):
        assert desk.get(address).status_code == 200
        assert fresh(operator).get(address).status_code == 200
        assert client.get(address).status_code == 302
        for person in (agent, manager, outsider):
            assert fresh(person).get(address).status_code == 403
    for person in (agent, manager, outsider, operator):
        assert fresh(person).post(approve).status_code == 403
        assert fresh(person).post(start).status_code == 403
    assert approve in desk.get(page).text
    assert approve not in fresh(operator).get(page).text
    run.refresh_from_db()
    assert run.state == RetentionRun.State.GUARDED and Customer.objects.count() == SPEAKS_FROM


def test_a_run_is_started_and_approved_after_a_fresh_sign_in_only(signed_in, officer) -> None:
    officer.set_password("korrekt-pferd-batterie")
    officer.save()
    crowd()
    run = plan_run(timezone.localdate())
    for address in (reverse("privacy:run_start"), reverse("privacy:run_approve", args=[run.pk])):
        answer = signed_in(officer).post(address)
        assert answer.status_code == 302 and "reauthenticate" in answer["Location"]
    assert RetentionRun.objects.get().state == RetentionRun.State.GUARDED


def test_the_page_of_tonight_counts_as_the_command_does_and_deletes_nothing(desk) -> None:
    something_due()
    assert desk.get(reverse("privacy:tonight")).context["rows"] == []
    page = desk.post(reverse("privacy:tonight"), {"now": "1"})
    told = dry_run()
    assert figures(page) == told["categories"]
    assert told["categories"]["INV"]["deleted"] == 1
    assert told["categories"]["ACCOUNT"] == dict.fromkeys(NAMES, 0) | {"due": 1, "deleted": 1}
    assert Document.objects.count() == 1 and Customer.objects.count() == 3
    assert not RetentionRun.objects.exists()


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-12-31T15:00", "2027-01-01"),
        ("2026-12-31T01:00", "2026-12-31"),
        ("2026-12-31T03:30", "2027-01-01"),
        ("2026-10-24T23:59", "2026-10-25"),
        ("2026-10-25T02:30", "2026-10-25"),
        ("2027-03-28T04:00", "2027-03-29"),
    ],
)
def test_the_next_night_is_the_day_of_the_next_run(now: str, day: str) -> None:
    assert next_night(datetime.fromisoformat(now).replace(tzinfo=BERLIN)) == date.fromisoformat(day)


def test_the_page_of_new_year_s_eve_tells_what_goes_in_the_night(monkeypatch, fresh, officer) -> None:
    """INV: eight years to the end of the year (AO § 147(3), (4)); papers of 2018 go on 1 January 2027, not before."""
    monkeypatch.setattr(timezone, "now", lambda: at("2026-12-31", 15))
    desk = fresh(officer)
    customer = make_person("1", last_activity="2026-12-30")
    make_paper(make_order(customer, "2018-05-20"), "invoice", "2018-06-01")

    night = desk.post(reverse("privacy:tonight"))
    assert figures(night)["INV"] == dict.fromkeys(NAMES, 0) | {"due": 1, "deleted": 1}
    assert night.context["report"].as_of == date(2027, 1, 1) and "01/01/2027" in night.text
    assert "Start the run now" not in night.text

    now = desk.post(reverse("privacy:tonight"), {"now": "1"})
    assert now.context["report"].as_of == date(2026, 12, 31) and "INV" not in figures(now)
    assert desk.post(reverse("privacy:run_start")).status_code == 302
    assert Document.objects.count() == 1


def test_rows_that_go_with_their_persons_are_told_apart_from_rows_that_are_due(desk) -> None:
    something_due()
    lost = Customer.objects.get(number="3")  # nobody has used the account for years
    for day in ("2015-03-03", timezone.localdate().isoformat()):
        make_contact(lost, day, "ticket")
    run = plan_run(timezone.localdate())
    expected = "1 row more goes with its person, whose own period is over"
    assert desk.post(reverse("privacy:tonight"), {"now": "1"}).text.count(expected) == 1
    work(run.pk)
    assert desk.get(reverse("privacy:run", args=[run.pk])).text.count(expected) == 1


def test_what_the_page_said_is_what_the_run_does(desk) -> None:
    something_due()
    tonight = figures(desk.post(reverse("privacy:tonight"), {"now": "1"}))
    assert desk.post(reverse("privacy:run_start")).status_code == 302
    run = RetentionRun.objects.get()
    page = desk.get(reverse("privacy:run", args=[run.pk]))
    assert run.state == RetentionRun.State.DONE
    assert figures(page) == tonight
    assert not Document.objects.exists() and set(Customer.objects.values_list("number", flat=True)) == {"1", "2"}
    assert [row.pk for row in desk.get(reverse("privacy:runs")).context["page"].rows] == [run.pk]


def test_nothing_due_is_said_too(desk) -> None:
    assert "Nothing would be due." in desk.post(reverse("privacy:tonight")).text
    run = plan_run(date(2000, 1, 3))
    work(run.pk)
    assert "Nothing was due." in desk.get(reverse("privacy:run", args=[run.pk])).text


def test_a_guarded_run_waits_for_the_button(desk, officer) -> None:
    crowd()
    told = desk.post(reverse("privacy:tonight"), {"now": "1"})
    assert f"{SPEAKS_FROM - 1} customers would go: the run would wait for a person." in told.text
    desk.post(reverse("privacy:run_start"))
    run = RetentionRun.objects.get()
    assert run.state == RetentionRun.State.GUARDED and Customer.objects.count() == SPEAKS_FROM
    page = desk.get(reverse("privacy:run", args=[run.pk]))
    assert f"{SPEAKS_FROM - 1} customers would go" in page.text
    assert reverse("privacy:runs") in desk.get(reverse("privacy:cockpit")).text

    assert desk.post(reverse("privacy:run_approve", args=[run.pk])).status_code == 302
    run.refresh_from_db()
    assert (run.state, run.approved_by) == (RetentionRun.State.DONE, officer)
    assert Customer.objects.get().number == "0"
    again = desk.post(reverse("privacy:run_approve", args=[run.pk]), follow=True)
    assert "This run does not wait any more." in again.text
    assert again.text.count("Petra Privat") == 2  # whose page it is, and who approved


def test_a_run_planned_later_takes_the_place_of_one_that_waits(desk) -> None:
    crowd()
    first = plan_run(timezone.localdate())
    second = plan_run(timezone.localdate())
    first.refresh_from_db()
    assert (first.state, second.state) == (RetentionRun.State.CANCELLED, RetentionRun.State.GUARDED)
    answer = desk.post(reverse("privacy:run_approve", args=[first.pk]), follow=True)
    assert "This run does not wait any more." in answer.text
    assert Customer.objects.count() == SPEAKS_FROM


def test_what_failed_is_shown_and_names_nobody(desk) -> None:
    something_due()
    customer = Customer.objects.get(number="1")
    Note.objects.create(customer=customer, text="Ruft gern an.", created_at=at("2020-01-10"))
    with connection.cursor() as cursor:  # a table that refuses, as a broken disk or a forgotten trigger would
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'Alma Kanarienvogel stays'; END $$"
        )
        cursor.execute("CREATE TRIGGER refuse BEFORE DELETE ON customers_note FOR EACH ROW EXECUTE FUNCTION refuse()")
    desk.post(reverse("privacy:run_start"))
    run = RetentionRun.objects.get()
    assert run.state == RetentionRun.State.INCOMPLETE
    page = desk.get(reverse("privacy:run", args=[run.pk]))
    failed = run.batches.filter(state=RetentionBatch.State.FAILED)
    assert [(batch.model, batch.attempts) for batch in failed] == [("customers.Note", 3)]
    assert "What failed" in page.text and "Notes" in page.text and failed[0].error in page.text
    assert "Kanarienvogel" not in page.text
    assert figures(page)[failed[0].category]["failed"] == 1
    assert figures(page)["INV"]["deleted"] == 1  # the others went on
    assert Note.objects.count() == 1


def test_a_run_that_never_was_is_404(desk) -> None:
    nowhere = "00000000-0000-4000-8000-000000000000"
    assert desk.get(reverse("privacy:run", args=[nowhere])).status_code == 404
    assert desk.post(reverse("privacy:run_approve", args=[nowhere])).status_code == 404
