"""Keeps the figures of `Summary` true; floors above report here, always for sets of customers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, models

# For each customer of %(ids)s an id and when floors above know them to have done something last.
_activity: list[str] = []
Contact = Callable[..., Any]
"""(customer ids, when, call=whether the shop called them): somebody of the shop spoke with them."""
_contacts: list[Contact] = []
_MISSING = """
INSERT INTO customers_summary (customer_id, last_activity, orders, revenue, open_complaints, reachable)
SELECT c.id, coalesce(c.registered_at, c.created_at), 0, 0, 0, true FROM customers_customer c
WHERE NOT EXISTS (SELECT 1 FROM customers_summary s WHERE s.customer_id = c.id)
"""
# Whoever has a row is left out before, since a trigger looks at the customer of every row that is to be inserted.
_MEANWHILE = " ON CONFLICT (customer_id) DO NOTHING"


@dataclass(frozen=True)
class OrderFigures:
    """What the orders of one customer add up to in the shop's own currency."""

    orders: int = 0
    revenue: Decimal = Decimal(0)
    last_paid_order: datetime | None = None
    withdrawal_end: date | None = None
    last_order: datetime | None = None


def ensure(customer_ids: Iterable[int]) -> None:
    """A row for each customer that has none."""
    with connection.cursor() as cursor:
        cursor.execute(_MISSING + " AND c.id = ANY(%s)" + _MEANWHILE, [list(customer_ids)])


def ensure_all() -> int:
    """A row for every customer that has none, so that what is due is found by the index on it; how many were made."""
    with connection.cursor() as cursor:
        cursor.execute(_MISSING + _MEANWHILE)
        return cursor.rowcount


def missing(size: int) -> Iterator[list[int]]:
    """The ids of the customers that have no row yet, so many at a time: what `ensure_all` would make, read only."""
    last: int | None = 0
    while last is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT c.id FROM customers_customer c WHERE c.id > %s AND NOT EXISTS "
                "(SELECT 1 FROM customers_summary s WHERE s.customer_id = c.id) ORDER BY c.id LIMIT %s",
                [last, size],
            )
            ids = [row[0] for row in cursor.fetchall()]
        if ids:
            yield ids
        last = ids[-1] if len(ids) == size else None


def lock(customer_ids: Iterable[int]) -> None:
    """Lock the rows of these customers, in the order of their ids as everybody who writes several of them.

    In a transaction that locks customers as well, the summaries come first: whoever writes a row about a customer
    holds the summary when the foreign key asks for the customer, at the commit.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM customers_summary WHERE customer_id = ANY(%s) ORDER BY customer_id FOR UPDATE",
            [list(customer_ids)],
        )


def note_contact(customer_ids: Iterable[int], at: datetime, *, call: bool = False, incoming: bool = False) -> None:
    """Somebody spoke with these customers: last contact, last activity, and last call where it was one.

    incoming: it was they who turned to the shop.
    """
    times = dict.fromkeys(customer_ids, at)
    _later("last_contact", times)
    _later("last_activity", times)
    if call:
        _later("last_call", times)
    for told in _contacts:
        told(list(times), at, call=call and not incoming)


def register_contact(told: Contact) -> None:
    """For apps above: have `told` called with each contact; from an app's `ready`."""
    if told not in _contacts:
        _contacts.append(told)


def register_activity(sql: str) -> None:
    """For apps above: a SELECT of customer id and newest activity for the customers in `%(ids)s`; see `orders.apps`."""
    if sql not in _activity:
        _activity.append(sql)


def claim_activity(origin_id: int | None, activity: Mapping[int, datetime]) -> None:
    """An import says when these customers were last active: kept with its origin, and the summary moves forward."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_activityclaim AS c (customer_id, at, origin_id)
            SELECT n.id, n.at, %s FROM unnest(%s::bigint[], %s::timestamptz[]) AS n (id, at)
            ON CONFLICT (customer_id, origin_id) DO UPDATE SET at = greatest(c.at, excluded.at)
            """,
            [origin_id, list(activity), list(activity.values())],
        )
    _later("last_activity", activity)


def recount_activity(customer_ids: Iterable[int]) -> int:
    """Say anew when these customers did something last, also where that is earlier: an import was taken back, or one
    knows since when somebody is a customer.

    The latest of: becoming known, the last contact, what the remaining imports say, what floors above know. Whom a file
    or a shop brought became known with the registration, where none is known as the file says, else on the day of the
    import; who came in any other way also on the day itself.
    One statement; answers how many rows changed.
    """
    ids = list(customer_ids)
    lock(ids)
    told = "".join(f" UNION ALL ({sql})" for sql in _activity)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE customers_summary s SET last_activity = n.at
            FROM (
                SELECT c.id, greatest(
                    CASE WHEN o.kind IN ('staff', 'form') THEN greatest(c.registered_at, c.created_at)
                         ELSE coalesce(c.registered_at, own.at, c.created_at) END,
                    k.last_contact, max(t.at)) AS at
                FROM customers_customer c JOIN customers_summary k ON k.customer_id = c.id
                LEFT JOIN customers_origin o ON o.id = c.origin_id
                LEFT JOIN customers_activityclaim own ON own.customer_id = c.id AND own.origin_id = c.origin_id
                LEFT JOIN (
                    SELECT customer_id, at FROM customers_activityclaim WHERE customer_id = ANY(%(ids)s){told}
                ) AS t (id, at) ON t.id = c.id
                WHERE c.id = ANY(%(ids)s) GROUP BY c.id, o.kind, k.last_contact, own.at
            ) AS n
            WHERE s.customer_id = n.id AND s.last_activity <> n.at
            """,  # noqa: S608
            {"ids": ids},
        )
        return cursor.rowcount


def recount_complaints(customer_ids: Iterable[int], open_complaints: models.QuerySet) -> int:
    """Count the open complaints of these customers anew; `open_complaints` are rows with a `customer`."""
    ids = list(customer_ids)
    counted = (
        open_complaints.filter(customer_id__in=ids)
        .order_by()
        .values_list("customer_id")
        .annotate(number=models.Count("pk"))
    )
    return set_open_complaints(dict.fromkeys(ids, 0) | dict(counted))


def set_orders(figures: Mapping[int, OrderFigures]) -> int:
    """The figures of the orders as recomputed by whoever owns them; writes only rows that change."""
    ids = list(figures)
    ensure(ids)
    rows = [figures[id_] for id_ in ids]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE customers_summary s SET orders = n.orders, revenue = n.revenue,
                last_paid_order = n.paid, withdrawal_end = n.until,
                last_activity = greatest(s.last_activity, n.last)
            FROM unnest(%s::bigint[], %s::int[], %s::numeric[], %s::timestamptz[], %s::date[], %s::timestamptz[])
                AS n (id, orders, revenue, paid, until, last)
            WHERE s.customer_id = n.id
                AND (s.orders, s.revenue, s.last_paid_order, s.withdrawal_end, s.last_activity) IS DISTINCT FROM
                    (n.orders, n.revenue, n.paid, n.until, greatest(s.last_activity, n.last))
            """,
            [
                ids,
                [row.orders for row in rows],
                [row.revenue for row in rows],
                [row.last_paid_order for row in rows],
                [row.withdrawal_end for row in rows],
                [row.last_order for row in rows],
            ],
        )
        return cursor.rowcount


def set_open_complaints(counts: Mapping[int, int]) -> int:
    """How many complaints of these customers are open."""
    return _set("open_complaints", "int", counts)


def set_advertising_stops(stops: Mapping[int, datetime | None]) -> int:
    """Since when these customers must not get advertising; None where the stop has ended."""
    return _set("advertising_stopped_at", "timestamptz", stops)


def set_reachable(reachable: Mapping[int, bool]) -> int:
    """Whether advertising may reach these customers at all."""
    return _set("reachable", "bool", reachable)


def _later(column: str, times: Mapping[int, datetime]) -> int:
    ids = list(times)
    ensure(ids)
    if len(ids) > 1:
        lock(ids)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE customers_summary s SET {column} = n.at
            FROM unnest(%s::bigint[], %s::timestamptz[]) AS n (id, at)
            WHERE s.customer_id = n.id AND (s.{column} IS NULL OR s.{column} < n.at)
            """,  # noqa: S608
            [ids, [times[id_] for id_ in ids]],
        )
        return cursor.rowcount


def _set(column: str, kind: str, values: Mapping[int, object]) -> int:
    ids = list(values)
    ensure(ids)
    if len(ids) > 1:
        lock(ids)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE customers_summary s SET {column} = n.value
            FROM unnest(%s::bigint[], %s::{kind}[]) AS n (id, value)
            WHERE s.customer_id = n.id AND s.{column} IS DISTINCT FROM n.value
            """,  # noqa: S608
            [ids, [values[id_] for id_ in ids]],
        )
        return cursor.rowcount
