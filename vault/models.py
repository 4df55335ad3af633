"""What the vault must remember in the database: which keys it has seen, and how far a rotation came."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class KeyRecord(models.Model):
    """A key that has been in use here, by its fingerprint; the key itself is never stored."""

    class Kind(models.TextChoices):
        SEAL = "seal", _("Seal key")
        INDEX = "index", _("Index key")
        LIST = "list", _("List key")

    kind = models.CharField(_("kind"), max_length=5, choices=Kind)
    key_id = models.PositiveIntegerField(_("key id"))
    fingerprint = models.CharField(_("fingerprint"), max_length=16)
    first_seen = models.DateTimeField(_("first seen"), auto_now_add=True)
    retired_at = models.DateTimeField(_("retired at"), null=True, blank=True)

    class Meta:
        verbose_name = _("vault key")
        verbose_name_plural = _("vault keys")
        constraints = [models.UniqueConstraint(fields=["kind", "key_id"], name="vault_keyrecord_kind_id")]

    def __str__(self) -> str:
        return f"{self.kind}:{self.key_id}"


class Rotation(models.Model):
    """How far the change to a new key has come in one table, so that it goes on after a kill."""

    kind = models.CharField(_("kind"), max_length=5, choices=KeyRecord.Kind)
    from_ids = models.CharField(_("from keys"), max_length=200, blank=True)
    to_id = models.PositiveIntegerField(_("to key"))
    model_label = models.CharField(_("model"), max_length=200)
    last_pk = models.CharField(_("last row"), max_length=100, blank=True)
    done = models.BigIntegerField(_("values done"), default=0)
    left = models.BigIntegerField(_("values left"), default=0)
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("key rotation")
        verbose_name_plural = _("key rotations")
        constraints = [
            models.UniqueConstraint(fields=["kind", "to_id", "model_label"], name="vault_rotation_once_per_model")
        ]

    def __str__(self) -> str:
        return f"{self.model_label} -> {self.kind}:{self.to_id}"
