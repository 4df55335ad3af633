"""Lets contacts and complaints be cut from their person and kept under an opaque mark."""

import django.db.models.deletion
from django.db import migrations, models


def _mark():
    return models.UUIDField(blank=True, editable=False, null=True)


def _instant():
    return models.DateTimeField(blank=True, editable=False, null=True)


def _customer(name):
    return models.ForeignKey(
        blank=True,
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=name,
        to="customers.customer",
    )


class Migration(migrations.Migration):
    dependencies = [("interactions", "0001_initial")]

    operations = [
        *(
            migrations.AddField(model, name, field)
            for model in ("complaint", "historicalcomplaint", "interaction", "historicalinteraction")
            for name, field in (("subject_ref", _mark()), ("blocked_at", _instant()))
        ),
        migrations.AlterField("complaint", "customer", _customer("complaints")),
        migrations.AlterField("interaction", "customer", _customer("interactions")),
    ]
