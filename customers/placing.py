"""The registry of places at which people accept or are shown legal texts: who has places names them, one app keeps
the texts and answers which are due where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

SIGN_UP, DESK = "sign_up", "desk"
PLACES: dict[str, Any] = {
    SIGN_UP: _("Sign-up page"),
    DESK: _("New customer at the desk"),
    "first_start": _("First start"),
    "loyalty": _("Loyalty programme"),
    "questionnaire": _("Questionnaire"),
}
"""Places that every shop has; more come through `register_places`."""
BY_LINK = ("first_start", "loyalty", "questionnaire")
"""Places that a customer passes on a page of their own, by a link that the desk hands out."""


@dataclass(frozen=True)
class PlacedText:
    """The version of a text that is due at a place: `id` names it, `url` shows it to whoever has `permission`."""

    id: int
    title: str
    number: int
    must_accept: bool
    url: str
    permission: str


@dataclass(frozen=True)
class Passage:
    """Somebody passed a place: these versions (ids) were accepted or shown, as each is due there."""

    place: str
    customer_id: int
    texts: Sequence[int]
    source: str
    at: datetime | None = None
    order_number: str = ""


@dataclass(frozen=True)
class KeptText:
    """What stands of a passage."""

    title: str
    number: int
    accepted: bool
    at: datetime
    url: str
    permission: str


@dataclass(frozen=True)
class TextKeeper:
    """What the app that keeps texts answers: what is due at a place, and what an order of a customer stands under.

    due: of a day, None is today. keep: notes a passage in the caller's transaction, once; raises ValueError for a text
    that is not published.
    """

    due: Callable[[str, date | None], list[PlacedText]]
    keep: Callable[[Passage], int]
    kept: Callable[[int, str], list[KeptText]]


_sources: list[Callable[[], Iterable[tuple[str, Any]]]] = []
_keepers: list[TextKeeper] = []


def register_places(source: Callable[[], Iterable[tuple[str, Any]]]) -> None:
    """Add places, as (key, name), that are asked for each time: the shop adds some; called from an app's `ready`."""
    if source not in _sources:
        _sources.append(source)


def places() -> dict[str, Any]:
    """Every place by key."""
    return PLACES | {key: name for source in _sources for key, name in source()}


def register_keeper(keeper: TextKeeper) -> None:
    """Say who keeps the texts; two keepers fail at start."""
    if _keepers and _keepers[0] != keeper:
        raise ImproperlyConfigured("The texts have a keeper already.")
    _keepers[:] = [keeper]


def text_label(text: PlacedText) -> str:
    """What staff confirm about a text."""
    words = gettext("The customer has accepted: %s") if text.must_accept else gettext("The customer was shown: %s")
    return words % text.title


def box_of(text: PlacedText) -> str:
    """The name of its box; the version stands in it: what was ticked for another one does not count for this one."""
    return f"text_{text.id}"


def texts_due(place: str, on: date | None = None) -> list[PlacedText]:
    """The texts that are due at this place on a day, by default today; none where nobody keeps texts."""
    return _keepers[0].due(place, on) if _keepers else []


def note_passage(passage: Passage) -> int:
    """Note, in the caller's transaction, what was accepted or shown; answers how many notes are new."""
    return _keepers[0].keep(passage) if _keepers and passage.texts else 0


def texts_of_order(customer_id: int, number: str) -> list[KeptText]:
    """The versions that this order of this customer stands under."""
    return _keepers[0].kept(customer_id, number) if _keepers else []
