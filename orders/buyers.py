"""Says whose an incoming order is: by id, by the e-mail of that shop's accounts, else a guest's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection

from customers.models import ContactPoint
from orders.rows import OrderRow
from orders.staging import Incoming, contact

_EMAIL = ContactPoint._meta.get_field("whole_index")

BY_ID = """
    SELECT e.value, c.id, c.restricted_at IS NOT NULL FROM customers_externalid AS e
    JOIN customers_customer AS c ON c.id = e.customer_id
    WHERE e.platform = %s AND e.value = ANY(%s)
"""
# Only an account that came with this shop's customers counts; two of them with one e-mail count as none.
BY_EMAIL = """
    SELECT p.whole_index, min(c.id), bool_or(c.restricted_at IS NOT NULL)
    FROM customers_contactpoint AS p
    JOIN customers_customer AS c ON c.id = p.customer_id
    LEFT JOIN customers_origin AS o ON o.id = c.origin_id
    WHERE p.kind = 'email' AND p.whole_index = ANY(%(hashes)s) AND c.status = 'account'
      AND (o.platform = %(platform)s OR EXISTS (
        SELECT FROM customers_externalid AS e WHERE e.customer_id = c.id AND e.platform = %(platform)s))
    GROUP BY p.whole_index HAVING count(DISTINCT c.id) = 1
"""
OWNERS = "SELECT id FROM customers_customer WHERE id = ANY(%s) AND restricted_at IS NOT NULL"


@dataclass(slots=True)
class Buyers:
    """What was found out about the buyers of one chunk."""

    # Customers nobody knows yet, by the id the platform has for them.
    prospects: dict[str, list[Incoming]] = field(default_factory=dict)
    guests: list[Incoming] = field(default_factory=list)
    # Reason and, where one is named, the erasure's mark, by the order's place in the chunk.
    held: list[tuple[Incoming, str, UUID | None]] = field(default_factory=list)
    settled: list[Incoming] = field(default_factory=list)

    @property
    def strangers(self) -> list[Incoming]:
        """Orders of people nobody knows yet."""
        return [*self.guests, *(one for many in self.prospects.values() for one in many)]


def find_buyers(incoming: Sequence[Incoming], platform: str) -> Buyers:
    """Settle whose each order is; three questions to the database whatever the number of orders.

    An order that is there already keeps its customer. News about a restricted customer is held (Art. 18).
    """
    found = Buyers()
    by_id, by_email = _known(incoming, platform)
    restricted = restricted_among([i.customer_id for i in incoming if i.order_id and i.customer_id])
    for one in incoming:
        if one.order_id:
            if one.customer_id in restricted:
                found.held.append((one, "restricted", None))
            else:
                found.settled.append(one)
            continue
        hit = _match(one.row, by_id, by_email)
        if hit and hit[1]:
            one.customer_id = hit[0]
            found.held.append((one, "restricted", None))
        elif hit:
            one.customer_id = hit[0]
            found.settled.append(one)
        elif one.row.customer_external_id and not one.row.guest and one.row.unknown_customer == "prospect":
            found.prospects.setdefault(one.row.customer_external_id, []).append(one)
        else:
            one.guest = True
            found.guests.append(one)
    return found


Hits = dict[str, tuple[int, bool]]


def _match(row: OrderRow, by_id: Hits, by_email: Hits) -> tuple[int, bool] | None:
    if row.guest:
        return None
    if row.customer_external_id:
        return by_id.get(row.customer_external_id)
    return by_email.get(row.email) if row.email else None


def _known(incoming: Sequence[Incoming], platform: str) -> tuple[Hits, Hits]:
    new = [one.row for one in incoming if not one.order_id and not one.row.guest]
    ids = list({row.customer_external_id for row in new if row.customer_external_id})
    emails = {row.email: _EMAIL.blind(row.email) for row in new if row.email and not row.customer_external_id}
    with connection.cursor() as cursor:
        by_id: Hits = {}
        if ids:
            cursor.execute(BY_ID, [platform, ids])
            by_id = {value: (pk, restricted) for value, pk, restricted in cursor.fetchall()}
        hashes = list({index for index in emails.values() if index})
        if not hashes:
            return by_id, {}
        cursor.execute(BY_EMAIL, {"hashes": hashes, "platform": platform})
        hits = {bytes(index): (pk, restricted) for index, pk, restricted in cursor.fetchall()}
    return by_id, {email: hits[index] for email, index in emails.items() if index in hits}


def restricted_among(customer_ids: list[int]) -> set[int]:
    """Those of the customers whose data are restricted."""
    if not customer_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(OWNERS, [customer_ids])
        return {pk for (pk,) in cursor.fetchall()}


def is_known_by_name(row: OrderRow) -> bool:
    """Whether the order says anything about who ordered; without that there is no person to keep."""
    return bool(row.email or contact(row.billing) or contact(row.shipping))
