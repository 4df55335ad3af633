"""Takes indexes and foreign keys off the big tables for a load, and puts them back, also after a killed run."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, models, transaction

from customers.models import Customer, SearchWord, Summary
from ops.demo.copying import COLUMNS, HISTORY
from orders.models import CustomerTotal

# Lives only while a load runs: what is to be put back. Its presence says that a load is not finished.
MARK = "demo_load"
_DEFINITIONS = """
    SELECT format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', c.conrelid::regclass, c.conname,
               pg_get_constraintdef(c.oid)),
           format('ALTER TABLE %%s DROP CONSTRAINT %%I', c.conrelid::regclass, c.conname), 2
    FROM pg_constraint c WHERE c.contype = 'f' AND c.conrelid::regclass::text = ANY(%(tables)s)
    UNION ALL
    SELECT pg_get_indexdef(i.indexrelid), format('DROP INDEX %%s', i.indexrelid::regclass), 1
    FROM pg_index i
    WHERE NOT i.indisprimary AND NOT i.indisunique AND i.indrelid::regclass::text = ANY(%(tables)s)
    ORDER BY 3, 1
"""


def tables() -> list[str]:
    """Every table a load writes."""
    found: Iterable[type[models.Model]] = (*COLUMNS, SearchWord, Summary, CustomerTotal)
    histories = [model.history.model._meta.db_table for model in HISTORY]  # type: ignore[attr-defined]
    return [model._meta.db_table for model in found] + histories


def unfinished() -> bool:
    """Whether a load was begun and not ended."""
    return MARK in connection.introspection.table_names()


def mark(*, shelve: bool) -> None:
    """Note that a load begins; with `shelve` take indexes and foreign keys off, all in one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {MARK} (position serial PRIMARY KEY, definition text NOT NULL)")
        if not shelve:
            return
        cursor.execute(_DEFINITIONS, {"tables": tables()})
        found = cursor.fetchall()
        for definition, _drop, _rank in found:
            cursor.execute(f"INSERT INTO {MARK} (definition) VALUES (%s)", [definition])  # noqa: S608
        for _definition, drop, _rank in reversed(found):
            cursor.execute(drop)


def put_back() -> None:
    """Make what was taken off again, each in a transaction of its own, so that a killed run can go on here."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT position, definition FROM {MARK} ORDER BY position")  # noqa: S608
        for position, definition in cursor.fetchall():
            with transaction.atomic():
                cursor.execute(definition)
                cursor.execute(f"DELETE FROM {MARK} WHERE position = %s", [position])  # noqa: S608


def clear_mark() -> None:
    """The load is complete, or what it left was removed."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {MARK}")


def mend() -> bool:
    """Put back what a killed load left off; True while its rows are still there."""
    if not unfinished():
        return False
    put_back()
    if Customer.objects.exists():
        return True
    clear_mark()
    return False
