"""Files that came in: batches with their state and counts, what was wrong in them, and mappings kept for next time."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models import Origin
from datamap.controlling import kept_since, legal_zone
from datamap.workdays import local_date
from intake.storage import sealed_files
from vault.fields import SealedTextField

CATEGORY = "IMPORT"


class BatchQuerySet(models.QuerySet):
    """Questions about sets of batches."""

    def resumable(self) -> BatchQuerySet:
        """Batches somebody must go on with: asked for or begun, and no worker's lease is running."""
        now = timezone.now()
        return self.filter(state__in=Batch.WORKING).exclude(lease_until__gt=now)

    def with_expired_files(self) -> BatchQuerySet:
        """Batches past their last day of which the file, or anything told from it, is still here.

        One that is being worked on keeps its file till it is done.
        """
        limit = kept_since(CATEGORY, local_date(timezone.now(), legal_zone()))
        if limit is None:
            return self.none()
        told = ~models.Q(file="", lines_file="", header=[], failure="", undo__left__0__isnull=True)
        due = self.filter(told, created_at__lt=limit)
        return due.exclude(state__in=Batch.WORKING)


class Batch(models.Model):
    """One import: a file, what it was taken for, how far it came, and what became of it."""

    class Kind(models.TextChoices):
        CUSTOMERS = "customers", _("Customers")
        ORDERS = "orders", _("Orders")

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("waiting for columns")
        CHECKING = "checking", _("being checked")
        CHECKED = "checked", _("checked")
        QUEUED = "queued", _("waiting for a worker")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("stopped")
        UNDOING = "undoing", _("being undone")
        UNDONE = "undone", _("undone")

    WORKING = (State.CHECKING, State.QUEUED, State.RUNNING, State.UNDOING)
    FROM_FILE = (
        "file", "lines_file", "file_name", "lines_name", "header", "lines_header", "mapping", "preview", "failure",
        "undo",
    )  # fmt: skip

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    profile = models.CharField(_("profile"), max_length=40, blank=True)
    platform = models.CharField(_("platform"), max_length=40, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.UPLOADED)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    origin = models.ForeignKey(Origin, models.PROTECT, null=True, blank=True, related_name="+")
    # Random names in the sealed storage; empty for a command, which reads the operator's own file.
    file = models.FileField(storage=sealed_files, max_length=80, blank=True)
    lines_file = models.FileField(storage=sealed_files, max_length=80, blank=True)
    # What the uploader called it: it may say whose data it holds.
    file_name = SealedTextField(_("file name"), max_length=255, blank=True, default="")
    lines_name = SealedTextField(_("name of the file with lines"), max_length=255, blank=True, default="")
    header = models.JSONField(default=list, blank=True)
    lines_header = models.JSONField(default=list, blank=True)
    mapping = models.JSONField(default=dict, blank=True)
    as_of = models.DateField(null=True, blank=True)
    preview = models.JSONField(default=dict, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    undo = models.JSONField(default=dict, blank=True)
    # Records of the file that are behind us; committed with the rows they became.
    position = models.PositiveBigIntegerField(default=0)
    rows = models.PositiveBigIntegerField(null=True, blank=True)
    failure = models.TextField(blank=True, default="")
    lease = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(_("uploaded"), default=timezone.now)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)

    objects = BatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="intake_batch_newest"),
            models.Index(fields=["state", "lease_until"], name="intake_batch_state"),
        ]

    def __str__(self) -> str:
        return f"Import {self.pk}"

    @property
    def is_working(self) -> bool:
        """Whether a worker has it, or will."""
        return self.state in self.WORKING

    @property
    def may_start(self) -> bool:
        """Whether it may be run now: checked, or stopped half way."""
        return self.state == self.State.CHECKED or (self.state == self.State.FAILED and bool(self.file))

    @property
    def may_be_undone(self) -> bool:
        """Whether there is something to take back and nobody at it."""
        return self.state in (self.State.DONE, self.State.FAILED) and self.origin_id is not None

    @property
    def percent(self) -> int | None:
        """How far it came; None while the number of rows is not known."""
        return min(100, self.position * 100 // self.rows) if self.rows else None

    def discard_files(self) -> None:
        """Delete the stored files and whatever was told from them; the row stays with its counts.

        Names of columns come from the file as well, sentences may quote them, and an undo names customers.
        """
        for stored in (self.file, self.lines_file):
            if stored:
                stored.delete(save=False)
        self.file = self.lines_file = self.file_name = self.lines_name = self.failure = ""
        self.header, self.lines_header, self.mapping = [], [], {}
        self.preview = {name: count for name, count in self.preview.items() if isinstance(count, int)}
        if self.undo:
            self.undo = self.undo | {"left": []}
        self.save(update_fields=[*self.FROM_FILE])
        self.problems.all().delete()


class BatchProblem(models.Model):
    """What is wrong with one record: line, column and a sentence, never the value itself."""

    class Severity(models.TextChoices):
        ERROR = "error", _("rejected")
        WARNING = "warning", pgettext_lazy("severity", "note")

    # More are counted, not listed.
    KEPT = 50_000

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="problems")
    dry_run = models.BooleanField(default=False)
    severity = models.CharField(_("severity"), max_length=7, choices=Severity)
    file = models.CharField(_("file"), max_length=10, blank=True)  # "" or "lines"
    line = models.PositiveBigIntegerField(_("line"))
    field = models.CharField(_("column"), max_length=120, blank=True)
    message = models.CharField(_("message"), max_length=300)

    class Meta:
        verbose_name = _("problem of an import")
        verbose_name_plural = _("problems of imports")
        indexes = [models.Index(fields=["batch", "dry_run", "severity", "line"], name="intake_problem_lines")]

    def __str__(self) -> str:
        return f"Problem {self.pk}"


class SavedMapping(models.Model):
    """A column mapping kept for the next file with the same columns."""

    fingerprint = models.CharField(max_length=64)
    kind = models.CharField(max_length=10, choices=Batch.Kind)
    mapping = models.JSONField(default=dict)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("saved mapping")
        verbose_name_plural = _("saved mappings")
        constraints = [models.UniqueConstraint(fields=["fingerprint"], name="intake_mapping_once")]

    def __str__(self) -> str:
        return f"Mapping {self.pk}"

    @classmethod
    def keep(cls, fingerprint: str, kind: str, mapping: dict[str, Any], user_id: int | None) -> None:
        """Remember this mapping for files with these columns; the newest counts."""
        cls.objects.update_or_create(
            fingerprint=fingerprint,
            defaults={"kind": kind, "mapping": mapping, "user_id": user_id, "saved_at": timezone.now()},
        )
