"""Writes history as sets for the bulk ways, and reads it back as what a person changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.utils import timezone
from django.utils.dates import MONTHS
from django.utils.formats import date_format
from django.utils.translation import get_language_info

from customers.models import Address, ContactPerson, ContactPoint, Customer

TRACKED: tuple[type[models.Model], ...] = (Customer, Address, ContactPoint, ContactPerson)
# How a row came about is no change that somebody made to it.
UNSHOWN = frozenset(("id", "customer", "origin", "created_at"))


@cache
def columns_of(model: type[models.Model]) -> tuple[str, ...]:
    """The columns of a model that its history table copies."""
    copied = {f.column for f in model.history.model._meta.concrete_fields}  # type: ignore[attr-defined]
    return tuple(str(f.column) for f in model._meta.concrete_fields if f.column in copied)


def history_table(model: type[models.Model]) -> str:
    """The table that keeps the history of a model."""
    return model.history.model._meta.db_table  # type: ignore[attr-defined]


def write_history(
    model: type[models.Model],
    ids: Sequence[int],
    kind: str,
    *,
    user_id: int | None = None,
    batch: UUID | None = None,
    reason: str = "",
    at: datetime | None = None,
) -> int:
    """Note the present state of these rows as history ("+" made, "~" changed, "-" about to go): one statement.

    For bulk ways, inside their transaction, after a change and before a deletion.
    """
    if not ids:
        return 0
    columns = ", ".join(columns_of(model))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {history_table(model)} ({columns}, history_date, history_type, history_user_id, "  # noqa: S608
            f"history_change_reason, batch) SELECT {columns}, %s, %s, %s, %s, %s "
            f"FROM {model._meta.db_table} WHERE id = ANY(%s) ORDER BY id",
            [at or timezone.now(), kind, user_id, reason[:100] or None, batch, list(ids)],
        )
        return cursor.rowcount


@dataclass(frozen=True)
class FieldChange:
    """One field before and after, as people read it."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    """What somebody did at one time to one row of a customer."""

    what: str
    kind: str
    at: datetime
    user_id: int | None
    who: str
    batch: UUID | None
    reason: str
    fields: list[FieldChange] = field(default_factory=list)


def changes_of(customer: Customer, *, limit: int = 200) -> list[Change]:
    """What was changed on a customer, the addresses, contact points and contact persons; the newest first.

    Reads each history table once, whatever its number of rows per address.
    """
    found = [change for model in TRACKED for change in _changes(model, customer.pk)]
    found.sort(key=lambda change: change.at, reverse=True)
    return found[:limit]


def _changes(model: type[models.Model], customer_id: int) -> Iterator[Change]:
    by = "id" if model is Customer else "customer_id"
    rows = (
        model.history.filter(**{by: customer_id})  # type: ignore[attr-defined]
        .select_related("history_user")
        .order_by("id", "history_id")
    )
    if model is ContactPerson:
        restricted = ContactPerson.objects.filter(customer=customer_id, restricted_at__isnull=False)
        removed = rows.filter(history_type="-", restricted_at__isnull=False)
        rows = rows.exclude(id__in=restricted.values("pk")).exclude(id__in=removed.order_by().values("id"))
    names = [f.name for f in model._meta.concrete_fields if f.column in columns_of(model)]
    previous: Any = None
    for row in rows:
        if previous is not None and previous.id != row.id:
            previous = None
        fields = [] if row.history_type == "-" else _differences(model, names, previous, row)
        if fields or row.history_type != "~":
            user = row.history_user
            yield Change(
                str(model._meta.verbose_name),
                row.history_type,
                row.history_date,
                row.history_user_id,
                user.name if user else "",
                row.batch,
                row.history_change_reason or "",
                fields,
            )
        previous = row


def _differences(model: type[models.Model], names: list[str], before: Any, after: Any) -> list[FieldChange]:
    changes = []
    for name in names:
        if name in UNSHOWN:
            continue
        old, new = (_shown(row, name) for row in (before, after))
        if old != new:
            label = str(getattr(model._meta.get_field(name), "verbose_name", name))
            changes.append(FieldChange(label, old, new))
    return changes


def _shown(row: Any, name: str) -> str:
    if row is None:
        return ""
    display = getattr(row, f"get_{name}_display", None)
    value = display() if display else getattr(row, name)
    if value is None or value == "":
        return ""
    if name == "language":
        return _language(value)
    if name == "birthday_month":
        return str(MONTHS.get(value, value))
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT")
    if isinstance(value, bool):
        return "✓" if value else ""
    return str(value)


def _language(code: str) -> str:
    try:
        return str(get_language_info(code.lower())["name_translated"])
    except KeyError:
        return code
