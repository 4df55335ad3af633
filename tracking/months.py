"""The months in which visits lie: each is a partition, made ahead and dropped whole.

The app's role may read and write rows and make no tables: two functions of the database, which belong to the owner of
its tables, make and drop a month and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from django.db import connection

from datamap.workdays import BERLIN, add_months, day_begins

AHEAD = 2
"""So many months after the current one stand ready."""
_NAME = "tracking_visit_"


class Month(NamedTuple):
    """A month of local days, as the law counts them; the database has the same bounds."""

    first: date

    @property
    def begins(self) -> datetime:
        """The first instant that belongs to it."""
        return day_begins(self.first, BERLIN)

    @property
    def ends(self) -> datetime:
        """The first instant after it."""
        return day_begins(add_months(self.first, 1), BERLIN)


def month_of(day: date) -> Month:
    """The month of a local day."""
    return Month(day.replace(day=1))


def make(months: Iterable[Month]) -> int:
    """Make these months where they are missing; how many were. Two processes at once make each once."""
    made = 0
    with connection.cursor() as cursor:
        for month in sorted(set(months)):
            cursor.execute("SELECT tracking_make_month(%s)", [month.first])
            made += cursor.fetchone()[0]
    return made


def make_ahead(today: date) -> int:
    """Make the current month and the following, so that nobody has to wait for one."""
    return make(month_of(add_months(today.replace(day=1), after)) for after in range(AHEAD + 1))


def standing() -> list[Month]:
    """The months there are, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = 'tracking_visit'::regclass ORDER BY c.relname"
        )
        names = [name.removeprefix(_NAME) for (name,) in cursor.fetchall()]
    return [Month(date(int(name[:4]), int(name[4:]), 1)) for name in names]


def drop(month: Month) -> int:
    """Drop a month whole, in one statement; answers how many visits went with it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tracking_drop_month(%s)", [month.first])
        return cursor.fetchone()[0]
