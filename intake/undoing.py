"""Puts back the state before an import, through the apps that own the rows."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from customers.undoing import undo_customers
from intake.models import Batch
from orders.undoing import undo_orders

State = Batch.State
# Rows that were left are named up to this number; all are counted.
NAMED = 1_000
# Beyond this many rows the page tells the most there can be instead of trying it out.
TRIED = 5_000


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


def undo(batch: Batch) -> None:
    """Undo a batch that was asked to be undone, in one transaction with its row locked. Raises LeaseLost."""
    with transaction.atomic():
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
    left: list[Any] = []
    if batch.kind == Batch.Kind.ORDERS:
        root = undo_orders(batch.pk, user_id=batch.user_id)
        left += root.left
        # Customers nobody knew before these orders came in.
        left += undo_customers(batch.pk).left
        counts = {"removed": root.removed, "restored": root.restored}
    else:
        people = undo_customers(batch.pk)
        left += people.left
        counts = {"removed": people.removed, "restored": people.restored}
    return {**counts, "left": [asdict(row) for row in left[:NAMED]], "left_count": len(left)}


def preview_undo(batch: Batch) -> dict[str, Any]:
    """What an undo would do: tried out and rolled back, or for a large import the most it can be."""
    counts = batch.counts
    size = counts.get("created", 0) + counts.get("updated", 0) + counts.get("customers_created", 0)
    if size > TRIED:
        return {
            "removed": counts.get("created", 0),
            "restored": counts.get("updated", 0),
            "left": [],
            "left_count": 0,
            "exact": False,
        }
    with transaction.atomic():
        found = _take_back(batch)
        transaction.set_rollback(True)
    return {**found, "exact": True}
