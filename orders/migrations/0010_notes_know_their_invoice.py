"""Keeps on a delivery note when its order was invoiced, by triggers, so that one index finds the notes that are due."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

STEP = 20_000
NOTES = models.Q(kind="delivery_note")
FORWARD = """
CREATE FUNCTION orders_document_takes_invoicing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Shared with nobody who invoices just now: that change would not see this note, nor this note the change.
    NEW.order_invoiced_at := (SELECT o.invoiced_at FROM orders_order o WHERE o.id = NEW.order_id FOR SHARE);
    RETURN NEW;
END $$;

CREATE FUNCTION orders_order_hands_on_invoicing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orders_document SET order_invoiced_at = NEW.invoiced_at
    WHERE order_id = NEW.id AND kind = 'delivery_note';
    RETURN NULL;
END $$;

CREATE TRIGGER orders_order_hands_on_invoicing AFTER UPDATE OF invoiced_at ON orders_order
    FOR EACH ROW WHEN (NEW.invoiced_at IS DISTINCT FROM OLD.invoiced_at)
    EXECUTE FUNCTION orders_order_hands_on_invoicing();

CREATE TRIGGER orders_document_takes_invoicing BEFORE INSERT ON orders_document
    FOR EACH ROW WHEN (NEW.kind = 'delivery_note') EXECUTE FUNCTION orders_document_takes_invoicing();

-- A note that is cut from its order no longer knows; and nobody else writes here.
CREATE TRIGGER orders_document_keeps_invoicing BEFORE UPDATE OF order_id, order_invoiced_at ON orders_document
    FOR EACH ROW WHEN (NEW.kind = 'delivery_note' AND (NEW.order_id, NEW.order_invoiced_at)
        IS DISTINCT FROM (OLD.order_id, OLD.order_invoiced_at))
    EXECUTE FUNCTION orders_document_takes_invoicing();
"""
BACKWARD = """
DROP TRIGGER orders_document_keeps_invoicing ON orders_document;
DROP TRIGGER orders_document_takes_invoicing ON orders_document;
DROP TRIGGER orders_order_hands_on_invoicing ON orders_order;
DROP FUNCTION orders_order_hands_on_invoicing();
DROP FUNCTION orders_document_takes_invoicing();
"""
FILL = """
UPDATE orders_document d SET order_invoiced_at = o.invoiced_at FROM orders_order o
WHERE o.id = d.order_id AND d.kind = 'delivery_note' AND o.invoiced_at IS NOT NULL AND d.order_invoiced_at IS NULL
  AND d.id > %s AND d.id <= %s
"""


def fill(apps, schema_editor):
    """In steps, each a transaction of its own, so that nobody waits."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM orders_document")
        (most,) = cursor.fetchone()
        for first in range(0, most, STEP):
            cursor.execute(FILL, [first, first + STEP])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0009_open_cases")]

    operations = [
        migrations.AddField(
            "document",
            "order_invoiced_at",
            models.DateTimeField(blank=True, editable=False, null=True, verbose_name="invoiced"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunPython(fill, migrations.RunPython.noop),
        AddIndexConcurrently(
            "document",
            models.Index(
                fields=["order_invoiced_at", "id"],
                condition=NOTES & models.Q(order_invoiced_at__isnull=False),
                name="orders_document_note_invoiced",
            ),
        ),
        AddIndexConcurrently(
            "document",
            models.Index(
                fields=["issued_at", "id"],
                condition=NOTES & models.Q(order_invoiced_at__isnull=True),
                name="orders_document_note_waiting",
            ),
        ),
        RemoveIndexConcurrently("document", "orders_document_note_key"),
        RemoveIndexConcurrently("document", "orders_document_note_due"),
    ]
