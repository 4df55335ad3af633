"""Finds the persons who are due along one index for each kind of person and each start of their periods."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

GUEST, LEAD = {"status": "guest"}, {"status": "prospect"}
STARTS = (
    ("guest_ended", "withdrawal_end", models.Q(**GUEST, withdrawal_end__isnull=False)),
    ("guest_active", "last_activity", models.Q(**GUEST, withdrawal_end__isnull=True)),
    ("lead_spoken", "last_contact", models.Q(**LEAD, last_contact__isnull=False)),
    ("lead_active", "last_activity", models.Q(**LEAD, last_contact__isnull=True)),
)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("customers", "0006_status_beside_starts")]

    operations = [
        AddIndexConcurrently(
            "summary",
            models.Index(fields=["-last_activity", "-customer"], include=["status"], name="customers_summary_active"),
        ),
        *(
            AddIndexConcurrently(
                "summary",
                models.Index(condition=condition, fields=[start, "customer"], name=f"customers_summary_{name}"),
            )
            for name, start, condition in STARTS
        ),
        RemoveIndexConcurrently("summary", "customers_summary_activity"),
        RemoveIndexConcurrently("summary", "customers_summary_withdrawal"),
        RemoveIndexConcurrently("summary", "customers_summary_contact"),
    ]
