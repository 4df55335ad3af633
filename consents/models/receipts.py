"""How far receipts have gone out."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ReceiptMark(models.Model):
    """Up to which place of the ledger people have been sent their receipts; one row."""

    position = models.BigIntegerField(_("place in the ledger"), default=0)
    moved_at = models.DateTimeField(_("moved"), default=timezone.now)

    class Meta:
        verbose_name = _("mark of the receipts")
        verbose_name_plural = _("marks of the receipts")

    def __str__(self) -> str:
        return f"Receipts up to {self.position}"
