"""Where what files assert about opt-ins meets the ledger of consents, which a floor above keeps and registers here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple
from uuid import UUID

from django.utils.translation import gettext as _

from customers.cleaning import Person
from customers.matching import Matched
from customers.rows import OptInRow, Outcome, Problem, Source

CHANNEL_KEYS = {"email": "email", "sms": "phone", "whatsapp": "phone", "phone": "phone"}


class Verdict(Enum):
    """What becomes of an opt-in that a file asserts."""

    CLAIM = "claim"  # nobody has proven it: it stays a claim
    KNOWN = "known"  # the ledger says so already
    REFUSED = "refused"  # the person has said no: only the person can end that
    TOO_YOUNG = "too_young"  # the person cannot consent alone, and nothing said too young counts one day by itself
    TAKE = "take"  # it is proven, or a no where a yes stood: it goes into the ledger


class Asserted(NamedTuple):
    """One opt-in as a file asserts it; no customer where it is about somebody new."""

    customer_id: int | None
    channel: str
    endpoint: str
    opt_in: OptInRow


class Told(NamedTuple):
    """One opt-in for the ledger, once its customer is stored."""

    customer_id: int
    number: str
    channel: str
    endpoint: str
    opt_in: OptInRow


@dataclass(frozen=True)
class Ledger:
    """What the app that keeps the ledger does for imports; everything as sets, in the caller's transaction.

    judge: what becomes of each, in their order; reads alone. take: write these. overtaken: which of these endpoints
    (hash for the suppression list -> since when a file calls it unsubscribed) somebody has confirmed anew since.
    unsubscribed: end what stood at these. touched: customers of whom a batch said something. take_back: remove what a
    batch said about the first, who go, and the second, who stay.
    """

    judge: Callable[[Sequence[Asserted]], list[Verdict]]
    take: Callable[[Sequence[Told], Source], None]
    overtaken: Callable[[Mapping[bytes, datetime]], set[bytes]]
    unsubscribed: Callable[[Mapping[bytes, datetime], Source], int]
    touched: Callable[[UUID], set[int]]
    take_back: Callable[[UUID, Sequence[int], Sequence[int]], None]


_ledgers: list[Ledger] = []


def register_ledger(ledger: Ledger) -> None:
    """Called from an app's `ready`; without one every opt-in stays a claim."""
    if ledger not in _ledgers:
        _ledgers.append(ledger)


def screen(matched: Matched, outcome: Outcome) -> None:
    """Sort the opt-ins of a chunk: claims stay where they are, news for the ledger moves to `told`, the rest goes."""
    found = list(_asserted(matched))
    for ledger in _ledgers if found else ():
        verdicts = ledger.judge([asserted for _person, asserted in found])
        for (person, asserted), verdict in zip(found, verdicts, strict=True):
            if verdict is Verdict.CLAIM:
                continue
            opt_in = person.opt_ins.pop(asserted.channel)
            if verdict is Verdict.TAKE:
                person.told[asserted.channel] = opt_in
            elif verdict is Verdict.REFUSED:
                message = _("The person has said no; the opt-in is not taken over.")
                outcome.warn(Problem(person.line, "newsletter", message))
            elif verdict is Verdict.TOO_YOUNG:
                message = _("The person is too young to consent alone; the opt-in is not taken over.")
                outcome.warn(Problem(person.line, "newsletter", message))


def _asserted(matched: Matched) -> Iterable[tuple[Person, Asserted]]:
    people: list[tuple[int | None, Person]] = [*matched.known.items(), *((None, person) for person in matched.new)]
    for customer_id, person in people:
        for channel, opt_in in person.opt_ins.items():
            # Who was only tried out has an id below nothing.
            known = customer_id if customer_id and customer_id > 0 else None
            yield person, Asserted(known, channel, endpoint_of(person, channel), opt_in)


def endpoint_of(person: Person, channel: str) -> str:
    """The address or number of a row for this channel; "" where there is none that can be read."""
    kind = CHANNEL_KEYS[channel]
    return getattr(person, kind) if getattr(person, f"{kind}_key") else ""


def told_of(customer_id: int, number: str, person: Person, channels: Iterable[str]) -> list[Told]:
    """What of a person goes into the ledger, with whom it is about."""
    return [
        Told(customer_id, number, channel, endpoint_of(person, channel), person.told[channel]) for channel in channels
    ]


def take(told: Sequence[Told], source: Source) -> None:
    """Hand news to the ledger."""
    for ledger in _ledgers if told else ():
        ledger.take(told, source)


def overtaken(said: Mapping[bytes, datetime]) -> set[bytes]:
    """Endpoints of an unsubscribed list that were confirmed anew after the list says they were unsubscribed."""
    return {mark for ledger in _ledgers for mark in ledger.overtaken(said)} if said else set()


def unsubscribed(said: Mapping[bytes, datetime], source: Source) -> int:
    """End what stood at endpoints that a list calls unsubscribed; how many consents ended."""
    return sum(ledger.unsubscribed(said, source) for ledger in _ledgers) if said else 0


def touched(batch: UUID) -> set[int]:
    """Customers of whom the ledger heard through this import."""
    return {pk for ledger in _ledgers for pk in ledger.touched(batch)}


def take_back(batch: UUID, gone: Sequence[int], restored: Sequence[int]) -> None:
    """Remove from the ledger what an import said about these customers."""
    for ledger in _ledgers:
        ledger.take_back(batch, gone, restored)
