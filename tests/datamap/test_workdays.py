"""The calendar of Regulation 1182/71 and BGB § 193."""

from datetime import date

import pytest

from datamap.workdays import add_months, holiday_name, is_workday, next_workday, shifts_from

D = date.fromisoformat


def test_the_christmas_chain_of_2026_ends_on_monday() -> None:
    assert [day for day, _why in shifts_from(D("2026-12-25"))] == [
        D("2026-12-25"),
        D("2026-12-26"),
        D("2026-12-27"),
    ]
    assert shifts_from(D("2026-12-25"))[-1] == (D("2026-12-27"), "Sunday")
    assert next_workday(D("2026-12-25")) == D("2026-12-28")


@pytest.mark.parametrize(
    "day",
    [
        "2026-01-01",
        "2026-04-03",
        "2026-04-06",
        "2026-05-01",
        "2026-05-14",
        "2026-05-25",
        "2026-10-03",
        "2026-12-25",
    ],
)
def test_national_holidays_are_no_working_days(day: str) -> None:
    assert not is_workday(D(day))


def test_regional_holidays_count_only_when_asked() -> None:
    assert is_workday(D("2026-06-04"))  # Corpus Christi
    assert not is_workday(D("2026-06-04"), "BY")
    assert is_workday(D("2026-06-04"), "HH")
    assert not is_workday(D("2025-10-31"), "HH")  # Reformation Day
    assert is_workday(D("2025-10-31"))


def test_weekends_shift_and_working_days_stay() -> None:
    assert next_workday(D("2027-02-28")) == D("2027-03-01")
    assert next_workday(D("2026-10-18")) == D("2026-10-19")
    assert shifts_from(D("2026-10-18")) == [(D("2026-10-18"), "Sunday")]
    assert next_workday(D("2026-09-30")) == D("2026-09-30")


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        ("2026-08-31", 1, "2026-09-30"),
        ("2027-01-29", 1, "2027-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-01-31", -1, "2025-12-31"),
    ],
)
def test_months_keep_the_day_or_clip(day: str, months: int, then: str) -> None:
    assert add_months(D(day), months) == D(then)


def test_the_one_off_reformation_day_of_2017_was_national() -> None:
    assert holiday_name(D("2017-10-31")) is not None
