"""Who receives data of customers, what each person's data went to whom, and who was told of a change (Art. 15, 19)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from datamap.declarations import Basis
from datamap.receivers import RECEIVERS, Receiver
from privacy.models.blocking import Blockable
from privacy.models.erasing import Erasure
from privacy.models.requests import Request
from vault.fields import SealedTextField


class Safeguard(models.TextChoices):
    """What protects data in a country outside the EEA (Art. 44 to 49 GDPR)."""

    NONE = "", _("not needed: EEA")
    ADEQUACY = "adequacy", _("adequacy decision (Art. 45)")
    CLAUSES = "clauses", _("standard contractual clauses (Art. 46(2)(c))")
    CORPORATE = "corporate", _("binding corporate rules (Art. 47)")
    DEROGATION = "derogation", _("derogation (Art. 49)")


class Recipient(models.Model):
    """Somebody who receives customers' data, by name (C-154/21: a category alone is no answer)."""

    class Role(models.TextChoices):
        CONTROLLER = "controller", _("controller of its own")
        PROCESSOR = "processor", _("processor (Art. 28)")
        AUTHORITY = "authority", _("authority with a particular inquiry (no recipient, Art. 4(9))")

    version = models.PositiveIntegerField(default=1, editable=False)
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=20, choices=RECEIVERS, default=Receiver.OTHER.value)
    role = models.CharField(_("role"), max_length=12, choices=Role)
    email = SealedTextField(_("e-mail"), max_length=254, blank=True, default="")
    contact = SealedTextField(_("contact"), max_length=1_000, blank=True, default="")
    language = models.CharField(_("language of notices"), max_length=2, choices=settings.LANGUAGES, default="de")
    country = models.CharField(_("country"), max_length=2, default="DE")
    safeguard = models.CharField(_("safeguard"), max_length=12, choices=Safeguard, blank=True, default=Safeguard.NONE)
    purposes = models.CharField(_("purposes"), max_length=300, blank=True)
    data = models.CharField(_("categories of data"), max_length=300, blank=True)
    contract = models.CharField(_("contract"), max_length=300, blank=True)
    since = models.DateField(_("since"), null=True, blank=True)
    until = models.DateField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("recipient")
        verbose_name_plural = _("recipients")
        ordering: ClassVar[list[str]] = ["name", "pk"]
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(since__isnull=True) | Q(until__gte=models.F("since")),
                name="privacy_recipient_ends_after",
            )
        ]

    def __str__(self) -> str:
        return f"Recipient {self.pk}"

    @property
    def is_told(self) -> bool:
        """Whether Art. 19 speaks of it: an authority with a particular inquiry is no recipient (Art. 4(9))."""
        return self.role != self.Role.AUTHORITY


class Disclosure(Blockable):
    """Data of one person that went to one recipient: what, when, why and on what basis."""

    class Origin(models.TextChoices):
        HAND = "hand", _("noted by hand")
        EXPORT = "export", _("export")
        MAIL = "mail", _("mail")
        STANDING = "standing", _("ongoing processing")

    recipient = models.ForeignKey(Recipient, models.PROTECT, related_name="disclosures", verbose_name=_("recipient"))
    # Null for what was told of somebody under a pseudonym, and once the data are erased.
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="disclosures")
    at = models.DateTimeField(_("when"), default=timezone.now)
    data = models.CharField(_("categories of data"), max_length=300)
    purpose = models.CharField(_("purpose"), max_length=200)
    basis = models.CharField(_("legal basis"), max_length=10, choices=[(one.value, one.label) for one in Basis])
    # As it was then; the recipient may move.
    country = models.CharField(_("country"), max_length=2, default="DE")
    safeguard = models.CharField(_("safeguard"), max_length=12, choices=Safeguard, blank=True, default=Safeguard.NONE)
    origin = models.CharField(_("origin"), max_length=8, choices=Origin, default=Origin.HAND)
    note = SealedTextField(_("note"), max_length=2_000, blank=True, default="")
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    noted_at = models.DateTimeField(_("noted"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("disclosure")
        verbose_name_plural = _("disclosures")
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["customer", "-at", "-id"], name="privacy_disclosure_person"),
            models.Index(fields=["blocked_at"], name="privacy_disclosure_due"),
            models.Index(fields=["subject_ref"], condition=Q(subject_ref__isnull=False), name="privacy_disclosure_ref"),
        ]

    def __str__(self) -> str:
        return f"Disclosure {self.pk}"


class Notice(Blockable):
    """One recipient to be told that data of a person were corrected, erased or restricted (Art. 19 GDPR)."""

    class Kind(models.TextChoices):
        RECTIFICATION = "rectification", _("rectification")
        ERASURE = "erasure", _("erasure")
        RESTRICTION = "restriction", _("restriction")
        LIFTING = "lifting", _("end of a restriction")

    class State(models.TextChoices):
        QUEUED = "queued", _("to be told")
        SENT = "sent", _("sent")
        BOUNCED = "bounced", _("came back")
        DONE = "done", _("told")
        IMPOSSIBLE = "impossible", _("impossible")

    OPEN_STATES: ClassVar[tuple[str, ...]] = (State.QUEUED, State.BOUNCED)

    recipient = models.ForeignKey(Recipient, models.PROTECT, related_name="notices", verbose_name=_("recipient"))
    kind = models.CharField(_("kind"), max_length=13, choices=Kind)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="notices")
    request = models.ForeignKey(Request, models.SET_NULL, null=True, blank=True, related_name="notices")
    erasure = models.ForeignKey(Erasure, models.SET_NULL, null=True, blank=True, related_name="notices")
    # By what the recipient finds the person, and what changed; emptied once the recipient knows.
    details = SealedTextField(_("what to tell"), max_length=4_000, blank=True, default="")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # The mail of the last attempt; it may tell of several persons at once.
    mail_key = models.CharField(_("key of the mail"), max_length=200, blank=True, default="", editable=False)
    queued_at = models.DateTimeField(_("queued"), default=timezone.now, editable=False)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    reason = SealedTextField(_("how or why not"), max_length=2_000, blank=True, default="")
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("notice to a recipient")
        verbose_name_plural = _("notices to recipients")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["erasure", "recipient"], condition=Q(erasure__isnull=False), name="privacy_notice_erasure_once"
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(
                fields=["queued_at", "id"],
                condition=Q(state__in=["queued", "bounced", "sent"]),
                name="privacy_notice_open",
            ),
            models.Index(fields=["settled_at", "id"], name="privacy_notice_settled"),
            models.Index(fields=["customer"], name="privacy_notice_person"),
            models.Index(fields=["subject_ref"], condition=Q(subject_ref__isnull=False), name="privacy_notice_ref"),
        ]

    def __str__(self) -> str:
        return f"Notice {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether the recipient still has to be told."""
        return self.state in self.OPEN_STATES
