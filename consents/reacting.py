"""What floors above do at once when a consent to a purpose changes, from whatever source the change comes.

Callbacks run in the transaction that writes the ledger: what they delete goes with the withdrawal, or neither happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from consents.events import Event

Change = Callable[[Sequence[Event]], Any]
"""(events of one purpose, in the order in which they were written): the states follow them already."""

_changes: dict[tuple[str, str], Change] = {}


def register_change(purpose: str, app: str, callback: Change) -> None:
    """To be called when something happens to consents to this purpose; from an app's `ready`.

    An event that was told late need not have changed anything: whoever reacts asks for the state.
    """
    if _changes.setdefault((purpose, app), callback) is not callback:
        raise ImproperlyConfigured(f"{app} reacts to {purpose} twice.")


def changed(events: Sequence[Event]) -> None:
    """Call whoever reacts to these events."""
    for (purpose, _app), callback in _changes.items():
        if meant := [event for event in events if event.purpose == purpose]:
            callback(meant)


@contextmanager
def registered_temporarily() -> Iterator[None]:
    """For tests: whatever is registered inside is forgotten afterwards."""
    before = dict(_changes)
    try:
        yield
    finally:
        _changes.clear()
        _changes.update(before)
