"""Models with every kind of sealed field, for the tests of the vault."""

from django.db import models
from simple_history.models import HistoricalRecords

from vault.fields import BlindIndexField, SealedDateField, SealedJSONField, SealedTextField


def lowered(value: str) -> str | None:
    """The text without case and margins; None where nothing is left."""
    return value.strip().lower() or None


class Contact(models.Model):
    """An abstract base, as an app might share one."""

    phone = SealedTextField(null=True, blank=True)

    class Meta:
        abstract = True


class Guest(Contact):
    """A person with an address to be found by."""

    name = models.CharField(max_length=50)
    email = SealedTextField(max_length=254, blank=True, null=True)
    born = SealedDateField(null=True, blank=True)
    wishes = SealedJSONField(null=True, blank=True)
    email_index = BlindIndexField(source="email", normalizer=lowered)
    history = HistoricalRecords(excluded_fields=["email_index"])

    class Meta:
        app_label = "shop"

    def __str__(self) -> str:
        return f"Guest {self.pk}"


class Friend(Contact):
    """Another model with the same field names."""

    email = SealedTextField(null=True)
    blocked = models.BinaryField(null=True)
    secrets = models.JSONField(null=True)

    class Meta:
        app_label = "shop"

    def __str__(self) -> str:
        return f"Friend {self.pk}"
