"""Devices, the consents given on them, and their visits; no address of a machine, no user agent, no id in clear."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from consents.models import LegalTextVersion
from customers.models import Customer


class Device(models.Model):
    """A browser or phone as the shop's cookie tells it apart; it belongs to a person only with their consent."""

    class Kind(models.TextChoices):
        """As coarse as the shop's pages tell it."""

        UNKNOWN = "", _("unknown")
        COMPUTER = "computer", _("computer")
        PHONE = "phone", _("phone")
        TABLET = "tablet", _("tablet")

    # Keyed hash of the shop's id. None once somebody else has signed in on the same device: no visits come any more.
    key = models.BinaryField(_("fingerprint of the device id"), max_length=34, null=True, blank=True)
    customer = models.ForeignKey(
        Customer,
        models.CASCADE,
        null=True,
        blank=True,
        db_index=False,
        related_name="devices",
        verbose_name=_("customer"),
    )
    kind = models.CharField(_("kind of device"), max_length=10, choices=Kind, blank=True, default=Kind.UNKNOWN)
    linked_at = models.DateTimeField(_("linked since"), null=True, blank=True)
    # The person's own consent began then, or somebody else had the device before: no older visit is theirs.
    visits_from = models.DateTimeField(_("visits count from"), null=True, blank=True)
    first_seen = models.DateTimeField(_("first visit"))
    last_seen = models.DateTimeField(_("last visit"))

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["key"], name="tracking_device_key"),
            models.CheckConstraint(
                condition=models.Q(customer__isnull=False, linked_at__isnull=False)
                | models.Q(customer__isnull=True, linked_at__isnull=True),
                name="tracking_device_linked",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(
                fields=["customer", "id"], condition=models.Q(customer__isnull=False), name="tracking_device_customer"
            ),
            models.Index(fields=["last_seen", "id"], name="tracking_device_due"),
        ]

    def __str__(self) -> str:
        return f"Device {self.pk}"


class DeviceConsent(models.Model):
    """That storing and reading on a device was agreed to there (§ 25 TDDDG); it names nobody and outlives the device.

    Of a consent that has ended it remembers the end, so that the device's cookie does not bring the old one back.
    """

    key = models.BinaryField(_("fingerprint of the device id"), max_length=34)
    wording = models.ForeignKey(
        LegalTextVersion, models.PROTECT, db_index=False, related_name="+", verbose_name=_("wording")
    )
    language = models.CharField(_("language shown"), max_length=2)
    given_at = models.DateTimeField(_("given"))
    recorded_at = models.DateTimeField(_("recorded"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("consent on a device")
        verbose_name_plural = _("consents on devices")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["key", "given_at"], name="tracking_consent_once")
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(
                fields=["ended_at", "id"], condition=models.Q(ended_at__isnull=False), name="tracking_consent_due"
            )
        ]

    def __str__(self) -> str:
        return f"Device consent {self.pk}"


class Visit(models.Model):
    """One page seen on a device. The table is partitioned by months (`months`); rows are only added and deleted."""

    # No constraint of the database: dropping a month would have to lock the devices. Writers lock the device's row.
    device = models.ForeignKey(
        Device,
        models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="visits",
        verbose_name=_("device"),
    )
    occurred_at = models.DateTimeField(_("when"))
    path = models.CharField(_("page"), max_length=500)
    referrer = models.CharField(_("came from"), max_length=253, blank=True)
    campaign = models.CharField(_("campaign"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("visit to a page")
        verbose_name_plural = _("visits to pages")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["device", "occurred_at"], name="tracking_visit_once")
        ]

    def __str__(self) -> str:
        return f"Visit {self.pk}"
