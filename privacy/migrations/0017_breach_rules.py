"""Versions of what the law wants after a breach: within how many hours, and of which risks. A new table."""

import django.core.validators
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0016_restrictions_reviewed"),
    ]

    operations = [
        migrations.CreateModel(
            name="BreachRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveSmallIntegerField(default=1, unique=True, verbose_name="version")),
                ("valid_from", models.DateField(blank=True, null=True, verbose_name="valid from")),
                (
                    "hours",
                    models.PositiveSmallIntegerField(
                        default=72,
                        help_text="Elapsed hours since somebody became aware of it.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(720),
                        ],
                        verbose_name="hours to tell the authority",
                    ),
                ),
                (
                    "told_from",
                    models.CharField(
                        choices=[("risk", "every risk"), ("high", "high risks alone")],
                        default="risk",
                        max_length=4,
                        verbose_name="the authority is told of",
                    ),
                ),
                ("statute", models.CharField(default="GDPR Art. 33(1)", max_length=200, verbose_name="statute")),
                ("reason", models.TextField(max_length=2000, verbose_name="reason of this version")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
                (
                    "created_by",
                    models.BigIntegerField(blank=True, editable=False, null=True, verbose_name="created by"),
                ),
            ],
            options={
                "verbose_name": "rule for breaches",
                "verbose_name_plural": "rules for breaches",
                "ordering": ["version"],
            },
        ),
    ]
