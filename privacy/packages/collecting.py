"""Reads the rows of one person section by section, opened and screened, in chunks: memory is bounded by a chunk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connection
from django.utils.translation import gettext as _

from customers.models import Origin
from datamap.packages import Person, Row, finder_for
from privacy.models import Redaction
from privacy.packages.compiling import Column, Section, Statement, compiled, fill, reading, ref_path
from privacy.packages.screening import Cell, Passage, Screen

CHUNK = 200
REMEMBERED = 5_000


@dataclass
class Read:
    """One chunk of a section: rows by the names of its columns, and of each the parent it is merged with."""

    rows: list[Row]
    links: list[Any] = field(default_factory=list)


class Reader:
    """Reads whatever is about one person; the same words for the same people through the whole package."""

    def __init__(self, subject: Person, screen: Screen) -> None:
        self.subject = subject
        self.screen = screen
        self._roles: dict[Any, str] = {}
        # The person needs no mention in their own copy; others are told apart by a number.
        self._persons: dict[Any, str | None] = {}
        self._origins: dict[Any, str] = {}

    def chunks(self, section: Section, link: str = "") -> Iterator[Read]:
        """The rows of a section, newest first; with `link` in the order of the parents they are merged with."""
        blocked = bool(self.subject.refs)
        statement = self._statement(section, link, blocked)
        if statement is None:
            return
        with connection.chunked_cursor() as cursor:
            cursor.execute(statement.sql, fill(statement.params, self.subject))
            while found := cursor.fetchmany(CHUNK):
                yield self._read(section, statement, found, link)

    def _statement(self, section: Section, link: str, blocked: bool) -> Statement | None:
        find = finder_for(section.declaration.label)
        if find is None or section.history:
            return reading(section, link, blocked)
        condition = find(self.subject)
        return None if condition is None else compiled(section, condition, link)

    def _read(self, section: Section, statement: Statement, found: list[tuple[Any, ...]], link: str) -> Read:
        columns = section.columns
        names = section.names
        places = [statement.place(column.path) for column in columns]
        if places == list(range(len(columns))):
            rows = [dict(zip(names, values, strict=False)) for values in found]
        else:
            rows = [{name: values[place] for name, place in zip(names, places, strict=True)} for values in found]
        for column, convert in zip(columns, statement.converters, strict=True):
            if convert is not None:
                name = column.name
                for row in rows:
                    row[name] = convert(row[name])
        self._translate(columns, rows)
        foreign = self._foreign_of(section, statement, found, rows)
        self._screen(section, rows, foreign)
        links = [values[statement.place(link)] for values in found] if link else []
        return Read(rows, links)

    def _foreign_of(
        self, section: Section, statement: Statement, found: list[tuple[Any, ...]], rows: list[Row]
    ) -> list[set[str]]:
        """Of each row the columns about another person that stand beside the person's own; the rest is taken out."""
        owners = self._owners(section, statement)
        if not owners and not any(group.person in ("contact", "third") for group in section.groups):
            return []
        result: list[set[str]] = []
        for values, row in zip(found, rows, strict=True):
            theirs = [self._owns(places, mark, values) for places, mark in owners] or [True] * len(section.groups)
            foreign: set[str] = set()
            for column in section.columns:
                group = column.group
                if group < 0:
                    if not theirs[0] and column.name not in ("id", *_relations(section)):
                        row.pop(column.name)
                elif not theirs[group]:
                    if theirs[0] and section.groups[group].person != "customer":
                        foreign.add(column.name)
                    else:
                        row.pop(column.name)
                elif section.groups[group].person in ("contact", "third") and column.how in ("plain", "prose", "data"):
                    foreign.add(column.name)
            result.append(foreign)
        return result

    def _owners(self, section: Section, statement: Statement) -> list[tuple[list[int], int | None]]:
        if not section.owners:
            return []
        mark = ref_path(section.declaration) if self.subject.refs else ""
        place = statement.place(mark) if mark else None
        return [([statement.place(path) for path in paths], place) for paths in section.owners]

    def _owns(self, places: list[int], mark: int | None, values: tuple[Any, ...]) -> bool:
        for place in places:
            if values[place] is not None:
                return values[place] == self.subject.customer_id
        return mark is not None and values[mark] in self.subject.refs

    def _translate(self, columns: tuple[Column, ...], rows: list[Row]) -> None:
        """Staff by role, other people by a number of this package, origins in words."""
        for column in columns:
            ask = {"staff": self._role_of, "person": self._person_of, "origin": self._origin_of}.get(column.how)
            if ask is None:
                continue
            name = column.name
            ask({row[name] for row in rows} - {None})
            names: dict[str, Any] = {"staff": self._roles, "person": self._persons, "origin": self._origins}
            known = names[column.how]
            for row in rows:
                if row[name] is not None:
                    row[name] = known[row[name]]

    def _role_of(self, ids: set[Any]) -> None:
        """Employees are no recipients; their role says enough (C-579/21)."""
        new = ids - self._roles.keys()
        if not new:
            return
        found: dict[Any, list[str]] = {pk: [] for pk in new}
        users = get_user_model()._default_manager.filter(pk__in=new).prefetch_related("roles")
        for user in users:
            found[user.pk] = [str(role) for role in user.roles.all()]
        self._roles |= {pk: ", ".join(roles) or _("Staff") for pk, roles in found.items()}

    def _person_of(self, ids: set[Any]) -> None:
        self._persons.setdefault(self.subject.customer_id, None)
        for pk in sorted(ids - self._persons.keys()):
            self._persons[pk] = _("another person (%d)") % len(self._persons)

    def _origin_of(self, ids: set[Any]) -> None:
        new = ids - self._origins.keys()
        if not new:
            return
        if len(self._origins) > REMEMBERED:
            self._origins.clear()
            new = ids
        for origin in Origin.objects.filter(pk__in=new):
            words = [str(origin.get_kind_display()), origin.platform]
            self._origins[origin.pk] = " · ".join(word for word in words if word)

    def _screen(self, section: Section, rows: list[Row], foreign: list[set[str]]) -> None:
        key = "history_id" if section.history else "id"
        cells: list[Cell] = []
        spots: list[tuple[int, str]] = []
        whole: dict[int, list[Passage]] = {}
        texts = [
            column for column in section.columns if column.how in ("prose", "data", "plain") and _holds_text(column)
        ]
        for place, row in enumerate(rows):
            pk = str(row.get(key, ""))
            for column in texts:
                value = row.get(column.name)
                if not value:
                    continue
                name = column.name
                if foreign and name in foreign[place]:
                    whole[len(cells)] = [Passage(None, None, Redaction.Why.RECORD)]
                    cells.append(Cell(section.label, pk, name, "", str(value), column.how == "prose"))
                    spots.append((place, name))
                elif isinstance(value, str):
                    cells.append(Cell(section.label, pk, name, "", value, column.how == "prose"))
                    spots.append((place, name))
                else:
                    for path, text in texts_in(value):
                        cells.append(Cell(section.label, pk, name, path, text, False))
                        spots.append((place, name))
        if not cells:
            return
        changed = self._with_whole(cells, whole) if whole else self.screen.screened(cells)
        for number, text in changed.items():
            place, name = spots[number]
            path = cells[number].place
            rows[place][name] = put_in(rows[place][name], path, text) if path else text

    def _with_whole(self, cells: list[Cell], whole: dict[int, list[Passage]]) -> dict[int, str]:
        others = [number for number in range(len(cells)) if number not in whole]
        changed = self.screen.screened([cells[number] for number in others])
        result = {others[number]: text for number, text in changed.items()}
        numbers = sorted(whole)
        of_others = self.screen.blackened(
            [cells[number] for number in numbers], {place: whole[number] for place, number in enumerate(numbers)}
        )
        return result | {numbers[place]: text for place, text in of_others.items()}


def _relations(section: Section) -> set[str]:
    return {column.name for column in section.columns if column.how == "person"}


def _holds_text(column: Column) -> bool:
    if column.how != "plain":
        return column.how in ("prose", "data")
    return column.field.get_internal_type() in (
        "CharField",
        "TextField",
        "EmailField",
        "FileField",
    )


def texts_in(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(place, text) of every text in a JSON value; places are steps joined by tabs, which no key of ours holds."""
    if isinstance(value, str):
        if value:
            yield path, value
        return
    steps: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        steps = value.items()
    elif isinstance(value, list):
        steps = enumerate(value)
    for key, inner in steps:
        step = str(key)
        if len(path) + len(step) < 190:
            yield from texts_in(inner, f"{path}\t{step}" if path else step)


def put_in(value: Any, path: str, text: str) -> Any:
    """The JSON value with the text at this place replaced; the value given stays as it is."""
    step, _tab, rest = path.partition("\t")
    if isinstance(value, list):
        return [put_in(inner, rest, text) if rest and str(n) == step else (text if str(n) == step else inner)
                for n, inner in enumerate(value)]  # fmt: skip
    if isinstance(value, dict):
        return {
            key: ((put_in(inner, rest, text) if rest else text) if str(key) == step else inner)
            for key, inner in value.items()
        }
    return text


def text_at(value: Any, path: str) -> str:
    """The text at a place of a JSON value, "" where there is none."""
    for step in path.split("\t") if path else []:
        if isinstance(value, dict):
            value = next((inner for key, inner in value.items() if str(key) == step), None)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return ""
    return value if isinstance(value, str) else str(value or "")


def sections_by_label(found: Iterable[Section]) -> dict[str, Section]:
    """The sections by the label of their table."""
    return {section.label: section for section in found}


def model_of(label: str) -> Any:
    """The class of a table by its label, history tables too."""
    return apps.get_model(label)
