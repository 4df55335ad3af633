"""Keeps what each customer bought per currency, and the order columns of the summary, equal to the orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction

from customers.summary import OrderFigures, ensure, set_orders
from datamap.controlling import controller
from datamap.workdays import next_workday

SHOP_CURRENCY = "EUR"
WITHDRAWAL_DAYS = 14  # § 355(2) BGB
CHUNK = 20_000

# What the totals must be. A cancelled order does not count; a refund lowers the sum and leaves the order.
FRESH = """
    SELECT customer_id, currency, count(*) AS orders, sum(total - refunded) AS sum,
           min(placed_at) AS first, max(placed_at) AS last
    FROM orders_order
    WHERE customer_id = ANY(%(ids)s) AND cancelled_at IS NULL AND blocked_at IS NULL
    GROUP BY customer_id, currency
"""
FRESH_ALL = FRESH.replace("customer_id = ANY(%(ids)s)", "customer_id IS NOT NULL")

UPSERT = """
    INSERT INTO orders_customertotal AS t (customer_id, currency, orders, sum, first, last)
    SELECT customer_id, currency, orders, sum, first, last FROM ({fresh}) AS fresh
    ORDER BY customer_id, currency
    ON CONFLICT (customer_id, currency) DO UPDATE
    SET orders = excluded.orders, sum = excluded.sum, first = excluded.first, last = excluded.last
    WHERE (t.orders, t.sum, t.first, t.last)
          IS DISTINCT FROM (excluded.orders, excluded.sum, excluded.first, excluded.last)
"""
DROP_EMPTY = """
    DELETE FROM orders_customertotal AS t
    WHERE t.customer_id = ANY(%(ids)s) AND NOT EXISTS (
        SELECT FROM orders_order AS o
        WHERE o.customer_id = t.customer_id AND o.currency = t.currency
          AND o.cancelled_at IS NULL AND o.blocked_at IS NULL
    )
"""
# The lock comes first and in a statement of its own: what follows then sees every order committed before it.
LOCK = "SELECT 1 FROM customers_summary WHERE customer_id = ANY(%(ids)s) ORDER BY customer_id FOR UPDATE"
FACTS = """
    SELECT i.id,
           count(o.id) FILTER (WHERE o.cancelled_at IS NULL),
           coalesce(sum(o.total - o.refunded)
                    FILTER (WHERE o.cancelled_at IS NULL AND o.currency = %(currency)s), 0),
           max(o.placed_at) FILTER (WHERE o.cancelled_at IS NULL AND o.paid_at IS NOT NULL),
           max((coalesce(o.delivered_at, o.placed_at) AT TIME ZONE %(zone)s)::date),
           max(o.placed_at)
    FROM unnest(%(ids)s::bigint[]) AS i(id)
    LEFT JOIN orders_order AS o ON o.customer_id = i.id AND o.blocked_at IS NULL
    GROUP BY i.id
"""
# What the summary's last activity learns from the orders, here and when an import was taken back.
NEWEST = """
    SELECT customer_id, max(placed_at) FROM orders_order
    WHERE customer_id = ANY(%(ids)s) AND blocked_at IS NULL GROUP BY customer_id
"""
DIFFERENCES = f"""
    SELECT count(*) FROM ({FRESH_ALL}) AS fresh
    FULL JOIN orders_customertotal AS t USING (customer_id, currency)
    WHERE (t.orders, t.sum, t.first, t.last)
          IS DISTINCT FROM (fresh.orders, fresh.sum, fresh.first, fresh.last)
"""  # noqa: S608


def refresh_totals(customer_ids: Sequence[int | None]) -> None:
    """Bring totals and summary of these customers in line with their orders, as sets, in one transaction.

    Two stories that touch the same customer wait for each other here, so neither misses the other's order.
    """
    ids = sorted({pk for pk in customer_ids if pk is not None})
    if not ids:
        return
    shop = controller()
    land = shop.land if shop.regional_holidays else None
    given: dict[str, Any] = {"ids": ids, "currency": SHOP_CURRENCY, "zone": shop.zone}
    with transaction.atomic(), connection.cursor() as cursor:
        ensure(ids)
        cursor.execute(LOCK, given)
        cursor.execute(DROP_EMPTY, given)
        cursor.execute(UPSERT.format(fresh=FRESH), given)
        cursor.execute(FACTS, given)
        rows = cursor.fetchall()
        ends = {day: withdrawal_end(day, land) for day in {row[4] for row in rows if row[4]}}
        set_orders(
            {
                pk: OrderFigures(count, revenue, paid, ends.get(received), placed)
                for pk, count, revenue, paid, received, placed in rows
            }
        )


def recompute_totals(progress: Callable[[int], object] = lambda customers: None) -> int:
    """Recompute every customer's totals, a transaction for each chunk; how many were wrong before.

    `progress` hears how many customers each chunk had.
    """
    wrong = differing_totals()
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM customers_customer WHERE id > %s"
                " ORDER BY id LIMIT %s) AS c",
                [last, CHUNK],
            )
            (ids,) = cursor.fetchone()
        if not ids:
            return wrong
        refresh_totals(ids)
        progress(len(ids))
        last = ids[-1]


def differing_totals() -> int:
    """How many totals differ from a full recompute; nothing is written."""
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENCES)
        return int(cursor.fetchone()[0])


def withdrawal_end(received: date, land: str | None = None) -> date:
    """The last day of the withdrawal period of goods received on a day (§§ 355(2), 356, 193 BGB)."""
    return next_workday(received + timedelta(days=WITHDRAWAL_DAYS), land)
