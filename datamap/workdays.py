"""The calendar of the law: months that clip, holidays of Germany and its federal states, working days."""

from calendar import monthrange
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from django.utils.translation import gettext_lazy as _

BERLIN = ZoneInfo("Europe/Berlin")

LANDS = [
    ("BW", _("Baden-Württemberg")),
    ("BY", _("Bavaria")),
    ("BE", _("Berlin")),
    ("BB", _("Brandenburg")),
    ("HB", _("Bremen")),
    ("HH", _("Hamburg")),
    ("HE", _("Hesse")),
    ("MV", _("Mecklenburg-Western Pomerania")),
    ("NI", _("Lower Saxony")),
    ("NW", _("North Rhine-Westphalia")),
    ("RP", _("Rhineland-Palatinate")),
    ("SL", _("Saarland")),
    ("SN", _("Saxony")),
    ("ST", _("Saxony-Anhalt")),
    ("SH", _("Schleswig-Holstein")),
    ("TH", _("Thuringia")),
]

SATURDAY, SUNDAY = 5, 6
FARTHEST = timedelta(hours=16)
"""No place has ever had a clock so far from that of Greenwich, and the database takes none."""


def local_date(value: date | datetime, zone: ZoneInfo = BERLIN) -> date:
    """The legal date of an instant (C1): first to the controller's zone, then the day. A date stays
    itself."""
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise ValueError("An instant without a zone has no legal date.")
    return value.astimezone(zone).date()


def is_on_earth(at: datetime) -> bool:
    """Whether the zone of an instant that somebody else has written is that of some place."""
    offset = at.utcoffset()
    return offset is not None and abs(offset) < FARTHEST


def day_begins(day: date, zone: ZoneInfo = BERLIN) -> datetime:
    """The first instant of a legal date."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def add_months(day: date, months: int) -> date:
    """The same day number that many months on, clipped to the last day of the month (C2, Reg. 1182/71 Art.
    3(2)(c))."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def holiday_name(day: date, land: str | None = None) -> str | None:
    """The English name of the public holiday on that day, or None; with `land` the regional ones count,
    too."""
    return _calendar(land, day.year).get(day)


def why_not_workday(day: date, land: str | None = None) -> str | None:
    """What keeps a day from being a working day: the holiday, "Saturday", "Sunday"; None on a working day."""
    if name := holiday_name(day, land):
        return name
    return {SATURDAY: "Saturday", SUNDAY: "Sunday"}.get(day.weekday())


def is_workday(day: date, land: str | None = None) -> bool:
    """Neither holiday nor Saturday nor Sunday (Reg. 1182/71 Art. 2)."""
    return why_not_workday(day, land) is None


def shifts_from(day: date, land: str | None = None) -> list[tuple[date, str]]:
    """The days a period ending on `day` skips, each with its reason (Reg. 1182/71 Art. 3(4), BGB § 193)."""
    skipped = []
    while why := why_not_workday(day, land):
        skipped.append((day, why))
        day += timedelta(days=1)
    return skipped


def next_workday(day: date, land: str | None = None) -> date:
    """The day itself when it is a working day, else the next one that is."""
    return day + timedelta(days=len(shifts_from(day, land)))


@lru_cache(maxsize=256)
def _calendar(land: str | None, year: int) -> dict[date, str]:
    return dict(holidays.country_holidays("DE", subdiv=land, years=year, language="en_US"))
