"""What events of one consent add up to: the rule that the state table follows, as a pure function.

`recording` writes the same rule as SQL; `rebuilding` compares the two over the whole ledger.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from consents.events import GRANTING, UNSAID, Kind


class Told(NamedTuple):
    """One event as the ledger has it, in the order in which entries were written."""

    entry: int
    kind: str
    at: datetime
    late: bool
    confirmed: bool = False


_GIVES_WAY = {
    Kind.NOTICED: UNSAID,
    Kind.REQUESTED: frozenset({Kind.REQUESTED, Kind.LAPSED}),
    # It ends a notice and nothing else.
    Kind.LAPSED: frozenset({Kind.NOTICED, Kind.LAPSED}),
}


@dataclass(frozen=True)
class Standing:
    """What holds after some events."""

    kind: str
    since: datetime
    entry: int
    late: bool
    confirmed: bool

    @property
    def granted(self) -> bool:
        """Whether it is a yes, as far as the person has spoken."""
        return self.kind in GRANTING or self.kind == Kind.NOTICED


def decides(standing: Standing | None, event: Told) -> bool:
    """Whether the event says from now on what holds.

    What happens now always does, whatever the clocks say. What is told later does as far as nothing later is known.
    A notice at a sale, its end and a question never go before what the person has said.
    """
    if standing is None:
        return True
    if event.late and event.at < standing.since:
        # What the person has said goes before a question and a notice, whenever the shop learns of it; and a notice
        # before a question and an end, but no older one before a younger.
        told_before = event.kind == Kind.NOTICED and standing.kind != Kind.NOTICED
        return standing.kind in UNSAID and (event.kind not in UNSAID or told_before)
    return event.kind not in UNSAID or standing.kind in _GIVES_WAY[Kind(event.kind)]


def follow(standing: Standing | None, event: Told) -> Standing | None:
    """What holds after one more event."""
    if not decides(standing, event):
        return standing
    since = max(event.at, standing.since) if standing else event.at
    return Standing(event.kind, since, event.entry, event.late, event.confirmed)


def fold(events: Iterable[Told]) -> Standing | None:
    """What holds after all of them; None after none."""
    standing = None
    for event in events:
        standing = follow(standing, event)
    return standing
