"""The freeze of Art. 18 GDPR: whose data are restricted, on which ground, and until when."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from privacy.models.blocking import Blockable
from privacy.models.requests import Request
from vault.fields import SealedTextField


class Restriction(Blockable):
    """One restriction of one person. While any stands, the person is out of daily work (domain.md 1.8)."""

    class Case(models.TextChoices):
        ACCURACY = "a", _("accuracy contested, being verified (Art. 18(1)(a))")
        UNLAWFUL = "b", _("unlawful, restricted instead of erased (Art. 18(1)(b))")
        CLAIMS = "c", _("the person needs the data for claims (Art. 18(1)(c))")
        OBJECTION = "d", _("objection not decided yet (Art. 18(1)(d))")

    class Part(models.TextChoices):
        ALL = "all", _("everything")
        MASTER = "master", _("name and master data")
        ADDRESS = "address", _("addresses")
        CONTACT = "contact", _("e-mail and phone")
        ORDERS = "orders", _("orders")
        CONTACTS = "interactions", _("contacts and notes")

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="restrictions", verbose_name=_("customer")
    )
    # Of somebody who speaks for the company `customer`: the key of their row, which alone is restricted.
    contact_person = models.BigIntegerField(_("contact person"), null=True, blank=True, editable=False)
    request = models.ForeignKey(Request, models.SET_NULL, null=True, blank=True, related_name="restrictions")
    case = models.CharField(_("case"), max_length=1, choices=Case)
    parts = ArrayField(models.CharField(max_length=12, choices=Part), verbose_name=_("what is restricted"))
    reason = SealedTextField(_("reason"), max_length=2_000)
    since = models.DateTimeField(_("restricted since"), default=timezone.now)
    # None until somebody has looked at it: that is to be twelve months after it began.
    review_on = models.DateField(_("review on"), null=True, blank=True)
    # Case a: verified; case d: decided. Until then nothing of it is deleted by itself.
    decision = SealedTextField(_("decision"), max_length=2_000, blank=True, default="")
    notice_sent_at = models.DateTimeField(_("person told before lifting"), null=True, blank=True)
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("set by")
    )
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("lifted by")
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        verbose_name = _("restriction")
        verbose_name_plural = _("restrictions")
        constraints: ClassVar[list[Any]] = [
            # Art. 18(3): the person is told first.
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True)
                | Q(notice_sent_at__isnull=False, notice_sent_at__lte=F("lifted_at")),
                name="privacy_restriction_told_first",
            ),
            models.UniqueConstraint(
                fields=["customer", "contact_person", "case"],
                condition=Q(lifted_at__isnull=True),
                nulls_distinct=False,
                name="privacy_restriction_once_each",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(
                fields=["subject_ref"], condition=Q(subject_ref__isnull=False), name="privacy_restriction_ref"
            ),
            models.Index(
                fields=["since", "id"], condition=Q(lifted_at__isnull=True), name="privacy_restriction_stands"
            ),
            models.Index(fields=["lifted_at", "id"], name="privacy_restriction_lifted"),
        ]

    def __str__(self) -> str:
        return f"Restriction {self.pk}"

    @property
    def in_words(self) -> str:
        """What is restricted, as people read it."""
        return ", ".join(str(self.Part(part).label) for part in self.parts)
