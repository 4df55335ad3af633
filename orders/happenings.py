"""What orders tell the timeline of a customer."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from customers.timeline import TimelineSource

SOURCES = (
    TimelineSource(
        key="order",
        label=_("Orders"),
        icon="bag",
        sql="""
            SELECT 'order', o.placed_at, o.id, jsonb_build_object('number', o.number, 'status', o.status)
            FROM orders_order AS o WHERE o.customer_id = %(customer)s AND o.blocked_at IS NULL
        """,
        at="o.placed_at",
        id="o.id",
        permission="orders.view",
    ),
    TimelineSource(
        key="document",
        label=_("Papers"),
        icon="doc",
        sql="""
            SELECT 'document', d.issued_at, d.id, jsonb_build_object('number', d.number, 'kind', d.kind)
            FROM orders_document AS d WHERE d.customer_id = %(customer)s AND d.blocked_at IS NULL
        """,
        at="d.issued_at",
        id="d.id",
        permission="orders.view",
    ),
    TimelineSource(
        key="return",
        label=_("Returns"),
        icon="undo",
        sql="""
            SELECT 'return', r.requested_at, r.id, jsonb_build_object('state', r.state, 'order', r.order_id)
            FROM orders_return AS r WHERE r.customer_id = %(customer)s AND r.blocked_at IS NULL
        """,
        at="r.requested_at",
        id="r.id",
        permission="orders.view",
    ),
)
