"""Until when a request must be answered and a breach notified: pure functions of dates and a calendar (Art. 12(3), 33).

Nothing here reads a database or a clock. Facts are taken as given; `as_of` decides about "overdue" alone (C7).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from datamap.workdays import BERLIN, add_months, local_date, shifts_from

OPEN, EXTENDED, OVERDUE = "open", "extended", "overdue"
REQUEST_RULE, BREACH_RULE = "art12_3", "art33_1"
# Art. 12(3): one month, and two further ones where the notice went out in time.
MONTHS, EXTENDED_MONTHS = 1, 3
# A question about identity later than this was not asked "without undue delay": the clock runs on (domain.md 1.4).
PROMPT_DAYS = 7
# The desk aims at this many days before the last one.
TARGET_DAYS = 7


class UnfitDates(ValueError):
    """Dates that contradict each other; the text is a sentence for a person."""


@dataclass(frozen=True)
class Deadline:
    """A last day with everything it was computed from (C6)."""

    received: date
    due: date
    extension_notice_due: date
    raw_end: date
    shifts: list[tuple[date, str]]
    suspended_days: int
    status: str
    months: int = MONTHS
    notice_late: bool = False
    question_late: bool = False
    rule: str = REQUEST_RULE

    @property
    def target(self) -> date:
        """The day the desk aims at, never before the receipt."""
        return max(self.due - timedelta(days=TARGET_DAYS), self.received)

    def as_dict(self) -> dict[str, object]:
        """What the command prints."""
        return {
            "due": self.due.isoformat(),
            "extension_notice_due": self.extension_notice_due.isoformat(),
            "raw_end": self.raw_end.isoformat(),
            "shifts": [{"date": day.isoformat(), "why": why} for day, why in self.shifts],
            "suspended_days": self.suspended_days,
            "status": self.status,
            "rule": self.rule,
        }


@dataclass(frozen=True)
class BreachDeadline:
    """The last instant at which the authority may be notified without giving reasons for the delay."""

    aware_at: datetime
    due: datetime
    status: str
    rule: str = BREACH_RULE
    shifts: list[tuple[date, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """What the command prints."""
        return {
            "due": self.due.isoformat(timespec="seconds"),
            "extension_notice_due": None,
            "raw_end": None,
            "shifts": [],
            "suspended_days": 0,
            "status": self.status,
            "rule": self.rule,
        }


def request_deadline(
    received: date | datetime,
    *,
    as_of: date,
    extended_on: date | None = None,
    asked_on: date | None = None,
    answered_on: date | None = None,
    extent: tuple[date, date | None] | None = None,
    land: str | None = None,
    zone: ZoneInfo = BERLIN,
) -> Deadline:
    """The last day of a request (Art. 12(3) GDPR; Reg. 1182/71 Art. 3).

    `extended_on`: the notice with reasons went out on that day. `asked_on`, `answered_on`: the question about identity
    or extent and its answer; without an answer the clock stands until `as_of`. `extent`: the same two days of a second
    question; a day on which both were open stops the clock once. `land`: its holidays count, too.
    Raises UnfitDates.
    """
    start = local_date(received, zone)
    _refuse_contradictions(start, extended_on, asked_on, answered_on)
    if extent is not None:
        _refuse_contradictions(start, None, *extent)
    try:
        first_raw = add_months(start, MONTHS)
        notice_due = _shifted(first_raw, land)[0]
        second: tuple[date | None, date | None] = extent or (None, None)
        stood = _stood(start, asked_on, answered_on, as_of) | _stood(start, second[0], second[1], as_of)
        suspended = len(stood)
        notice_late = extended_on is not None and extended_on > notice_due
        extended = extended_on is not None and not notice_late
        months = EXTENDED_MONTHS if extended else MONTHS
        # Counted from the receipt, never chained from a day that was shifted.
        raw_end = add_months(start, months) + timedelta(days=suspended)
        due, shifts = _shifted(raw_end, land)
    except (ValueError, OverflowError) as error:
        raise UnfitDates("The calendar ends before this period does.") from error
    status = OVERDUE if as_of > due or notice_late else EXTENDED if extended else OPEN
    return Deadline(
        start,
        due,
        notice_due,
        raw_end,
        shifts,
        suspended,
        status,
        months,
        notice_late,
        question_late=asked_on is not None and not is_prompt(start, asked_on),
    )


def breach_deadline(
    aware_at: datetime, *, as_of: date | datetime, hours: int, zone: ZoneInfo = BERLIN
) -> BreachDeadline:
    """So many elapsed hours after becoming aware (Art. 33(1) GDPR): neither weekends nor a change of the clock stop
    them. How many is a matter of the law's version (`privacy.breach_law`).

    A day as `as_of` is over before it is past: overdue from the day after. Raises UnfitDates.
    """
    if aware_at.tzinfo is None:
        raise UnfitDates("An instant needs its zone.")
    try:
        due = (aware_at.astimezone(UTC) + timedelta(hours=hours)).astimezone(zone)
    except (ValueError, OverflowError) as error:
        raise UnfitDates("The calendar ends before this period does.") from error
    late = as_of > due if isinstance(as_of, datetime) else as_of > due.date()
    return BreachDeadline(aware_at.astimezone(zone), due, OVERDUE if late else OPEN)


def is_prompt(received: date, asked_on: date) -> bool:
    """Whether a question was asked soon enough to stop the clock."""
    return (asked_on - received).days <= PROMPT_DAYS


def instant(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    """An instant as people write it: a day (its first instant), a local time, or one with its offset.

    A local time that comes twice when summer time ends is the earlier one: the earlier deadline is the safe one.
    Raises UnfitDates for what is no date, and for a local time that summer time skips.
    """
    try:
        value = datetime.fromisoformat(text)
        if value.tzinfo is not None:
            return value.astimezone(zone)
        local = value.replace(tzinfo=zone)
        if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != value:
            raise UnfitDates(f"On {value.date()} the clock skips {value.time():%H:%M} in {zone.key}.")
    except UnfitDates:
        raise
    except (ValueError, OverflowError) as error:
        raise UnfitDates(f"{text!r} is no date or instant.") from error
    return local


def calendar_day(text: str, zone: ZoneInfo = BERLIN) -> date:
    """A day, or the legal date of an instant. Raises UnfitDates."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return local_date(instant(text, zone), zone)


def _refuse_contradictions(
    start: date, extended_on: date | None, asked_on: date | None, answered_on: date | None
) -> None:
    if extended_on is not None and extended_on < start:
        raise UnfitDates("The extension was announced before the request was received.")
    if asked_on is not None and asked_on < start:
        raise UnfitDates("The question was asked before the request was received.")
    if answered_on is not None and asked_on is None:
        raise UnfitDates("An answer needs the day of its question.")
    if asked_on is not None and answered_on is not None and answered_on < asked_on:
        raise UnfitDates("The question was answered before it was asked.")


def _stood(start: date, asked_on: date | None, answered_on: date | None, as_of: date) -> set[int]:
    """The days, as ordinals, from a prompt question to its answer."""
    if asked_on is None or not is_prompt(start, asked_on):
        return set()
    return set(range(asked_on.toordinal(), (answered_on or as_of).toordinal()))


def _shifted(day: date, land: str | None) -> tuple[date, list[tuple[date, str]]]:
    skipped = shifts_from(day, land)
    return day + timedelta(days=len(skipped)), skipped
