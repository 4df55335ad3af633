"""From when the period of a row counts, as an expression that the database computes."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, DateTimeField, F, Value, When
from django.db.models.functions import Cast, Coalesce

from datamap.declarations import By, Group, as_paths


def start_of(group: Group) -> Any:
    """The instant, or the day as one, from which the period of this group's rows counts; null where none is set, and
    where a person has still to decide about the row."""
    start = _start_of(group)
    if not group.unsettled:
        return start
    return Case(When(**group.unsettled, then=no_start()), default=start, output_field=DateTimeField())


def _start_of(group: Group) -> Any:
    if isinstance(group.start, By):
        field, choices = group.start.field, group.start.choices
        whens = [When(**{field: value}, then=_first(start)) for value, start in choices.items()]
        return Case(*whens, default=_first(group.start.default), output_field=DateTimeField())
    return _first(group.start)


def no_start() -> Any:
    """An empty column of a union, which needs its type."""
    return _first(None)


def _first(start: Any) -> Any:
    paths = [Cast(F(path), DateTimeField()) for path in as_paths(start)]
    if not paths:
        return Cast(Value(None), DateTimeField())
    return Coalesce(*paths) if len(paths) > 1 else paths[0]
