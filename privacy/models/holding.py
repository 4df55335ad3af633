"""Holds that people set: what must not be deleted while a matter runs (domain.md 4.2)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from privacy.models.blocking import Blockable
from vault.fields import SealedTextField


class Hold(Blockable):
    """Suspends deletion, never adds a purpose; it ends by a person, never by itself."""

    class Kind(models.TextChoices):
        TAX = "tax", _("open tax matter (AO § 147(3))")
        CLAIM = "claim", _("claim or dispute (Art. 17(3)(e))")
        PAYMENT = "payment", _("open payment")
        AUTHORITY = "authority", _("order of an authority")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    # Whose, and of that the one case; a tax hold names years and kinds of papers and nobody.
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="holds")
    order_number = models.CharField(_("order number"), max_length=60, blank=True)
    first_year = models.PositiveSmallIntegerField(_("from year"), null=True, blank=True)
    last_year = models.PositiveSmallIntegerField(_("to year"), null=True, blank=True)
    categories = ArrayField(models.CharField(max_length=32), verbose_name=_("categories"), default=list, blank=True)
    reason = SealedTextField(_("reason"), max_length=2_000)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("in charge")
    )
    review_on = models.DateField(_("review on"))
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    set_at = models.DateTimeField(_("set"), default=timezone.now)
    released_at = models.DateTimeField(_("released"), null=True, blank=True)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                condition=Q(kind="tax", first_year__isnull=False, last_year__isnull=False)
                | Q(~Q(kind="tax"), customer__isnull=False)
                | Q(subject_ref__isnull=False),
                name="privacy_hold_has_scope",
            )
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["customer"], condition=Q(released_at__isnull=True), name="privacy_hold_standing"),
            models.Index(fields=["review_on"], condition=Q(released_at__isnull=True), name="privacy_hold_review"),
            models.Index(fields=["subject_ref"], condition=Q(subject_ref__isnull=False), name="privacy_hold_ref"),
        ]

    def __str__(self) -> str:
        return f"Hold {self.pk}"

    @property
    def is_standing(self) -> bool:
        """Whether it still stops deletion; a review that is overdue ends nothing."""
        return self.released_at is None


class HoldReview(models.Model):
    """One look at a hold: why it goes on and until when it is looked at again, or why it ended."""

    hold = models.ForeignKey(Hold, models.CASCADE, related_name="reviews")
    at = models.DateTimeField(_("when"), default=timezone.now)
    reason = SealedTextField(_("reason"), max_length=2_000)
    review_on = models.DateField(_("review on"), null=True, blank=True)  # null: released
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("review of a hold")
        verbose_name_plural = _("reviews of holds")

    def __str__(self) -> str:
        return f"Review {self.pk} of hold {self.hold_id}"
