"""Where apps say which files a copy of a person's data holds (Art. 15(3), 20 GDPR) and how their rows look in it.

An app registers in its `packages.py`; `privacy` collects the rows by the declarations and knows no app by name.
Models without a named file are written as `data/<app>.<model>.json` and `.csv`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q

ACCESS, PORTABILITY = "access", "portability"
BOTH = (ACCESS, PORTABILITY)

Row = dict[str, Any]
Shape = Callable[[Row], Row]
"""Takes what it uses out of the row and answers the object of the file; what it leaves goes to "additional"."""


@dataclass(frozen=True)
class Told:
    """What a key of a layout says: the value of a column.

    said: what is made of a value that is there. always: the key stands there, with null, where no value is.
    again: the column has a place of its own besides; else it is told by this and nowhere else.
    """

    column: str
    said: Callable[[Any], Any] | None = None
    always: bool = False
    again: bool = False


@dataclass(frozen=True)
class Where:
    """An object that stands there only where a column has a value."""

    column: str
    layout: Layout


Layout = Mapping[str, "str | Told | Where | Layout"]
"""How the objects of a table look of which a person may have thousands of rows: of each key what it says, a text the
same in all of them. It is written by column; what no key tells goes to "additional"."""


@dataclass(frozen=True)
class Person:
    """Whose data are meant: a customer, the opaque marks of erasures, or both.

    `reached_by`: (channel, value) by which somebody of whom no row is left says they are reached.
    """

    customer_id: int | None
    number: str = ""
    refs: tuple[UUID, ...] = ()
    language: str = "de"
    reached_by: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Nested:
    """Rows of another model that stand inside their parent's object under `key`; `link` names the parent.

    inherits: columns of the parent that a layout tells as well, as "<link>.<column>".
    """

    key: str
    model: str
    link: str
    csv: str = ""
    shape: Shape | None = None
    layout: Layout | None = None
    inherits: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Part:
    """Rows of one model in one named file; several parts may share a file, which then lists them all.

    shape, layout: how rows look as objects, one of both; without either they are written as they are declared.
    schema: JSON Schema 2020-12 of one object; None where the row is written as it is declared.
    single: the file holds one object instead of a list. csv: the same rows as a table.
    newest: the column that says how new a row is, and of which an index leads from the person to the newest; without
    it rows stand in the order in which they were noted.
    """

    path: str
    model: str
    shape: Shape | None = None
    layout: Layout | None = None
    schema: Mapping[str, Any] | None = None
    nested: tuple[Nested, ...] = ()
    csv: str = ""
    kinds: tuple[str, ...] = BOTH
    single: bool = False
    newest: str = ""

    @property
    def labels(self) -> list[str]:
        """Every model whose rows stand in it."""
        return [self.model, *(nested.model for nested in self.nested)]


@dataclass(frozen=True)
class Card:
    """A file of another format, made from the few rows of these models."""

    path: str
    models: tuple[str, ...]
    write: Callable[[Mapping[str, list[Row]]], str]
    media_type: str
    kinds: tuple[str, ...] = BOTH


Reading = Callable[[], Callable[[Any], str]]
"""Answers, in the language of the person, how each value of a column is read; asked once for all rows."""

_parts: list[Part] = []
_cards: list[Card] = []
_readings: dict[tuple[str, str], Reading] = {}
_finders: dict[str, Callable[[Person], Q | None]] = {}


def register_file(path: str, model: str, **kw: Any) -> None:
    """Give the rows of `model` ("orders.Order") a place in a named file, see `Part`; called from `packages.py`.

    A model that has a place already, or two tables of one name, fail at start.
    """
    part = Part(path, model, **kw)
    taken = {label for known in _parts for label in known.labels}
    tables = {known.csv for known in _parts} | {nested.csv for known in _parts for nested in known.nested}
    if taken & set(part.labels) or {part.csv, *(nested.csv for nested in part.nested)} & (tables - {""}):
        raise ImproperlyConfigured(f"{model} or its table has a place in a package already.")
    _parts.append(part)


def named(names: Mapping[str, str]) -> Layout:
    """The layout that shows columns under other names: of each key of the object the column."""
    return {key: Told(column, always=True) for key, column in names.items()}


def register_card(path: str, models: tuple[str, ...], write: Callable[..., str], media_type: str, **kw: Any) -> None:
    """Add a file of a format of its own, such as a vCard."""
    if any(known.path == path for known in _cards):
        raise ImproperlyConfigured(f"{path} is registered twice.")
    _cards.append(Card(path, models, write, media_type, **kw))


def register_finder(model: str, find: Callable[[Person], Q | None]) -> None:
    """Say how rows are found that name nobody by themselves (keyed fingerprints); None where there are none."""
    _finders[model] = find


def register_reading(model: str, column: str, reading: Reading) -> None:
    """Say how people read a column that holds keys or what machines check; the files keep the values as they are."""
    _readings[model, column] = reading


def reading_of(model: str, column: str) -> Callable[[Any], str] | None:
    """How people read the values of a column, in the language that is active; None where they say it themselves."""
    reading = _readings.get((model, column))
    return reading() if reading else None


def parts() -> list[Part]:
    """All parts, those of one file beside each other."""
    return sorted(_parts, key=lambda part: (part.path or part.csv, part.model))


def cards() -> list[Card]:
    """All files of other formats."""
    return sorted(_cards, key=lambda card: card.path)


def finder_for(model: str) -> Callable[[Person], Q | None] | None:
    """How rows of a model are found that name nobody by themselves."""
    return _finders.get(model)
