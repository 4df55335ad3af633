"""Choosing what is due reads an index in the order of its start, whatever the size of the table (performance.md 2)."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection

from privacy.selecting import Branch, branches, units
from privacy.verdicts import Book

pytestmark = pytest.mark.django_db

# No more rows than there are staff, or than one person keeps.
SMALL = frozenset(
    {
        "account.EmailAddress",
        "intake.SavedMapping",
        "mfa.Authenticator",
        "portal.ListState",
        "portal.SavedView",
        "privacy.Hold",
        "privacy.Recipient",
        "staff.Invite",
        "staff.SignIn",
        "staff.User",
    }
)
# Persons of whom no summary was ever written, packages that wait, copies that the desk left: such rows are few.
RARE = frozenset(
    {
        ("customers.Customer", "registered_at"),
        ("customers.Customer", "created_at"),
        ("privacy.IdentityCopy", "request__identity_proven_at"),
        ("privacy.IdentityCopy", "request__closed_at"),
        ("privacy.Package", "built_at"),
    }
)


def _plan(book: Book, branch: Branch) -> str:
    """How the database would read it if every table were too large to be read or sorted whole."""
    joins, column, where, params = branch.sql(book)
    table = branch.unit.table
    with connection.cursor() as cursor:
        for method in ("seqscan", "sort", "hashjoin", "mergejoin", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{method} = off")
        cursor.execute(
            f"EXPLAIN SELECT r.{table.key}, {column} FROM {table.name} r {joins.sql} WHERE {where} "
            f"ORDER BY {column}, r.{table.key} LIMIT 5000",
            params,
        )
        return "\n".join(line for (line,) in cursor.fetchall())


def test_what_is_due_is_read_in_the_order_of_its_start():
    book = Book(date(2026, 11, 25))
    unserved = []
    for unit in units(book):
        for branch in branches(unit):
            start = unit.starts()[branch.depth]
            if unit.table.label in SMALL or (unit.table.label, start) in RARE:
                continue
            plan = _plan(book, branch)
            if "->  Sort" in plan or f"Seq Scan on {unit.table.model._meta.db_table} r" in plan:
                unserved.append((unit.table.label, unit.key, start, plan))

    assert not unserved
