"""The command `deadline` as the contract prints it, and dates worked out by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from datamap.models import Controller
from datamap.workdays import BERLIN, local_date

pytestmark = pytest.mark.django_db


def ask(line: str) -> dict:
    out = StringIO()
    call_command("deadline", *line.split(), "--json", stdout=out)
    return json.loads(out.getvalue())


def test_the_first_example_of_the_contract():
    line = "--received 2026-09-11T09:00 --asked-on 2026-09-14 --answered-on 2026-09-21 --as-of 2026-09-22"
    assert ask(line) == {
        "due": "2026-10-19",
        "extension_notice_due": "2026-10-12",
        "raw_end": "2026-10-18",
        "shifts": [{"date": "2026-10-18", "why": "Sunday"}],
        "suspended_days": 7,
        "status": "open",
        "rule": "art12_3",
    }


def test_the_second_example_of_the_contract():
    assert ask("--received 2026-10-24T10:00 --kind breach --as-of 2026-10-25") == {
        "due": "2026-10-27T09:00:00+01:00",
        "extension_notice_due": None,
        "raw_end": None,
        "shifts": [],
        "suspended_days": 0,
        "status": "open",
        "rule": "art33_1",
    }


@pytest.mark.parametrize(
    ("line", "raw", "due"),
    [
        # a leap year has the 29th, a common one has not
        ("--received 2028-01-31", "2028-02-29", "2028-02-29"),
        ("--received 2026-01-31", "2026-02-28", "2026-03-02"),
        ("--received 2028-01-29", "2028-02-29", "2028-02-29"),
        # Saturday the 31st of a month of 30 days: clipped, then a working day
        ("--received 2026-10-31", "2026-11-30", "2026-11-30"),
        ("--received 2027-05-31", "2027-06-30", "2027-06-30"),
        # New Year on a Friday: 1, 2 and 3 January are skipped
        ("--received 2026-12-01", "2027-01-01", "2027-01-04"),
        # Good Friday, Saturday, Easter Sunday, Easter Monday of 2027
        ("--received 2027-02-26", "2027-03-26", "2027-03-30"),
        # Saturday, Whit Sunday, Whit Monday of 2027
        ("--received 2027-04-15", "2027-05-15", "2027-05-18"),
        # Ascension of 2026 is Thursday 14 May
        ("--received 2026-04-14", "2026-05-14", "2026-05-15"),
        # 3 October 2026 is a Saturday
        ("--received 2026-09-03", "2026-10-03", "2026-10-05"),
        # an extension counts three months from receipt: from the 30th to the end of a leap February
        ("--received 2027-11-30 --extended-on 2027-12-30", "2028-02-29", "2028-02-29"),
        # announced on the last day that is allowed, which was itself shifted (raw end Sunday 8 November 2026)
        ("--received 2026-10-08 --extended-on 2026-11-09", "2027-01-08", "2027-01-08"),
        # four days of waiting carry the end over Christmas: 25 + 4 = 29 December, a Tuesday
        ("--received 2026-11-25 --asked-on 2026-11-26 --answered-on 2026-11-30", "2026-12-29", "2026-12-29"),
        # one day of waiting ends on the second holiday and is shifted from there
        ("--received 2026-11-25 --asked-on 2026-11-26 --answered-on 2026-11-27", "2026-12-26", "2026-12-28"),
        # asked and answered on the same day
        ("--received 2026-09-11 --asked-on 2026-09-11 --answered-on 2026-09-11", "2026-10-11", "2026-10-12"),
        # ten days of waiting and an extension: 28 February + 10
        (
            "--received 2026-11-30 --asked-on 2026-12-03 --answered-on 2026-12-13 --extended-on 2026-12-29",
            "2027-03-10",
            "2027-03-10",
        ),
    ],
)
def test_dates_worked_out_by_hand(line, raw, due):
    found = ask(f"{line} --as-of 2026-01-01")
    assert (found["raw_end"], found["due"]) == (raw, due)


@pytest.mark.parametrize(
    ("line", "days", "due"),
    [
        ("--received 2026-09-01 --asked-on 2026-09-08 --answered-on 2026-09-18", 10, "2026-10-12"),  # 7 days later
        ("--received 2026-09-01 --asked-on 2026-09-09 --answered-on 2026-09-18", 0, "2026-10-01"),  # 8: too late
        # nobody has answered yet: the clock stands until the day of the evaluation
        ("--received 2026-09-01 --asked-on 2026-09-02 --as-of 2026-09-12", 10, "2026-10-12"),
        ("--received 2026-09-01 --asked-on 2026-09-02 --as-of 2026-09-01", 0, "2026-10-01"),
    ],
)
def test_only_a_prompt_question_stops_the_clock(line, days, due):
    found = ask(line if "--as-of" in line else f"{line} --as-of 2026-09-20")
    assert (found["suspended_days"], found["due"], found["extension_notice_due"]) == (days, due, "2026-10-01")


def test_the_last_day_of_the_notice_does_not_move_with_the_waiting():
    # Announced on 5 October: before the suspended end, after the month that counts for the notice.
    line = "--received 2026-09-01 --asked-on 2026-09-02 --answered-on 2026-09-12 --extended-on 2026-10-02"
    found = ask(f"{line} --as-of 2026-10-03")
    assert (found["extension_notice_due"], found["due"], found["status"]) == ("2026-10-01", "2026-10-12", "overdue")


@pytest.mark.parametrize(
    ("as_of", "status"), [("2026-09-30", "open"), ("2026-10-01", "overdue"), ("2026-08-01", "open")]
)
def test_a_request_is_overdue_the_day_after(as_of, status):
    assert ask(f"--received 2026-08-31 --as-of {as_of}")["status"] == status


def test_an_extended_request_can_be_overdue_too():
    line = "--received 2026-08-31 --extended-on 2026-09-15"
    assert ask(f"{line} --as-of 2026-11-30")["status"] == "extended"
    assert ask(f"{line} --as-of 2026-12-01")["status"] == "overdue"


def test_regional_holidays_count_only_where_asked_for():
    # 30 September 2028 + one month + one day of waiting = Reformation Day, a Tuesday.
    line = "--received 2028-09-30 --asked-on 2028-10-02 --answered-on 2028-10-03 --as-of 2028-10-04"
    assert ask(line)["due"] == "2028-10-31"
    assert ask(f"{line} --regional HH")["due"] == "2028-11-01"
    assert ask(f"{line} --regional BY")["due"] == "2028-10-31"
    # All Saints' Day, a Wednesday, is a holiday of Bavaria and not of Hamburg.
    assert ask("--received 2028-10-01 --as-of 2028-10-02 --regional by")["due"] == "2028-11-02"
    assert ask("--received 2028-10-01 --as-of 2028-10-02 --regional HH")["due"] == "2028-11-01"


def test_the_controller_switches_the_holidays_of_its_state_on():
    Controller(land="HH", regional_holidays=True).save()
    assert ask("--received 2028-07-31 --extended-on 2028-08-01 --as-of 2028-08-02")["due"] == "2028-11-01"
    # A state that is named wins over the one of the seat.
    assert ask("--received 2028-07-31 --extended-on 2028-08-01 --regional BE --as-of 2028-08-02")["due"] == "2028-10-31"


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-03-28T10:00", "2026-03-31T11:00:00+02:00"),  # the clock goes forward: one hour later by the clock
        ("2026-10-25T02:30", "2026-10-28T01:30:00+01:00"),  # comes twice that night: the earlier one is meant
        ("2026-10-24T10:00:00+00:00", "2026-10-27T11:00:00+01:00"),
        ("2026-12-24", "2026-12-27T00:00:00+01:00"),  # a day alone counts from its first instant
        ("2026-12-23T18:45:30", "2026-12-26T18:45:30+01:00"),  # holidays do not stop it
    ],
)
def test_72_hours_pass_by_the_world_s_clock(received, due):
    assert ask(f"--received {received} --kind breach --as-of 2026-01-01")["due"] == due


def test_a_breach_is_overdue_when_the_instant_is_past():
    line = "--received 2026-10-24T10:00 --kind breach"
    assert ask(f"{line} --as-of 2026-10-27")["status"] == "open"
    assert ask(f"{line} --as-of 2026-10-28")["status"] == "overdue"


def test_an_instant_is_a_day_of_the_controller():
    # Half past eleven at night in Greenwich is the next day in Hamburg, and still the same in Lisbon.
    line = "--received 2026-08-30T23:30:00+00:00 --as-of 2026-09-01"
    assert ask(line)["due"] == "2026-09-30"
    Controller(zone="Europe/Lisbon").save()
    assert ask("--received 2026-12-30T23:30:00+00:00 --as-of 2027-01-01")["raw_end"] == "2027-01-30"


def test_today_is_the_default():
    today = local_date(timezone.now(), BERLIN)
    long_ago = date(today.year - 1, 1, 15)
    assert ask(f"--received {today}")["status"] == "open"
    assert ask(f"--received {long_ago}")["status"] == "overdue"
    now = datetime.now(BERLIN).isoformat()
    assert ask(f"--received {now} --kind breach")["status"] == "open"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--received 2026-02-30", "no date"),
        ("--received yesterday", "no date"),
        ("--received 2026-03-29T02:30", "skips 02:30"),
        ("--received 2026-09-01 --asked-on 2026-09-31", "no date"),
        ("--received 2026-09-10 --asked-on 2026-09-09 --answered-on 2026-09-12", "before the request was received"),
        ("--received 2026-09-10 --asked-on 2026-09-12 --answered-on 2026-09-11", "answered before it was asked"),
        ("--received 2026-09-10 --answered-on 2026-09-11", "needs the day of its question"),
        ("--received 2026-09-10 --extended-on 2026-09-09", "announced before the request was received"),
        ("--received 9999-12-30", "calendar ends"),
        ("--received 9999-12-31T10:00 --kind breach", "calendar ends"),
        ("--received 2026-09-10 --kind breach --extended-on 2026-09-11", "no extension"),
        ("--received 2026-09-10 --kind breach --regional BY", "no extension"),
        ("--received 2026-09-10 --as-of 2026-13-01", "no date"),
    ],
)
def test_dates_that_do_not_exist_or_contradict_exit_with_2(line, words):
    with pytest.raises(CommandError, match=words) as refusal:
        ask(line)
    assert refusal.value.returncode == 2


@pytest.mark.parametrize("line", ["--received 2026-02-30", "--received 2026-02-03 --regional XX", ""])
def test_bad_arguments_print_nothing_to_standard_output(line):
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "manage.py", "deadline", *line.split(), "--json"], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_plain_output_shows_the_same_facts():
    out = StringIO()
    call_command("deadline", "--received", "2026-11-25", "--as-of", "2026-11-26", stdout=out)
    assert "due: 2026-12-28" in out.getvalue()
    assert "2026-12-27 Sunday" in out.getvalue()
