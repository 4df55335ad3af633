"""What the desk keeps for its users: open searches, saved views, and who exported what."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from vault.fields import SealedJSONField


class ListState(models.Model):
    """One open search or filter of one person; addresses carry its opaque id, never the words in it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    query = SealedJSONField(_("searched words and filters"))
    view = models.ForeignKey("SavedView", models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(_("since"), default=timezone.now)
    expires_at = models.DateTimeField(_("ends"))

    class Meta:
        verbose_name = _("open search")
        verbose_name_plural = _("open searches")
        indexes = [
            models.Index(fields=["expires_at"], name="portal_state_end"),
            models.Index(fields=["user", "created_at"], name="portal_state_user"),
        ]

    def __str__(self) -> str:
        return f"Open search {self.pk}"


class SavedView(models.Model):
    """A named search with its filters, order and columns.

    The view without a name is its owner's own choice of columns for the list of all customers.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=60, blank=True)
    query = SealedJSONField(_("searched words and filters"), default=dict, blank=True)
    order = models.CharField(_("order"), max_length=12, blank=True)
    columns = models.JSONField(_("columns"), default=list, blank=True)
    shared_at = models.DateTimeField(_("shared"), null=True, blank=True)
    created_at = models.DateTimeField(_("since"), default=timezone.now)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="portal_view_name_once")]
        indexes = [models.Index(fields=["shared_at"], condition=Q(shared_at__isnull=False), name="portal_view_shared")]

    def __str__(self) -> str:
        return f"Saved view {self.pk}"


class ExportLog(models.Model):
    """Who took which part of the customer list out of the house; the kinds of filters, never their values."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(_("at"), default=timezone.now)
    file_format = models.CharField(_("format"), max_length=4)
    columns = models.JSONField(_("columns"), default=list)
    filters = models.JSONField(_("filters"), default=list)
    sealed = models.BooleanField(_("with contact data"), default=False)
    row_cap = models.PositiveIntegerField(_("at most"))
    rows = models.PositiveIntegerField(_("rows"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        indexes = [models.Index(fields=["at", "id"], name="portal_export_time")]

    def __str__(self) -> str:
        return f"Export {self.pk}"
