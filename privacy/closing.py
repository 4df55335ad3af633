"""Closes a request only when nothing is open: every store has confirmed, every recipient is accounted for (Art. 19)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from privacy import identifying, letters
from privacy.models import Request
from privacy.packages.knowing import mark_unknown
from privacy.steps import TRANSITIONS, State, Step, StepRefused, move, step_of
from staff.models import User

Ask = Callable[[Request], Sequence[str]]
Opens = Callable[[], Q]
BEFORE_CLOSED = tuple(state for state, following in TRANSITIONS.items() if State.CLOSED in following)


@dataclass(frozen=True)
class OpenPoint:
    """One kind of thing that may still be open; `ask` answers a sentence for each, `opens` says of which requests."""

    key: str
    label: Any
    ask: Ask
    opens: Opens


class StillOpen(StepRefused):
    """The request has open points; they are in `points`."""

    def __init__(self, points: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(words for _label, words in points))
        self.points = points


_points: dict[str, OpenPoint] = {}


def register_open_point(key: str, label: Any, ask: Ask, opens: Opens) -> None:
    """Have this asked before a request closes; called from `ready`. A key used for two things fails at start.

    `opens` chooses, as a condition on requests, exactly those for which `ask` has anything to say.
    """
    point = OpenPoint(key, label, ask, opens)
    if _points.setdefault(key, point).ask is not ask:
        raise ImproperlyConfigured(f"The open point {key} is registered twice.")


@contextmanager
def registered_temporarily() -> Iterator[None]:
    """For tests: whatever is registered inside is forgotten afterwards."""
    before = dict(_points)
    try:
        yield
    finally:
        _points.clear()
        _points.update(before)


def open_points(request: Request) -> list[tuple[str, str]]:
    """What is still open: the label of its kind, and a sentence."""
    return [(str(point.label), words) for point in _points.values() for words in point.ask(request)]


def closable(rows: QuerySet[Request]) -> QuerySet[Request]:
    """Those of the requests that `close` would close now: one question for all of them, whatever their number."""
    rows = rows.filter(closed_at__isnull=True, state__in=BEFORE_CLOSED)
    for point in _points.values():
        rows = rows.exclude(point.opens())
    return rows


def close(request: Request, *, version: int | None, by: User | None) -> None:
    """Close an answered or refused request. Raises StillOpen with what is open, StepRefused before the answer."""
    with step_of(request, version) as locked:
        if locked.closed_at is not None:
            raise StepRefused(_("This request is closed already."))
        if points := open_points(locked):
            raise StillOpen(points)
        identifying.drop_copies(locked, by=by)
        mark_unknown(locked)
        move(locked, State.CLOSED, Step.CLOSED, by=by)
        letters.note_closed(locked)
