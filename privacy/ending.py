"""Ends one batch of due rows or persons, inside the caller's transaction: who is held stays, everything else goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from customers.models import Customer
from customers.remains import leave_remains
from datamap import erasing as around
from datamap import holds, journal
from datamap.catalogue import rule_for
from datamap.declarations import orm_path, registry
from datamap.ending import ending_of
from datamap.workdays import add_months, day_begins
from privacy.classifying import Found, People, classify, gone_whole, people_of
from privacy.clearing import Done, anonymize, begin_erasing, clear, column_of, delete, run
from privacy.compiling import PERSON_FILES, Joins, Table, category_sql, tables
from privacy.forewarning import untold, waits
from privacy.holding import TAX_CATEGORIES
from privacy.journaling import entry_of
from privacy.letters import keep_addressees
from privacy.models import Erasure, Policy
from privacy.notices import queue_erasures
from privacy.outliving import look_again, marks_of
from privacy.selecting import Unit, still_due
from privacy.speakers_files import part_files, speakers_with_files
from privacy.verdicts import ANONYMIZE, DELETE, NAMES, Book

CHUNK = 20_000


@dataclass
class Outcome:
    """(rule, model, action) -> rows, and the opaque keys of the rows a rule ended by itself."""

    due: int = 0
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    ids: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)

    def note(self, key: str, label: str, action: str, count: int, ids: Iterable[Any] = ()) -> None:
        """Count rows."""
        if count:
            self.counts[key, label, action] += count
            if told := [str(pk) for pk in ids]:
                self.ids.setdefault((key, label, action), []).extend(told)

    def join(self, other: Outcome) -> None:
        """Add what another part of the same batch did."""
        self.due += other.due
        self.counts += other.counts
        for what, ids in other.ids.items():
            self.ids.setdefault(what, []).extend(ids)

    @staticmethod
    def is_root(key: str, label: str) -> bool:
        """Whether rows of this model are counted under this rule: no dependants, no history (commands.md). A dependant
        with a period of its own is none where that ends it."""
        if not key:
            return False
        table = tables().get(label)
        if table is None:  # a store outside the models
            return False
        if table.parent is not None:
            return key in table.own_keys
        return (key not in PERSON_FILES or table.model is Customer) and key != "PREF"


def end_rows(book: Book, unit: Unit, ids: list[Any], *, dry_run: bool = False, ended: Collection[int] = ()) -> Outcome:
    """Delete or anonymize the rows that are due now and that no case keeps.

    A dry run is told whose persons it has seen end: their rows are due, and what happens to them is counted already.
    """
    outcome = Outcome()
    if not dry_run:
        _keep_cases_out(unit.table, ids)
    due = still_due(book, unit, ids)
    outcome.due = len(due)
    held = _held_rows(book, unit, due)
    free = [pk for pk in due if pk not in held]
    label, over = unit.table.label, book.verdict(unit.key).over
    if over == ANONYMIZE and not unit.table.can_be_anonymized:
        over = DELETE
    outcome.note(unit.key, label, "held", len(held), held)
    if not free:
        return outcome
    if dry_run:
        outcome.note(unit.key, label, NAMES[over], len(free) - _count_of(ended, unit.table, free))
        return outcome
    begin_erasing()
    marks = marks_of(unit.table, free)
    _end_free(outcome, unit, free, over)
    look_again(marks)
    return outcome


def _end_free(outcome: Outcome, unit: Unit, free: list[Any], over: int) -> None:
    label = unit.table.label
    if (story := ending_of(label)) is not None:
        story[0](free)
        outcome.note(unit.key, label, NAMES[over], len(free), free)
        return
    done = Done()
    if over == ANONYMIZE:
        anonymize(unit.table, free, done)
    else:
        delete(unit.table, free, done)
    for (model, action), count in done.rows.items():
        outcome.note(unit.key, model, action, count, free if model == label else ())
    _note_history(outcome, done)


def _count_of(ended: Collection[int], table: Table, ids: list[Any]) -> int:
    """How many of the rows are about persons who end in the same run."""
    if not ended or table.owner is None:
        return 0
    joins = Joins(table.model)
    column = joins.column(table.owner)
    owners = column_of(f"SELECT {column} FROM {table.name} r {joins.sql} WHERE r.{table.key} = ANY(%s)", [ids])  # noqa: S608
    return sum(owner in ended for owner in owners)


def _keep_cases_out(table: Table, ids: list[Any]) -> None:
    """Lock the persons of these rows by the weakest lock: only who opens a case about one of them waits for it.

    The persons before the rows, as whoever ends a person does: nobody waits crosswise.
    """
    if table.parent is not None or (way := _way_to_person(table)) is None:
        return
    joins, column = way
    run(
        "SELECT count(*) FROM (SELECT id FROM customers_customer WHERE id IN "  # noqa: S608
        f"(SELECT {column} FROM {table.name} r {joins.sql} WHERE r.{table.key} = ANY(%s)) "
        "ORDER BY id FOR KEY SHARE) persons",
        [ids],
    )


def _way_to_person(table: Table) -> tuple[Joins, str] | None:
    """The joins that lead to the person a row is about, and the column of their key; None where it names nobody."""
    joins = Joins(table.model)
    if table.owner is not None:
        return joins, joins.column(table.owner)
    for strand in table.strands:
        if strand.number is not None and strand.number.of == "number":
            column = f'r."{table.model._meta.get_field(strand.number.column).column}"'
            joins.parts.append(f"LEFT JOIN customers_customer person ON person.number = {column}")
            return joins, "person.id"
    return None


def _held_rows(book: Book, unit: Unit, ids: list[Any]) -> set[Any]:
    """Those of the rows that a case, or an open tax matter, keeps.

    A case keeps the rows it lives by. What hangs on one of them and ends before it served a single step that is done:
    keeping it longer would be a purpose of its own, and a hold adds none (domain.md 4.2).
    """
    table = unit.table
    if not ids:
        return set()
    held = _taxed(book, unit, ids)
    if table.parent is not None or (way := _way_to_person(table)) is None:
        return held
    joins, column = way
    link = holds.links().get(table.label)
    order = joins.column(orm_path(link.order)) if link and link.order else "NULL::text"
    complaint = "NULL::bigint"
    if link and link.complaint:
        complaint = joins.column("pk" if link.complaint == "self" else orm_path(link.complaint))
    source = f"FROM {table.name} r {joins.sql} WHERE r.{table.key} = ANY(%s) AND {column} IS NOT NULL"
    (people,) = column_of(f"SELECT array_agg({column}) {source}", [ids])  # noqa: S608
    cases = holds.standing(sorted({*(people or ())}), book.as_of, night=True)
    if not cases:
        return held
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT r.{table.key}, {column}, {order}, {complaint} {source}", [ids])  # noqa: S608
        rows = cursor.fetchall()
    whole, orders, complaints = set(), set(), set()
    for case in cases:
        if case.order_number is not None:
            orders.add((case.customer_id, case.order_number))
        if case.complaint_id is not None:
            complaints.add(case.complaint_id)
        if case.is_whole:
            whole.add(case.customer_id)
    return held | {
        pk
        for pk, customer, number, said in rows
        if customer in whole or (customer, number) in orders or (said is not None and said in complaints)
    }


def _taxed(book: Book, unit: Unit, ids: list[Any]) -> set[Any]:
    years = [(first, last) for first, last, keys in book.tax_years if unit.key in keys]
    if not years:
        return set()
    joins = Joins(unit.table.model)
    start = ", ".join(joins.column(path) for path in unit.starts())
    test = " OR ".join(f"extract(year FROM COALESCE({start}) AT TIME ZONE %s) BETWEEN {a} AND {b}" for a, b in years)
    return set(
        column_of(
            f"SELECT r.{unit.table.key} FROM {unit.table.name} r {joins.sql} "  # noqa: S608
            f"WHERE r.{unit.table.key} = ANY(%s) AND ({test})",
            [ids, *[book.zone] * len(years)],
        )
    )


def kept_people(book: Book, ids: Collection[int]) -> set[int]:
    """Who of these persons stays tonight: a case of theirs runs, they were told that their account ends and may still
    say a word, or an erasure that has begun ends them itself, under its own mark and with one receipt for the whole."""
    wanted, zone = list(ids), ZoneInfo(book.zone)
    going = Erasure.objects.filter(customer__any_of=wanted, started_at__isnull=False, state__in=Erasure.OPEN_STATES)
    cases = holds.standing(wanted, book.as_of, night=True)
    told = {*waits(wanted, book.as_of, zone)}
    if book.warns_first and Policy.current().warn_days:
        told |= {one.pk for one in untold(wanted, zone)}
    return {case.customer_id for case in cases} | set(going.values_list("customer", flat=True)) | told


def end_people(book: Book, unit: Unit, ids: list[int], *, dry_run: bool = False) -> Outcome:
    """End persons whose own period is over, as a request would: whoever has a case running stays whole."""
    outcome = Outcome()
    due = still_due(book, unit, ids)
    outcome.due = len(due)
    held = kept_people(book, due)
    outcome.note(unit.key, unit.table.label, "held", len(held), sorted(held))
    free = [pk for pk in due if pk not in held]
    if not free:
        return outcome
    refs = {pk: uuid4() for pk in free}
    written = {} if dry_run else around.first(free, book.as_of, asked=False)
    for people in people_of(free, refs):
        whole = {} if dry_run else gone_whole(book, people)
        found = list(classify(book, people, without=whole))
        _note_found(outcome, unit.key, found, written)
        if not dry_run:
            done = _end_people(people, found, whole)
            _note_done(outcome, unit.key, done, whole)
    return outcome


def _end_people(people: People, found: list[Found], whole: Container[str]) -> Done:
    at = timezone.now()
    begin_erasing()
    own = dict(zip(people.ids, people.refs, strict=True))
    leave_remains(own, erased_at=at, suppress=False)
    queue_erasures(own)
    keep_addressees(people.ids)
    around.before(people.ids)
    leavers = speakers_with_files(people.ids)
    done = clear(people, found, whole)
    part_files(leavers, people.refs)
    around.after(people.ids, people.refs)
    _journal(people, at)
    run("SET CONSTRAINTS ALL IMMEDIATE")
    return done


def _journal(people: People, at: datetime) -> None:
    told = zip(people.ids, people.numbers, people.refs, strict=True)
    journal.write_many("erasure", [entry_of(pk, number, ref, at) for pk, number, ref in told])


def _note_found(outcome: Outcome, person_key: str, found: list[Found], written: Mapping[str, set[Any]]) -> None:
    """Under each rule what it did to the rows that a dry run counts, too: the persons' own file under theirs."""
    for one in found:
        fate = one.fate or ANONYMIZE
        key = one.details[next(i for i, f in enumerate(one.fates) if f == max(one.fates))][0] or person_key
        ids = one.ids if one.table.model is Customer else ()
        new = written.get(one.table.label, set()).intersection(one.ids)
        outcome.note(key, one.table.label, NAMES[fate], one.count - len(new), ids)


def _note_done(outcome: Outcome, person_key: str, done: Done, whole: Mapping[str, str]) -> None:
    """What nobody asked for before: rows of whole tables under their rule, rows that went with another under none."""
    for (label, action), count in done.rows.items():
        if label in whole:
            outcome.note(whole[label] or person_key, label, action, count)
        elif tables()[label].parent is not None or tables()[label].owner is None:
            outcome.note("", label, action, count)
    _note_history(outcome, done)


def _note_history(outcome: Outcome, done: Done) -> None:
    for label, count in done.history.items():
        outcome.note("HISTORY", label, "delete", count)


def end_history(book: Book, table: Table) -> Outcome:
    """Delete history that is older than HISTORY keeps, except of papers that taxes need and of persons about whom a
    matter runs that keeps everything of them, or the file that the history is of."""
    outcome = Outcome()
    rule = rule_for("HISTORY", book.as_of, rules=book.rules)
    if table.history is None or not rule.cap_months:
        return outcome
    limit = day_begins(add_months(book.as_of, -rule.cap_months), ZoneInfo(book.zone))
    meta, of = table.history._meta, _owner_in_history(table)
    taxed, params = _of_tax_papers(table)
    owner = f'h."{meta.get_field(of).column}"' if of else "NULL::bigint"
    statement = (
        f'SELECT h.history_date, h.history_id, {owner} FROM "{meta.db_table}" h '  # noqa: S608
        f"WHERE h.history_date < %s AND (h.history_date, h.history_id) > (%s, %s){taxed} "
        f"ORDER BY h.history_date, h.history_id LIMIT {CHUNK}"
    )
    after, total, kept = (datetime.min.replace(tzinfo=UTC), 0), 0, 0
    while found := _rows_of(statement, [limit, *after, *params]):
        after = found[-1][:2]
        held = _keeping_history(book, table, {person for _date, _id, person in found if person is not None})
        gone = [pk for _date, pk, person in found if person not in held]
        total += run(f'DELETE FROM "{meta.db_table}" WHERE history_id = ANY(%s)', [gone])  # noqa: S608
        kept += len(found) - len(gone)
    outcome.note("HISTORY", meta.label, "delete", total)
    outcome.note("HISTORY", meta.label, "held", kept)
    return outcome


def _owner_in_history(table: Table) -> str:
    """The column of a history table that names the person; "" where a row is theirs by way of another."""
    if table.owner == "pk":
        return str(table.model._meta.pk.name)
    return table.owner if table.owner and "__" not in table.owner else ""


def _keeping_history(book: Book, table: Table, people: set[Any]) -> set[Any]:
    """Those of these persons of whom nothing of this table is deleted by itself."""
    in_file = {key for strand in table.strands for key in strand.categories()} <= {*PERSON_FILES}
    cases = holds.standing(sorted(people), book.as_of, night=True)
    return {case.customer_id for case in cases if case.is_whole or (in_file and case.complaint_id == holds.FILE_ONLY)}


def _of_tax_papers(table: Table) -> tuple[str, list[Any]]:
    """That the live row is none that AO § 147 keeps: its history is part of what was kept."""
    joins = Joins(table.model)
    tests = []
    for strand in table.strands:
        if set(strand.categories()) & set(TAX_CATEGORIES):
            category, _keys = category_sql(joins, strand, None)
            tests.append(f"({category}) = ANY(%s)")
    if not tests:
        return "", []
    key = table.history._meta.get_field(table.model._meta.pk.name).column  # type: ignore[union-attr]
    return (
        f' AND NOT EXISTS (SELECT 1 FROM {table.name} r {joins.sql} WHERE r.{table.key} = h."{key}" '  # noqa: S608
        f"AND ({' OR '.join(tests)}))",
        [list(TAX_CATEGORIES)] * len(tests),
    )


def end_store(book: Book, key: str) -> Outcome:
    """Have a store outside the models drop what is over."""
    outcome = Outcome()
    store = next(store for store in registry.stores() if store.key == key)
    last = book.verdict(store.category).cutoff
    if store.expire is not None and last is not None:
        outcome.note(store.category, key, "delete", store.expire(last) or 0)
    return outcome


def _rows_of(statement: str, params: Iterable[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(params))
        return cursor.fetchall()
