"""Notes of a run that owners of accounts were told before it: it may be worked on days later, with others to tell."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("privacy", "0020_decided_passages")]

    operations = [
        migrations.AddField(
            "retentionrun", "warns_first", models.BooleanField("tells owners of accounts first", default=False)
        ),
    ]
