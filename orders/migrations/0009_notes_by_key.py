"""Lets the run find delivery notes without reading their rows: what their period counts from stands in the order."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0008_life_read_from_index")]

    operations = [
        AddIndexConcurrently(
            "document",
            models.Index(
                fields=["id"],
                include=["order", "issued_at"],
                condition=models.Q(kind="delivery_note"),
                name="orders_document_note_key",
            ),
        ),
        RemoveIndexConcurrently("document", "orders_document_note_due"),
    ]
