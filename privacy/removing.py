"""Removes stored files whose rows are gone; what cannot be removed now is tried again."""

from __future__ import annotations

from django.apps import apps
from django.db import transaction

from privacy.models import FileRemoval

AT_ONCE = 500


def remove_files() -> int:
    """Delete every file that waits for it; how many went. Several processes share the work, each file is taken once."""
    removed = 0
    while batch := _remove_some():
        removed += batch
    return removed


def _remove_some() -> int:
    with transaction.atomic():
        waiting = list(FileRemoval.objects.select_for_update(skip_locked=True).order_by("pk")[:AT_ONCE])
        for removal in waiting:
            label, _dot, name = removal.field.rpartition(".")
            # Deleting a file that is not there is no error: the last run may have died after this line.
            apps.get_model(label)._meta.get_field(name).storage.delete(removal.name)
        FileRemoval.objects.filter(pk__in=[removal.pk for removal in waiting]).delete()
    return len(waiting)
