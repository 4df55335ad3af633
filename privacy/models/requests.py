"""What people ask for under Art. 15 to 21 GDPR, from receipt to the closed case."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from privacy.models.blocking import Blockable


class Request(Blockable):
    """One request of a person, whatever words and way it came in by (Art. 12 GDPR)."""

    class Kind(models.TextChoices):
        ACCESS = "access", _("Access (Art. 15)")
        RECTIFICATION = "rectification", _("Rectification (Art. 16)")
        ERASURE = "erasure", _("Erasure (Art. 17)")
        RESTRICTION = "restriction", _("Restriction (Art. 18)")
        PORTABILITY = "portability", _("Portability (Art. 20)")
        OBJECTION = "objection", _("Objection (Art. 21)")
        WITHDRAWAL = "withdrawal", _("Withdrawal of consent (Art. 7(3))")

    class State(models.TextChoices):
        RECEIVED = "received", _("received")
        IDENTITY_PENDING = "identity_pending", _("waiting for proof of identity")
        IN_PROGRESS = "in_progress", _("in progress")
        EXTENDED = "extended", _("extended")
        ANSWERED = "answered", _("answered")
        PARTIALLY_ANSWERED = "partially_answered", _("answered in part")
        REFUSED = "refused", _("refused")
        CLOSED = "closed", _("closed")

    ref = models.UUIDField(_("reference"), default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("right"), max_length=16, choices=Kind)
    state = models.CharField(_("state"), max_length=20, choices=State, default=State.RECEIVED)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="privacy_requests", verbose_name=_("customer")
    )
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    class Meta:
        verbose_name = _("privacy request")
        verbose_name_plural = _("privacy requests")
        indexes: ClassVar[list[Any]] = [models.Index(fields=["closed_at", "id"], name="privacy_request_closed")]

    def __str__(self) -> str:
        return f"Request {self.pk}"
