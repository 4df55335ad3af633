"""What people ask for under Art. 15 to 21 GDPR, from receipt to the closed case."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.normalizing import whole_key
from privacy.models.blocking import Blockable
from vault.fields import BlindIndexField, SealedTextField
from vault.files import SealedFileStorage

UNANSWERED = ("received", "identity_pending", "in_progress", "extended", "partially_answered")
"""The states of a request whose answer is still owed; the month of Art. 12(3) is met by the whole answer only."""


class Request(Blockable):
    """One request of a person, whatever words and way it came in by (Art. 12 GDPR)."""

    class Kind(models.TextChoices):
        ACCESS = "access", _("Access (Art. 15)")
        RECTIFICATION = "rectification", _("Rectification (Art. 16)")
        ERASURE = "erasure", _("Erasure (Art. 17)")
        RESTRICTION = "restriction", _("Restriction (Art. 18)")
        PORTABILITY = "portability", _("Portability (Art. 20)")
        OBJECTION = "objection", _("Objection (Art. 21)")
        WITHDRAWAL = "withdrawal", _("Withdrawal of consent (Art. 7(3))")

    class State(models.TextChoices):
        RECEIVED = "received", _("received")
        IDENTITY_PENDING = "identity_pending", _("waiting for proof of identity")
        IN_PROGRESS = "in_progress", _("in progress")
        EXTENDED = "extended", _("extended")
        ANSWERED = "answered", _("answered")
        PARTIALLY_ANSWERED = "partially_answered", _("answered in part")
        REFUSED = "refused", _("refused")
        CLOSED = "closed", _("closed")

    class Channel(models.TextChoices):
        STAFF = "staff", _("told to staff")
        PAGE = "page", _("customers' page")
        MAIL = "mail", _("e-mail")
        LETTER = "letter", _("letter")
        PHONE = "phone", _("phone")
        PLATFORM = "platform", _("shop platform")

    class Method(models.TextChoices):
        NOT_NEEDED = "not_needed", _("no doubt, nothing asked")
        SIGNED_IN = "signed_in", _("signed in on the customers' page")
        VERIFIED_MAIL = "verified_mail", _("wrote from a confirmed address")
        KNOWN_FACTS = "known_facts", _("answered questions only the person can answer")
        CALL_BACK = "call_back", _("called back on the known number")
        ID_COPY = "id_copy", _("blackened copy of an identity card")

    class ObjectsTo(models.TextChoices):
        ADVERTISING = "advertising", _("advertising (Art. 21(2))")
        REASONS = "reasons", _("use under legitimate interests (Art. 21(1))")

    class Ground(models.TextChoices):
        UNFOUNDED = "unfounded", _("manifestly unfounded (Art. 12(5))")
        EXCESSIVE = "excessive", _("excessive, in particular repeated (Art. 12(5))")
        UNIDENTIFIABLE = "unidentifiable", _("the person cannot be identified (Art. 11(2), 12(2))")
        LEGAL_DUTY = "legal_duty", _("a statute demands the data (Art. 17(3)(b))")
        CLAIMS = "claims", _("needed for legal claims (Art. 17(3)(e), 21(1))")
        OTHERS = "others", _("rights of other people (Art. 15(4), 20(4))")
        CONDITIONS = "conditions", _("the conditions of this right are not met")

    ref = models.UUIDField(_("reference"), default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("right"), max_length=16, choices=Kind)
    objects_to = models.CharField(_("objects to"), max_length=12, choices=ObjectsTo, blank=True)
    state = models.CharField(_("state"), max_length=20, choices=State, default=State.RECEIVED)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="privacy_requests", verbose_name=_("customer")
    )
    # Of somebody who speaks for a company and asks for themselves: the key of their row, also once that is gone.
    contact_person = models.BigIntegerField(_("contact person"), null=True, blank=True, editable=False)
    channel = models.CharField(_("came in by"), max_length=10, choices=Channel, default=Channel.STAFF)
    language = models.CharField(_("language of the answer"), max_length=8, default="de")
    # The person as told: of someone unknown nothing else is known, and they are answered all the same.
    person_name = SealedTextField(_("name as told"), max_length=300, blank=True, default="")
    person_email = SealedTextField(_("e-mail as told"), max_length=320, blank=True, default="")
    person_email_index = BlindIndexField(source="person_email", normalizer=whole_key)
    person_phone = SealedTextField(_("phone as told"), max_length=60, blank=True, default="")
    person_address = SealedTextField(_("postal address as told"), max_length=600, blank=True, default="")
    text = SealedTextField(_("what was written or said"), max_length=20_000, blank=True, default="")

    identity_method = models.CharField(_("identity settled by"), max_length=14, choices=Method, blank=True)
    identity_doubt = SealedTextField(_("reason for doubt"), max_length=2_000, blank=True, default="")
    identity_asked_at = models.DateTimeField(_("identity asked for"), null=True, blank=True)
    identity_proven_at = models.DateTimeField(_("identity settled"), null=True, blank=True)

    # Of much that is held the desk may ask what the request is about (recital 63).
    clarification_asked_at = models.DateTimeField(_("asked what it is about"), null=True, blank=True)
    clarified_at = models.DateTimeField(_("said what it is about"), null=True, blank=True)

    extension_announced_on = models.DateField(_("extension announced"), null=True, blank=True)
    extension_reasons = SealedTextField(_("reasons of the extension"), max_length=2_000, blank=True, default="")

    decision = SealedTextField(_("decision"), max_length=5_000, blank=True, default="")
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    refusal_ground = models.CharField(_("ground of refusal"), max_length=16, choices=Ground, blank=True)
    refusal_reason = SealedTextField(_("reasons of the refusal"), max_length=5_000, blank=True, default="")
    refusal_evidence = SealedTextField(_("evidence"), max_length=5_000, blank=True, default="")
    refusal_proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("proposed")
    )
    refusal_approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("approved")
    )

    duplicate_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="duplicates", verbose_name=_("same matter as")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("in charge")
    )
    # For sorting alone, reckoned anew with each event; what people read comes from privacy.clock with its explanation.
    due_on = models.DateField(_("due"), default=timezone.localdate, editable=False)
    # While a prompt question waits for its answer the clock stands (domain.md 1.4).
    clock_stopped = models.BooleanField(default=False, editable=False)
    # A form sent twice carries the same token: the second one finds the first.
    token = models.UUIDField(null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    class Meta:
        verbose_name = _("privacy request")
        verbose_name_plural = _("privacy requests")
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["token"], name="privacy_request_token")]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["closed_at", "id"], name="privacy_request_closed"),
            models.Index(fields=["due_on", "id"], condition=Q(closed_at__isnull=True), name="privacy_request_board"),
            # Every page's rail asks how many are late.
            models.Index(
                fields=["due_on"],
                condition=Q(closed_at__isnull=True, clock_stopped=False, state__in=UNANSWERED),
                name="privacy_request_owed",
            ),
            models.Index(fields=["person_email_index"], name="privacy_request_email"),
            models.Index(fields=["customer", "-received_at", "-id"], name="privacy_request_line"),
            models.Index(fields=["subject_ref"], condition=Q(subject_ref__isnull=False), name="privacy_request_ref"),
        ]

    def __str__(self) -> str:
        return f"Request {self.pk}"

    @classmethod
    def on_desk(cls) -> QuerySet[Request]:
        """The requests that the privacy role works on: also of somebody who is erased meanwhile, until it is closed.

        An erasure blocks the file of the request that asked for it; the answer is still owed.
        """
        return cls.archive.filter(Q(blocked_at__isnull=True) | Q(closed_at__isnull=True))

    @property
    def is_open(self) -> bool:
        """Whether somebody still waits for an answer."""
        return self.state in OPEN_STATES

    @property
    def code(self) -> str:
        """How the case is named in letters and lists: opaque and short."""
        return f"DS-{self.ref.hex[:8].upper()}"


OPEN_STATES: tuple[str, ...] = (
    Request.State.RECEIVED,
    Request.State.IDENTITY_PENDING,
    Request.State.IN_PROGRESS,
    Request.State.EXTENDED,
    Request.State.PARTIALLY_ANSWERED,
)


class RequestEvent(models.Model):
    """One step of a request with its stamp: when, who, from which state to which, and why (domain.md 1.4)."""

    class Kind(models.TextChoices):
        REGISTERED = "registered", _("Registered")
        ASSIGNED = "assigned", _("Person found")
        OWNER = "owner", _("Taken over")
        IDENTITY_ASKED = "identity_asked", _("Identity asked for")
        IDENTITY_SETTLED = "identity_settled", _("Identity settled")
        COPY_DELETED = "copy_deleted", _("Copy of the identity card deleted")
        CLARIFICATION_ASKED = "clarify_asked", _("Asked what it is about")
        CLARIFIED = "clarified", _("Said what it is about")
        CONTACT = "contact", _("Said who of the company asks")
        PUBLISHED = "published", _("Noted what had been made public")
        EXTENDED = "extended", _("Extension announced")
        EXTENDED_LATE = "extended_late", _("Extension announced too late: without effect")
        DONE = "done", _("Carried out")
        GOES_ON = "goes_on", _("Looked at again: the restriction goes on")
        ANSWERED = "answered", _("Answered")
        REFUSAL_PROPOSED = "refusal_proposed", _("Refusal proposed")
        REFUSAL_DECLINED = "refusal_declined", _("Refusal not approved")
        REFUSED = "refused", _("Refused")
        REOPENED = "reopened", _("Taken up again")
        LINKED = "linked", _("Linked with a request about the same matter")
        LETTER = "letter", _("Letter written")
        LETTER_SETTLED = "letter_settled", _("Letter that came back: settled")
        CLOSED = "closed", _("Closed")

    request = models.ForeignKey(Request, models.CASCADE, related_name="events")
    kind = models.CharField(_("step"), max_length=18, choices=Kind)
    before = models.CharField(_("state before"), max_length=20, choices=Request.State, blank=True)
    after = models.CharField(_("state after"), max_length=20, choices=Request.State)
    reason = SealedTextField(_("reason"), max_length=5_000, blank=True, default="")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        verbose_name = _("step of a request")
        verbose_name_plural = _("steps of requests")

    def __str__(self) -> str:
        return f"Step {self.pk} of request {self.request_id}"


class IdentityCopy(models.Model):
    """A copy of an identity card: the exception, and gone with its check (Art. 12(6); category IDDOC)."""

    request = models.ForeignKey(Request, models.CASCADE, related_name="identity_copies")
    name = SealedTextField(_("file name"), max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField(_("size"))
    file = models.FileField(storage=SealedFileStorage("privacy.identitycopy.file"), max_length=200)
    received_at = models.DateTimeField(_("received"), default=timezone.now)

    class Meta:
        verbose_name = _("copy of an identity card")
        verbose_name_plural = _("copies of identity cards")

    def __str__(self) -> str:
        return f"Identity copy {self.pk}"


class RequestLetter(models.Model):
    """What was written to the person about a request, word for word: mailed, or printed for the post."""

    class Kind(models.TextChoices):
        RECEIPT = "receipt", _("Confirmation of receipt")
        IDENTITY = "identity", _("Question about identity")
        CLARIFY = "clarify", _("Question what the request is about")
        EXTENSION = "extension", _("Notice of extension")
        ANSWER = "answer", _("Answer")
        REFUSAL = "refusal", _("Refusal")
        LIFTING = "lifting", _("Notice before a restriction ends")

    class Way(models.TextChoices):
        MAIL = "mail", _("by e-mail")
        POST = "post", _("by post")

    request = models.ForeignKey(Request, models.CASCADE, related_name="letters")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    way = models.CharField(_("way"), max_length=4, choices=Way)
    language = models.CharField(_("language"), max_length=8)
    recipient = SealedTextField(_("recipient"), max_length=600, blank=True, default="")
    # Only where the mail does not go to the customer's own address.
    address = SealedTextField(_("e-mail"), max_length=320, blank=True, default="")
    subject = SealedTextField(_("subject"), max_length=300)
    body = SealedTextField(_("text"), max_length=40_000)
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    written_at = models.DateTimeField(_("written"), default=timezone.now)
    # Kept here, as the outbox forgets its mails earlier (`privacy.returning`).
    came_back_at = models.DateTimeField(_("came back"), null=True, blank=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)

    class Meta:
        verbose_name = _("letter about a request")
        verbose_name_plural = _("letters about requests")
        indexes = [
            models.Index(
                fields=["request"],
                condition=models.Q(came_back_at__isnull=False, settled_at__isnull=True),
                name="privacy_letter_came_back",
            ),
            models.Index(fields=["written_at"], condition=models.Q(way="mail"), name="privacy_letter_mailed"),
        ]

    def __str__(self) -> str:
        return f"Letter {self.pk} of request {self.request_id}"


class PublishedData(models.Model):
    """Something about the person that the shop had made public, and what was done so that others who use it learn of
    the erasure (Art. 17(2) GDPR)."""

    class State(models.TextChoices):
        OPEN = "open", _("others are still to be told")
        TOLD = "told", _("others were told")
        UNREASONABLE = "unreasonable", _("no step was reasonable")

    request = models.ForeignKey(Request, models.CASCADE, related_name="published")
    what = SealedTextField(_("what had been made public, and where"), max_length=1_000)
    steps = SealedTextField(_("what was done, or why nothing"), max_length=2_000, blank=True, default="")
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.OPEN)
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    noted_at = models.DateTimeField(_("noted"), default=timezone.now)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)

    class Meta:
        verbose_name = _("published data")
        verbose_name_plural = _("published data")

    def __str__(self) -> str:
        return f"Published data {self.pk} of request {self.request_id}"


class Rectification(models.Model):
    """A change that somebody asked for (Art. 16 GDPR): staged with before and after, decided, then applied."""

    class State(models.TextChoices):
        STAGED = "staged", _("to be decided")
        APPLIED = "applied", _("applied")
        REJECTED = "rejected", _("not changed")

    request = models.ForeignKey(Request, models.CASCADE, related_name="rectifications")
    # What is corrected: customer:first_name, address:17:street, point:23:value …
    field = models.CharField(_("field"), max_length=60)
    before = SealedTextField(_("before"), max_length=400, blank=True, default="")
    after = SealedTextField(_("after"), max_length=400, blank=True, default="")
    evidence = SealedTextField(_("evidence"), max_length=2_000, blank=True, default="")
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.STAGED)
    reason = SealedTextField(_("reason"), max_length=2_000, blank=True, default="")
    staged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    staged_at = models.DateTimeField(_("staged"), default=timezone.now)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        verbose_name = _("staged change")
        verbose_name_plural = _("staged changes")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["request", "field"], condition=Q(state="staged"), name="privacy_rectification_once"
            )
        ]

    def __str__(self) -> str:
        return f"Rectification {self.pk}"
