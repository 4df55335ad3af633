"""Puts back the state before an import, through the apps that own the rows."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import F
from django.utils import timezone

from intake.models import Batch

State = Batch.State


def request_undo(batch_id: uuid.UUID, version: int | None = None) -> bool:
    """Mark a batch to be undone; False where it is not done, was undone, or has changed since `version`."""
    found = Batch.objects.filter(
        pk=batch_id, state__in=(State.DONE, State.FAILED), origin__isnull=False
    ) | Batch.objects.filter(pk=batch_id, state=State.DONE)
    if version is not None:
        found = found.filter(version=version)
    changed = found.update(
        state=State.UNDOING, failure="", attempts=0, lease=None, lease_until=None, version=F("version") + 1
    )
    return bool(changed)


def undo(batch: Batch) -> None:
    raise NotImplementedError


def preview_undo(batch: Batch) -> dict[str, Any]:
    raise NotImplementedError
