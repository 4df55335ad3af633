"""Lets who corrects a note in two tabs see both versions. Adds a column with a constant alone: no row is rewritten."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0012_halves_of_double_names"),
    ]

    operations = [
        migrations.AddField(
            model_name="note",
            name="version",
            field=models.PositiveIntegerField(db_default=1, default=1, editable=False),
        ),
    ]
