"""A copy of one person's data as a file, and what in it has to be blackened before it goes out."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from privacy.models.requests import Request
from vault.files import SealedFileStorage

LABEL = "privacy.package.file"


def package_files() -> SealedFileStorage:
    """The storage of packages: sealed, outside any web root."""
    return SealedFileStorage(LABEL)


class PackageQuerySet(models.QuerySet["Package"]):
    """Questions about sets of packages."""

    def resumable(self) -> PackageQuerySet:
        """Packages that somebody must go on with: asked for, and no worker's lease is running."""
        return self.filter(state=Package.State.BUILDING).exclude(lease_until__gt=timezone.now())

    def waiting_for_a_person(self) -> PackageQuerySet:
        """Packages of the last weeks that failed and were not asked for again, or that no worker builds."""
        now = timezone.now()
        whose = (
            Q(customer=OuterRef("customer"), contact_person=None)
            | Q(contact_person=OuterRef("contact_person"))
            | Q(subject_ref=OuterRef("subject_ref"))
        )
        again = Package.objects.filter(whose, kind=OuterRef("kind"), asked_at__gt=OuterRef("asked_at"))
        failed = Q(~Exists(again), state=Package.State.FAILED, asked_at__gt=now - timedelta(days=30))
        unbuilt = Q(state=Package.State.BUILDING, asked_at__lt=now - timedelta(minutes=15))
        return self.filter(failed | unbuilt).exclude(lease_until__gt=now)

    def past_their_day(self) -> PackageQuerySet:
        """Packages whose file must not be here any more."""
        return self.filter(expires_at__lte=timezone.now()).exclude(state=Package.State.EXPIRED)


class Package(models.Model):
    """One package: asked for, built in the background, reviewed where others are named, handed out, expired."""

    class Kind(models.TextChoices):
        ACCESS = "access", _("Copy of all data (Art. 15)")
        PORTABILITY = "portability", _("Portable data (Art. 20)")

    class State(models.TextChoices):
        BUILDING = "building", _("being built")
        REVIEW = "review", _("waits for a look at what names others")
        READY = "ready", _("ready")
        EXPIRED = "expired", _("expired, file deleted")
        FAILED = "failed", _("failed")

    uuid = models.UUIDField(_("reference"), default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.BUILDING)
    customer = models.ForeignKey(Customer, models.CASCADE, null=True, blank=True, related_name="packages")
    # Of an erased person the mark of the erasure is all there is.
    subject_ref = models.UUIDField(null=True, blank=True, editable=False)
    # Of somebody who speaks for the company `customer`: the key of their row, of which alone it is a copy.
    contact_person = models.BigIntegerField(_("contact person"), null=True, blank=True, editable=False)
    request = models.ForeignKey(Request, models.SET_NULL, null=True, blank=True, related_name="packages")
    file = models.FileField(storage=package_files, max_length=80, blank=True)
    bytes = models.PositiveBigIntegerField(_("size"), default=0)
    files = models.PositiveIntegerField(_("files"), default=0)
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    # The class of an error, never its text: texts may quote data.
    failure = models.CharField(_("failure"), max_length=120, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField(_("asked for"), default=timezone.now, editable=False)
    built_at = models.DateTimeField(_("built"), null=True, blank=True)
    released_at = models.DateTimeField(_("released"), null=True, blank=True)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    provided_at = models.DateTimeField(_("handed out"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    # SHA-256 of the one-time link; the link itself stands in the letter that names it and nowhere else.
    token_hash = models.BinaryField(max_length=32, null=True, blank=True, editable=False)
    lease = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)

    objects = PackageQuerySet.as_manager()

    class Meta:
        verbose_name = _("data package")
        verbose_name_plural = _("data packages")
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                condition=Q(customer__isnull=False) | Q(subject_ref__isnull=False), name="privacy_package_of_somebody"
            ),
            models.UniqueConstraint(
                fields=["token_hash"], condition=Q(token_hash__isnull=False), name="privacy_package_token"
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["-asked_at", "-id"], name="privacy_package_latest"),
            models.Index(fields=["expires_at"], name="privacy_package_expires"),
            models.Index(fields=["provided_at"], name="privacy_package_provided"),
            models.Index(fields=["lease_until"], condition=Q(state="building"), name="privacy_package_building"),
            models.Index(
                fields=["subject_ref"], condition=Q(subject_ref__isnull=False), name="privacy_package_subject_ref"
            ),
        ]

    def __str__(self) -> str:
        return f"Package {self.pk}"

    @property
    def is_working(self) -> bool:
        """Whether a worker has it, or will."""
        return self.state == self.State.BUILDING

    @property
    def is_over(self) -> bool:
        """Whether its day has come, also where the nightly run has not yet been by."""
        past = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.state == self.State.EXPIRED or past

    @property
    def review_needed(self) -> bool:
        """Whether a person has to look at passages before it may go out."""
        return self.state == self.State.REVIEW


class Redaction(models.Model):
    """A passage of one row that names somebody else: blackened unless a person has decided to show it."""

    class Why(models.TextChoices):
        STAFF = "staff", _("name of a colleague")
        PERSON = "person", _("name of another person")
        EMAIL = "email", _("e-mail address of another person")
        PHONE = "phone", _("phone number of another person")
        NUMBER = "number", _("customer number of another person")
        RECORD = "record", _("data about another person")
        FILE = "file", _("file that nobody has looked at")
        OWN = "own", _("blackened by hand")

    class Decision(models.TextChoices):
        PENDING = "pending", _("not decided")
        REDACT = "redact", _("blacken")
        RELEASE = "release", _("show")

    package = models.ForeignKey(Package, models.CASCADE, related_name="redactions")
    model = models.CharField(max_length=80)
    row = models.CharField(max_length=40)
    field = models.CharField(max_length=80)
    # Inside a JSON value; positions count characters of the text there, and none of them means all of it.
    place = models.CharField(max_length=200, blank=True)
    begins = models.PositiveIntegerField(null=True)
    ends = models.PositiveIntegerField(null=True)
    why = models.CharField(_("why"), max_length=8, choices=Why)
    # Keyed fingerprint of the whole text: a decision about other words does not count.
    digest = models.CharField(max_length=32)
    decision = models.CharField(_("decision"), max_length=8, choices=Decision, default=Decision.PENDING)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        verbose_name = _("blackened passage")
        verbose_name_plural = _("blackened passages")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["package", "model", "row", "field", "place", "begins", "ends"],
                nulls_distinct=False,
                name="privacy_redaction_once",
            )
        ]
        indexes: ClassVar[list[Any]] = [
            # Each copy asks whether anything was decided about its person, among all that wait.
            models.Index(fields=["package"], condition=~models.Q(decision="pending"), name="privacy_redaction_decided")
        ]

    def __str__(self) -> str:
        return f"Redaction {self.pk}"
