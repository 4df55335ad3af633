"""Tombstones outlive the blocked rows of their person (domain.md 5, TOMB), and are not looked at every night meanwhile.

A run that finds blocked rows under the mark of a tombstone notes it there, and the index of what may be due no longer
holds that tombstone. When one of the rows goes the note is taken back. In a new year all are looked at once more: a
note that nobody took back keeps a tombstone for no longer.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from datamap.workdays import day_begins
from privacy.clearing import column_of, run
from privacy.compiling import Table, tables
from privacy.verdicts import Book

TOMB = "TOMB"


def keep_outlived(book: Book) -> int:
    """Note which tombstones, their own period over, are kept by blocked rows; answers how many are new."""
    last = book.verdict(TOMB).cutoff
    if last is None:
        return 0
    run("UPDATE customers_tombstone SET kept_since = NULL WHERE kept_since < %s", [date(book.as_of.year, 1, 1)])
    stands = " OR ".join(f"EXISTS ({rows})" for rows in blocked_rows("r.subject_ref"))
    return run(
        "UPDATE customers_tombstone r SET kept_since = %s "  # noqa: S608
        f"WHERE r.kept_since IS NULL AND r.erased_at < %s AND ({stands})",
        [book.as_of, day_begins(last + timedelta(days=1), ZoneInfo(book.zone))],
    )


def blocked_rows(mark: str) -> list[str]:
    """For each model that can be blocked the SELECT of its rows under a mark (a column)."""
    return [f"SELECT 1 FROM {one.name} b WHERE b.subject_ref = {mark}" for one in tables().values() if one.blockable]  # noqa: S608


def marks_of(table: Table, ids: list[Any]) -> list[UUID]:
    """The marks under which any of these rows are blocked."""
    if not table.blockable:
        return []
    rows = f"FROM {table.name} r WHERE r.{table.key} = ANY(%s) AND r.subject_ref IS NOT NULL"
    return column_of(f"SELECT DISTINCT r.subject_ref {rows}", [ids])  # noqa: S608


def look_again(marks: list[UUID]) -> None:
    """A blocked row under each of these marks has gone: the next run asks whether it was the last one."""
    if marks:
        run(
            "UPDATE customers_tombstone SET kept_since = NULL WHERE id IN (SELECT id FROM customers_tombstone "
            "WHERE subject_ref = ANY(%s) AND kept_since IS NOT NULL ORDER BY id FOR NO KEY UPDATE)",
            [marks],
        )
