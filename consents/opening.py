"""Keeps `State.open` true: whether nothing about the person or the endpoint stands against a yes.

One rule, written once: `recording` asks it when a state is written, and triggers ask the database's own copy of it when
a customer, a stop, a suppression entry, a contact point or a flag changes. The copy is renewed after each migration.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

OPEN = """(
    c.restricted_at IS NULL AND c.deactivated_at IS NULL
    AND (NOT p.advertising OR (
        (k.advertising_stopped_at IS NULL OR ({s}.confirmed AND {s}.since > k.advertising_stopped_at))
        AND NOT EXISTS (SELECT 1 FROM customers_suppression x
            WHERE x.endpoint = {s}.mark AND x.scope = 'advertising' AND x.ended_at IS NULL)))
    AND (p.minimum_age = '{{}}'::jsonb OR NOT EXISTS (SELECT 1 FROM customers_flag f
        WHERE f.customer_id = c.id AND f.kind = 'minor' AND f.lifted_at IS NULL))
    AND ({s}.endpoint_index IS NULL OR EXISTS (SELECT 1 FROM customers_contactpoint cp
        WHERE cp.customer_id = c.id AND cp.whole_index = {s}.endpoint_index))
)"""
"""SQL over `s` (a state, or what will be one), `c` its customer, `k` the summary (or none), `p` the purpose."""

REFRESH = f"""
CREATE OR REPLACE FUNCTION consents_refresh(ids bigint[]) RETURNS void LANGUAGE sql AS $$
    UPDATE consents_state t SET open = n.open
    FROM (
        SELECT s.id, {OPEN.format(s="s")} AS open
        FROM consents_state s JOIN customers_customer c ON c.id = s.customer_id
        JOIN consents_purpose p ON p.id = s.purpose_id
        LEFT JOIN customers_summary k ON k.customer_id = s.customer_id
        WHERE s.customer_id = ANY (ids)
    ) n
    WHERE t.id = n.id AND t.open <> n.open
$$
"""  # noqa: S608


def install(sender: Any = None, using: str = "default", **kwargs: Any) -> None:
    """Give the database this version of the rule; called after each migration."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT to_regclass('consents_state') IS NOT NULL")
        if cursor.fetchone()[0]:
            cursor.execute(REFRESH)
