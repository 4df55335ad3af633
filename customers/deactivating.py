"""Deactivates customers: no more sends, and the period of the account runs; it is no erasure."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, transaction

from customers.historying import write_history
from customers.models import Customer

REASON_OFF = "deactivated"
REASON_ON = "reactivated"


def deactivate(customer_ids: Sequence[int], *, user_id: int | None) -> int:
    """Deactivate these customers: one transaction, as a set, with history. Answers how many were active before.

    Restricted customers stay as they are: their data may be stored, not changed (Art. 18 GDPR).
    """
    return _change("now()", "IS NULL", customer_ids, user_id, REASON_OFF)


def reactivate(customer_ids: Sequence[int], *, user_id: int | None) -> int:
    """Take the deactivation back; answers how many were deactivated before."""
    return _change("NULL", "IS NOT NULL", customer_ids, user_id, REASON_ON)


@transaction.atomic
def _change(value: str, before: str, ids: Sequence[int], user_id: int | None, reason: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE customers_customer SET deactivated_at = {value}, version = version + 1 "  # noqa: S608
            f"WHERE id = ANY(%s) AND deactivated_at {before} AND restricted_at IS NULL RETURNING id",
            [list(ids)],
        )
        changed = [id_ for (id_,) in cursor.fetchall()]
    write_history(Customer, changed, "~", user_id=user_id, reason=reason)
    return len(changed)
