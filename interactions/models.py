"""Every call, mail, chat, visit and letter with content and outcome, and what is to be done next."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from customers.models import Customer, HistoryEntry, Origin
from datamap.blocking import ArchiveQuerySet
from interactions.querysets import ComplaintManager, FollowUpManager, InteractionManager
from vault.fields import SealedTextField
from vault.files import SealedFileStorage


class Complaint(models.Model):
    """Something a customer is not content with, from the first word to its settlement."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        IN_PROGRESS = "in_progress", _("in progress")
        SETTLED = "settled", _("settled")
        REJECTED = "rejected", _("rejected")

    OPEN_STATES: ClassVar[tuple[str, ...]] = (State.OPEN, State.IN_PROGRESS)

    # Null once blocked: then `subject_ref` alone says whose it was.
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="complaints")
    subject = SealedTextField(_("what it is about"), max_length=300)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.OPEN)
    # Orders are a neighbour on this floor: they are named by number.
    order_number = models.CharField(_("order number"), max_length=60, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("in charge"),
    )
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    answered_at = models.DateTimeField(_("first answer"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    resolution = SealedTextField(_("result"), blank=True, max_length=5_000)
    # When somebody looks again whether it rightly stays open; twelve months after it began where nobody has yet.
    review_on = models.DateField(_("review on"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    subject_ref = models.UUIDField(null=True, blank=True, editable=False)
    blocked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ComplaintManager()
    archive = ArchiveQuerySet.as_manager()
    history = HistoricalRecords(bases=[HistoryEntry], excluded_fields=["version"], no_db_index=["history_user"])

    class Meta:
        verbose_name = _("complaint")
        verbose_name_plural = _("complaints")
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["customer", "-opened_at", "-id"], name="interactions_complaint_line"),
            models.Index(
                fields=["opened_at", "id"],
                condition=models.Q(closed_at__isnull=True),
                name="interactions_complaint_open",
            ),
            models.Index(fields=["closed_at", "id"], name="interactions_complaint_due"),
            models.Index(
                fields=["subject_ref"],
                condition=models.Q(subject_ref__isnull=False),
                name="interactions_complaint_ref",
            ),
        ]

    def __str__(self) -> str:
        return f"Complaint {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to act."""
        return self.closed_at is None


class ComplaintReview(models.Model):
    """One look at an open complaint, which keeps its data: why it stays open, and until when somebody looks again."""

    complaint = models.ForeignKey(Complaint, models.CASCADE, related_name="reviews")
    at = models.DateTimeField(_("when"), default=timezone.now)
    reason = SealedTextField(_("reason"), max_length=2_000)
    review_on = models.DateField(_("review on"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("review of a complaint")
        verbose_name_plural = _("reviews of complaints")

    def __str__(self) -> str:
        return f"Review {self.pk} of complaint {self.complaint_id}"


class Interaction(models.Model):
    """One contact with a customer. An incoming one stays open until somebody closes it."""

    class Kind(models.TextChoices):
        CALL = "call", _("Call")
        EMAIL = "email", _("E-mail")
        CHAT = "chat", _("Chat")
        VISIT = "visit", _("Visit")
        LETTER = "letter", _("Letter")

    class Direction(models.TextChoices):
        IN = "in", _("incoming")
        OUT = "out", _("outgoing")

    class RecordClass(models.TextChoices):
        # Decides the period: business letter six years, claim three, everything else twelve months.
        TICKET = "ticket", _("enquiry")
        LETTER = "letter", _("business letter (order, contract)")
        CLAIM = "claim", _("dispute or warranty case")

    # Null once blocked, as with complaints.
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="interactions")
    kind = models.CharField(_("type"), max_length=10, choices=Kind)
    direction = models.CharField(_("direction"), max_length=3, choices=Direction, default=Direction.IN)
    record_class = models.CharField(_("kept as"), max_length=10, choices=RecordClass, default=RecordClass.TICKET)
    occurred_at = models.DateTimeField(_("when"), default=timezone.now)
    answered_at = models.DateTimeField(_("first answer"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    content = SealedTextField(_("content"), max_length=20_000)
    outcome = SealedTextField(_("outcome"), blank=True, max_length=5_000)
    order_number = models.CharField(_("order number"), max_length=60, blank=True)
    complaint = models.ForeignKey(
        Complaint,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="interactions",
        verbose_name=_("complaint"),
    )
    # Triggers keep it equal to the complaint's: the period of a dispute counts from there.
    complaint_closed_at = models.DateTimeField(_("complaint settled"), null=True, blank=True, editable=False)
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    # A form sent twice carries the same token: the second one finds the first.
    token = models.UUIDField(null=True, blank=True, editable=False)
    origin = models.ForeignKey(Origin, models.PROTECT, null=True, blank=True, related_name="+")
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    subject_ref = models.UUIDField(null=True, blank=True, editable=False)
    blocked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = InteractionManager()
    archive = ArchiveQuerySet.as_manager()
    history = HistoricalRecords(
        bases=[HistoryEntry],
        excluded_fields=["version", "token", "complaint_closed_at"],
        no_db_index=["origin", "staff", "history_user"],
    )

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["token"], name="interactions_interaction_token")
        ]
        indexes: ClassVar[list[Any]] = [
            # With what decides about the period: how much is kept, and until when, is read without the wide rows.
            models.Index(
                fields=["customer", "-occurred_at", "-id"],
                include=["record_class", "closed_at", "complaint", "blocked_at"],
                name="interactions_life",
            ),
            models.Index(fields=["-occurred_at", "-id"], name="interactions_list"),
            # The class decides about the period, and with it which date is asked.
            models.Index(fields=["record_class", "closed_at", "id"], name="interactions_closed_due"),
            models.Index(
                fields=["occurred_at", "id"], condition=models.Q(record_class="letter"), name="interactions_letter_due"
            ),
            models.Index(
                fields=["subject_ref"], condition=models.Q(subject_ref__isnull=False), name="interactions_ref"
            ),
            models.Index(
                fields=["complaint_closed_at", "id"],
                condition=models.Q(record_class="claim", complaint_closed_at__isnull=False),
                name="interactions_claim_settled",
            ),
            models.Index(
                fields=["closed_at", "id"],
                condition=models.Q(record_class="claim", complaint_closed_at__isnull=True),
                name="interactions_claim_unsettled",
            ),
        ]

    def __str__(self) -> str:
        return f"Interaction {self.pk}"

    @property
    def headline(self) -> str:
        """What kind of contact it was: "Call, incoming"; who visits comes in, and nobody need say so."""
        kind = self.get_kind_display()
        return kind if self.kind == self.Kind.VISIT else f"{kind}, {self.get_direction_display()}"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to act."""
        return self.closed_at is None


class FollowUp(models.Model):
    """The next step somebody owes a customer."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="follow_ups")
    interaction = models.ForeignKey(Interaction, models.SET_NULL, null=True, blank=True, related_name="follow_ups")
    step = SealedTextField(_("next step"), max_length=500)
    due_on = models.DateField(_("due"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("in charge")
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = FollowUpManager()

    class Meta:
        verbose_name = _("follow-up")
        verbose_name_plural = _("follow-ups")
        indexes: ClassVar[list[Any]] = [
            models.Index(
                fields=["owner", "due_on", "id"],
                condition=models.Q(done_at__isnull=True),
                name="interactions_followup_mine",
            ),
            models.Index(
                fields=["due_on", "id"],
                condition=models.Q(done_at__isnull=True),
                name="interactions_followup_due",
            ),
            models.Index(fields=["customer", "-due_on"], name="interactions_followup_customer"),
            models.Index(
                fields=["done_at", "id"],
                condition=models.Q(done_at__isnull=False),
                name="interactions_followup_done",
            ),
        ]

    def __str__(self) -> str:
        return f"Follow-up {self.pk}"


class Attachment(models.Model):
    """A file that came or went with a contact; its bytes and its name lie sealed."""

    interaction = models.ForeignKey(Interaction, models.CASCADE, related_name="attachments")
    name = SealedTextField(_("file name"), max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField(_("size"))
    file = models.FileField(storage=SealedFileStorage("interactions.attachment.file"), max_length=200)
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")

    def __str__(self) -> str:
        return f"Attachment {self.pk}"
