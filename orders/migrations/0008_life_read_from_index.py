"""Lets the counts of what is kept of a customer read an index instead of the wide rows of their orders."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0007_due_rows")]

    operations = [
        AddIndexConcurrently(
            "order",
            models.Index(
                fields=["customer", "-placed_at", "-id"],
                include=["delivered_at", "blocked_at"],
                name="orders_order_life",
            ),
        ),
        RemoveIndexConcurrently("order", "orders_order_timeline"),
    ]
