"""The command `explain_retention` as the contract prints it."""

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from datamap.models import Controller

pytestmark = pytest.mark.django_db

KEYS = {
    "rule_key",
    "rule_version",
    "variant",
    "start_event",
    "start_date",
    "end",
    "deletable_from",
    "why",
    "holds",
    "statute",
}


def ask(*args: str) -> dict:
    out = StringIO()
    call_command("explain_retention", *args, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_the_example_of_the_contract() -> None:
    said = ask("INV", "--start", "2016-03-10", "--as-of", "2025-01-01")
    why = said.pop("why")
    assert why
    assert all(isinstance(reason, str) for reason in why)
    said.pop("executable_from")
    assert said == {
        "rule_key": "INV",
        "rule_version": 2,
        "variant": None,
        "start_event": "issued_at",
        "start_date": "2016-03-10",
        "end": "2024-12-31",
        "deletable_from": "2025-01-01",
        "holds": [],
        "statute": "AO § 147(3),(4); HGB § 257(4); UStG § 14b; EGAO Art. 97 § 19a(2); UStG § 27(40)",
    }


@pytest.mark.parametrize(
    ("zone", "start", "started", "deletable_from"),
    [
        ("Europe/Berlin", "2026-12-31T23:30:00Z", "2027-01-01", "2036-01-01"),  # P07
        ("Europe/Lisbon", "2026-12-31T23:30:00Z", "2026-12-31", "2035-01-01"),
        ("Europe/Helsinki", "2026-12-31T22:30:00Z", "2027-01-01", "2036-01-01"),
        ("Europe/Helsinki", "2026-12-31T23:30:00", "2026-12-31", "2035-01-01"),
    ],
)
def test_an_instant_has_its_day_where_the_shop_has_its_seat(
    zone: str, start: str, started: str, deletable_from: str
) -> None:
    """C1: as the run of the night counts, by the zone of the settings."""
    Controller(zone=zone).save()
    said = ask("INV", "--start", start, "--as-of", "2027-06-01")
    assert (said["start_date"], said["deletable_from"]) == (started, deletable_from)


def test_people_read_sentences_in_one_language() -> None:
    out = StringIO()
    call_command("explain_retention", "INV", "--start", "2016-03-10", "--as-of", "2025-01-01", stdout=out)
    (why,) = (line for line in out.getvalue().splitlines() if line.startswith("why: "))
    assert why.startswith("why: Zählt ab 10.03.2016 (Ausstellungsdatum). Regel INV, Fassung 2: 8 Jahre ab Jahresende. ")
    with pytest.raises(CommandError, match=r"Schlüssel NOPE nicht\. Der Katalog kennt: ACCESSLOG, .* WEBLOG\.$"):
        call_command("explain_retention", "NOPE", "--start", "2026-01-01")


def test_every_key_of_the_contract_is_printed() -> None:
    assert set(ask("SUPPRESS", "--start", "2026-01-01")) >= KEYS


def test_options_reach_the_rule() -> None:
    assert ask("CONSENT-TEL", "--start", "2024-02-29", "--last-use", "2026-10-15")["end"] == "2031-10-15"
    repaired = ["--contract", "2026-08-01", "--repaired", "2027-01-01"]
    assert ask("WARR", "--start", "2026-08-10", *repaired)["deletable_from"] == "2029-08-11"
    assert ask("INV", "--start", "2016-03-10", "--supervised")["variant"] == "supervised"


def test_the_controller_decides_about_supervision_and_margin() -> None:
    Controller(supervised_financial=True, execution_margin_days=15).save()
    said = ask("INV", "--start", "2016-03-10", "--as-of", "2025-01-01")
    assert (said["deletable_from"], said["executable_from"]) == ("2027-01-01", "2027-01-16")


@pytest.mark.parametrize("key", ["PREF", "HISTORY", "MINOR", "VOUCHER:redeemed", "NOPE"])
def test_keys_without_a_period_of_their_own_exit_with_2(key: str) -> None:
    with pytest.raises(CommandError) as refusal:
        ask(key, "--start", "2026-01-01")
    assert refusal.value.returncode == 2


def test_the_refusal_names_the_key_to_ask() -> None:
    with pytest.raises(CommandError, match="ACCOUNT"):
        ask("PREF", "--start", "2026-01-01")


@pytest.mark.parametrize("start", ["2026-02-30", "yesterday", ""])
def test_a_date_that_does_not_exist_exits_with_2(start: str) -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "manage.py", "explain_retention", "INV", "--start", start, "--json"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout == ""


@pytest.mark.parametrize("more", [["--start", "0001-01-01T00:00+14:00"], ["--customer", "47\0"]])
def test_what_no_calendar_and_no_customer_has_exits_with_2(more: list[str]) -> None:
    with pytest.raises(CommandError) as refusal:
        ask("INV", "--start", "2026-01-01", *more)
    assert refusal.value.returncode == 2 or "argument --start" in str(refusal.value)  # argparse itself ends with 2


def test_a_date_out_of_reach_exits_with_2() -> None:
    with pytest.raises(CommandError) as refusal:
        ask("INV", "--start", "9998-01-01")
    assert refusal.value.returncode == 2


def test_plain_output_shows_the_same_facts() -> None:
    out = StringIO()
    call_command("explain_retention", "INV", "--start", "2016-03-10", "--as-of", "2025-01-01", stdout=out)
    assert "deletable_from: 2025-01-01" in out.getvalue()


def test_a_key_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(CommandError, match=r"Der Katalog kennt: .*\bINV\b") as refusal:
        ask("INVOICE", "--start", "2016-03-10")
    assert refusal.value.returncode == 2
