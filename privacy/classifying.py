"""Asks the database for the fate of every row about some persons: one statement a model, no row leaves it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

from customers.models import Customer
from datamap import holds
from datamap.declarations import SELF, orm_path
from privacy.compiling import PERSON_FILES, Joins, Strand, Table, category_sql, quoted, start_sql, tables
from privacy.verdicts import DELETE, Book

WITH_PERSON = (*PERSON_FILES, "REQUEST", "DELLOG", "DISCLOSE")
"""While a case keeps a person, so it does what proves how their requests were answered."""

HELD = 9
"""Stands for "a hold keeps it": the row stays as it is."""


@dataclass
class People:
    """The persons of one batch; all have one status, since it decides about their categories."""

    status: str
    ids: list[int]
    numbers: list[str]
    refs: list[UUID]
    cases: list[holds.StandingHold] = field(default_factory=list)

    @property
    def held(self) -> set[int]:
        """Those for whom at least one case runs."""
        return {case.customer_id for case in self.cases}

    @property
    def kept_whole(self) -> set[str]:
        """The numbers of those of whom a case keeps everything."""
        whole = {case.customer_id for case in self.cases if case.is_whole}
        return {number for pk, number in zip(self.ids, self.numbers, strict=True) if pk in whole}

    def ask_cases(self, book: Book) -> None:
        """Find the cases that run about them."""
        self.cases = holds.standing(self.ids, book.as_of, night=book.night)

    def params(self) -> dict[str, Any]:
        """What the statements ask with."""
        return {
            "ids": self.ids,
            "held": sorted(self.held),
            "case_people": [case.customer_id for case in self.cases],
            "case_orders": [case.order_number for case in self.cases],
            "case_complaints": [case.complaint_id for case in self.cases],
        }


@dataclass
class Found:
    """Rows of one model that share the fates of their strands."""

    table: Table
    fates: tuple[int, ...]
    owned: bool
    count: int
    ids: list[Any]
    # Of each strand its category and, where asked for, the day its period began.
    details: tuple[tuple[str, date | None], ...] = ()

    @property
    def fate(self) -> int:
        """What happens to the row as a whole; 0 where it belongs to somebody else."""
        return max(self.fates) if self.owned else 0


def gone_whole(book: Book, people: People) -> dict[str, str]:
    """label -> category of the tables whose rows about these persons are all deleted, whatever stands in them.

    Nobody has to ask for the fate of their rows first.
    """
    if people.cases:
        return {}
    keys = {label: _only_key(table, people.status) for label, table in tables().items() if table.stands_alone}
    verdicts = {label: book.verdict(key, people.status) for label, key in keys.items() if key}
    return {
        label: verdict.key
        for label, verdict in verdicts.items()
        if verdict.running == DELETE and (verdict.cutoff is None or verdict.over == DELETE)
    }


@lru_cache(maxsize=1024)
def _only_key(table: Table, status: str) -> str | None:
    """The one category that all rows of a table fall under."""
    joins = Joins(table.model)
    found = {key for strand in table.strands for key in category_sql(joins, strand, status)[1]}
    return found.pop() if len(found) == 1 else None


def classify(book: Book, people: People, *, detail: bool = False, without: Container[str] = ()) -> Iterator[Found]:
    """Every row of every root model about these persons, grouped by what will happen to it.

    Children are left out: they share the fate of the row they hang on; so are the tables named in `without`. With
    `detail` the groups are split by the day their periods began as well, for plans and receipts of single persons.
    """
    for table in tables().values():
        if table.parent is None and table.owner is not None and table.label not in without:
            yield from _classified(table, book, people, detail)


def _classified(table: Table, book: Book, people: People, detail: bool) -> Iterator[Found]:
    joins = Joins(table.model)
    strands = [strand for strand in table.strands if strand.group.subject_paths]
    assert table.owner is not None
    owner = joins.column(table.owner)
    columns = {path: joins.column(path) for path in table.people()}
    fates, extra = [], []
    for strand in strands:
        fate, details = _fate(table, joins, strand, book, people, columns)
        fates.append(fate)
        extra += details if detail else [details[0], "NULL::date"]
    where = " OR ".join(f"{column} = ANY(%(ids)s)" for column in columns.values())
    owned = f"{owner} = ANY(%(ids)s) IS TRUE" if len(columns) > 1 else "true"
    grouped = ", ".join(str(place) for place in range(1, 3 + len(extra)))
    statement = (
        f"SELECT ARRAY[{', '.join(fates)}]::int[], {owned}, "  # noqa: S608
        f"{', '.join(extra)}, count(*), array_agg(r.{table.key}) "
        f"FROM {table.name} r {joins.sql} WHERE {where} GROUP BY {grouped}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, people.params())
        for row in cursor.fetchall():
            strand_fates, is_owned, *told, count, ids = row
            pairs = tuple(zip(told[::2], told[1::2], strict=True))
            yield Found(table, tuple(strand_fates), is_owned, count, ids, pairs)


def _fate(
    table: Table, joins: Joins, strand: Strand, book: Book, people: People, columns: dict[str, str]
) -> tuple[str, list[str]]:
    """The fate of one strand as SQL (0: another person's), and its category and start."""
    category, keys = category_sql(joins, strand, people.status)
    start = start_sql(joins, strand, people.status, book.zone)
    if strand.group.begun_by_end:
        start = f"COALESCE({start}, {quoted(book.as_of.isoformat())}::date)"
    person = ", ".join(columns[path] for path in strand.group.subject_paths)
    answers = []
    for key in keys:
        verdict = book.verdict(key, people.status)
        fate = str(verdict.running)
        # A person's own file ends with the person, whatever its own day.
        if verdict.cutoff is not None and verdict.over != verdict.running and key not in PERSON_FILES:
            over = f"{start} <= {quoted(verdict.cutoff.isoformat())}::date{_not_taxed(key, start, book)}"
            fate = f"CASE WHEN {over} THEN {verdict.over} ELSE {verdict.running} END"
        answers.append((key, fate))
    if len(answers) == 1:
        decided = answers[0][1]
    else:
        whens = " ".join(f"WHEN {quoted(key)} THEN {fate}" for key, fate in answers)
        decided = f"CASE {category} {whens} ELSE {DELETE} END"
    if people.cases:
        held = _case_sql(table, joins, category, columns, f"COALESCE({person})")
        decided = f"CASE WHEN {held} THEN {HELD} ELSE {decided} END"
    if len(columns) > 1:  # else every row that is found is theirs
        decided = f"CASE WHEN COALESCE({person}) = ANY(%(ids)s) THEN {decided} ELSE 0 END"
    return decided, [f"({category})::text", start]


def _not_taxed(key: str, start: str, book: Book) -> str:
    """Papers of years whose taxes are open are not over (AO § 147(3))."""
    years = [
        f"extract(year FROM {start}) BETWEEN {int(first)} AND {int(last)}"
        for first, last, categories in book.tax_years
        if key in categories
    ]
    return f" AND NOT ({' OR '.join(years)})" if years else ""


def _case_sql(table: Table, joins: Joins, category: str, columns: dict[str, str], person: str) -> str:
    """Whether a case keeps what a row says of a person: it belongs to the case, or the case needs to know them."""
    owner = columns[table.owner or ""]
    files = ", ".join(quoted(key) for key in WITH_PERSON)
    tests = ["h.o IS NULL AND h.k IS NULL"]
    link = holds.links().get(table.label)
    if link and link.order:
        tests.append(f"h.o = {joins.column(orm_path(link.order))}")
    if link and link.complaint:
        tests.append(f"h.k = {joins.column('pk' if link.complaint == SELF else orm_path(link.complaint))}")
    either = " OR ".join(f"({test})" for test in tests)
    in_file = f"{category} IN ({files}) AND {owner} = ANY(%(held)s)"
    cases = "unnest(%(case_people)s::bigint[], %(case_orders)s::text[], %(case_complaints)s::bigint[]) h (c, o, k)"
    return f"({in_file}) OR EXISTS (SELECT 1 FROM {cases} WHERE h.c = {person} AND ({either}))"  # noqa: S608


def people_of(ids: Iterable[int], refs: dict[int, UUID]) -> list[People]:
    """These persons by status; locked, so that no edit meets their end."""
    rows = (
        Customer.objects.select_for_update()
        .filter(pk__any_of=list(ids))
        .order_by("pk")
        .values_list("pk", "number", "status")
    )
    by_status: dict[str, list[tuple[int, str]]] = {}
    for pk, number, status in rows:
        by_status.setdefault(status, []).append((pk, number))
    return [
        People(status, [pk for pk, _number in many], [number for _pk, number in many], [refs[pk] for pk, _n in many])
        for status, many in sorted(by_status.items())
    ]
