"""Counts what an import would make and change, over all its chunks, without writing it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.utils import timezone

from customers.known import Tried
from customers.rows import Source
from orders.buyers import Buyers
from orders.models import Order
from orders.staging import Incoming
from orders.writing import Written, copy_orders, lines_replaced, stage_orders, update_staged

COLUMNS = ", ".join(str(field.column) for field in Order._meta.concrete_fields)
MAKE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS orders_rehearsal
        (LIKE orders_order, batch uuid, PRIMARY KEY (id));
    CREATE INDEX IF NOT EXISTS orders_rehearsal_external_id ON orders_rehearsal (external_id);
    CREATE INDEX IF NOT EXISTS orders_rehearsal_number ON orders_rehearsal (number);
"""
# One dry run at a time in a connection: all rows are of the same one.
WHOSE = "SELECT batch FROM orders_rehearsal LIMIT 1"
CLEAR = "TRUNCATE orders_rehearsal; ALTER TABLE orders_rehearsal ALTER batch SET DEFAULT %s"
LOWEST = "SELECT least(min(id), 0) FROM orders_rehearsal"
FETCH = f"""
    INSERT INTO orders_rehearsal ({COLUMNS}) SELECT {COLUMNS} FROM orders_order WHERE id = ANY(%s)
    ON CONFLICT (id) DO NOTHING
"""  # noqa: S608
REHEARSED = f"""
    (SELECT {COLUMNS} FROM orders_rehearsal UNION ALL SELECT {COLUMNS} FROM orders_order AS o
     WHERE NOT EXISTS (SELECT FROM orders_rehearsal AS r WHERE r.id = o.id)) AS orders
"""  # noqa: S608
"""The orders as they would be by now."""


class Rehearsal:
    """Holds, in a temporary table of the session, the orders a dry run would have made and changed.

    The table is in the database and not in Python, so that memory stays bounded whatever the file's size; what
    would be written is decided by the statements that write. `known` answers which customers would have been made.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.known = Tried(source.platform, source.batch)
        with connection.cursor() as cursor:
            cursor.execute(MAKE)
            cursor.execute(WHOSE)
            found = cursor.fetchone()
            if not found or found[0] != source.batch:
                cursor.execute(CLEAR, [source.batch])

    def settle(self, buyers: Buyers) -> None:
        """Take the customers for known whom earlier orders of the file would have made."""
        ids = self.known.by_external_id(list({one.row.customer_external_id for one in buyers.strangers} - {""}))
        for one in buyers.strangers:
            if not one.row.guest and one.row.customer_external_id in ids:
                one.customer_id, one.guest = ids[one.row.customer_external_id], False
        buyers.settled += [one for one in buyers.strangers if one.customer_id]
        buyers.guests = [one for one in buyers.guests if not one.customer_id]
        buyers.prospects = {key: many for key, many in buyers.prospects.items() if key not in ids}

    def insert(self, new: Sequence[Incoming]) -> Written:
        """Count these orders as made."""
        with connection.cursor() as cursor:
            cursor.execute(LOWEST)
            lowest = cursor.fetchone()[0]
            for place, one in enumerate(new, start=1):
                one.order_id = lowest - place
            copy_orders(cursor, new, self.source, timezone.now(), "orders_rehearsal")
        return Written(len(new), 0, sum(len(one.row.lines) for one in new))

    def update(self, changed: Sequence[Incoming]) -> Written:
        """Count those of these orders as changed that would be, and the lines they would get."""
        if not changed:
            return Written()
        with connection.cursor() as cursor:
            cursor.execute(FETCH, [[one.order_id for one in changed]])
            stage_orders(cursor, changed)
            rows = update_staged(cursor, "orders_rehearsal")
            lines = {one.order_id: len(one.row.lines) for one in changed}
            return Written(0, len(rows), sum(lines[pk] for pk in lines_replaced(cursor)))
