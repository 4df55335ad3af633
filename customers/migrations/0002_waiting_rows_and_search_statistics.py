"""An index for what waits, and a closer look at the search text, so that a rare fragment is never taken for a common
one: the planner would then read the whole table for it."""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Without locking out writers."""

    atomic = False
    dependencies: ClassVar = [("customers", "0001_initial")]
    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="heldintake",
            index=models.Index(
                condition=models.Q(("decision", "")), fields=["customer"], name="customers_held_waiting"
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE customers_searchentry ALTER COLUMN text SET STATISTICS 400",
            "ALTER TABLE customers_searchentry ALTER COLUMN text SET STATISTICS -1",
        ),
    ]
