"""What the staff notes about a customer: tags, preferences, notes and warnings."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models.identity import Customer, Origin
from customers.normalizing import text_key
from vault.fields import BlindIndexField, SealedTextField


class Tag(models.Model):
    """A word staff sort customers by."""

    name = models.CharField(_("name"), max_length=60)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        constraints = [models.UniqueConstraint(fields=["name"], name="customers_tag_name")]

    def __str__(self) -> str:
        return f"Tag {self.pk}"


class CustomerTag(models.Model):
    """A tag on a customer, and who put it there."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="customer_tags")
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="customer_tags")
    origin = models.ForeignKey(Origin, models.PROTECT, null=True, blank=True, related_name="+")
    set_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("tag of a customer")
        verbose_name_plural = _("tags of customers")
        constraints = [models.UniqueConstraint(fields=["customer", "tag"], name="customers_tag_once")]
        indexes = [models.Index(fields=["origin"], name="customers_tag_origin")]

    def __str__(self) -> str:
        return f"Customer tag {self.pk}"


class Preference(models.Model):
    """What a customer likes, who said so and when."""

    class Kind(models.TextChoices):
        CHANNEL = "channel", _("preferred channel")
        INTEREST = "interest", _("product interest")

    class SaidBy(models.TextChoices):
        CUSTOMER = "customer", _("the customer")
        STAFF = "staff", _("staff")
        FILE = "file", _("an import")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="preferences")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    value = models.CharField(_("value"), max_length=120)
    said_by = models.CharField(_("said by"), max_length=10, choices=SaidBy)
    said_at = models.DateTimeField(_("said at"), default=timezone.now)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    origin = models.ForeignKey(Origin, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")
        constraints = [models.UniqueConstraint(fields=["customer", "kind", "value"], name="customers_preference_once")]

    def __str__(self) -> str:
        return f"Preference {self.pk}"


class Note(models.Model):
    """A remark of the staff about a customer."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="notes")
    text = SealedTextField(_("note"), max_length=20_000)
    # So that the same file again does not bring the same note again.
    text_index = BlindIndexField(source="text", normalizer=text_key)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    origin = models.ForeignKey(Origin, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        indexes = [
            models.Index(fields=["customer", "-created_at", "-id"], name="customers_note_timeline"),
            models.Index(fields=["origin"], name="customers_note_origin"),
            models.Index(fields=["created_at", "id"], name="customers_note_due"),
        ]

    def __str__(self) -> str:
        return f"Note {self.pk}"


class Flag(models.Model):
    """A warning mark with its reason and the day it is looked at again."""

    class Kind(models.TextChoices):
        FRAUD = "fraud", _("Fraud suspected")
        MINOR = "minor", _("Minor")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="flags")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    reason = SealedTextField(_("reason"), max_length=2_000)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    set_at = models.DateTimeField(_("set at"), default=timezone.now)
    review_on = models.DateField(_("review on"))
    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("flag")
        verbose_name_plural = _("flags")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "kind"],
                condition=models.Q(lifted_at__isnull=True),
                name="customers_flag_once",
            )
        ]
        indexes = [models.Index(fields=["kind", "set_at", "id"], name="customers_flag_due")]

    def __str__(self) -> str:
        return f"Flag {self.pk}"
