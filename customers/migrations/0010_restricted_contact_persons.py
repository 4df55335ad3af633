"""Lets the data of somebody who speaks for a company be restricted (Art. 18 GDPR). Adds empty columns alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0009_kept_tombstones"),
    ]

    operations = [
        migrations.AddField(
            model_name="contactperson",
            name="restricted_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="restricted"),
        ),
        migrations.AddField(
            model_name="historicalcontactperson",
            name="restricted_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="restricted"),
        ),
    ]
