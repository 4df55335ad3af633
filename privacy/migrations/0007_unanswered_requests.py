"""Lets the rail of every page find late requests along an index, however many requests there are."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("privacy", "0006_versions_of_registers")]

    operations = [
        AddIndexConcurrently(
            "request",
            models.Index(
                fields=["due_on"],
                condition=models.Q(
                    closed_at__isnull=True,
                    clock_stopped=False,
                    state__in=("received", "identity_pending", "in_progress", "extended"),
                ),
                name="privacy_request_unanswered",
            ),
        ),
    ]
