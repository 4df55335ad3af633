"""What each app does around an erasure, an objection to advertising and a restriction; the rights above call them all.

Rows end by their declarations. Here stands only what no declaration can say: figures to recount, words to drop, work to
stop. Every function is called with a set of customers, inside the transaction that does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured

First = Callable[..., Mapping[str, set[Any]]]
"""(customer ids, the day, asked=whether the persons asked for it): before anybody looks at their rows; answers label ->
keys of the rows it wrote."""
Before = Callable[[list[int]], Any]
"""(customer ids): their rows still stand."""
After = Callable[[list[int], list[UUID]], Any]
"""(customer ids, their `subject_ref` in the same order): their rows are gone or blocked."""
Objection = Callable[[list[int], datetime], Any]
"""(customer ids, since when): no advertising and no profile for it from now on (Art. 21(2), (3) GDPR)."""
Restriction = Callable[[list[int], bool], Any]
"""(customer ids, whether the restriction begins; it ends otherwise) (Art. 18 GDPR)."""

_first: dict[str, First] = {}
_before: dict[str, Before] = {}
_after: dict[str, After] = {}
_objection: dict[str, Objection] = {}
_restriction: dict[str, Restriction] = {}


def register_first(app: str, callback: First) -> None:
    """To be called before the rows of persons who are to be erased are looked at; from an app's `ready`.

    Here an app writes what their end itself makes happen, so that it shares the fate of the rows that were there.
    """
    _add(_first, app, callback)


def register_before(app: str, callback: Before) -> None:
    """To be called before the rows of erased persons go; from an app's `ready`."""
    _add(_before, app, callback)


def register_after(app: str, callback: After) -> None:
    """To be called when the rows of erased persons are gone."""
    _add(_after, app, callback)


def register_objection(app: str, callback: Objection) -> None:
    """To be called when customers object to advertising."""
    _add(_objection, app, callback)


def register_restriction(app: str, callback: Restriction) -> None:
    """To be called when the restriction of customers begins or ends."""
    _add(_restriction, app, callback)


def first(ids: Sequence[int], day: date, *, asked: bool) -> dict[str, set[Any]]:
    """Call what the apps do before the rows of these persons are looked at; label -> keys of the rows that came to be.

    A plan knows nothing of these: who compares a run with it leaves them out.
    """
    written: dict[str, set[Any]] = {}
    for callback in _first.values():
        written |= callback(list(ids), day, asked=asked)
    return written


def before(ids: Sequence[int]) -> None:
    """Call what the apps do before the rows of these persons go."""
    for callback in _before.values():
        callback(list(ids))


def after(ids: Sequence[int], subject_refs: Sequence[UUID]) -> None:
    """Call what the apps do when the rows of these persons are gone."""
    for callback in _after.values():
        callback(list(ids), list(subject_refs))


def objected(ids: Sequence[int], at: datetime) -> None:
    """Call what the apps do when these customers object to advertising."""
    for callback in _objection.values():
        callback(list(ids), at)


def restricted(ids: Sequence[int], begins: bool) -> None:
    """Call what the apps do when the restriction of these customers begins or ends."""
    for callback in _restriction.values():
        callback(list(ids), begins)


@contextmanager
def registered_temporarily() -> Iterator[None]:
    """For tests: whatever is registered inside is forgotten afterwards."""
    registries: list[dict[str, Any]] = [_first, _before, _after, _objection, _restriction]
    kept = [dict(registry) for registry in registries]
    try:
        yield
    finally:
        for registry, known in zip(registries, kept, strict=True):
            registry.clear()
            registry.update(known)


def _add(registry: dict[str, Any], app: str, callback: Callable[..., Any]) -> None:
    if registry.setdefault(app, callback) is not callback:
        raise ImproperlyConfigured(f"{app} is registered twice.")
