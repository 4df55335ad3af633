"""One retention run: what was due, which batches it was split into, what was done; state lives here alone."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from datamap.declarations import registry


class RetentionRun(models.Model):
    """One evaluation of all rules on one day, and the deletion that follows from it."""

    class State(models.TextChoices):
        PLANNING = "planning", _("being planned")
        GUARDED = "guarded", _("waits for a person: too many customers would go")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        INCOMPLETE = "incomplete", _("done with errors")
        CANCELLED = "cancelled", _("cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    as_of = models.DateField(_("evaluated on"))
    only = models.CharField(_("only the rule"), max_length=32, blank=True)
    # Whoever can still be told that their account ends, and was not, stays until they were.
    warns_first = models.BooleanField(_("tells owners of accounts first"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PLANNING)
    guard = models.JSONField(_("guard"), null=True, blank=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True)
    started_at = models.DateTimeField(_("begun"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("retention run")
        verbose_name_plural = _("retention runs")
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["-started_at"], name="privacy_run_latest"),
            models.Index(fields=["finished_at"], name="privacy_run_finished"),
        ]

    def __str__(self) -> str:
        return f"Retention run {self.pk}"


class RetentionBatch(models.Model):
    """Some due rows of one declaration: claimed by one worker at a time, done in one transaction."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    run = models.ForeignKey(RetentionRun, models.CASCADE, related_name="batches")
    category = models.CharField(_("category"), max_length=48)
    model = models.CharField(_("model"), max_length=80)
    ids = ArrayField(models.TextField(), verbose_name=_("rows"))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(_("error"), max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True, editable=False)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    class Meta:
        verbose_name = _("batch of a retention run")
        verbose_name_plural = _("batches of retention runs")
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["run", "id"], condition=Q(state="waiting"), name="privacy_batch_waiting")
        ]

    def __str__(self) -> str:
        return f"Batch {self.pk} of run {self.run_id}"

    @property
    def label(self) -> str:
        """What the rows are called; of a store its own name."""
        stores = {store.key: store.label for store in registry.stores()}
        return str(stores.get(self.model) or apps.get_model(self.model)._meta.verbose_name_plural)


class DeletionLog(models.Model):
    """What one batch or one erasure did to one model under one rule: counts and opaque ids, no content."""

    run = models.ForeignKey(RetentionRun, models.CASCADE, null=True, blank=True, related_name="log")
    erasure = models.ForeignKey("privacy.Erasure", models.CASCADE, null=True, blank=True, related_name="log")
    at = models.DateTimeField(_("at"), default=timezone.now)
    rule_key = models.CharField(_("rule"), max_length=48)
    rule_version = models.PositiveSmallIntegerField(_("version"), null=True)
    model = models.CharField(_("model"), max_length=80)
    action = models.CharField(_("action"), max_length=12)  # delete | anonymize | block | held | failed
    count = models.PositiveIntegerField(_("count"))
    ids = ArrayField(models.TextField(), verbose_name=_("opaque ids"), default=list, blank=True)

    class Meta:
        verbose_name = _("entry of the deletion log")
        verbose_name_plural = _("deletion log")
        indexes: ClassVar[list[Any]] = [models.Index(fields=["at", "id"], name="privacy_log_at")]

    def __str__(self) -> str:
        return f"Deletion log {self.pk}"
