"""Counts what an import would make, over all its chunks, without writing it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection

from customers.known import Tried
from customers.rows import Outcome, Source
from orders.buyers import Buyers
from orders.staging import Incoming
from orders.writing import Written

MAKE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS orders_rehearsal (batch uuid, key text, PRIMARY KEY (batch, key))
"""
NOTE = "INSERT INTO orders_rehearsal SELECT %s, unnest(%s::text[]) ON CONFLICT DO NOTHING"
SEEN = "SELECT key FROM orders_rehearsal WHERE batch = %s AND key = ANY(%s)"


class Rehearsal:
    """Remembers, in a temporary table of the session, which orders a dry run would have made.

    The table is in the database and not in a set of Python, so that memory stays bounded whatever the
    file's size. `known` answers which customers would have been made.
    """

    def __init__(self, source: Source) -> None:
        self.batch = source.batch
        self.known = Tried(source.platform, source.batch)
        with connection.cursor() as cursor:
            cursor.execute(MAKE)
            cursor.execute("DELETE FROM orders_rehearsal WHERE batch <> %s", [self.batch])

    def settle(self, buyers: Buyers, outcome: Outcome) -> None:
        """Take for known what earlier chunks would have made: the orders, and the customers named by id."""
        strangers = buyers.strangers
        made = self._seen(one.row.external_id for one in [*buyers.settled, *strangers] if not one.order_id)
        again = [one for one in [*buyers.settled, *strangers] if _is_repeat(one, made=made)]
        outcome.unchanged += len(again)
        repeated = {id(one) for one in again}
        ids = self.known.by_external_id(list({one.row.customer_external_id for one in strangers} - {""}))
        for one in strangers:
            if not one.row.guest and one.row.customer_external_id in ids:
                one.customer_id, one.guest = ids[one.row.customer_external_id], False
        buyers.settled += [one for one in strangers if one.customer_id]
        buyers.settled = [one for one in buyers.settled if id(one) not in repeated]
        buyers.guests = [one for one in buyers.guests if not one.customer_id and id(one) not in repeated]
        left = {
            key: [one for one in many if id(one) not in repeated]
            for key, many in buyers.prospects.items()
            if key not in ids
        }
        buyers.prospects = {key: many for key, many in left.items() if many}

    def note(self, new: Sequence[Incoming]) -> Written:
        """Remember these orders as made, and count them."""
        with connection.cursor() as cursor:
            cursor.execute(NOTE, [self.batch, [one.row.external_id for one in new]])
        return Written(len(new), 0, sum(len(one.row.lines) for one in new))

    def _seen(self, keys: Iterable[str]) -> set[str]:
        with connection.cursor() as cursor:
            cursor.execute(SEEN, [self.batch, list(keys)])
            return {key for (key,) in cursor.fetchall()}


def _is_repeat(one: Incoming, *, made: set[str]) -> bool:
    return not one.order_id and one.row.external_id in made
