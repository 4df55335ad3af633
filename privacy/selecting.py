"""Finds due rows along the index on their start: each unit is one rule over one model, read in keyset pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection, models

from customers.models import Customer, Tombstone
from customers.summary import missing
from datamap.declarations import By
from datamap.ending import ending_of
from datamap.workdays import day_begins
from privacy.compiling import (
    PERSON_FILES,
    Joins,
    Strand,
    Table,
    category_sql,
    quoted,
    start_sql,
    starts_of,
    tables,
    text_of,
    unsettled_sql,
)
from privacy.outliving import blocked_rows
from privacy.verdicts import ANONYMIZE, Book, Verdict
from vault.fields import SealedField

PAGE = 5_000
PEOPLE_PAGE = 1_000


@dataclass(frozen=True)
class Unit:
    """Rows of one model that fall under one key and count from the same paths."""

    table: Table
    strand: Strand
    key: str
    values: tuple[str, ...] | None  # of the field that decides about the category; None: all rows
    excluded: tuple[str, ...] = ()  # for the default of a choice: all values but these

    @property
    def of_people(self) -> bool:
        """Whether the rows are persons: their end is an erasure."""
        return self.table.model is Customer

    @property
    def page(self) -> int:
        """How many rows one batch holds."""
        return PEOPLE_PAGE if self.of_people else PAGE

    def starts(self) -> tuple[str, ...]:
        """The paths of which the first that is set starts the period."""
        return starts_of(self.strand, self.values[0] if self.values else None)


def units(book: Book, only: str = "") -> Iterator[Unit]:
    """Every unit whose rule has a period that can be over; persons first, since much goes with them.

    Rows that hang on another end with it and are no unit, but for those with a period of their own (`own_keys`).
    """
    found = [unit for table in tables().values() for unit in _units_of(table, book) if unit.key in table.own_keys]
    for unit in sorted(found, key=lambda unit: (not unit.of_people, unit.key, unit.table.label)):
        if not only or unit.key == only:
            yield unit


def _units_of(table: Table, book: Book) -> Iterator[Unit]:
    # A row in which staff are only mentioned ends with the rest of the row.
    strands = table.strands or table.staff_strands
    seen = set()
    for strand in strands:
        for unit in _units_of_strand(table, strand):
            mark = (unit.key, unit.values, unit.starts())
            if mark in seen or not unit.starts() or not _has_period(unit, book):
                continue
            seen.add(mark)
            yield unit


def _units_of_strand(table: Table, strand: Strand) -> Iterator[Unit]:
    category = strand.group.category
    if not isinstance(category, By):
        yield Unit(table, strand, category, None)
        return
    by_fate: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for value, key in category.choices.items():
        by_fate.setdefault((key, starts_of(strand, value)), []).append(value)
    for (key, _starts), values in by_fate.items():
        yield Unit(table, strand, key, tuple(values))
    if category.default:
        yield Unit(table, strand, category.default, None, tuple(category.choices))


def _has_period(unit: Unit, book: Book) -> bool:
    if unit.key in PERSON_FILES and not unit.of_people:
        return False  # goes with the person
    return book.verdict(unit.key).cutoff is not None


@dataclass(frozen=True)
class Branch:
    """One start path of a unit: the rows for which all earlier paths are empty and this one is over."""

    unit: Unit
    depth: int

    def sql(self, book: Book, *, judging: bool = False) -> tuple[Joins, str, str, list[Any]]:
        """Joins, the start column, the condition and its parameters.

        Rows are found by the copies that a declaration names; `judging` reads what was copied, since only a row that
        is locked itself is read as it stands after whoever changed it last.
        """
        unit = self.unit
        joins = Joins(unit.table.model, copies={} if judging else unit.table.copies())
        starts = unit.starts()
        column = joins.column(starts[self.depth])
        parts = [f"{joins.column(path)} IS NULL" for path in starts[: self.depth]]
        limit = _limit(joins, starts[self.depth], book, book.verdict(unit.key))
        parts.append(f"{column} < %s")
        if unsettled := unsettled_sql(unit.table.model, unit.strand):
            parts.append(f"NOT ({unsettled})")
        parts += _kind_sql(joins, unit) + list(_still_sql(unit, book)) + list(_other_rules_sql(joins, unit, book))
        return joins, column, " AND ".join(parts), [limit]


def branches(unit: Unit, *, judging: bool = False) -> list[Branch]:
    """The branches of a unit, each answered by an index of its own; none follows a start that is always set.

    Rows are found by a side table that is kept complete, and judged also where it is not yet."""
    joins, found = Joins(unit.table.model), []
    for depth, path in enumerate(unit.starts()):
        found.append(Branch(unit, depth))
        if joins.is_always_set(path, alone=judging):
            break
    return found


def due_pages(book: Book, unit: Unit) -> Iterator[list[Any]]:
    """The keys of all due rows of a unit, a page at a time."""
    for branch in branches(unit):
        page = due_page(book, branch)
        while page.ids:
            yield page.ids
            if len(page.ids) < unit.page:
                break
            page = due_page(book, branch, page)


def due_without_summary(book: Book, people: Sequence[Unit]) -> dict[str, list[list[int]]]:
    """Pages of due persons whose summary is missing, by key: no index finds them, and a rehearsal may not write it."""
    found: dict[str, list[list[int]]] = {unit.key: [] for unit in people}
    for ids in missing(PEOPLE_PAGE):
        for unit in people:
            if due := still_due(book, unit, ids):
                found[unit.key].append(due)
    return found


class DuePage(NamedTuple):
    """Keys of due rows and the last start among them."""

    ids: list[Any]
    start: Any


def due_page(book: Book, branch: Branch, after: DuePage | None = None) -> DuePage:
    """The next due rows of one branch, oldest start first."""
    joins, column, where, params = branch.sql(book)
    table = branch.unit.table
    if after:
        # The first test says nothing new; it lets the index begin where the last page ended.
        where += f" AND {column} >= %s AND ({column}, r.{table.key}) > (%s, %s)"
        params += [after.start, after.start, after.ids[-1]]
    with connection.cursor() as cursor:
        # One value instead of thousands of rows: making a Python date of each would take longer than finding them.
        cursor.execute(
            f"SELECT array_agg(key ORDER BY start, key), max(start) FROM ("  # noqa: S608
            f"SELECT r.{table.key} AS key, {column} AS start FROM {table.name} r {joins.sql} WHERE {where} "
            f"ORDER BY start, key LIMIT {branch.unit.page}) page",
            params,
        )
        ids, start = cursor.fetchone()
        return DuePage(ids or [], start)


def still_due(book: Book, unit: Unit, ids: list[Any]) -> list[Any]:
    """Those of the keys that are due now, locked: a late or repeated task looks at the rule again.

    Persons are locked against new rows that point at them too: a case that somebody opens now is seen, or waits."""
    lock = "UPDATE" if unit.of_people else "NO KEY UPDATE"
    found: list[Any] = []
    for branch in branches(unit, judging=True):
        if len(found) == len(ids):
            break  # a row is due by one start alone
        joins, _column, where, params = branch.sql(book, judging=True)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT array_agg(key) FROM (SELECT r.{unit.table.key} AS key FROM {unit.table.name} r {joins.sql} "  # noqa: S608
                f"WHERE r.{unit.table.key} = ANY(%s) AND {where} ORDER BY 1 FOR {lock} OF r) due",
                [ids, *params],
            )
            found += cursor.fetchone()[0] or []
    return found


def count_due(book: Book, unit: Unit) -> int:
    """How many rows of a unit are due."""
    total = 0
    for branch in branches(unit):
        joins, _column, where, params = branch.sql(book)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {unit.table.name} r {joins.sql} WHERE {where}", params)  # noqa: S608
            total += cursor.fetchone()[0]
    return total


def _limit(joins: Joins, path: str, book: Book, verdict: Verdict) -> Any:
    """The first start that is not over yet: an instant, or a day."""
    assert verdict.cutoff is not None
    following: date = verdict.cutoff + timedelta(days=1)
    if isinstance(joins.field(path), models.DateTimeField):
        return day_begins(following, ZoneInfo(book.zone))
    return following


def _kind_sql(joins: Joins, unit: Unit) -> list[str]:
    category = unit.strand.group.category
    if not isinstance(category, By) or (unit.values is None and not unit.excluded):
        return []
    text = text_of(joins, category.field)
    if unit.values is None:
        return [f"({text} IS NULL OR {text} NOT IN ({_list(unit.excluded)}))"]
    # The column itself, not its text, where that is the same: so that an index on it serves.
    field = joins.field(category.field)
    plain = isinstance(field, models.CharField | models.TextField)
    return [f"{joins.column(category.field) if plain else text} IN ({_list(unit.values)})"]


def _still_sql(unit: Unit, book: Book) -> Iterator[str]:
    """What tells a row that has ended from one that has not, where ended rows stay."""
    if (story := ending_of(unit.table.label)) is not None:
        yield f"({story[1]})"
        return
    if unit.table.model is Tombstone:
        # domain.md 5, TOMB: at least until the last blocked row of that person is gone.
        yield "r.kept_since IS NULL"
        yield from (f"NOT EXISTS ({rows})" for rows in blocked_rows("r.subject_ref"))
    if book.verdict(unit.key).over == ANONYMIZE:
        yield _not_anonymized(unit.table)


def _other_rules_sql(joins: Joins, unit: Unit, book: Book) -> Iterator[str]:
    """A row about one person that falls under several rules stays until the last of them lets it go (C5)."""
    strand = unit.strand
    if unit.of_people:
        return  # everything about a person ends with them
    for other in unit.table.strands:
        same_person = other.group.subject == strand.group.subject
        if not same_person or other is strand or other.group.category == strand.group.category:
            continue
        category, keys = category_sql(joins, other, None)
        start = start_sql(joins, other, None, book.zone)
        for key in keys:
            if key in PERSON_FILES or (last := book.verdict(key).cutoff) is None:
                continue
            over = f"{start} <= {quoted(last.isoformat())}::date"
            yield f"(({category}) IS DISTINCT FROM {quoted(key)} OR {over})"


def _not_anonymized(table: Table) -> str:
    paths = [path for path in table.people() if "__" not in path and path != "pk"]
    links = [f'r."{table.model._meta.get_field(path).column}" IS NOT NULL' for path in paths]
    if table.declaration.subject_ref:
        links.append(f'r."{table.model._meta.get_field(table.declaration.subject_ref).column}" IS NOT NULL')
    values = {
        table.model._meta.get_field(name): value
        for strand in (*table.strands, *table.staff_strands)
        for name, value in strand.anonymized().items()
    }
    told = {column: value for column, value in values.items() if isinstance(value, str)}
    told = {column: value for column, value in told.items() if not isinstance(column, SealedField)}
    links += [f'r."{column.column}" <> {quoted(value)}' for column, value in told.items()]
    if all(column.blank for column in told):
        # Nothing that every living row has: a mail to an address of which there is no file is told by the address.
        # Whom of the staff a row about customers names is another matter than its own.
        links_too = not table.strands
        emptied = [c for c, value in values.items() if value is None and (links_too or not c.is_relation)]
        links += [f'r."{column.column}" IS NOT NULL' for column in emptied]
    return f"({' OR '.join(links)})" if links else "true"


def _list(values: tuple[str, ...]) -> str:
    return ", ".join(quoted(value) for value in values)
