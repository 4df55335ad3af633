"""Takes an import of customers back: the state before the batch, except where somebody has gone on working."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from django.utils.translation import gettext as _

from customers import indexing, optins
from customers.historying import columns_of, history_table
from customers.intake import LOCK
from customers.models import (
    ActivityClaim,
    Address,
    AdvertisingStop,
    ContactPerson,
    ContactPoint,
    Customer,
    CustomerTag,
    ExternalId,
    Flag,
    HeldIntake,
    Note,
    OptInClaim,
    Origin,
    Preference,
    SearchEntry,
    Summary,
)
from customers.summary import lock as lock_summaries
from customers.summary import recount_activity
from customers.suppression import undo_mentions

# Rows that an import makes beside the customer; they carry their origin and go with it.
MADE_BESIDE: tuple[type[models.Model], ...] = (ExternalId, CustomerTag, Note, OptInClaim, ActivityClaim)
HISTORIED: tuple[type[models.Model], ...] = (Address, ContactPoint)
WRITTEN: tuple[type[models.Model], ...] = (Customer, *HISTORIED)
EDITED: tuple[type[models.Model], ...] = (*WRITTEN, ContactPerson)
# What else may hang on a customer; a row of another origin keeps the customer.
OTHERS: tuple[type[models.Model], ...] = (ContactPerson, Preference, Flag)
HANGING: tuple[type[models.Model], ...] = (*HISTORIED, *MADE_BESIDE, *OTHERS)

Check = Callable[[UUID, Sequence[int]], Mapping[int, str]]
_checks: list[Check] = []
_side_tables: dict[type[models.Model], str] = {}


@dataclass(frozen=True)
class Left:
    """A row that the undo does not touch, and why; `id` is the customer number where the row is a customer."""

    model: str
    id: str
    why: str


@dataclass
class UndoResult:
    """What an undo did, counted in customers (suppression entries for unsubscribed files)."""

    removed: int = 0
    restored: int = 0
    left: list[Left] = field(default_factory=list)


def register(check: Check) -> Check:
    """For apps above: `check(batch, customer_ids)` answers customer id -> why it must stay (it has orders, say)."""
    if check not in _checks:
        _checks.append(check)
    return check


def register_side_table(model: type[models.Model], column: str = "customer_id") -> None:
    """For apps above: rows of this table are computed from others and go with the customer, they do not keep it."""
    _side_tables[model] = column


def undo_customers(batch: UUID, *, keep_listed: bool = False) -> UndoResult:
    """Bring customers back to the state before this batch: one transaction, as sets.

    Customers made by it go with all that hangs on them, history included; those it changed get back what the history
    row before says; its external ids, tags, notes, claims, suppression entries and held rows go, and the last activity
    is counted anew. A suppression entry that somebody else names too, or with `keep_listed` may name, stays and is
    named (Art. 21(3) GDPR). Customers edited since, or with rows of another origin (orders, contacts, flags), are
    left and named. A person erased meanwhile is not brought back: only rows that still stand are restored.
    """
    result = UndoResult()
    with transaction.atomic():
        _run("SELECT pg_advisory_xact_lock(%s)", LOCK)
        origin = Origin.objects.filter(batch=batch).first()
        if origin is None:
            return result
        made = _ids("SELECT id FROM customers_customer WHERE origin_id = %s ORDER BY id", origin.pk)
        touched = _touched(batch, origin.pk, made)
        # Before the customers, and both by id, as everywhere: of two stories that cross one waits, none is lost.
        lock_summaries([*made, *touched])
        _run("SELECT id FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [*made, *touched])
        kept = _edited_since(batch, origin.at, [*made, *touched]) | _kept(batch, origin.pk, made)
        kept |= _without_before(batch, touched)
        _name_left(result, kept)
        removable = [id_ for id_ in made if id_ not in kept]
        restorable = [id_ for id_ in touched if id_ not in kept]
        _take_back(batch, origin.pk, restorable)
        optins.take_back(batch, removable, restorable)
        _remove(removable)
        result.removed, result.restored = len(removable), len(restorable)
        _run("DELETE FROM customers_heldintake WHERE origin_id = %s AND kind = 'customer'", origin.pk)
        _take_off_the_list(result, origin.pk, keep=keep_listed)
        _drop_lone_tags()
    return result


def _touched(batch: UUID, origin_id: int, made: list[int]) -> list[int]:
    """Customers that were there before and have something of this batch."""
    found = optins.touched(batch)
    for model in WRITTEN:
        column = "id" if model is Customer else "customer_id"
        found.update(_ids(f"SELECT DISTINCT {column} FROM {history_table(model)} WHERE batch = %s", batch))  # noqa: S608
    for model in MADE_BESIDE:
        table = model._meta.db_table
        found.update(_ids(f"SELECT DISTINCT customer_id FROM {table} WHERE origin_id = %s", origin_id))  # noqa: S608
    return _ids("SELECT id FROM customers_customer WHERE id = ANY(%s) ORDER BY id", sorted(found - set(made)))


def _edited_since(batch: UUID, started: datetime, ids: list[int]) -> dict[int, str]:
    """Customers with a history row of somebody else that is newer than the batch's first one about them."""
    written = " UNION ALL ".join(
        f"SELECT {_person(model)} AS person, history_date FROM {history_table(model)} WHERE batch = %s"  # noqa: S608
        for model in WRITTEN
    )
    found: dict[int, str] = {}
    for model in EDITED:
        person = _person(model)
        newer = _ids(
            f"WITH mine AS (SELECT person, min(history_date) AS at FROM ({written}) w GROUP BY person) "  # noqa: S608
            f"SELECT DISTINCT h.{person} FROM {history_table(model)} h LEFT JOIN mine ON mine.person = h.{person} "
            f"WHERE h.{person} = ANY(%s) AND h.batch IS DISTINCT FROM %s "
            "AND h.history_date > coalesce(mine.at, %s)",
            *[batch] * 3,
            ids,
            batch,
            started,
        )
        found |= dict.fromkeys(newer, _("edited since"))
    return found


def _without_before(batch: UUID, ids: list[int]) -> dict[int, str]:
    """Customers changed by the batch whose state before it is not known any more: that history had its last day."""
    found: dict[int, str] = {}
    for model in WRITTEN:
        table, person = history_table(model), _person(model)
        lost = _ids(
            f"SELECT DISTINCT h.{person} FROM {table} h WHERE h.batch = %s AND h.{person} = ANY(%s) "  # noqa: S608
            f"AND h.history_type = '~' AND NOT EXISTS (SELECT 1 FROM {table} b "
            "WHERE b.id = h.id AND b.history_id < h.history_id)",
            batch,
            ids,
        )
        found |= dict.fromkeys(lost, _("the state before is not known any more"))
    return found


def _person(model: type[models.Model]) -> str:
    """The column of a history table that says whose row it was."""
    return "id" if model is Customer else "customer_id"


def _kept(batch: UUID, origin_id: int, made: list[int]) -> dict[int, str]:
    """Customers made by the batch on which something of another origin hangs."""
    found: dict[int, str] = {}
    for model in HANGING:
        own = "AND origin_id IS DISTINCT FROM %s" if model is not Flag else "AND %s > 0"
        table = model._meta.db_table
        ids = _ids(
            f"SELECT DISTINCT customer_id FROM {table} WHERE customer_id = ANY(%s) {own}",  # noqa: S608
            made,
            origin_id,
        )
        found |= dict.fromkeys(ids, _("has data of another origin (%s)") % model._meta.verbose_name)
    for table, column, label in _foreign_tables():
        ids = _ids(f"SELECT DISTINCT {column} FROM {table} WHERE {column} = ANY(%s)", made)  # noqa: S608
        found |= dict.fromkeys(ids, _("is named by other data (%s)") % label)
    for check in _checks:
        found |= check(batch, made)
    return found


def _foreign_tables() -> Iterable[tuple[str, str, str]]:
    """Tables of other apps that name customers; those registered as computed do not count."""
    for relation in Customer._meta.related_objects:
        model: Any = relation.related_model
        if model._meta.app_label != "customers" and model not in _side_tables and not _is_history(model):
            yield model._meta.db_table, str(relation.field.column), str(model._meta.verbose_name)


def _is_history(model: Any) -> bool:
    return hasattr(model, "instance_type")


def _name_left(result: UndoResult, kept: Mapping[int, str]) -> None:
    numbers = dict(Customer.objects.filter(pk__in=kept).values_list("pk", "number"))
    result.left = [Left("customers.Customer", numbers[id_], kept[id_]) for id_ in sorted(kept) if id_ in numbers]


def _take_back(batch: UUID, origin_id: int, ids: list[int]) -> None:
    """Restore customers that were there before: own columns, addresses, contact points, and what was added."""
    if not ids:
        return
    for model in HANGING[: -len(OTHERS)]:
        table = model._meta.db_table
        if model in HISTORIED:
            _run(
                f"DELETE FROM {history_table(model)} h USING {table} t "  # noqa: S608
                "WHERE h.id = t.id AND t.origin_id = %s AND t.customer_id = ANY(%s)",
                origin_id,
                ids,
            )
        _run(f"DELETE FROM {table} WHERE origin_id = %s AND customer_id = ANY(%s)", origin_id, ids)  # noqa: S608
    for model in WRITTEN:
        _restore(model, batch, ids)
    _run("UPDATE customers_customer SET version = version + 1 WHERE id = ANY(%s)", ids)
    indexing.refresh(ids)
    recount_activity(ids)


def _restore(model: type[models.Model], batch: UUID, ids: list[int]) -> None:
    """Copy the last history row before the batch back into the row, and drop the batch's history."""
    column = "id" if model is Customer else "customer_id"
    columns = [name for name in columns_of(model) if name != "id"]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH mine AS (
                SELECT id, min(history_id) AS first FROM {history_table(model)}
                WHERE batch = %s AND {column} = ANY(%s) GROUP BY id
            ), before AS (
                SELECT DISTINCT ON (h.id) h.* FROM {history_table(model)} h JOIN mine ON mine.id = h.id
                WHERE h.history_id < mine.first ORDER BY h.id, h.history_id DESC
            )
            UPDATE {model._meta.db_table} t SET {", ".join(f"{name} = b.{name}" for name in columns)}
            FROM before b WHERE t.id = b.id AND b.history_type <> '-' RETURNING t.id
            """,  # noqa: S608
            [batch, ids],
        )
        restored = [id_ for (id_,) in cursor.fetchall()]
    _reindex(model, restored)
    _run(f"DELETE FROM {history_table(model)} WHERE batch = %s AND {column} = ANY(%s)", batch, ids)  # noqa: S608


def _reindex(model: type[models.Model], ids: list[int]) -> None:
    """History holds no blind indexes, so those of restored rows are computed again."""
    fields: list[Any] = [f for f in model._meta.concrete_fields if getattr(f, "dependants", None)]
    sources = {f.name: f.dependants for f in fields}
    for name, indexes in sources.items():
        rows = list(model._default_manager.filter(pk__in=ids).values_list("pk", name))
        for index in indexes:
            _run(
                f"UPDATE {model._meta.db_table} t SET {index.column} = n.value "  # noqa: S608
                "FROM unnest(%s::bigint[], %s::bytea[]) AS n (id, value) WHERE t.id = n.id",
                [pk for pk, _value in rows],
                [index.blind(value) for _pk, value in rows],
            )


def _remove(ids: list[int]) -> None:
    """Delete customers made by the batch with everything of theirs, history included."""
    if not ids:
        return
    for model, column in _side_tables.items():
        _run(f"DELETE FROM {model._meta.db_table} WHERE {column} = ANY(%s)", ids)  # noqa: S608
    for model in EDITED[1:]:
        _run(f"DELETE FROM {history_table(model)} WHERE customer_id = ANY(%s)", ids)  # noqa: S608
    beside: tuple[type[models.Model], ...] = (HeldIntake, SearchEntry, Summary, AdvertisingStop)
    for model in (*HANGING, *beside):
        _run(f"DELETE FROM {model._meta.db_table} WHERE customer_id = ANY(%s)", ids)  # noqa: S608
    _run(f"DELETE FROM {history_table(Customer)} WHERE id = ANY(%s)", ids)  # noqa: S608
    _run("DELETE FROM customers_customer WHERE id = ANY(%s)", ids)


def _take_off_the_list(result: UndoResult, origin_id: int, *, keep: bool) -> None:
    removed, left = undo_mentions(origin_id, keep=keep)
    result.removed += removed
    why = (
        _("a list that came in later may name this address too") if keep else _("somebody else names this address too")
    )
    result.left += [Left("customers.Suppression", str(pk), why) for pk in left]


def _drop_lone_tags() -> None:
    _run("DELETE FROM customers_tag t WHERE NOT EXISTS (SELECT 1 FROM customers_customertag c WHERE c.tag_id = t.id)")


def _ids(query: str, *params: Any) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(query, list(params))
        return [id_ for (id_,) in cursor.fetchall()]


def _run(query: str, *params: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query, list(params))
        return cursor.rowcount
