"""When things happen in the demo: six years up to a day, busier every year and before Christmas, quiet at night."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from itertools import accumulate
from struct import Struct

from django.utils import timezone

from datamap.controlling import legal_zone

YEARS = 6
DAY = 86_400
OPENS = timedelta(hours=6)
"""The demo has come as far as this hour of its last day."""
_MONTHS = (0.86, 0.84, 0.95, 0.97, 0.92, 0.82, 0.74, 0.78, 0.95, 1.08, 1.45, 1.75)
_WEEKDAYS = (1.12, 1.05, 1.0, 0.98, 0.95, 0.85, 1.05)
# The share of a day's orders before each hour: hardly any at night.
_HOURS = (0, .012, .018, .022, .025, .03, .04, .065, .105, .155, .215, .275, .335, .39, .44, .49, .545, .605, .67,
    .74, .815, .885, .94, .98, 1)  # fmt: skip
# 32 numbers below 65536, the same for the same key and index whatever was drawn before.
Draws = tuple[int, ...]
WHOLE = 65_536
_INDEX, _WORDS = Struct("<q"), Struct("<32H")


def last_day(at: datetime) -> date:
    """The last day of a demo that is loaded at this instant: yesterday, as long as the shop has not opened."""
    return timezone.localdate(at - OPENS, legal_zone())


def drawing(seed: int, what: str) -> Callable[[int], Draws]:
    """A function that gives the 32 draws of the n-th thing of a kind."""
    key, pack, unpack = f"{seed} {what}".encode()[:64], _INDEX.pack, _WORDS.unpack

    def draw(index: int) -> Draws:
        return unpack(blake2b(pack(index), key=key).digest())

    return draw


class Clock:
    """Turns "the n-th of so many" into an instant, and says on which day and in which year it lies."""

    def __init__(self, as_of: date) -> None:
        zone = legal_zone()
        first = as_of - timedelta(days=365 * YEARS + YEARS // 4)
        days = [first + timedelta(days=n) for n in range((as_of - first).days + 2)]
        self.starts = [int(datetime(d.year, d.month, d.day, tzinfo=zone).timestamp()) for d in days]
        self.years = [day.year for day in days]
        self.first = first
        span = len(days) - 2
        weights = [
            (0.5 + n / span) * _MONTHS[day.month - 1] * _WEEKDAYS[day.weekday()] for n, day in enumerate(days[:-2])
        ]
        self._reached = [0.0, *accumulate(weights)]
        # The shop opens on the day itself; everything before it has happened.
        self.now = self.starts[-2] + int(OPENS.total_seconds())
        self.begin = self.starts[0]

    def at(self, fraction: float) -> int:
        """The instant (seconds since 1970) before which this share of everything has happened."""
        wanted = fraction * self._reached[-1]
        day = bisect_right(self._reached, wanted) - 1
        within = (wanted - self._reached[day]) / (self._reached[day + 1] - self._reached[day])
        hour = bisect_right(_HOURS, within) - 1
        part = (within - _HOURS[hour]) / (_HOURS[hour + 1] - _HOURS[hour])
        return self.starts[day] + int((hour + part) * 3600)

    def day_of(self, at: int) -> int:
        """Which day of the demo an instant lies on."""
        return bisect_right(self.starts, at) - 1

    def date_of(self, at: int) -> date:
        """The calendar day of an instant in the shop's zone."""
        return self.first + timedelta(days=self.day_of(at))

    def year_of(self, at: int) -> int:
        """The calendar year of an instant in the shop's zone."""
        return self.years[self.day_of(at)]

    def next_morning(self, at: int) -> int:
        """When the shop's run of the next morning comes to what was ordered then: later orders come later."""
        start = self.starts[self.day_of(at)]
        return start + DAY + 5 * 3600 + (at - start) // 100


def stamp(at: int | None) -> str:
    r"""An instant as COPY reads it; \N for none."""
    return "\\N" if at is None else datetime.fromtimestamp(at, UTC).isoformat()
