"""What the shop wants to use data for, and the texts people see and accept."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from consents.events import Channel, Wording, speaks_of
from mail.models import MessageClass


class Purpose(models.Model):
    """One thing for which data may be used, and what makes it lawful."""

    class Basis(models.TextChoices):
        CONSENT = "consent", _("Consent (Art. 6(1)(a) GDPR)")
        CONTRACT = "contract", _("Contract (Art. 6(1)(b) GDPR)")
        INTERESTS = "interests", _("Legitimate interests until an objection (Art. 6(1)(f) GDPR)")

    key = models.SlugField(_("key"), max_length=40)
    name_de = models.CharField(_("name in German"), max_length=100)
    name_en = models.CharField(_("name in English"), max_length=100)
    description_de = models.TextField(_("description in German"), max_length=2_000)
    description_en = models.TextField(_("description in English"), max_length=2_000)
    basis = models.CharField(_("legal basis"), max_length=10, choices=Basis, default=Basis.CONSENT)
    channels = ArrayField(models.CharField(max_length=10, choices=Channel), verbose_name=_("channels"))
    advertising = models.BooleanField(_("is advertising"), default=True)
    # The class of mails that go out for this purpose; empty where none do.
    message_class = models.CharField(_("class of mails"), max_length=12, choices=MessageClass, blank=True)
    double_opt_in = models.BooleanField(_("needs a double opt-in"), default=False)
    # § 7(3) UWG: e-mail to customers about similar goods, while they have been told at the sale and do not object.
    existing_customers = models.BooleanField(_("allowed to existing customers"), default=False)
    # Of the country whose law counts; none where age does not matter (Art. 8 GDPR).
    minimum_age = models.JSONField(_("minimum age by country"), default=dict, blank=True)
    warn_months = models.PositiveSmallIntegerField(_("stale soon after months without use"), null=True, blank=True)
    stale_months = models.PositiveSmallIntegerField(_("stale after months without use"), null=True, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=100)
    retired_at = models.DateTimeField(_("no longer used since"), null=True, blank=True)

    class Meta:
        verbose_name = _("purpose")
        verbose_name_plural = _("purposes")
        ordering: ClassVar[list[str]] = ["position", "key"]
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["key"], name="consents_purpose_key")]

    def __str__(self) -> str:
        return self.key

    @property
    def name(self) -> str:
        """What it is called in the language of the reader."""
        return self.name_en if get_language() == "en" else self.name_de

    @property
    def description(self) -> str:
        """What it is, in the language of the reader."""
        return self.description_en if get_language() == "en" else self.description_de

    def on(self, channel: str) -> str:
        """Purpose and channel in one, for the reader; the channel only where the name does not say it already."""
        is_said = list(self.channels) == [channel] and speaks_of(self.name, channel)
        return self.name if is_said else f"{self.name}, {Channel(channel).label}"


class PurposeVersion(models.Model):
    """What a purpose allowed from a moment on, so that an answer about the past is that of then; it stands.

    The database itself writes one whenever a purpose is made or what decides in it is changed, whoever does it. The
    first holds for what was before, too: nobody knows better.
    """

    purpose = models.ForeignKey(
        Purpose, models.PROTECT, db_index=False, related_name="versions", verbose_name=_("purpose")
    )
    number = models.PositiveIntegerField(_("version"))
    valid_from = models.DateTimeField(_("valid from"))
    basis = models.CharField(_("legal basis"), max_length=10, choices=Purpose.Basis)
    channels = ArrayField(models.CharField(max_length=10, choices=Channel), verbose_name=_("channels"))
    advertising = models.BooleanField(_("is advertising"))
    existing_customers = models.BooleanField(_("allowed to existing customers"))
    minimum_age = models.JSONField(_("minimum age by country"))
    stale_months = models.PositiveSmallIntegerField(_("stale after months without use"), null=True)
    retired_at = models.DateTimeField(_("no longer used since"), null=True)

    class Meta:
        verbose_name = _("version of a purpose")
        verbose_name_plural = _("versions of purposes")
        ordering: ClassVar[list[str]] = ["purpose", "-number"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["purpose", "number"], name="consents_purpose_version")
        ]

    def __str__(self) -> str:
        return f"Purpose version {self.pk}"


class LegalText(models.Model):
    """A text that people accept or are shown; what it says stands in its versions."""

    class Kind(models.TextChoices):
        TERMS = "terms", _("Terms and conditions")
        PRIVACY_NOTICE = "privacy_notice", _("Privacy notice")
        CONSENT = "consent", _("Wording of a consent")
        WITHDRAWAL = "withdrawal", _("Withdrawal policy")
        SALE_NOTICE = "sale_notice", _("Notice to existing customers (§ 7(3) UWG)")

    key = models.SlugField(_("key"), max_length=60)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    purpose = models.ForeignKey(
        Purpose, models.PROTECT, null=True, blank=True, related_name="texts", verbose_name=_("purpose")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("legal text")
        verbose_name_plural = _("legal texts")
        ordering: ClassVar[list[str]] = ["kind", "key"]
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["key"], name="consents_text_key")]

    def __str__(self) -> str:
        return self.key


class LegalTextVersion(models.Model):
    """What a text says in both languages; once published it stands, word for word (a trigger sees to it)."""

    text = models.ForeignKey(LegalText, models.PROTECT, related_name="versions", verbose_name=_("text"))
    number = models.PositiveIntegerField(_("version"))
    title_de = models.CharField(_("title in German"), max_length=200)
    title_en = models.CharField(_("title in English"), max_length=200)
    body_de = models.TextField(_("text in German"))
    body_en = models.TextField(_("text in English"))
    # Of title and body as shown (`texts.fingerprint`); empty until it is published.
    sha256_de = models.CharField(_("fingerprint of the German text"), max_length=64, blank=True, editable=False)
    sha256_en = models.CharField(_("fingerprint of the English text"), max_length=64, blank=True, editable=False)
    valid_from = models.DateField(_("valid from"))
    published_at = models.DateTimeField(_("published"), null=True, blank=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("published by"),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("version of a legal text")
        verbose_name_plural = _("versions of legal texts")
        ordering: ClassVar[list[str]] = ["text", "-number"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["text", "number"], name="consents_version_number")
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["sha256_de"], name="consents_version_de"),
            models.Index(fields=["sha256_en"], name="consents_version_en"),
        ]

    def __str__(self) -> str:
        return f"{self.text.key} {self.number}"

    def title(self, language: str) -> str:
        """Its title in this language; German where it is not English."""
        return self.title_en if language == "en" else self.title_de

    def body(self, language: str) -> str:
        """What it says in this language."""
        return self.body_en if language == "en" else self.body_de

    def wording(self, language: str) -> Wording:
        """How an entry of the ledger names it, shown in this language."""
        sha256 = self.sha256_en if language == "en" else self.sha256_de
        return Wording(sha256, f"{self.text.key}:{self.number}", "en" if language == "en" else "de")


class Placement(models.Model):
    """Which text must be accepted or shown where; the shop edits it."""

    class Demand(models.TextChoices):
        ACCEPT = "accept", _("must be accepted")
        SHOW = "show", _("must be shown")

    place = models.CharField(_("place"), max_length=80)  # a key of `placing.PLACES`, or "order:" and an order type
    text = models.ForeignKey(LegalText, models.PROTECT, related_name="placements", verbose_name=_("text"))
    demand = models.CharField(_("demand"), max_length=10, choices=Demand)
    position = models.PositiveSmallIntegerField(_("position"), default=100)

    class Meta:
        verbose_name = _("place of a text")
        verbose_name_plural = _("places of texts")
        ordering: ClassVar[list[str]] = ["place", "position", "pk"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["place", "text"], name="consents_placement_once")
        ]

    def __str__(self) -> str:
        return f"Placement {self.pk}"
