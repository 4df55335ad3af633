"""Who must not be written to, and who was erased: keyed hashes that outlive the person."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models.identity import Address, Origin


class PostalMark(models.Model):
    """An address as the suppression list hashes it, so that a set of addresses is compared with the list in SQL.

    Made behind the scenes (`postal.note_marks`) of addresses that an entry may stop; it goes when the address changes
    (a trigger). One row for each spelling; an empty one says that there is nothing to compare.
    """

    # No constraint of the database: addresses go as sets, and the trigger takes this along.
    address = models.ForeignKey(
        Address, models.CASCADE, db_constraint=False, db_index=False, related_name="marks", verbose_name=_("address")
    )
    mark = models.BinaryField(_("fingerprint for the suppression list"), max_length=34)

    class Meta:
        verbose_name = _("fingerprint of an address")
        verbose_name_plural = _("fingerprints of addresses")
        constraints = [models.UniqueConstraint(fields=["address", "mark"], name="customers_postal_mark_once")]
        indexes = [models.Index(fields=["mark"], name="customers_postal_mark")]

    def __str__(self) -> str:
        return f"Postal mark {self.pk}"


class Suppression(models.Model):
    """An endpoint that must not be written to: keyed hash only; survives erasure (Art. 21(3) GDPR)."""

    class Reason(models.TextChoices):
        OBJECTION = "objection", _("objection")
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
        BOUNCED = "bounced", _("undeliverable")
        COMPLAINT = "complaint", _("complaint")
        ERASURE = "erasure", _("erasure")

    endpoint = models.BinaryField(max_length=34)  # key id and HMAC
    channel = models.CharField(_("channel"), max_length=10)  # email | phone | post
    scope = models.CharField(_("scope"), max_length=40, default="advertising")
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    since = models.DateTimeField(_("since"))
    # Ended, never deleted: only a new confirmed consent for this scope ends an entry.
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    origin = models.ForeignKey(Origin, models.PROTECT, null=True, blank=True, related_name="+")
    recorded_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("suppression entry")
        verbose_name_plural = _("suppression entries")
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "channel", "scope"],
                condition=models.Q(ended_at__isnull=True),
                name="customers_suppression_once",
            )
        ]
        indexes = [
            models.Index(fields=["origin"], name="customers_suppr_origin"),
            models.Index(fields=["since"], condition=models.Q(channel="post"), name="customers_suppr_post"),
        ]

    def __str__(self) -> str:
        return f"Suppression {self.pk}"


class SuppressionMention(models.Model):
    """Who else named an endpoint that stands on the list: while one mention stands, the entry stays (Art. 21(3))."""

    entry = models.ForeignKey(Suppression, models.CASCADE, related_name="mentions")
    reason = models.CharField(_("reason"), max_length=12, choices=Suppression.Reason)
    since = models.DateTimeField(_("since"))
    # None: said at the desk or by the person, so no undo of an import takes it back.
    origin = models.ForeignKey(Origin, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("mention of a suppression entry")
        verbose_name_plural = _("mentions of suppression entries")
        constraints = [
            models.UniqueConstraint(fields=["entry", "origin"], nulls_distinct=False, name="customers_mention_once")
        ]
        indexes = [models.Index(fields=["origin"], name="customers_mention_origin")]

    def __str__(self) -> str:
        return f"Suppression mention {self.pk}"


class Tombstone(models.Model):
    """Keyed hash of an erased person's e-mail or external id: what comes in about them again is noticed."""

    mark = models.BinaryField(max_length=34)  # key id and HMAC
    kind = models.CharField(max_length=20)  # email | phone | number | external
    subject_ref = models.UUIDField(default=uuid.uuid4)
    erased_at = models.DateTimeField()
    # The day on which somebody looked and found blocked rows of the person, which it outlives; until one of them goes
    # nobody looks again. Written from above.
    kept_since = models.DateField(_("kept since"), null=True, editable=False)

    class Meta:
        verbose_name = _("tombstone")
        verbose_name_plural = _("tombstones")
        constraints = [models.UniqueConstraint(fields=["mark", "subject_ref"], name="customers_tombstone_once")]
        indexes = [
            models.Index(fields=["subject_ref"], name="customers_tombstone_ref"),
            models.Index(
                fields=["erased_at", "id"], condition=models.Q(kept_since__isnull=True), name="customers_tombstone_free"
            ),
            models.Index(
                fields=["kept_since"], condition=models.Q(kept_since__isnull=False), name="customers_tombstone_kept"
            ),
        ]

    def __str__(self) -> str:
        return f"Tombstone {self.pk}"
