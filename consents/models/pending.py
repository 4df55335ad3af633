"""Opt-ins that somebody has asked for and not confirmed yet."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consents.events import Channel, Source
from consents.models.ledger import ENDPOINT_LABEL
from customers.models import Customer
from customers.normalizing import whole_key
from datamap.catalogue import explain
from datamap.controlling import legal_zone
from datamap.workdays import local_date
from mail.models import Message
from vault.fields import BlindIndexField, SealedJSONField, SealedTextField

CATEGORY = "DOI-PEND"
LIFE = timedelta(days=30)
"""Where the rule has no last day: a mail of years ago confirms nothing."""


def life_of(asked_at: datetime) -> timedelta:
    """So long a link works, and so long the row is kept: whole days, by the rule of today."""
    zone = legal_zone()
    asked = local_date(asked_at, zone)
    end = explain(CATEGORY, asked, as_of=local_date(timezone.now(), zone)).end
    return end - asked if end else LIFE


def network_of(evidence: Mapping[str, Any]) -> str | None:
    """Where a form came from, as attempts are counted: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        address = ip_address(str(evidence.get("ip", "")))
    except ValueError:
        return None
    return str(ip_network(f"{address}/64", strict=False)) if address.version == 6 else str(address)


class PendingOptIn(models.Model):
    """What a form asked for an address, until the link in a neutral mail confirms it; nothing is allowed by it."""

    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    # Whom it will be put to, as far as that was known; no page and no mail shows it.
    customer = models.ForeignKey(
        Customer, models.CASCADE, null=True, blank=True, related_name="pending_opt_ins", verbose_name=_("customer")
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel, default=Channel.EMAIL)
    address = SealedTextField(_("address"), max_length=320)
    address_index = BlindIndexField(source="address", normalizer=whole_key, label=ENDPOINT_LABEL)
    # For each purpose the wording that was shown: purpose, sha256, name, language.
    asked = models.JSONField(_("asked for"))
    # Texts that were due on the page: version (id) and demand of each; with the confirmation they count as passed.
    texts = models.JSONField(_("texts accepted or shown"), default=list, blank=True)
    page = models.CharField(_("page"), max_length=80)
    language = models.CharField(_("language"), max_length=8)
    source = models.CharField(_("source"), max_length=16, choices=Source, default=Source.WEB_FORM)
    actor = models.CharField(_("by"), max_length=60, default="self")
    # Address on the net, browser, the result of an age check, the words of the mail.
    evidence = SealedJSONField(_("proof"), default=dict, blank=True)
    network_index = BlindIndexField(source="evidence", normalizer=network_of)
    # The link itself is nowhere: it is made from a key outside the database when the mail is written.
    token_sha256 = models.BinaryField(_("fingerprint of the link"), max_length=32)
    message = models.ForeignKey(
        Message, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("mail")
    )
    asked_at = models.DateTimeField(_("form sent"), default=timezone.now)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)

    class Meta:
        verbose_name = _("opt-in that waits")
        verbose_name_plural = _("opt-ins that wait")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["uuid"], name="consents_pending_uuid"),
            models.UniqueConstraint(fields=["token_sha256"], name="consents_pending_token"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["asked_at", "id"], name="consents_pending_due"),
            models.Index(fields=["address_index", "asked_at"], name="consents_pending_address"),
            models.Index(
                fields=["network_index", "asked_at"],
                condition=models.Q(network_index__isnull=False),
                name="consents_pending_network",
            ),
        ]

    def __str__(self) -> str:
        return f"Opt-in {self.pk}"

    def is_over(self, at: datetime) -> bool:
        """Whether its link no longer works."""
        return at >= self.asked_at + life_of(self.asked_at)
