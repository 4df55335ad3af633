"""What imports say about when customers were last active, so that an undo finds the date before."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0002_waiting_rows_and_search_statistics"),
    ]

    operations = [
        migrations.CreateModel(
            name="ActivityClaim",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(verbose_name="last activity")),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="activity_claims",
                        to="customers.customer",
                    ),
                ),
                (
                    "origin",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="customers.origin"
                    ),
                ),
            ],
            options={
                "verbose_name": "claimed activity",
                "verbose_name_plural": "claimed activities",
                "indexes": [models.Index(fields=["origin"], name="customers_activity_origin")],
                "constraints": [models.UniqueConstraint(fields=("customer", "origin"), name="customers_activity_once")],
            },
        ),
    ]
