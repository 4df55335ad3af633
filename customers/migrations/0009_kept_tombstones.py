"""Tombstones that outlive blocked rows are not looked at again before one of the rows goes."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("customers", "0008_advertising_stops")]

    operations = [
        migrations.AddField(
            "tombstone", "kept_since", models.DateField(editable=False, null=True, verbose_name="kept since")
        ),
        AddIndexConcurrently(
            "tombstone",
            models.Index(
                condition=models.Q(("kept_since__isnull", True)),
                fields=["erased_at", "id"],
                name="customers_tombstone_free",
            ),
        ),
        AddIndexConcurrently(
            "tombstone",
            models.Index(
                condition=models.Q(("kept_since__isnull", False)),
                fields=["kept_since"],
                name="customers_tombstone_kept",
            ),
        ),
        RemoveIndexConcurrently("tombstone", "customers_tombstone_due"),
    ]
