"""Counts what an import would make, over all its chunks, without writing it."""

from __future__ import annotations

from django.db import connection

from customers.rows import Outcome, Source
from orders.buyers import Buyers, is_known_by_name

SEEN = """
    CREATE TEMPORARY TABLE IF NOT EXISTS orders_rehearsal (batch uuid, key text, PRIMARY KEY (batch, key))
"""
NOTE = """
    INSERT INTO orders_rehearsal SELECT %s, unnest(%s::text[]) ON CONFLICT DO NOTHING RETURNING key
"""


class Rehearsal:
    """Remembers, in a temporary table of the session, which orders and customers a dry run would have made.

    The table is in the database and not in a set of Python, so that memory stays bounded whatever the
    file's size.
    """

    def __init__(self, source: Source) -> None:
        self.batch = source.batch
        with connection.cursor() as cursor:
            cursor.execute(SEEN)
            cursor.execute("DELETE FROM orders_rehearsal WHERE batch <> %s", [self.batch])

    def count(self, buyers: Buyers, outcome: Outcome) -> Buyers:
        """Add the orders and customers that would be made; the second word about an order would change it.

        Returns those of the buyers who would be made customers.
        """
        fresh = [*(one for one in buyers.settled if not one.order_id), *buyers.strangers]
        made = self._first({f"order {one.row.external_id}" for one in fresh})
        outcome.created += len(made)
        outcome.unchanged += len(fresh) - len(made)
        outcome.lines += sum(len(one.row.lines) for one in fresh if f"order {one.row.external_id}" in made)
        new = self._first({f"customer {key}" for key in buyers.prospects})
        prospects = {key: many for key, many in buyers.prospects.items() if f"customer {key}" in new}
        guests = [one for one in buyers.guests if f"order {one.row.external_id}" in made and is_known_by_name(one.row)]
        outcome.customers_created += len(prospects) + len(guests)
        return Buyers(prospects=prospects, guests=guests)

    def _first(self, keys: set[str]) -> set[str]:
        with connection.cursor() as cursor:
            cursor.execute(NOTE, [self.batch, list(keys)])
            return {key for (key,) in cursor.fetchall()}
