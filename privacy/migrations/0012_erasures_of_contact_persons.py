"""Lets an erasure be about somebody who speaks for a company, alone: no row is rewritten, and the table is small."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0009_kept_tombstones"),
        ("privacy", "0011_answers_in_part_owed"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="erasure",
            name="contact_person",
            field=models.BigIntegerField(blank=True, editable=False, null=True, verbose_name="contact person"),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["waiting", "scheduled", "running", "held", "open_stores"])),
                fields=("contact_person",),
                name="privacy_erasure_contact_once",
            ),
        ),
    ]
