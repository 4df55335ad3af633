"""Lets the night find open payments, open returns and delivery notes along small indexes, however many orders there are."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

Q = models.Q


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0008_life_read_from_index")]

    operations = [
        AddIndexConcurrently(
            "order",
            models.Index(
                fields=["customer"],
                condition=Q(payment="open", paid_at=None, cancelled_at=None, blocked_at=None),
                name="orders_order_unpaid",
            ),
        ),
        AddIndexConcurrently(
            "return",
            models.Index(
                fields=["order"],
                condition=~Q(state="refunded") & Q(blocked_at=None),
                name="orders_return_unrefunded",
            ),
        ),
        AddIndexConcurrently(
            "document",
            models.Index(
                fields=["id"],
                include=["order", "issued_at"],
                condition=Q(kind="delivery_note"),
                name="orders_document_note_key",
            ),
        ),
    ]
