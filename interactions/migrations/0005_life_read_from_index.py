"""Lets the counts of what is kept of a customer read an index instead of the wide rows of their contacts."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("interactions", "0004_due_rows")]

    operations = [
        AddIndexConcurrently(
            "interaction",
            models.Index(
                fields=["customer", "-occurred_at", "-id"],
                include=["record_class", "closed_at", "complaint", "blocked_at"],
                name="interactions_life",
            ),
        ),
        RemoveIndexConcurrently("interaction", "interactions_line"),
    ]
