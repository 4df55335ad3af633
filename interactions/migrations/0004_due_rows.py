"""Finds contacts and steps whose period is over by the event it counts from, and old history by its date."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("interactions", "0003_marks_found")]

    operations = [
        AddIndexConcurrently(
            "interaction",
            models.Index(fields=["record_class", "closed_at", "id"], name="interactions_closed_due"),
        ),
        AddIndexConcurrently(
            "interaction",
            models.Index(
                condition=models.Q(("record_class", "letter")),
                fields=["occurred_at", "id"],
                name="interactions_letter_due",
            ),
        ),
        RemoveIndexConcurrently("interaction", "interactions_closed"),
        AddIndexConcurrently("complaint", models.Index(fields=["closed_at", "id"], name="interactions_complaint_due")),
        RemoveIndexConcurrently("complaint", "interactions_complaint_closed"),
        AddIndexConcurrently(
            "followup",
            models.Index(
                condition=models.Q(("done_at__isnull", False)),
                fields=["done_at", "id"],
                name="interactions_followup_done",
            ),
        ),
        *(
            migrations.RunSQL(
                f"CREATE INDEX CONCURRENTLY interactions_hist_{name}_date "
                f"ON interactions_historical{name} (history_date)",
                f"DROP INDEX CONCURRENTLY interactions_hist_{name}_date",
            )
            for name in ("interaction", "complaint")
        ),
    ]
