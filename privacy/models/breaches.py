"""The register of breaches (Art. 33(5) GDPR): all of them, also those that nobody had to be told."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from vault.fields import SealedTextField


class Breach(models.Model):
    """One breach of the security of personal data: facts, effects, measures, and what was decided about telling."""

    class Risk(models.TextChoices):
        OPEN = "", _("not yet assessed")
        NONE = "none", _("unlikely to be a risk")
        RISK = "risk", _("risk")
        HIGH = "high", _("high risk")

    class Decision(models.TextChoices):
        OPEN = "", _("not yet decided")
        NOTIFY = "notify", _("tell the authority (Art. 33(1))")
        NOT = "not", _("do not tell the authority")

    version = models.PositiveIntegerField(default=1, editable=False)
    # A handle for lists, without names: "Laptop lost on the train".
    title = models.CharField(_("title"), max_length=120)
    aware_at = models.DateTimeField(_("became aware"))
    happened_at = models.DateTimeField(_("happened"), null=True, blank=True)
    facts = SealedTextField(_("what happened"), max_length=10_000)
    persons = models.CharField(_("categories of persons"), max_length=200, blank=True)
    persons_count = models.PositiveIntegerField(_("persons, about"), null=True, blank=True)
    data = models.CharField(_("categories of data"), max_length=300, blank=True)
    records_count = models.PositiveIntegerField(_("records, about"), null=True, blank=True)
    effects = SealedTextField(_("likely consequences"), max_length=10_000, blank=True, default="")
    measures = SealedTextField(_("measures"), max_length=10_000, blank=True, default="")
    risk = models.CharField(_("risk"), max_length=4, choices=Risk, blank=True, default=Risk.OPEN)
    decision = models.CharField(_("decision"), max_length=6, choices=Decision, blank=True, default=Decision.OPEN)
    reasons = SealedTextField(_("reasons of the decision"), max_length=10_000, blank=True, default="")
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    notified_at = models.DateTimeField(_("authority notified"), null=True, blank=True)
    late_reasons = SealedTextField(_("reasons for the delay"), max_length=10_000, blank=True, default="")
    persons_told_at = models.DateTimeField(_("persons told"), null=True, blank=True)
    persons_told = SealedTextField(
        _("how the persons were told, or why not"), max_length=10_000, blank=True, default=""
    )
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    noted_at = models.DateTimeField(_("noted"), default=timezone.now, editable=False)
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("breach")
        verbose_name_plural = _("breaches")
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                condition=Q(notified_at__isnull=True) | Q(decision="notify"), name="privacy_breach_notified_by_decision"
            )
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["-aware_at", "-id"], name="privacy_breach_aware"),
            models.Index(fields=["closed_at", "id"], name="privacy_breach_closed"),
        ]

    def __str__(self) -> str:
        return f"Breach {self.pk}"

    @property
    def is_running(self) -> bool:
        """Whether the clock of its hours counts: nobody has told the authority, nor decided that nobody need to."""
        return self.notified_at is None and self.decision != self.Decision.NOT and self.closed_at is None

    @property
    def awaits_persons(self) -> bool:
        """Whether the persons must still be told of a high risk, or a reason noted why not (Art. 34 GDPR)."""
        return self.risk == self.Risk.HIGH and not self.persons_told and self.closed_at is None


class BreachEntry(models.Model):
    """What became known later, and whether the authority was told of it (Art. 33(4): in phases)."""

    breach = models.ForeignKey(Breach, models.CASCADE, related_name="entries")
    at = models.DateTimeField(_("when"), default=timezone.now)
    text = SealedTextField(_("what became known"), max_length=10_000)
    told_authority_at = models.DateTimeField(_("authority told"), null=True, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("follow-up of a breach")
        verbose_name_plural = _("follow-ups of breaches")

    def __str__(self) -> str:
        return f"Follow-up {self.pk} of breach {self.breach_id}"


class BreachRule(models.Model):
    """One version of what the law wants after a breach. A change is a new version, never an edit; the first one, the
    law of 2018, is this model's defaults and needs no row."""

    class ToldFrom(models.TextChoices):
        RISK = "risk", _("every risk")
        HIGH = "high", _("high risks alone")

    version = models.PositiveSmallIntegerField(_("version"), default=1, unique=True)
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    hours = models.PositiveSmallIntegerField(
        _("hours to tell the authority"),
        default=72,
        validators=[MinValueValidator(1), MaxValueValidator(720)],
        help_text=_("Elapsed hours since somebody became aware of it."),
    )
    told_from = models.CharField(
        _("the authority is told of"), max_length=4, choices=ToldFrom, default=ToldFrom.RISK.value
    )
    statute = models.CharField(_("statute"), max_length=200, default="GDPR Art. 33(1)")
    reason = models.TextField(_("reason of this version"), max_length=2_000)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    created_by = models.BigIntegerField(_("created by"), null=True, blank=True, editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["version"]
        verbose_name = _("rule for breaches")
        verbose_name_plural = _("rules for breaches")

    def __str__(self) -> str:
        return f"Rule for breaches v{self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new version. Raises ValueError when the row is there already (C7)."""
        if not self._state.adding:
            raise ValueError("A rule for breaches is never edited: add a new version.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Raises ValueError: what held on a past day must stay readable (C7)."""
        raise ValueError("A rule for breaches is never removed: add a new version.")

    def wants_notice(self, risk: str) -> bool:
        """Whether the authority must be told of a breach of this risk."""
        return risk in (self.told_from, Breach.Risk.HIGH)
