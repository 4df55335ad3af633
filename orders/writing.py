"""Writes checked orders as sets: new ones by COPY, changed ones by one guarded update, with history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from customers.rows import Source
from orders.models import Order
from orders.rows import LineRow
from orders.staging import (
    NO_NEWS,
    PARTS,
    Incoming,
    billing_of,
    cancelled_at,
    contact,
    deviates,
    placed,
    split,
    status_of,
    total_of,
)

ZERO = Decimal(0)
ORDERS = "orders_order"
NEW = (
    "id, number, platform, external_id, customer_id, kind, status, payment, placed_at, paid_at, delivered_at,"
    " cancelled_at, currency, total, shipping_cost, discount, tax, refunded, billing, shipping, deviating,"
    " note, tags, version, source_digest, origin_id, created_at"
)
LINE = "order_id, position, sku, name, category, quantity, unit_price, discount"

STAGE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS orders_stage (
        id bigint PRIMARY KEY, external_id text, number text, status text, placed_at timestamptz, paid_at timestamptz,
        delivered_at timestamptz, cancelled_at timestamptz, currency text, total numeric(14,2),
        shipping_cost numeric(14,2), discount numeric(14,2), tax numeric(14,2), refunded numeric(14,2), billing bytea,
        shipping bytea, deviating boolean, note bytea, tags text, digest bytea, replaces boolean,
        lines_before jsonb
    ) ON COMMIT DROP
"""
STAGED = (
    "id, external_id, number, status, placed_at, paid_at, delivered_at, cancelled_at, currency, total, shipping_cost,"
    " discount, tax, refunded, billing, shipping, deviating, note, tags, digest, replaces"
)
# Papers and returns refer to lines: those stay. What is replaced is kept in the history row.
KEEP_LINES = """
    UPDATE orders_stage AS s SET replaces = false
    WHERE s.replaces AND (EXISTS (SELECT FROM orders_document AS d WHERE d.order_id = s.id)
                          OR EXISTS (SELECT FROM orders_return AS r WHERE r.order_id = s.id))
"""
LINES_BEFORE = """
    UPDATE orders_stage AS s SET lines_before = coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'position', l.position, 'sku', l.sku, 'name', l.name, 'category', l.category,
            'quantity', l.quantity::text, 'unit_price', l.unit_price::text, 'discount', l.discount::text,
            'tax_rate', l.tax_rate::text) ORDER BY l.position, l.id)
        FROM orders_orderline AS l WHERE l.order_id = s.id), '[]')
    WHERE s.replaces
"""
RANK = "array_position(ARRAY['open', 'processing', 'shipped', 'completed', 'returned', 'cancelled'], {})"
# An older file must not turn the clock back: a status only moves on, a date once known stays known, and
# money given back is not taken again.
FRESH = f"""
    SELECT o.id,
        coalesce(s.external_id, o.external_id) AS external_id,
        coalesce(s.number, o.number) AS number,
        CASE WHEN {RANK.format("s.status")} > {RANK.format("o.status::text")} THEN s.status ELSE o.status END
            AS status,
        coalesce(s.placed_at, o.placed_at) AS placed_at,
        coalesce(s.paid_at, o.paid_at) AS paid_at,
        coalesce(s.delivered_at, o.delivered_at) AS delivered_at,
        coalesce(o.cancelled_at, s.cancelled_at, CASE WHEN s.status = 'cancelled' THEN o.placed_at END)
            AS cancelled_at,
        coalesce(s.currency, o.currency) AS currency,
        coalesce(s.total, o.total) AS total,
        coalesce(s.shipping_cost, o.shipping_cost) AS shipping_cost,
        coalesce(s.discount, o.discount) AS discount,
        coalesce(s.tax, o.tax) AS tax,
        greatest(s.refunded, o.refunded) AS refunded,
        coalesce(s.deviating, o.deviating) AS deviating,
        coalesce(s.tags, o.tags) AS tags,
        coalesce(s.billing, o.billing) AS billing,
        coalesce(s.shipping, o.shipping) AS shipping,
        coalesce(s.note, o.note) AS note,
        s.digest,
        s.replaces
    FROM orders_stage AS s JOIN {{orders}} AS o ON o.id = s.id
"""  # noqa: S608
FACTS = (
    "external_id",
    "number",
    "status",
    "placed_at",
    "paid_at",
    "delivered_at",
    "cancelled_at",
    "currency",
    "total",
    "shipping_cost",
    "discount",
    "tax",
    "refunded",
    "deviating",
    "tags",
    # Sealed anew only where the digest says that the words differ.
    "billing",
    "shipping",
    "note",
)
DIFFERS = (
    f"(f.replaces OR ({', '.join(f'o.{name}' for name in FACTS)})"
    f" IS DISTINCT FROM ({', '.join(f'f.{name}' for name in FACTS)}))"
)
UPDATE = f"""
    UPDATE {{orders}} AS o
    SET ({", ".join(FACTS)}) = ROW({", ".join(f"f.{name}" for name in FACTS)}),
        payment = CASE WHEN f.refunded > 0 AND f.refunded >= f.total THEN 'refunded'
                       WHEN f.refunded > 0 THEN 'part_refund'
                       WHEN f.paid_at IS NOT NULL THEN 'paid' ELSE 'open' END,
        source_digest = f.digest, version = o.version + 1
    FROM ({FRESH}) AS f WHERE o.id = f.id AND {DIFFERS}
    RETURNING o.id, o.customer_id
"""  # noqa: S608
FIRST = "orders_order AS o WHERE o.id = ANY(%s) ORDER BY o.id"
CHANGED = "orders_order AS o JOIN orders_stage AS s ON s.id = o.id WHERE o.id = ANY(%s) ORDER BY o.id"
COPIED = ", ".join(
    field.column
    for field in Order.history.model._meta.concrete_fields
    if not field.name.startswith("history_") and field.name not in ("batch", "lines_before")
)


@dataclass(slots=True)
class Written:
    """What was written, or would be."""

    created: int = 0
    updated: int = 0
    lines: int = 0
    customers: set[int] = field(default_factory=set)


class Sealer:
    """Seals the contact lines of many orders."""

    def __init__(self) -> None:
        self.billing = Order._meta.get_field("billing").seal
        self.shipping = Order._meta.get_field("shipping").seal
        self.note = Order._meta.get_field("note").seal


def insert_orders(new: Sequence[Incoming], source: Source) -> Written:
    """COPY new orders with their lines, then their first history rows in one statement."""
    if not new:
        return Written()
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('orders_order', 'id')) FROM generate_series(1, %s)",
            [len(new)],
        )
        for one, (pk,) in zip(new, cursor.fetchall(), strict=True):
            one.order_id = pk
        copy_orders(cursor, new, source, now)
        lines = _copy_lines(cursor, ((one.order_id, one.row.lines) for one in new))
        ids = [one.order_id for one in new]
        cursor.execute(_history("+", "NULL", FIRST), [*_by(source, now), ids])
    return Written(len(new), 0, lines, {one.customer_id for one in new if one.customer_id})


def copy_orders(cursor: Any, new: Sequence[Incoming], source: Source, now: datetime, into: str = ORDERS) -> None:
    """COPY orders that have their ids into the table of orders, or into the one of a dry run."""
    sealer = Sealer()
    with connection.wrap_database_errors, cursor.copy(f"COPY {into} ({NEW}) FROM STDIN") as copy:
        for one in new:
            copy.write_row(_new_order(one, source, now, sealer))


def update_orders(changed: Sequence[Incoming], source: Source) -> Written:
    """Bring orders that are there up to date in one guarded statement; a row without news is not written."""
    if not changed:
        return Written()
    now = timezone.now()
    with connection.cursor() as cursor:
        stage_orders(cursor, changed)
        cursor.execute(LINES_BEFORE)
        rows = update_staged(cursor)
        ids = [pk for pk, _customer in rows]
        cursor.execute(_history("~", "s.lines_before", CHANGED), [*_by(source, now), ids])
        lines = _replace_lines(cursor, {one.order_id: one.row.lines for one in changed})
    return Written(0, len(rows), lines, {customer for _pk, customer in rows if customer})


def stage_orders(cursor: Any, changed: Sequence[Incoming]) -> None:
    """COPY what is news about known orders beside them; lines that papers refer to are not to be replaced."""
    sealer = Sealer()
    cursor.execute(STAGE)
    cursor.execute("TRUNCATE orders_stage")
    with connection.wrap_database_errors, cursor.copy(f"COPY orders_stage ({STAGED}) FROM STDIN") as copy:
        for one in changed:
            copy.write_row(_staged(one, sealer))
    cursor.execute(KEEP_LINES)


def update_staged(cursor: Any, orders: str = ORDERS) -> list[tuple[int, int | None]]:
    """Write what is staged into the table of orders, or into the one of a dry run: (order, customer) of each changed
    row."""
    cursor.execute(UPDATE.format(orders=orders))
    return cursor.fetchall()


def lines_replaced(cursor: Any) -> list[int]:
    """The staged orders whose lines give way to those that came in."""
    cursor.execute("SELECT id FROM orders_stage WHERE replaces")
    return [pk for (pk,) in cursor.fetchall()]


def _new_order(one: Incoming, source: Source, now: datetime, sealer: Sealer) -> tuple[Any, ...]:
    row, refunded = one.row, one.row.refunded or ZERO
    total = total_of(row) or ZERO
    billing, shipping = billing_of(row), contact(row.shipping)
    return (
        one.order_id,
        row.number,
        source.platform,
        row.external_id,
        one.customer_id,
        "guest" if one.guest else "account",
        status_of(row),
        _payment(total, refunded, row.paid_at),
        placed(one),
        row.paid_at,
        row.delivered_at,
        cancelled_at(row),
        row.currency or "EUR",
        total,
        row.shipping_cost or ZERO,
        row.discount or ZERO,
        row.tax or ZERO,
        refunded,
        sealer.billing(billing) if billing else None,
        sealer.shipping(shipping) if shipping else None,
        deviates(billing, shipping),
        sealer.note(row.note) if row.note else None,
        ", ".join(row.tags),
        1,
        one.digest,
        source.origin_id,
        now,
    )


def _payment(total: Decimal, refunded: Decimal, paid_at: datetime | None) -> str:
    if refunded > 0:
        return "refunded" if refunded >= total else "part_refund"
    return "paid" if paid_at else "open"


def _staged(one: Incoming, sealer: Sealer) -> tuple[Any, ...]:
    """What is news in this row; None is "no news"."""
    row, news = one.row, one.news
    facts = "facts" in news
    billing = billing_of(row) if "billing" in news else None
    shipping = contact(row.shipping) if "shipping" in news else None
    # One of the two places may move without the other.
    moved = not news.isdisjoint(("billing", "shipping")) and contact(row.shipping)
    return (
        one.order_id,
        row.external_id if one.renames else None,
        row.number if facts else None,
        status_of(row) if facts else None,
        row.placed_at if facts else None,
        row.paid_at if facts else None,
        row.delivered_at if facts else None,
        cancelled_at(row) if facts else None,
        (row.currency or None) if facts else None,
        total_of(row) if facts or "lines" in news else None,
        row.shipping_cost if facts else None,
        row.discount if facts else None,
        row.tax if facts else None,
        row.refunded if facts else None,
        sealer.billing(billing) if billing else None,
        sealer.shipping(shipping) if shipping else None,
        deviates(contact(row.billing), moved) if moved else None,
        sealer.note(row.note) if row.note and "note" in news else None,
        (", ".join(row.tags) or None) if facts else None,
        one.says,
        bool(row.lines) and "lines" in news,
    )


def _copy_lines(cursor: Any, orders: Iterable[tuple[int | None, list[LineRow]]]) -> int:
    count = 0
    with connection.wrap_database_errors, cursor.copy(f"COPY orders_orderline ({LINE}) FROM STDIN") as copy:
        for order_id, lines in orders:
            for position, line in enumerate(lines, start=1):
                copy.write_row(
                    (
                        order_id,
                        position,
                        line.sku,
                        line.name,
                        line.category,
                        line.quantity,
                        line.unit_price,
                        line.discount,
                    )
                )
            count += len(lines)
    return count


def _replace_lines(cursor: Any, lines: dict[int | None, list[LineRow]]) -> int:
    ids = lines_replaced(cursor)
    if not ids:
        return 0
    cursor.execute("DELETE FROM orders_orderline WHERE order_id = ANY(%s)", [ids])
    return _copy_lines(cursor, ((pk, lines[pk]) for pk in ids))


def _history(kind: str, lines_before: str, rows: str) -> str:
    """One statement that keeps the orders as they now stand; parameters: `_by` and those of `rows`."""
    copied = ", ".join(f"o.{name}" for name in COPIED.split(", "))
    return (
        f"INSERT INTO orders_historicalorder ({COPIED}, batch, history_date, history_user_id, history_type,"  # noqa: S608
        f" history_change_reason, lines_before)"
        f" SELECT {copied}, %s, %s, %s, '{kind}', NULL, {lines_before} FROM {rows}"
    )


def _by(source: Source, now: datetime) -> tuple[UUID, datetime, int | None]:
    return source.batch, now, source.user_id


def news_in(digest: bytes, known: bytes | None) -> Iterator[str]:
    """The parts in which a row says something else than its source said last time."""
    before = split(known) if known else [NO_NEWS] * len(PARTS)
    for name, new, old in zip(PARTS, split(digest), before, strict=True):
        if new not in (NO_NEWS, old):
            yield name
