"""What an answer of the past counts from is kept; a column without a default is added to any table at once."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consents", "0017_states_behind_flags_gone"),
    ]

    operations = [
        migrations.AddField(
            model_name="record",
            name="pauses",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.DateTimeField(),
                blank=True,
                null=True,
                size=None,
                verbose_name="long times without a use",
            ),
        ),
    ]
