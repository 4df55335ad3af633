"""What every model of this app shares whose rows may be blocked until their last day."""

from __future__ import annotations

from django.db import models

from datamap.blocking import ArchiveQuerySet, UnblockedManager


class Blockable(models.Model):
    """A row that an erasure cuts from its person and keeps for a statute under an opaque mark."""

    subject_ref = models.UUIDField(null=True, blank=True, editable=False)
    blocked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = UnblockedManager()
    archive = ArchiveQuerySet.as_manager()

    class Meta:
        abstract = True
