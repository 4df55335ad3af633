"""Answers which holds stand on a datum: floors above that keep holds register here, explanations ask (4.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

Held = Callable[[str, date, date, str | None], list[dict[str, Any]]]
"""(key of the catalogue, start day, day of the question, customer number or None) -> [{kind, scope, reason, review}]"""

_sources: list[Held] = []


class UnknownSubject(LookupError):
    """There is no such customer."""


def register_holds(source: Held) -> None:
    """Ask this source too; called from an app's `ready`."""
    if source not in _sources:
        _sources.append(source)


def holds_on(key: str, start: date, as_of: date, number: str | None = None) -> list[dict[str, Any]]:
    """Every hold that stands on data of this category and start, and of this person if one is named.

    Raises UnknownSubject where a source knows no such person.
    """
    return [hold for source in _sources for hold in source(key, start, as_of, number)]


@contextmanager
def registered_temporarily() -> Iterator[None]:
    """For tests: sources registered inside are forgotten afterwards."""
    before = list(_sources)
    try:
        yield
    finally:
        _sources[:] = before
