"""Notes on papers and returns issued before what they say of their order; in steps, so that nobody waits."""

from django.db import migrations

STEP = 20_000
FILL = (
    (
        "orders_document",
        """
        UPDATE orders_document AS d SET order_number = o.number, ordered_at = o.placed_at
        FROM orders_order AS o WHERE o.id = d.order_id AND d.id > %(first)s AND d.id <= %(last)s
        """,
    ),
    (
        "orders_return",
        """
        UPDATE orders_return AS r SET order_number = o.number
        FROM orders_order AS o WHERE o.id = r.order_id AND r.id > %(first)s AND r.id <= %(last)s
        """,
    ),
    (
        "orders_returnline",
        """
        UPDATE orders_returnline AS r SET sku = l.sku, name = l.name
        FROM orders_orderline AS l WHERE l.id = r.line_id AND r.id > %(first)s AND r.id <= %(last)s
        """,
    ),
)


def fill(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        for table, statement in FILL:
            cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")  # noqa: S608
            (most,) = cursor.fetchone()
            for first in range(0, most, STEP):
                cursor.execute(statement, {"first": first, "last": first + STEP})


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0004_papers_without_order")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
