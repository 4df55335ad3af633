"""Reads the rows of one person table by table, opened and screened, in chunks: memory holds a few of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from customers.models import Origin
from datamap.packages import Person, Row, finder_for
from privacy.models import Notice, Redaction
from privacy.packages.compiling import Column, Section, Statement, Wanted, compiled, fill, reading, ref_path
from privacy.packages.fetching import Ahead, Steps
from privacy.packages.screening import Cell, Passage, Screen
from privacy.packages.writing import Columns
from privacy.toldwords import in_words

# So many rows are fetched first, and from then on as many as hold so many values, or so many bytes, together.
FIRST, CHUNK, CHUNK_BYTES = 100, 6_000, 512 * 1024
REMEMBERED = 5_000
# So many chunks are ordered at once, to be worked with one by one.
AHEAD = 2
# So many tables are begun before their turn, each with its first rows: to put those in order takes the server longest.
BEGUN = 8


@dataclass
class Read:
    """One chunk of a section."""

    size: int
    places: tuple[Sequence[Any], ...]
    """By column what tells the place of each row, or of its parent, in the order of all."""
    columns: Columns | None
    """The values by column, where no row is cut or blackened: most chunks are so, and need no row of their own."""
    made: list[Row] | None = None

    @property
    def rows(self) -> list[Row]:
        """Each row by the names of its columns."""
        if self.made is None:
            self.made = rows_from(self.columns or {})
        return self.made

    @cached_property
    def ranks(self) -> list[tuple[Any, ...]]:
        """The place of each row, or of its parent: a newer one is greater."""
        return list(zip(*self.places, strict=True))

    @property
    def by_column(self) -> Columns:
        """The values by column in any case, None where a row does not have one."""
        if self.columns is not None:
            return self.columns
        names = dict.fromkeys(name for row in self.rows for name in row)
        return Columns({name: [row.get(name) for row in self.rows] for name in names})


class Reader:
    """Reads whatever is about one person; the same words for the same people through the whole package."""

    def __init__(self, subject: Person, screen: Screen, ahead: Ahead) -> None:
        self.subject = subject
        self.screen = screen
        self._ahead = ahead
        self._planned: dict[Wanted, None] = {}
        self._begun: dict[Wanted, tuple[Statement, Steps] | None] = {}
        self._refs = {str(ref) for ref in subject.refs}
        self._roles: dict[Any, str] = {}
        # The person needs no mention in their own copy; others are told apart by a number.
        self._persons: dict[Any, str | None] = {}
        self._origins: dict[Any, str] = {}
        self._names: dict[str, tuple[Callable[[set[Any]], None], Mapping[Any, str | None]]] = {
            "staff": (self._role_of, self._roles),
            "person": (self._person_of, self._persons),
            "origin": (self._origin_of, self._origins),
        }

    def plan(self, wanted: Iterable[Wanted]) -> None:
        """What will be read, in this order: the server begins with it while something else is worked with."""
        self._planned = dict.fromkeys(wanted)

    def chunks(self, wanted: Wanted) -> Iterator[Read]:
        """The rows, newest first; with a `link` in the order of the parents they are merged with."""
        begun = self._begun.pop(wanted) if wanted in self._begun else self._begin(wanted)
        if begun is None:
            return
        statement, steps = begun
        section = wanted.section
        heavy = [statement.place(column.path) for column in section.columns if column.how in ("prose", "data")]
        most = max(1, CHUNK // len(statement.paths))
        is_last = False
        while not is_last and (found := steps.take()):
            is_last = len(found) < steps.ordered
            held = sum(sum(map(len, filter(None, map(itemgetter(place), found)))) for place in heavy)
            size = max(1, min(most, CHUNK_BYTES * len(found) // max(held, 1)))
            if is_last:
                steps.end()
            else:
                steps.order(AHEAD * size)
            # After the first children their parents are wanted at once, alone; once both are there, there is much to do
            # here, and time for the server to begin with all that follows.
            self._begin_others(1 if wanted.link else BEGUN)
            for place in range(0, len(found), size):
                read = self._read(wanted, statement, found[place : place + size])
                self._ahead.make_room()
                yield read

    def _begin_others(self, most: int) -> None:
        """Have the server begin with what comes next, until so many wait for their turn."""
        while self._planned and len(self._begun) < most:
            wanted = next(iter(self._planned))
            self._begun[wanted] = self._begin(wanted)

    def _begin(self, wanted: Wanted) -> tuple[Statement, Steps] | None:
        self._planned.pop(wanted, None)
        statement = self._statement(wanted)
        if statement is None:
            return None
        steps = Steps(self._ahead, statement.sql, fill(statement.params, self.subject))
        steps.order(FIRST)
        return statement, steps

    def _statement(self, wanted: Wanted) -> Statement | None:
        section, blocked = wanted.section, bool(self.subject.refs)
        find = finder_for(section.declaration.label)
        if find is None or section.history:
            return reading(wanted, blocked)
        condition = find(self.subject)
        return None if condition is None else compiled(wanted, condition)

    def _read(self, wanted: Wanted, statement: Statement, found: list[tuple[Any, ...]]) -> Read:
        section = wanted.section
        read = dict(zip(statement.paths, zip(*found, strict=True), strict=True))
        columns = Columns({})
        for column, convert in zip(section.columns, statement.converters, strict=True):
            values = read[column.path]
            columns[column.name] = self._translated(column, convert(values) if convert else values)
        for name, path in zip(wanted.inherits, wanted.inherited, strict=True):
            columns[f"{wanted.link}.{name}"] = read[path]
        shared = self._may_be_foreign(section, statement, found)
        suspects = [column for column in section.texts if shared or not self._is_harmless(column, columns[column.name])]
        places = tuple(read[path] for path in wanted.rank)
        if not shared and not suspects:
            for name, said in _worded(section):
                columns[name] = [said(value) if value else value for value in columns[name]]
            return Read(len(found), places, columns)
        rows = rows_from(columns)
        foreign = self._foreign_of(section, statement, found, rows) if shared else []
        self._screen(section, suspects, rows, foreign)
        for name, said in _worded(section):
            for row in rows:
                row[name] = said(row[name]) if row.get(name) else row.get(name)
        return Read(len(found), places, None, rows)

    def _may_be_foreign(self, section: Section, statement: Statement, found: list[tuple[Any, ...]]) -> bool:
        """Whether some of these rows are in part about another person."""
        if any(group.person in ("contact", "third") for group in section.groups):
            return True
        for places, mark in self._owners(section, statement):
            used = places if mark is None else [*places, mark]
            owners = dict(zip(map(itemgetter(*used), found), found, strict=True))
            if not all(self._owns(places, mark, values) for values in owners.values()):
                return True
        return False

    def _foreign_of(
        self, section: Section, statement: Statement, found: list[tuple[Any, ...]], rows: list[Row]
    ) -> list[set[str]]:
        """Of each row the columns about another person that stand beside the person's own; the rest is taken out."""
        owners = self._owners(section, statement)
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
        return mark is not None and values[mark] in self._refs

    def _translated(self, column: Column, values: Sequence[Any]) -> Sequence[Any]:
        """Staff by role, other people by a number of this package, origins in words."""
        if column.how not in self._names:
            return values
        ask, known = self._names[column.how]
        ids = set(values) - {None}
        if not ids:
            return values
        ask(ids)
        told = {None: None, **{one: known[one] for one in ids}}
        return list(map(told.__getitem__, values))

    def _role_of(self, ids: set[Any]) -> None:
        """Employees are no recipients; their role says enough (C-579/21)."""
        new = ids - self._roles.keys()
        if not new:
            return
        found: dict[Any, list[str]] = {pk: [] for pk in new}
        users = get_user_model()._default_manager.filter(pk__in=new).prefetch_related("roles")
        for user in users:
            found[user.pk] = [str(role) for role in user.roles.all()]
        self._roles.update({pk: ", ".join(roles) or _("Staff") for pk, roles in found.items()})

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

    def _is_harmless(self, column: Column, values: Sequence[Any]) -> bool:
        """Whether nothing in this column can name anybody else."""
        if column.is_nested:
            # One value may stand in many rows.
            once = {id(value): value for value in values if value}
            texts = [text for value in once.values() for _path, text in texts_in(value)]
            return self.screen.is_harmless(texts, prose=False)
        return self.screen.is_harmless(set(values) - {None, ""}, column.how == "prose")

    def _screen(self, section: Section, columns: list[Column], rows: list[Row], foreign: list[set[str]]) -> None:
        """Put what names somebody else out of sight, column by column."""
        keys = [str(row.get("history_id" if section.history else "id", "")) for row in rows] if columns else []
        for column in columns:
            name = column.name
            theirs = {place for place, names in enumerate(foreign) if name in names and rows[place].get(name)}
            values = [(place, row[name]) for place, row in enumerate(rows) if row.get(name) and place not in theirs]
            if theirs:
                self._blacken_whole(section, column, rows, keys, theirs)
            if column.is_nested:
                self._screen_data(section, column, rows, keys, values)
            elif not self.screen.is_harmless([value for _place, value in values], column.how == "prose"):
                cells = [Cell(section.label, keys[n], name, "", value, column.how == "prose") for n, value in values]
                for number, text in self.screen.screened(cells).items():
                    rows[values[number][0]][name] = text

    def _screen_data(
        self, section: Section, column: Column, rows: list[Row], keys: list[str], values: list[tuple[int, Any]]
    ) -> None:
        name = column.name
        found = [(n, path, text) for n, value in values for path, text in texts_in(value)]
        if self.screen.is_harmless([text for _n, _path, text in found], prose=False):
            return
        cells = [Cell(section.label, keys[n], name, path, text, False) for n, path, text in found]
        for number, text in self.screen.screened(cells).items():
            place, path, _text = found[number]
            rows[place][name] = put_in(rows[place][name], path, text) if path else text

    def _blacken_whole(
        self, section: Section, column: Column, rows: list[Row], keys: list[str], places: set[int]
    ) -> None:
        name = column.name
        order = sorted(places)
        cells = [Cell(section.label, keys[n], name, "", str(rows[n][name]), column.how == "prose") for n in order]
        whole = {n: [Passage(None, None, Redaction.Why.RECORD)] for n in range(len(cells))}
        for number, text in self.screen.blackened(cells, whole).items():
            rows[order[number]][name] = text


def _worded(section: Section) -> list[tuple[str, Callable[[str], str]]]:
    """Columns whose texts are kept under keys, and what says them in the language of the copy. After the screening: a
    reviewer is shown the passages where they stand in the row."""
    return [("details", in_words)] if section.model is Notice else []


def rows_from(columns: Mapping[str, Sequence[Any]]) -> list[Row]:
    """Values by column as rows."""
    return [dict(zip(columns, values)) for values in zip(*columns.values(), strict=True)]  # noqa: B905  # as many


def _relations(section: Section) -> set[str]:
    return {column.name for column in section.columns if column.how == "person"}


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
