"""Compiles declarations into pieces of SQL: whose a row is, which rule it falls under, from when its period counts.

The pieces are made once in a process; dates, rules and people come in as parameters. `r` stands for the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from customers.models import Customer
from datamap.declarations import By, Group, Number, PersonalData, as_paths, history_base, orm_path, registry
from datamap.hanging import own_keys

PERSON_FILES = ("ACCOUNT", "GUEST", "LEAD")
"""The categories of a person's own file: their rows end with the person, whatever row they stand in."""


@dataclass
class Joins:
    """Turns ORM paths into columns and collects the joins that they need."""

    model: Any
    parts: list[str] = field(default_factory=list)
    aliases: dict[tuple[str, ...], str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)  # path -> where its copy is read instead

    def column(self, path: str) -> str:
        """The column at the end of a path such as `order__delivered_at`; a relation is its own key column."""
        *steps, last = self.copies.get(path, path).split("__")
        alias, model = "r", self.model
        for depth, step in enumerate(steps, start=1):
            alias, model = self._joined(tuple(steps[:depth]), alias, model, step)
        return f'{alias}."{_field(model, last).column}"'

    def field(self, path: str) -> Any:
        """The field at the end of a path."""
        model, found = self.model, None
        for step in path.split("__"):
            found = _field(model, step)
            model = found.related_model
        return found

    def is_always_set(self, path: str, *, alone: bool = False) -> bool:
        """Whether the column can never be empty: it is of the row itself or of its side table, which is kept complete
        (`customers.summary.ensure_all`). `alone`: where the side table may not be complete yet."""
        *steps, _last = path.split("__")
        if alone and steps:
            return False
        sides = [_field(self.model, step) for step in steps]
        own = len(sides) <= 1 and all(side.auto_created and not side.concrete for side in sides)
        return own and not self.field(path).null

    @property
    def sql(self) -> str:
        """The LEFT JOINs, to be read after `FROM table r`."""
        return " ".join(self.parts)

    def _joined(self, key: tuple[str, ...], alias: str, model: Any, step: str) -> tuple[str, Any]:
        relation = _field(model, step)
        target = relation.related_model
        if key not in self.aliases:
            name = f"j{len(self.aliases) + 1}"
            # A side table points back at its row; everything else is pointed at.
            theirs, ours = (
                (relation.field.column, model._meta.pk.column)
                if relation.auto_created and not relation.concrete
                else (target._meta.pk.column, relation.column)
            )
            self.parts.append(f'LEFT JOIN "{target._meta.db_table}" {name} ON {name}."{theirs}" = {alias}."{ours}"')
            self.aliases[key] = name
        return self.aliases[key], target


def _field(model: Any, step: str) -> Any:
    return model._meta.pk if step == "pk" else model._meta.get_field(step)


@dataclass(frozen=True)
class Strand:
    """The groups of one model that share person, category and start: they have one fate."""

    groups: tuple[Group, ...]

    @property
    def group(self) -> Group:
        """One for all, where only what they share is asked."""
        return self.groups[0]

    @property
    def fields(self) -> list[str]:
        """The fields of all its groups."""
        return [name for group in self.groups for name in group.fields]

    @property
    def of_staff(self) -> bool:
        """Whether its person works here: such strands end with their row or with the account."""
        return self.group.person == "staff"

    @property
    def number(self) -> Number | None:
        """The number column that stands for the person, where there is no foreign key."""
        return self.group.subject if isinstance(self.group.subject, Number) else None

    def categories(self) -> list[str]:
        """Every key a row of this strand can fall under."""
        return self.group.categories

    def anonymized(self) -> dict[str, Any]:
        """What is set where the strand ends and the row stays, as declared."""
        return {name: value for group in self.groups for name, value in group.anonymize.items()}


@dataclass(frozen=True, eq=False)
class Table:
    """One declared model as the engine sees it."""

    declaration: type[PersonalData]
    model: Any
    strands: tuple[Strand, ...]  # of people the shop serves
    staff_strands: tuple[Strand, ...]
    history: Any | None

    @property
    def label(self) -> str:
        """`orders.Document`."""
        return self.model._meta.label

    @property
    def name(self) -> str:
        """The quoted name of the table."""
        return f'"{self.model._meta.db_table}"'

    @property
    def key(self) -> str:
        """The quoted name of its key column."""
        return f'"{self.model._meta.pk.column}"'

    @property
    def parent(self) -> Any | None:
        """The model whose row this one lives and dies with."""
        if not self.declaration.parent:
            return None
        return self.model._meta.get_field(self.declaration.parent).related_model

    @cached_property
    def own_keys(self) -> frozenset[str]:
        """The categories by which its rows end by themselves (`datamap.hanging`)."""
        return own_keys(self.declaration)

    @property
    def parent_column(self) -> str:
        """The quoted column that leads to the parent."""
        return f'"{self.model._meta.get_field(self.declaration.parent).column}"'

    @property
    def owner(self) -> str | None:
        """The path to the person the row is about before all others; None where no foreign key leads there."""
        for strand in self.strands:
            if strand.group.subject_paths:
                return strand.group.subject_paths[-1]
        return None

    def copies(self) -> dict[str, str]:
        """Where the values of a path are read when rows are looked for."""
        return {orm_path(path): orm_path(copy) for path, copy in self.declaration.copies.items()}

    @property
    def blockable(self) -> bool:
        """Whether a row may be cut from its person and kept under an opaque mark."""
        return self.declaration.subject_ref is not None and _has(self.model, "blocked_at")

    @property
    def can_be_cut(self) -> bool:
        """Whether the links of a row to all its people can be emptied; a row that cannot be cut is deleted instead."""
        paths = self.people()
        return all("__" not in path and path != "pk" and self.model._meta.get_field(path).null for path in paths)

    @property
    def told_by(self) -> tuple[Strand, ...]:
        """The strands that say how a row ends: those of its people, else those of the staff whom alone it is about."""
        return self.strands or self.staff_strands

    @property
    def can_be_anonymized(self) -> bool:
        """Whether a row may stay that names nobody any more; where nothing of it would change it is deleted instead."""
        return self.can_be_cut and bool(self.people() or any(strand.anonymized() for strand in self.told_by))

    @property
    def stands_alone(self) -> bool:
        """Whether a column of its own names the one person a row is about, and neither rows nor files hang on it."""
        paths = self.people()
        own = len(paths) == 1 and "__" not in paths[0] and paths[0] != "pk"
        return own and not (self.parent or self.declaration.files or children(self) or pointing_at(self))

    def people(self) -> list[str]:
        """Every path that leads to a person, the owner last."""
        paths = [path for strand in self.strands for path in strand.group.subject_paths]
        return sorted(dict.fromkeys(paths), key=lambda path: path == self.owner)


def _has(model: Any, name: str) -> bool:
    try:
        model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True


@cache
def tables() -> dict[str, Table]:
    """Every declared model by label, children before the rows they hang on."""
    found = [_table(declaration) for declaration in registry.declarations()]
    return {table.label: table for table in _ordered(found)}


def children(table: Table) -> list[Table]:
    """The models whose rows live and die with a row of this one."""
    return [other for other in tables().values() if other.parent is table.model]


def pointing_at(table: Table) -> list[Any]:
    """Foreign keys of other models to this one, without children, histories and the ways to a person."""
    found = []
    for relation in table.model._meta.related_objects:
        other = tables().get(relation.related_model._meta.label)
        is_way = other is not None and relation.field.name in other.people()
        is_child = other is not None and other.parent is table.model
        has_constraint = getattr(relation.field, "db_constraint", True)
        if relation.field.concrete and has_constraint and not is_way and not is_child:
            found.append(relation)
    return found


def _table(declaration: type[PersonalData]) -> Table:
    model = apps.get_model(declaration.label)
    by_mark: dict[str, list[Group]] = {}
    for group in declaration.groups:
        mark = repr((group.subject, group.category, group.start, group.person == "staff"))
        by_mark.setdefault(mark, []).append(group)
    strands = [Strand(tuple(groups)) for groups in by_mark.values()]
    ours = tuple(strand for strand in strands if not strand.of_staff)
    return Table(declaration, model, ours, tuple(s for s in strands if s.of_staff), history_of(model))


def history_of(model: Any) -> Any | None:
    """The history table of a model, or None."""
    return next((other for other in apps.get_models() if history_base(other) is model), None)


def _ordered(found: list[Table]) -> Iterator[Table]:
    """Rows that point at others come before them; the person comes last."""
    waiting = {table.model: table for table in found}
    done: set[Any] = set()

    def visit(table: Table) -> Iterator[Table]:
        if table.model in done:
            return
        done.add(table.model)
        for other in waiting.values():
            points = {f.related_model for f in other.model._meta.concrete_fields if f.is_relation}
            if table.model in points and other.model is not table.model:
                yield from visit(other)
        yield table

    for table in sorted(found, key=lambda one: (one.model is Customer, one.label)):
        yield from visit(table)


def category_sql(joins: Joins, strand: Strand, status: str | None) -> tuple[str, list[str]]:
    """The category of a row as SQL text and the keys it can answer; `status` is the person's, where known."""
    category = strand.group.category
    if not isinstance(category, By):
        return quoted(category), [category]
    if status is not None and _is_status(joins, category.field):
        key = category.resolve(status)
        return quoted(key), [key]
    answers = " ".join(f"WHEN {quoted(value)} THEN {quoted(key)}" for value, key in category.choices.items())
    default = f" ELSE {quoted(category.default)}" if category.default else ""
    return f"CASE {text_of(joins, category.field)} {answers}{default} END", category.outcomes


def start_sql(joins: Joins, strand: Strand, status: str | None, zone: str) -> str:
    """The local date a row's period counts from (C1), NULL while nothing has started it."""
    start = _start_sql(joins, strand, status, zone)
    unsettled = unsettled_sql(joins.model, strand)
    return f"CASE WHEN {unsettled} THEN NULL::date ELSE {start} END" if unsettled else start


def unsettled_sql(model: Any, strand: Strand) -> str:
    """What tells rows about which a person has still to decide, as SQL over the row `r`; "" where none are such.

    What stands in the row itself is asked first: the row that bounds it is looked up for the few of which that is true.
    """
    own, bounds = [], []
    for name, value in strand.group.unsettled.items():
        path = name.removesuffix("__isnull")
        found = model._meta.get_field(path)
        if name == path:
            own.append(f'r."{found.column}" = {quoted(value)}')
        else:
            assert value is False and found.auto_created
            pointing = found.related_model._meta.db_table
            # Not EXISTS, of which the planner would make a hash of the whole other table.
            bounds.append(
                f'(SELECT b."{found.field.column}" FROM "{pointing}" b '  # noqa: S608
                f'WHERE b."{found.field.column}" = r."{model._meta.pk.column}" LIMIT 1) IS NOT NULL'
            )
    return " AND ".join([*own, *bounds])


def _start_sql(joins: Joins, strand: Strand, status: str | None, zone: str) -> str:
    start = strand.group.start
    if not isinstance(start, By):
        return _first_date(joins, as_paths(start), zone)
    if status is not None and _is_status(joins, start.field):
        return _first_date(joins, as_paths(start.resolve(status)), zone)
    answers = " ".join(
        f"WHEN {quoted(value)} THEN {_first_date(joins, as_paths(paths), zone)}"
        for value, paths in start.choices.items()
    )
    default = f" ELSE {_first_date(joins, as_paths(start.default), zone)}" if start.default else ""
    return f"CASE {text_of(joins, start.field)} {answers}{default} END"


def starts_of(strand: Strand, value: str | None) -> tuple[str, ...]:
    """The paths whose first that is set starts the period of rows whose deciding field has this value."""
    start = strand.group.start
    return as_paths(start.resolve(value) if isinstance(start, By) else start)


def _is_status(joins: Joins, path: str) -> bool:
    return joins.field(path).model is Customer and path.rpartition("__")[2] == "status"


def text_of(joins: Joins, path: str) -> str:
    column = f"{joins.column(path)}::text"
    return f"initcap({column})" if isinstance(joins.field(path), models.BooleanField) else column


def _first_date(joins: Joins, paths: tuple[str, ...], zone: str) -> str:
    dates = [_date(joins, path, zone) for path in paths]
    if not dates:
        return "NULL::date"
    return f"COALESCE({', '.join(dates)})" if len(dates) > 1 else dates[0]


def _date(joins: Joins, path: str, zone: str) -> str:
    column = joins.column(path)
    if isinstance(joins.field(path), models.DateTimeField):
        return f"({column} AT TIME ZONE {quoted(zone)})::date"
    return column


def quoted(text: str | None) -> str:
    """A word of the declarations as an SQL literal; they are code, not input, and still are quoted."""
    if text is None:
        return "NULL"
    return "'" + str(text).replace("'", "''") + "'"
