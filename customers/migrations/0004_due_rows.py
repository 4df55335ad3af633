"""Finds rows whose period is over by the event it counts from, and old history by its date, at any size of table."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

HISTORY = ("customer", "address", "contactpoint", "contactperson")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("customers", "0003_activity_claims")]

    operations = [
        AddIndexConcurrently(
            "customer",
            models.Index(
                condition=models.Q(("status", "account"), _negated=True),
                fields=["status", "id"],
                name="customers_passing",
            ),
        ),
        AddIndexConcurrently("flag", models.Index(fields=["kind", "set_at", "id"], name="customers_flag_due")),
        AddIndexConcurrently(
            "heldintake",
            models.Index(
                condition=models.Q(("decided_at__isnull", False)),
                fields=["decided_at", "id"],
                name="customers_held_decided_due",
            ),
        ),
        AddIndexConcurrently(
            "heldintake",
            models.Index(
                condition=models.Q(("decided_at__isnull", True)),
                fields=["received_at", "id"],
                name="customers_held_waiting_due",
            ),
        ),
        AddIndexConcurrently("optinclaim", models.Index(fields=["claimed_at", "id"], name="customers_claim_due")),
        RemoveIndexConcurrently("optinclaim", "customers_claim_at"),
        AddIndexConcurrently(
            "summary",
            models.Index(
                condition=models.Q(("withdrawal_end__isnull", False)),
                fields=["withdrawal_end", "customer"],
                name="customers_summary_withdrawal",
            ),
        ),
        AddIndexConcurrently(
            "summary",
            models.Index(
                condition=models.Q(("last_contact__isnull", False)),
                fields=["last_contact", "customer"],
                name="customers_summary_contact",
            ),
        ),
        AddIndexConcurrently("note", models.Index(fields=["created_at", "id"], name="customers_note_due")),
        AddIndexConcurrently("tombstone", models.Index(fields=["erased_at", "id"], name="customers_tombstone_due")),
        # Rows of one statement carry one instant: such an index stays small and grows at its end.
        *(
            migrations.RunSQL(
                f"CREATE INDEX CONCURRENTLY customers_hist_{name}_date ON customers_historical{name} (history_date)",
                f"DROP INDEX CONCURRENTLY customers_hist_{name}_date",
            )
            for name in HISTORY
        ),
    ]
