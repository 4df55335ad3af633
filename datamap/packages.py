"""Where apps say which files a copy of a person's data holds (Art. 15(3), 20 GDPR) and how their rows look in it.

An app registers in its `packages.py`; `privacy` collects the rows by the declarations and knows no app by name.
Models without a named file are written as `data/<app>.<model>.json` and `.csv`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q

ACCESS, PORTABILITY = "access", "portability"
BOTH = (ACCESS, PORTABILITY)

Row = dict[str, Any]
Columns = dict[str, list[Any]]
Shape = Callable[[Row], Row]
"""Takes what it uses out of the row and answers the object of the file; what it leaves goes to "additional"."""
Many = Callable[[Columns], list[Row]]
"""The same of many rows at once, by column: for tables of which a person may have thousands of rows.

"id" is always there; of others each may have been taken out, as it is about another person."""


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

    heir: a column of the parent, and what tells its value to the objects of the parent's rows.
    """

    key: str
    model: str
    link: str
    csv: str = ""
    shape: Shape | None = None
    many: Many | None = None
    heir: tuple[str, Callable[[list[Row], Any], None]] | None = None
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Part:
    """Rows of one model in one named file; several parts may share a file, which then lists them all.

    shape, many: what makes objects of rows, one of both; without either the rows are written as they are declared.
    schema: JSON Schema 2020-12 of one object; None where the row is written as it is declared.
    single: the file holds one object instead of a list. csv: the same rows as a table.
    """

    path: str
    model: str
    shape: Shape | None = None
    many: Many | None = None
    schema: Mapping[str, Any] | None = None
    nested: tuple[Nested, ...] = ()
    csv: str = ""
    kinds: tuple[str, ...] = BOTH
    single: bool = False

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


def named(names: Mapping[str, str]) -> Many:
    """What shows columns under other names: of each key of the object the column."""

    def many(columns: Columns) -> list[Row]:
        nothing = [None] * len(columns["id"])
        # Taken out only at the end: a column may be shown twice.
        values = zip(*(columns.get(name, nothing) for name in names.values()), strict=True)
        found = [dict(zip(names, row)) for row in values]  # noqa: B905  # as many
        for name in names.values():
            columns.pop(name, None)
        return found

    return many


def put(objects: list[Row], key: str, values: Iterable[Any]) -> None:
    """Give each object its value, if there is one, under this key."""
    for object_, value in zip(objects, values, strict=True):
        if value is not None:
            object_[key] = value


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
