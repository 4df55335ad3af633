"""The legal scenarios P01 to P04 and P18: deadlines of requests and breaches."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from privacy.deadlines import breach_deadline, request_deadline

BERLIN = ZoneInfo("Europe/Berlin")


def test_P01_month_end_without_shift():
    found = request_deadline(datetime(2026, 8, 31, 10, tzinfo=BERLIN), as_of=date(2026, 9, 1))
    assert found.due == date(2026, 9, 30)
    assert found.extension_notice_due == date(2026, 9, 30)
    assert found.shifts == []


@pytest.mark.parametrize("day", [29, 30, 31])
def test_P02_short_month_and_sunday(day):
    found = request_deadline(date(2027, 1, day), as_of=date(2027, 2, 1))
    assert found.raw_end == date(2027, 2, 28)
    assert found.due == date(2027, 3, 1)


def test_P03_christmas_chain():
    found = request_deadline(date(2026, 11, 25), as_of=date(2026, 12, 1))
    assert found.raw_end == date(2026, 12, 25)
    assert found.shifts == [
        (date(2026, 12, 25), "Christmas Day"),
        (date(2026, 12, 26), "Second Day of Christmas"),
        (date(2026, 12, 27), "Sunday"),
    ]
    assert found.due == date(2026, 12, 28)


def test_P04_extension_counts_from_receipt():
    received = date(2026, 11, 30)
    assert request_deadline(received, as_of=date(2026, 12, 1)).due == date(2026, 12, 30)
    in_time = request_deadline(received, extended_on=date(2026, 12, 29), as_of=date(2026, 12, 29))
    assert in_time.raw_end == date(2027, 2, 28)
    assert (in_time.due, in_time.status) == (date(2027, 3, 1), "extended")
    late = request_deadline(received, extended_on=date(2026, 12, 31), as_of=date(2026, 12, 31))
    assert (late.due, late.status, late.notice_late) == (date(2026, 12, 30), "overdue", True)


def test_P18_72_hours_across_the_end_of_summer_time():
    aware = datetime(2026, 10, 24, 10, tzinfo=BERLIN)
    found = breach_deadline(aware, hours=72, as_of=datetime(2026, 10, 27, 9, tzinfo=BERLIN))
    assert found.due == datetime(2026, 10, 27, 8, tzinfo=UTC)
    assert found.due.isoformat() == "2026-10-27T09:00:00+01:00"
    assert found.status == "open"
    assert breach_deadline(aware, hours=72, as_of=datetime(2026, 10, 27, 9, 30, tzinfo=BERLIN)).status == "overdue"
