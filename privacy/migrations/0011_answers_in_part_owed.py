"""Lets the rail find requests that were answered in part, too: the rest is owed within the same period."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("privacy", "0010_every_change_is_told")]

    # The new one first: meanwhile the rail goes on along the old.
    operations = [
        AddIndexConcurrently(
            "request",
            models.Index(
                fields=["due_on"],
                condition=models.Q(
                    closed_at__isnull=True,
                    clock_stopped=False,
                    state__in=("received", "identity_pending", "in_progress", "extended", "partially_answered"),
                ),
                name="privacy_request_owed",
            ),
        ),
        RemoveIndexConcurrently("request", "privacy_request_unanswered"),
    ]
