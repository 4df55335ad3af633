"""Answers who the shop is and how its dates are computed."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import zip_longest
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model
from django.utils import timezone

from datamap.catalogue import cutoff, period_in_words, rule_for
from datamap.models import Controller
from datamap.preparing import Standing
from datamap.workdays import day_begins, local_date

_CONTROLLER = Standing(lambda _none: Controller.objects.filter(pk=1))


@dataclass(frozen=True)
class Change:
    """One saving of the controller: when, by whom, and per field what stood before and what came."""

    at: datetime
    by: Any
    fields: list[tuple[Any, Any, Any]]


def controller() -> Controller:
    """The one row, or its defaults where nobody has saved it yet.

    It is read each time by primary key: a page asks once, and a cached copy would let a worker compute dates
    with settings that have been changed elsewhere. Set-wise work asks once and passes the answer on.
    """
    return next(iter(_CONTROLLER()), None) or Controller(pk=1)


def legal_zone(who: Controller | None = None) -> ZoneInfo:
    """The zone whose calendar counts (C1)."""
    return ZoneInfo((who or controller()).zone)


def kept_since(key: str, as_of: date) -> datetime | None:
    """The first instant from which rows of this category may not be deleted yet on a day, by the rules and the
    settings of the controller, margin included (C4); None where all of them are kept."""
    who = controller()
    last = cutoff(key, as_of, margin_days=who.execution_margin_days, supervised=who.supervised_financial)
    return None if last is None else day_begins(last + timedelta(days=1), legal_zone(who))


def other_period(key: str, usual: str, on: date | None = None) -> str:
    """The period of a rule of that day, or of today, in words; "" where it is the one that a text says by itself.

    `usual` is number, unit and, for the end of the year, a capital E: "14d", "5yE".
    """
    who = controller()
    day = on or local_date(timezone.now(), legal_zone(who))
    rule = rule_for(key, day, supervised=who.supervised_financial)
    said = f"{rule.number}{rule.unit}{'E' if rule.year_end else ''}"
    return "" if said == usual else period_in_words(rule)


def recent_changes(limit: int = 10) -> list[Change]:
    """The last savings, newest first."""
    kept = list(Controller.history.order_by("-history_date", "-history_id")[: limit + 1])
    people = get_user_model()._default_manager.in_bulk({row.history_user_id for row in kept} - {None})
    changes = []
    for row, before in zip_longest(kept, kept[1:]):
        fields = []
        if before is not None:
            delta = row.diff_against(before)
            fields = [
                (
                    getattr(Controller._meta.get_field(change.field), "verbose_name", change.field),
                    change.old,
                    change.new,
                )
                for change in delta.changes
            ]
        changes.append(Change(row.history_date, people.get(row.history_user_id), fields))
    return changes[:limit]
