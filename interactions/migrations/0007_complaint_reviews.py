"""An open complaint keeps its data: who looked at it again, why it stays open, and until when."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import vault.fields


class Migration(migrations.Migration):
    dependencies = [
        ("interactions", "0006_contacts_know_their_settlement"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("complaint", "review_on", models.DateField("review on", null=True, blank=True)),
        migrations.AddField("historicalcomplaint", "review_on", models.DateField("review on", null=True, blank=True)),
        migrations.CreateModel(
            name="ComplaintReview",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="when")),
                ("reason", vault.fields.SealedTextField(max_length=2000, verbose_name="reason")),
                ("review_on", models.DateField(verbose_name="review on")),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "complaint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reviews",
                        to="interactions.complaint",
                    ),
                ),
            ],
            options={
                "verbose_name": "review of a complaint",
                "verbose_name_plural": "reviews of complaints",
            },
        ),
    ]
