"""Finds the presents that somebody gave among all they ordered: the copy of their data names nobody who got one."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0011_order_type_label")]

    operations = [
        AddIndexConcurrently(
            "order",
            models.Index(
                fields=["customer"],
                condition=models.Q(gift_recipient__isnull=False),
                name="orders_order_giver",
            ),
        ),
    ]
