"""What came in and is not the person's data yet: held rows, claims of imports and their reports."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models.identity import Customer, Origin
from customers.normalizing import evidence_key
from vault.fields import BlindIndexField, SealedJSONField


class HeldIntake(models.Model):
    """A row that came in and waits for a person to look at it."""

    class Reason(models.TextChoices):
        AMBIGUOUS = "ambiguous", _("several accounts have this e-mail")
        TOMBSTONE = "tombstone", _("belongs to an erased person")
        RESTRICTED = "restricted", _("the customer's data are restricted")

    class Decision(models.TextChoices):
        APPLIED = "applied", _("applied to a customer")
        CREATED = "created", _("new customer")
        DROPPED = "dropped", _("dropped")

    kind = models.CharField(_("kind"), max_length=20, default="customer")  # customer | order
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    # What came in, as the intake of the owning app reads it again.
    payload = SealedJSONField(_("what came in"))
    # Hash of the row, so that the same file again does not hold it twice.
    fingerprint = models.BinaryField(max_length=34)
    line = models.PositiveIntegerField(_("line"), null=True, blank=True)
    customer = models.ForeignKey(Customer, models.CASCADE, null=True, blank=True, related_name="held")
    subject_ref = models.UUIDField(null=True, blank=True, editable=False)
    origin = models.ForeignKey(Origin, models.PROTECT, related_name="+")
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    decision = models.CharField(_("decision"), max_length=10, choices=Decision, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("held row")
        verbose_name_plural = _("held rows")
        constraints = [models.UniqueConstraint(fields=["fingerprint"], name="customers_held_once")]
        indexes = [
            models.Index(fields=["origin"], name="customers_held_origin"),
            # Every page counts what waits; what was decided stays and must not be read for it.
            models.Index(fields=["customer"], condition=models.Q(decision=""), name="customers_held_waiting"),
            models.Index(
                fields=["decided_at", "id"],
                condition=models.Q(decided_at__isnull=False),
                name="customers_held_decided_due",
            ),
            models.Index(
                fields=["received_at", "id"],
                condition=models.Q(decided_at__isnull=True),
                name="customers_held_waiting_due",
            ),
        ]

    def __str__(self) -> str:
        return f"Held row {self.pk}"


class OptInClaim(models.Model):
    """An opt-in that an import asserts: never a consent, kept until proven or dropped (Art. 7(1) GDPR)."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="opt_in_claims")
    channel = models.CharField(_("channel"), max_length=10)  # email | sms | whatsapp | phone
    state = models.CharField(_("claimed state"), max_length=20)  # yes | no | pending
    # OPTIN_TIME, OPTIN_IP, CONFIRM_TIME, CONFIRM_IP and the like, as the file had them.
    evidence = SealedJSONField(_("evidence"), default=dict, blank=True)
    evidence_index = BlindIndexField(source="evidence", normalizer=evidence_key)
    origin = models.ForeignKey(Origin, models.PROTECT, related_name="+")
    claimed_at = models.DateTimeField(_("imported"), default=timezone.now)

    class Meta:
        verbose_name = _("opt-in claim")
        verbose_name_plural = _("opt-in claims")
        constraints = [models.UniqueConstraint(fields=["customer", "channel", "origin"], name="customers_claim_once")]
        indexes = [
            models.Index(fields=["claimed_at", "id"], name="customers_claim_due"),
            models.Index(fields=["origin"], name="customers_claim_origin"),
        ]

    def __str__(self) -> str:
        return f"Opt-in claim {self.pk}"


class ActivityClaim(models.Model):
    """When an import says the customer was last active; without its rows an undo could not tell the date before."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="activity_claims", db_index=False)
    at = models.DateTimeField(_("last activity"))
    origin = models.ForeignKey(Origin, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("claimed activity")
        verbose_name_plural = _("claimed activities")
        constraints = [models.UniqueConstraint(fields=["customer", "origin"], name="customers_activity_once")]
        indexes = [models.Index(fields=["origin"], name="customers_activity_origin")]

    def __str__(self) -> str:
        return f"Activity claim {self.pk}"


class ClaimReport(models.Model):
    """How many unproven claims of one import went after their period: numbers only."""

    origin = models.ForeignKey(Origin, models.PROTECT, related_name="+")
    dropped_at = models.DateTimeField(default=timezone.now)
    channel = models.CharField(max_length=10)
    dropped = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("report on dropped claims")
        verbose_name_plural = _("reports on dropped claims")

    def __str__(self) -> str:
        return f"Claim report {self.pk}"
