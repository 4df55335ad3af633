"""What the shop decides about its own procedure: second persons, the undo window, the guard."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Policy(models.Model):
    """One row, edited on the privacy settings page."""

    erasure_needs_second = models.BooleanField(_("an erasure needs a second person"), default=False)
    refusal_needs_second = models.BooleanField(_("the refusal of a request needs a second person"), default=True)
    undo_hours = models.PositiveSmallIntegerField(
        _("hours in which an erasure can be undone before it runs"), default=0, validators=[MaxValueValidator(240)]
    )
    purge_share = models.DecimalField(
        _("share of customers that one night may delete without a person"),
        max_digits=4,
        decimal_places=3,
        default=Decimal("0.2"),
        validators=[MinValueValidator(0), MaxValueValidator(1)],
    )
    warn_days = models.PositiveSmallIntegerField(
        _("days before an account ends that its owner is told"), default=31, validators=[MaxValueValidator(366)]
    )

    class Meta:
        verbose_name = _("privacy settings")
        verbose_name_plural = _("privacy settings")
        constraints: ClassVar[list[Any]] = [models.CheckConstraint(condition=models.Q(pk=1), name="privacy_one_policy")]

    def __str__(self) -> str:
        return "Privacy settings"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """There is one row."""
        self.pk = 1
        super().save(*args, **kwargs)

    @classmethod
    def current(cls) -> Policy:
        """The one row, or its defaults where nobody has saved it yet."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)
