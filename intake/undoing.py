"""Puts back the state before an import, through the apps that own the rows."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import F, Model, Q, QuerySet
from django.utils import timezone

from customers.intake import LOCK
from customers.models import Customer, Suppression
from customers.undoing import MADE_BESIDE, WRITTEN, undo_customers
from intake.models import Batch
from intake.profiles import profiles
from intake.profiles.declaring import SUPPRESSIONS
from orders.intake import LOCK as ORDERS_LOCK
from orders.models import Order
from orders.undoing import undo_orders

Progress = Callable[[int], None]
State = Batch.State
# Rows that were left are named up to this number; all are counted.
NAMED = 1_000
# Beyond this many rows the page tells the most there can be instead of trying it out.
TRIED = 1_000


class LeaseLost(Exception):
    """Another worker has the batch now, or somebody changed its state."""


def request_undo(batch_id: uuid.UUID, version: int | None = None) -> bool:
    """Mark a batch to be undone; False where there is nothing to undo or it has changed since `version`."""
    found = Batch.objects.filter(pk=batch_id).filter(Q(state=State.DONE) | Q(state=State.FAILED, origin__isnull=False))
    if version is not None:
        found = found.filter(version=version)
    changed = found.update(
        state=State.UNDOING, failure="", attempts=0, lease=None, lease_until=None, version=F("version") + 1
    )
    return bool(changed)


def undo(batch: Batch, progress: Progress = lambda steps: None) -> None:
    """Undo a batch that was asked to be undone, in one transaction with its row locked. Raises LeaseLost.

    `progress` hears of every step, each of which is one statement for all rows.
    """

    def step(execute: Callable[..., Any], *statement: Any) -> Any:
        done = execute(*statement)
        progress(1)
        return done

    with transaction.atomic(), connection.execute_wrapper(step):
        held = Batch.objects.select_for_update().filter(pk=batch.pk, lease=batch.lease, state=State.UNDOING)
        found = held.first()
        if found is None:
            raise LeaseLost
        found.undo = _take_back(found)
        found.state, found.undone_at = State.UNDONE, timezone.now()
        found.lease, found.lease_until, found.version = None, None, found.version + 1
        found.save()


def _take_back(batch: Batch) -> dict[str, Any]:
    """What was removed, restored and left; counted in root objects of the batch."""
    if batch.origin_id is None:
        return {"removed": 0, "restored": 0, "left": [], "left_count": 0}
    _lock(batch)
    left: list[Any] = []
    if batch.kind == Batch.Kind.ORDERS:
        root = undo_orders(batch.pk, user_id=batch.user_id)
        left += root.left
        # Customers nobody knew before these orders came in.
        left += undo_customers(batch.pk).left
        counts = {"removed": root.removed, "restored": root.restored}
    else:
        people = undo_customers(batch.pk, keep_listed=_may_be_named_again(batch))
        left += people.left
        counts = {"removed": people.removed, "restored": people.restored}
    return {**counts, "left": [asdict(row) for row in left[:NAMED]], "left_count": len(left)}


def _lock(batch: Batch, *, wait: bool = True) -> bool:
    """Take the locks of every import in their order, the platform's orders, then new customers; rows follow by id.

    In another order an import and an undo would wait for each other. Without `wait` the answer is False where one of
    them is taken.
    """
    locks: list[tuple[str, Any]] = [("SELECT pg_advisory_xact_lock(%s)", LOCK)]
    if batch.kind == Batch.Kind.ORDERS:
        locks.insert(0, (ORDERS_LOCK, batch.platform))
    with connection.cursor() as cursor:
        for statement, value in locks:
            cursor.execute(statement if wait else statement.replace("pg_advisory", "pg_try_advisory"), [value])
            if not wait and not cursor.fetchone()[0]:
                return False
    return True


def _may_be_named_again(batch: Batch) -> bool:
    """Whether a later list brought nothing new: it left no row, so which of these addresses it names is not known."""
    lists = [profile.key for profile in profiles(batch.kind) if profile.kind == SUPPRESSIONS]
    if batch.profile not in lists:
        return False
    later = Batch.objects.filter(profile__in=lists, state=State.DONE, origin=None, created_at__gt=batch.created_at)
    return later.filter(counts__unchanged__gt=0).exists()


def preview_undo(batch: Batch) -> dict[str, Any]:
    """What an undo would do: tried out and rolled back, or the most it can be, counted.

    Counted where the import is large, or where another one writes just now: a look waits for nobody.
    """
    counts = batch.counts
    size = counts.get("created", 0) + counts.get("updated", 0) + counts.get("customers_created", 0)
    found = _tried(batch) if size <= TRIED else None
    return {**found, "exact": True} if found else {**_most(batch), "left": [], "left_count": 0, "exact": False}


def _tried(batch: Batch) -> dict[str, Any] | None:
    """The undo done and rolled back; None where something it needs is locked."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '1s'")
            found = _take_back(batch) if _lock(batch, wait=False) else None
            transaction.set_rollback(True)
    except OperationalError:
        return None
    return found


def _most(batch: Batch) -> dict[str, int]:
    """How many rows the batch made and changed that are still there; nothing is locked."""
    if batch.origin_id is None:
        return {"removed": 0, "restored": 0}
    if batch.kind == Batch.Kind.ORDERS:
        touched = _history(Order).filter(batch=batch.pk).values("id")
        changed = Order.objects.filter(pk__in=touched).exclude(origin_id=batch.origin_id)
        return {"removed": Order.objects.filter(origin_id=batch.origin_id).count(), "restored": changed.count()}
    parts = [
        _history(model).filter(batch=batch.pk).values("id" if model is Customer else "customer_id") for model in WRITTEN
    ]
    parts += [QuerySet(model).filter(origin_id=batch.origin_id).values("customer_id") for model in MADE_BESIDE]
    made = Customer.objects.filter(origin_id=batch.origin_id).count()
    listed = Suppression.objects.filter(origin_id=batch.origin_id).count()
    others = Customer.objects.filter(pk__in=parts[0].union(*parts[1:])).exclude(origin_id=batch.origin_id)
    return {"removed": made + listed, "restored": others.count()}


def _history(model: type[Model]) -> QuerySet:
    return model.history.model.objects.all()  # type: ignore[attr-defined]
