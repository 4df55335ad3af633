"""Finds the passages that somebody decided about: thousands may wait in one copy, and every other one asks."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("privacy", "0019_who_took_back")]

    operations = [
        AddIndexConcurrently(
            "redaction",
            models.Index(
                fields=["package"],
                condition=models.Q(("decision", "pending"), _negated=True),
                name="privacy_redaction_decided",
            ),
        ),
    ]
