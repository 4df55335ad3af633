"""Takes back what one import wrote to orders, except where somebody has gone on working."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import HeldIntake
from customers.summary import recount_activity
from customers.undoing import Left, UndoResult
from datamap import holds
from datamap.controlling import legal_zone
from orders.totals import refresh_totals
from orders.writing import COPIED

# Whom an order belongs to, and whether it is blocked, is never brought back by an undo.
KEPT = {"id", "customer_id", "gift_recipient_id", "subject_ref", "blocked_at", "origin_id", "created_at"}
RESTORED = [name for name in COPIED.split(", ") if name not in KEPT]

# `before` is the history row to go back to: the last one that the batch did not write. A later import that was
# taken back, and the note that it was, are no edit: imports are undone one after the other, the last one first.
TOUCHED = """
    CREATE TEMPORARY TABLE orders_undo ON COMMIT DROP AS
    WITH mine AS (
        SELECT h.id, min(h.history_id) AS first, max(h.history_id) AS last, min(h.history_date) AS at
        FROM orders_historicalorder AS h WHERE h.batch = %(batch)s GROUP BY h.id
    )
    SELECT o.id, o.customer_id, coalesce(origin.batch = %(batch)s, false) AS made, mine.first,
        (SELECT max(b.history_id) FROM orders_historicalorder AS b
         WHERE b.id = o.id AND b.history_id < mine.first) AS before,
        CASE
            WHEN o.blocked_at IS NOT NULL THEN 'blocked'
            WHEN EXISTS (SELECT FROM customers_customer AS c WHERE c.id = o.customer_id
                         AND c.restricted_at IS NOT NULL) THEN 'restricted'
            WHEN EXISTS (SELECT FROM orders_historicalorder AS l WHERE l.id = o.id
                         AND l.history_id > mine.last AND l.history_change_reason = %(reason)s)
                THEN 'undone'
            WHEN EXISTS (SELECT FROM orders_historicalorder AS l
                         WHERE l.id = o.id AND l.history_id > mine.last
                         AND NOT EXISTS (SELECT FROM orders_historicalorder AS n WHERE n.id = l.id
                                         AND n.history_change_reason = 'undo ' || l.batch)
                         AND NOT EXISTS (SELECT FROM orders_historicalorder AS x WHERE x.id = l.id
                                         AND x.history_id > mine.last
                                         AND l.history_change_reason = 'undo ' || x.batch)) THEN 'edited'
            WHEN EXISTS (SELECT FROM orders_document AS d WHERE d.order_id = o.id AND d.issued_at >= mine.at)
                OR EXISTS (SELECT FROM orders_return AS r
                           WHERE r.order_id = o.id AND r.requested_at >= mine.at)
                OR coalesce(origin.batch = %(batch)s, false)
                   AND (EXISTS (SELECT FROM orders_document AS d WHERE d.order_id = o.id)
                        OR EXISTS (SELECT FROM orders_return AS r WHERE r.order_id = o.id))
                THEN 'papers'
        END AS why
    FROM mine JOIN orders_order AS o ON o.id = mine.id
    LEFT JOIN customers_origin AS origin ON origin.id = o.origin_id
"""
# An order that waits for its delivery or its money may have come in by mistake; who is in dispute about it needs it.
OWN_CASES = ("open_order", "open_payment")
MADE = "SELECT DISTINCT customer_id FROM orders_undo WHERE made AND why IS NULL AND customer_id IS NOT NULL"
IN_CASE = """
    UPDATE orders_undo AS u SET why = 'case'
    FROM orders_order AS o, unnest(%s::bigint[], %s::text[]) AS found (customer_id, order_number)
    WHERE o.id = u.id AND u.made AND u.why IS NULL AND o.customer_id = found.customer_id
      AND coalesce(found.order_number, o.number) = o.number
"""
COUNT = """
    SELECT count(*) FILTER (WHERE made), count(*) FILTER (WHERE NOT made) FROM orders_undo WHERE why IS NULL
"""
OWNERS = "SELECT DISTINCT customer_id FROM orders_undo WHERE customer_id IS NOT NULL AND why IS NULL"
LEFT = """
    SELECT o.number, u.why FROM orders_undo AS u JOIN orders_order AS o ON o.id = u.id
    WHERE u.why <> 'undone' ORDER BY o.id
"""
LOCK = """
    SELECT o.id FROM orders_order AS o
    WHERE EXISTS (SELECT FROM orders_historicalorder AS h WHERE h.id = o.id AND h.batch = %(batch)s)
    ORDER BY o.id FOR UPDATE
"""
REMOVE = tuple(
    f"DELETE FROM {table} AS x USING orders_undo AS u WHERE x.{column} = u.id AND u.made AND u.why IS NULL"  # noqa: S608
    for table, column in (
        ("orders_orderline", "order_id"),
        ("orders_historicalorder", "id"),
        ("orders_order", "id"),
    )
)
RESTORE = f"""
    UPDATE orders_order AS o
    SET ({", ".join(RESTORED)}) = ROW({", ".join(f"h.{name}" for name in RESTORED)}),
        source_digest = NULL, version = o.version + 1
    FROM orders_undo AS u JOIN orders_historicalorder AS h ON h.history_id = u.before
    WHERE o.id = u.id AND NOT u.made AND u.why IS NULL
"""  # noqa: S608
# The lines as they were before the first change by the batch that replaced them.
LINES = """
    CREATE TEMPORARY TABLE orders_undo_lines ON COMMIT DROP AS
    SELECT DISTINCT ON (u.id) u.id, h.lines_before
    FROM orders_undo AS u
    JOIN orders_historicalorder AS h ON h.id = u.id AND h.batch = %(batch)s AND h.lines_before IS NOT NULL
    WHERE NOT u.made AND u.why IS NULL
    ORDER BY u.id, h.history_id
"""
RESTORE_LINES = (
    "DELETE FROM orders_orderline AS l USING orders_undo_lines AS u WHERE l.order_id = u.id",
    """
    INSERT INTO orders_orderline
        (order_id, position, sku, name, category, quantity, unit_price, discount, tax_rate)
    SELECT u.id, l.position, l.sku, l.name, l.category, l.quantity, l.unit_price, l.discount, l.tax_rate
    FROM orders_undo_lines AS u, jsonb_to_recordset(u.lines_before) AS l (
        position int, sku text, name text, category text, quantity numeric, unit_price numeric,
        discount numeric, tax_rate numeric)
    """,
)
NOTE = f"""
    INSERT INTO orders_historicalorder
        ({COPIED}, batch, history_date, history_user_id, history_type, history_change_reason, lines_before)
    SELECT {", ".join(f"o.{name}" for name in COPIED.split(", "))},
        NULL, %(now)s, %(user)s, '~', %(reason)s, NULL
    FROM orders_order AS o JOIN orders_undo AS u ON u.id = o.id WHERE NOT u.made AND u.why IS NULL
"""  # noqa: S608


@transaction.atomic
def undo_orders(batch: UUID, *, user_id: int | None = None) -> UndoResult:
    """Remove the orders a batch made and restore those it changed, as sets; totals and the last activity follow.

    Atomic; a second call finds nothing left to do. Orders that were edited, papered or blocked since stay as they are
    and are named, and so do those of restricted people (Art. 18 GDPR) and those made that an open case is about. The
    customers that came with the orders are taken back afterwards by `customers`.
    """
    given: dict[str, Any] = {"batch": batch, "reason": f"undo {batch}", "now": timezone.now(), "user": user_id}
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS orders_undo, orders_undo_lines")
        cursor.execute(LOCK, given)
        cursor.execute(TOUCHED, given)
        _leave_cases(cursor)
        cursor.execute(COUNT)
        removed, restored = cursor.fetchone()
        cursor.execute(RESTORE)
        cursor.execute(LINES, given)
        for statement in (*RESTORE_LINES, *REMOVE):
            cursor.execute(statement)
        cursor.execute(NOTE, given)
        cursor.execute(OWNERS)
        customers = [pk for (pk,) in cursor.fetchall()]
        cursor.execute(LEFT)
        left = [Left("orders.Order", number, reason(why)) for number, why in cursor.fetchall()]
    # Decided rows too: their order is gone, and the same file must be able to bring it again.
    HeldIntake.objects.filter(kind="order", origin__batch=batch).delete()
    refresh_totals(customers)
    recount_activity(customers)
    return UndoResult(removed, restored, left)


def _leave_cases(cursor: Any) -> None:
    """Leave orders that a complaint, a claim or a request holds: nothing of them is deleted (domain.md 4.2)."""
    cursor.execute(MADE)
    customers = [pk for (pk,) in cursor.fetchall()]
    today = timezone.localdate(timezone=legal_zone())
    cases = [case for case in holds.standing(customers, today, night=True) if case.source not in OWN_CASES]
    if cases:
        cursor.execute(IN_CASE, [[case.customer_id for case in cases], [case.order_number for case in cases]])


def reason(why: str) -> str:
    """Why a row was left, as people read it."""
    return {
        "blocked": _("belongs to an erased person"),
        "edited": _("was changed since the import"),
        "restricted": _("the data of whoever ordered are restricted"),
        "case": _("an open case is about this order"),
        "papers": _("has papers or returns since the import"),
    }[why]
