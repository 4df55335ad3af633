"""Versions of the papers that are generated: what stood in them on which day."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class PaperVersion(models.Model):
    """What a generated paper said when somebody kept it; in every language, compared by its digest."""

    class Kind(models.TextChoices):
        RECORD = "record", _("Record of processing (Art. 30)")
        TABLE = "table", _("Retention table")
        CONCEPT = "concept", _("Deletion concept (DIN 66398)")
        NOTICE = "notice", _("Privacy notice (Art. 13)")

    kind = models.CharField(_("paper"), max_length=8, choices=Kind)
    sha256 = models.CharField(_("digest"), max_length=64)
    content = models.JSONField(_("content"))  # language -> Markdown
    made_at = models.DateTimeField(_("kept"), default=timezone.now, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("version of a paper")
        verbose_name_plural = _("versions of papers")
        indexes: ClassVar[list[Any]] = [models.Index(fields=["kind", "-made_at", "-id"], name="privacy_paper_latest")]

    def __str__(self) -> str:
        return f"Version {self.pk} of {self.kind}"
