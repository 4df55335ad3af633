"""Keeps of a device from when on visits are its person's; of devices tied before, the night says it (`cutting.sweep`)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0001_devices_and_visits"),
    ]

    operations = [
        migrations.AddField(
            model_name="device",
            name="visits_from",
            field=models.DateTimeField(blank=True, null=True, verbose_name="visits count from"),
        ),
    ]
