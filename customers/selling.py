"""Where whoever takes orders tells of paid ones, and of sales undone; the ledger of consents hears of their notices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Notice:
    """That the buyer was told, where the address was asked for, that they may object to advertising at any time.

    name and sha256: of the version shown, in this language.
    """

    name: str
    sha256: str
    language: str
    shown_at: datetime


@dataclass(frozen=True)
class Sale:
    """An order of a known customer that is paid, the e-mail address given with it, and the notice shown, if any."""

    number: str
    customer_id: int
    email: str
    placed_at: datetime
    paid_at: datetime | None
    notice: Notice | None


@dataclass(frozen=True)
class Undone:
    """A sale of which nothing is left: the order was cancelled, or wholly withdrawn from or given back."""

    number: str
    customer_id: int
    at: datetime


Seller = Callable[[Sequence[Sale]], int]
_told: list[Seller] = []
Undoing = Callable[[Sequence[Undone]], int]
_undoing: list[Undoing] = []


def register_sales(told: Seller) -> None:
    """Called from an app's `ready`: hear of paid orders, as sets, in the transaction of whoever takes them in."""
    if told not in _told:
        _told.append(told)


def tell_sales(sales: Sequence[Sale]) -> int:
    """Tell of paid orders; answers how many notes were made of them. The same order again makes none."""
    return sum(told(sales) for told in _told) if sales else 0


def register_undone(told: Undoing) -> None:
    """Called from an app's `ready`: hear of sales that are undone, as sets, in the transaction of whoever does it."""
    if told not in _undoing:
        _undoing.append(told)


def tell_undone(sales: Sequence[Undone]) -> int:
    """Tell of sales undone; answers how many notes were made of them. The same sale again makes none."""
    return sum(told(sales) for told in _undoing) if sales else 0
