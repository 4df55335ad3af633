"""What people accepted or were shown where, and the papers on which they consented."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consents.events import Source
from consents.models.ledger import Record
from consents.models.purposes import LegalTextVersion, Placement
from customers.models import Customer
from vault.fields import SealedTextField
from vault.files import SealedFileStorage


class Acceptance(models.Model):
    """That somebody accepted a version of a text, or was shown it: where, when, in which language."""

    customer = models.ForeignKey(
        Customer,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="text_acceptances",
        verbose_name=_("customer"),
    )
    version = models.ForeignKey(
        LegalTextVersion, models.PROTECT, db_index=False, related_name="acceptances", verbose_name=_("version")
    )
    place = models.CharField(_("place"), max_length=80)
    # Orders are a neighbour on this floor: they are named by number.
    order_number = models.TextField(_("order number"), blank=True, default="")
    demand = models.CharField(_("demand"), max_length=10, choices=Placement.Demand)
    language = models.CharField(_("language"), max_length=2)
    source = models.CharField(_("source"), max_length=16, choices=Source)
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("acceptance of a text")
        verbose_name_plural = _("acceptances of texts")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["customer", "version", "place", "order_number"], name="consents_acceptance_once"
            )
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["version", "-at", "-id"], name="consents_acceptance_version"),
            models.Index(fields=["at", "id"], name="consents_acceptance_due"),
        ]

    def __str__(self) -> str:
        return f"Acceptance {self.pk}"


class Scan(models.Model):
    """A paper on which somebody consented: bytes and name lie sealed, and go with the event they prove."""

    record = models.ForeignKey(Record, models.CASCADE, related_name="scans", verbose_name=_("consent event"))
    name = SealedTextField(_("file name"), max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField(_("size"))
    file = models.FileField(_("file"), storage=SealedFileStorage("consents.scan.file"), max_length=200)
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("scanned consent")
        verbose_name_plural = _("scanned consents")

    def __str__(self) -> str:
        return f"Scan {self.pk}"
