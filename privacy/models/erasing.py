"""One erasure of one person: planned, approved, run step by step, proven by a receipt without content."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models import Customer
from datamap.declarations import registry
from privacy.models.requests import Request
from vault.fields import SealedJSONField


class Erasure(models.Model):
    """The erasure of one person (Art. 17 GDPR); after the run it knows the person by `subject_ref` alone."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waits for a second person")
        SCHEDULED = "scheduled", _("scheduled, can still be undone")
        RUNNING = "running", _("running")
        HELD = "held", _("done except for what a hold keeps")
        OPEN_STORES = "open_stores", _("a store has not confirmed yet")
        DONE = "done", _("done")
        CANCELLED = "cancelled", pgettext_lazy("erasure", "cancelled")

    OPEN_STATES: ClassVar[tuple[str, ...]] = (
        State.WAITING,
        State.SCHEDULED,
        State.RUNNING,
        State.HELD,
        State.OPEN_STORES,
    )

    receipt = models.UUIDField(pgettext_lazy("erasure", "receipt"), default=uuid.uuid4, unique=True, editable=False)
    subject_ref = models.UUIDField(default=uuid.uuid4, editable=False)
    request = models.ForeignKey(Request, models.SET_NULL, null=True, blank=True, related_name="erasures")
    # Null once the person is gone.
    customer = models.ForeignKey(Customer, models.SET_NULL, null=True, blank=True, related_name="erasures")
    # Of somebody who speaks for a company, who alone is erased: the key their row had; the company is not named.
    contact_person = models.BigIntegerField(_("contact person"), null=True, blank=True, editable=False)
    # Whether their own address and number must not be written to afterwards; of a customer that goes without saying.
    suppress = models.BooleanField(_("never to be written to again"), default=False, editable=False)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.SCHEDULED)
    as_of = models.DateField(_("evaluated on"))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("asked by")
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("approved")
    )
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("taken back by"),
    )  # fmt: skip
    # Until then the erasure can be undone; never after the run began.
    run_after = models.DateTimeField(_("runs after"), default=timezone.now)
    # What stores and the re-scan look for; emptied when the erasure is finished.
    needles = SealedJSONField(null=True, blank=True, editable=False)
    items = models.JSONField(_("what was done"), default=list)
    holds = models.JSONField(_("what was in the way"), default=list)
    # Columns in which a namesake or the like was seen afterwards: for a person to look at.
    hints = models.JSONField(_("possible traces"), default=dict)
    created_at = models.DateTimeField(_("asked"), default=timezone.now, editable=False)
    started_at = models.DateTimeField(_("begun"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    lease = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        constraints: ClassVar[list[Any]] = [
            # Asked for twice at once there is one winner; the second asks for its receipt.
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(state__in=["waiting", "scheduled", "running", "held", "open_stores"]),
                name="privacy_erasure_once",
            ),
            models.UniqueConstraint(
                fields=["contact_person"],
                condition=Q(state__in=["waiting", "scheduled", "running", "held", "open_stores"]),
                name="privacy_erasure_contact_once",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["finished_at", "id"], name="privacy_erasure_finished"),
            models.Index(fields=["subject_ref"], name="privacy_erasure_ref"),
        ]

    def __str__(self) -> str:
        return f"Erasure {self.pk}"

    @property
    def is_undoable(self) -> bool:
        """Whether nothing has happened yet: it can be undone, or approved."""
        return self.state in (self.State.WAITING, self.State.SCHEDULED)


class ErasureStep(models.Model):
    """One step of an erasure, or one store outside the database: done, waiting or failed, and when."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    erasure = models.ForeignKey(Erasure, models.CASCADE, related_name="steps")
    key = models.CharField(_("step"), max_length=64)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    count = models.PositiveIntegerField(_("count"), default=0)
    # The class of an error, never its text: texts may quote data.
    error = models.CharField(_("error"), max_length=120, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        verbose_name = _("step of an erasure")
        verbose_name_plural = _("steps of erasures")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["erasure", "key"], name="privacy_erasure_step_once")
        ]

    def __str__(self) -> str:
        return f"{self.key} of erasure {self.erasure_id}"

    @property
    def label(self) -> str:
        """The step as people call it; of a store its own name."""
        known = {
            "marks": _("Journal, suppression, tombstones"),
            "stores": _("Stores outside the database"),
            "rows": _("Rows of the database and their history"),
            "files": _("Files"),
            "rescan": _("Search for traces"),
            "rescan:deep": _("Search for traces in sealed texts"),
        }
        kind, _colon, store = self.key.partition(":")
        names = {one.key: one.label for one in registry.stores()}
        return str(names.get(store, store) if kind == "store" else known.get(self.key, self.key))


class FileRemoval(models.Model):
    """A stored file whose row is gone: the file follows after the commit, or at the next sweep."""

    field = models.CharField(max_length=120)  # app_label.model.field
    name = models.CharField(max_length=255)  # random, says nothing
    queued_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("file to be removed")
        verbose_name_plural = _("files to be removed")

    def __str__(self) -> str:
        return f"File removal {self.pk}"
