"""What the shop writes to people: the outbox, letters kept as sent, and what providers report about them."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import ContactPoint, Customer
from customers.normalizing import whole_key
from mail.querysets import ArchiveQuerySet, MessageQuerySet, UnblockedManager
from vault.fields import BlindIndexField, SealedJSONField, SealedTextField
from vault.files import SealedFileStorage


class MessageClass(models.TextChoices):
    """What a mail is, which decides who may still get it."""

    LETTER = "letter", _("letter")
    NOTICE = "notice", _("notice")
    ADVERTISING = "advertising", _("advertising")
    FEEDBACK = "feedback", _("request for feedback")
    RECALL = "recall", _("product recall")


class Message(models.Model):
    """One row of the outbox: what is to be sent to whom, and how far it came. It holds no text of the mail."""

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        UNKNOWN = "unknown", _("not known whether it arrived")
        FAILED = "failed", _("failed")
        REFUSED = "refused", _("not sent")
        CANCELLED = "cancelled", _("taken back")

    class Bounce(models.TextChoices):
        NONE = "", _("none")
        SOFT = "soft", _("refused for now")
        HARD = "hard", _("undeliverable")
        COMPLAINT = "complaint", _("reported as unwanted")

    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    # Says it once: whoever queues the same thing again finds this row.
    key = models.CharField(max_length=200, null=True, blank=True)
    message_class = models.CharField(_("class"), max_length=12, choices=MessageClass)
    template = models.CharField(_("template"), max_length=60)
    language = models.CharField(_("language"), max_length=8, blank=True)  # empty: that of the customer
    customer = models.ForeignKey(
        Customer, models.SET_NULL, null=True, blank=True, db_index=False, related_name="messages"
    )
    # Only where the mail does not go to the customer's current address: then there is nothing to seal.
    recipient = SealedTextField(_("recipient"), null=True, blank=True, max_length=320)
    recipient_index = BlindIndexField(source="recipient", normalizer=whole_key)
    context = models.JSONField(_("context"), default=dict, blank=True)  # ids and simple values, no personal data
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    reason = models.CharField(_("reason"), max_length=60, blank=True)  # key of a mail.gates.Refusal; never an address
    reply_code = models.CharField(_("answer of the server"), max_length=20, blank=True)  # "550 5.1.1"
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    lease = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    # Known before the first attempt, so that the second carries the same (RFC 5322 3.6.4).
    message_id = models.CharField(max_length=200)
    provider_id = models.CharField(max_length=200, blank=True)
    # Of the person it is written to as far as providers report it.
    bounce = models.CharField(_("arrival"), max_length=10, choices=Bounce, blank=True, default=Bounce.NONE)
    created_at = models.DateTimeField(_("written"), default=timezone.now, editable=False)
    queued_at = models.DateTimeField(_("waiting since"), default=timezone.now, editable=False)
    attempted_at = models.DateTimeField(_("last attempt"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["uuid"], name="mail_message_uuid"),
            models.UniqueConstraint(fields=["key"], name="mail_message_key"),
            models.UniqueConstraint(fields=["message_id"], name="mail_message_message_id"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(
                fields=["next_attempt_at", "id"], condition=models.Q(state="queued"), name="mail_message_waiting"
            ),
            models.Index(fields=["lease_until"], condition=models.Q(state="sending"), name="mail_message_leased"),
            models.Index(fields=["state", "-created_at", "-id"], name="mail_message_state"),
            models.Index(fields=["-created_at", "-id"], name="mail_message_list"),
            models.Index(fields=["customer", "-sent_at", "-id"], name="mail_message_timeline"),
            models.Index(
                fields=["recipient_index"],
                condition=models.Q(recipient_index__isnull=False),
                name="mail_message_recipient",
            ),
            models.Index(fields=["provider_id"], condition=~models.Q(provider_id=""), name="mail_message_provider_id"),
            # The period counts from the sending, else from the writing.
            models.Index(fields=["sent_at", "id"], name="mail_message_due"),
            models.Index(
                fields=["created_at", "id"], condition=models.Q(sent_at__isnull=True), name="mail_message_due_unsent"
            ),
        ]

    def __str__(self) -> str:
        return f"Mail {self.pk}"

    @property
    def to_customer(self) -> bool:
        """Whether it goes to the current address of a customer."""
        return self.recipient is None


class Letter(models.Model):
    """A business letter exactly as it was sent (HGB § 257(1) no. 3, AO § 147(1) no. 3), or an answer to a request."""

    class KeptAs(models.TextChoices):
        LETTER = "LETTER", _("business letter")
        REQUEST = "REQUEST", _("answer to a request about personal data")

    message = models.OneToOneField(Message, models.SET_NULL, null=True, blank=True, related_name="letter")
    customer = models.ForeignKey(
        Customer, models.SET_NULL, null=True, blank=True, db_index=False, related_name="letters"
    )
    # As its mail was queued: the letter is found by it long after the row of the outbox is gone.
    key = models.CharField(max_length=200, null=True, blank=True)
    kept_as = models.CharField(_("kept as"), max_length=8, choices=KeptAs, default=KeptAs.LETTER)
    sender = models.CharField(_("sender"), max_length=320, blank=True)
    recipient_lines = SealedTextField(_("recipient"), blank=True, default="")
    subject = SealedTextField(_("subject"), blank=True, default="")
    body = SealedTextField(_("text"), blank=True, default="")
    html = SealedTextField(_("text as HTML"), blank=True, default="")
    created_at = models.DateTimeField(_("written"), default=timezone.now, editable=False)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    # When the request was closed that this answers: whoever keeps the request notes it here (domain.md 5, REQUEST).
    closed_at = models.DateTimeField(_("request closed"), null=True, blank=True)
    subject_ref = models.UUIDField(null=True, blank=True, editable=False)
    blocked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = UnblockedManager()
    archive = ArchiveQuerySet.as_manager()

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["customer", "-sent_at", "-id"], name="mail_letter_timeline"),
            models.Index(fields=["sent_at", "id"], name="mail_letter_due"),
            models.Index(fields=["key"], condition=models.Q(key__isnull=False), name="mail_letter_key"),
            models.Index(fields=["closed_at", "id"], name="mail_letter_closed"),
            models.Index(
                fields=["created_at", "id"], condition=models.Q(sent_at__isnull=True), name="mail_letter_due_unsent"
            ),
            models.Index(
                fields=["subject_ref"], condition=models.Q(subject_ref__isnull=False), name="mail_letter_subject_ref"
            ),
        ]

    def __str__(self) -> str:
        return f"Letter {self.pk}"


class Enclosure(models.Model):
    """A file that went with a letter; its bytes and its name lie sealed."""

    letter = models.ForeignKey(Letter, models.CASCADE, related_name="enclosures")
    name = SealedTextField(_("file name"), max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField(_("size"))
    file = models.FileField(storage=SealedFileStorage("mail.enclosure.file"), max_length=200)

    class Meta:
        verbose_name = _("enclosure")
        verbose_name_plural = _("enclosures")

    def __str__(self) -> str:
        return f"Enclosure {self.pk}"


class ProviderEvent(models.Model):
    """What a mail provider reported, as it came; worked off once and deleted after its period."""

    provider = models.CharField(_("provider"), max_length=40)
    kind = models.CharField(_("event"), max_length=20)
    raw = SealedJSONField(_("as it came"))
    # The same report delivered again is the same row.
    raw_index = BlindIndexField(source="raw", normalizer="mail.events.event_key")
    message = models.ForeignKey(Message, models.SET_NULL, null=True, blank=True, related_name="events")
    customer = models.ForeignKey(Customer, models.CASCADE, null=True, blank=True, related_name="mail_events")
    occurred_at = models.DateTimeField(_("when"), null=True, blank=True)
    received_at = models.DateTimeField(_("received"), default=timezone.now, editable=False)
    processed_at = models.DateTimeField(_("worked off"), null=True, blank=True)
    fault = models.CharField(_("fault"), max_length=60, blank=True)  # why it could not be worked off

    class Meta:
        verbose_name = _("report of a mail provider")
        verbose_name_plural = _("reports of mail providers")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["raw_index"], name="mail_event_once"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["id"], condition=models.Q(processed_at__isnull=True), name="mail_event_waiting"),
            models.Index(fields=["processed_at", "id"], name="mail_event_due"),
            models.Index(
                fields=["received_at", "id"],
                condition=models.Q(processed_at__isnull=True),
                name="mail_event_due_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"Report {self.pk}"


class Deliverability(models.Model):
    """What is known of an e-mail address of a customer: whether mails to it arrive."""

    # The database itself lets the row go with its address: imports are undone and persons erased in SQL.
    contact_point = models.OneToOneField(
        ContactPoint, models.CASCADE, primary_key=True, db_constraint=False, related_name="deliverability"
    )
    soft_bounces = models.PositiveSmallIntegerField(_("refused for now, in a row"), default=0)
    hard_bounced_at = models.DateTimeField(_("undeliverable since"), null=True, blank=True)
    complained_at = models.DateTimeField(_("reported as unwanted"), null=True, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("deliverability of an address")
        verbose_name_plural = _("deliverability of addresses")

    def __str__(self) -> str:
        return f"Deliverability {self.pk}"
