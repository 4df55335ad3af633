"""Which orders are still open, so that nothing of them is deleted (domain.md 4.2: open_order, open_payment)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from datamap.controlling import legal_zone
from datamap.models import Controller
from datamap.workdays import day_begins
from orders.totals import withdrawal_end

# BGB §§ 195, 199(1): from then on what was agreed can no longer be claimed.
LIMITATION_YEARS = 3

_THESE = {"matter": "", "whose": "o.customer_id = ANY(%(ids)s)"}
_ALL = {"matter": "o.id AS matter, ", "whose": "o.customer_id IS NOT NULL"}

# Not delivered, as long as delivery can be claimed.
_UNDELIVERED = """
    SELECT {matter}o.customer_id, o.number AS order_number, NULL::bigint AS complaint_id,
           (o.placed_at AT TIME ZONE %(zone)s + interval '1 year')::date AS review_on
    FROM orders_order AS o
    WHERE {whose} AND o.blocked_at IS NULL AND o.cancelled_at IS NULL
      AND o.delivered_at IS NULL AND o.status IN ('open', 'processing', 'shipped')
      AND o.placed_at >= %(claimable_since)s
"""
# Who gets a present is needed until the parcel has come: the contract with the giver is about their address.
_UNDELIVERED_GIFT = _UNDELIVERED.replace("o.customer_id", "o.gift_recipient_id")
# Within the period of withdrawal, which counts from the order where nobody noted a delivery (as in the totals).
_REVOCABLE = """
    SELECT {matter}o.customer_id, o.number, NULL, w.until + 1
    FROM orders_order AS o
    LEFT JOIN unnest(%(withdrawal_days)s::date[], %(withdrawal_ends)s::date[]) AS w(day, until)
        ON w.day = (coalesce(o.delivered_at, o.placed_at) AT TIME ZONE %(zone)s)::date
    WHERE {whose} AND o.blocked_at IS NULL AND o.cancelled_at IS NULL
      AND (o.delivered_at IS NOT NULL OR o.status NOT IN ('open', 'processing', 'shipped'))
      AND coalesce(o.delivered_at, o.placed_at) >= %(withdrawal_since)s
"""
# Goods on their way back whose money is not yet returned, which cancelling has done: as long as it can be claimed.
_UNREFUNDED = """
    SELECT {matter}o.customer_id, o.number, NULL, (r.requested_at AT TIME ZONE %(zone)s + interval '1 year')::date
    FROM orders_order AS o JOIN orders_return AS r ON r.order_id = o.id
    WHERE {whose} AND o.blocked_at IS NULL AND r.blocked_at IS NULL AND r.state <> 'refunded'
      AND o.cancelled_at IS NULL AND coalesce(r.received_at, r.requested_at) >= %(claimable_since)s
"""
# Payment is due until it is barred; an import that tells nothing of payments must not hold its orders for ever.
_UNPAID = """
    SELECT {matter}o.customer_id, o.number AS order_number, NULL::bigint AS complaint_id,
           (coalesce(o.invoiced_at, o.delivered_at, o.placed_at) AT TIME ZONE %(zone)s + interval '1 year')::date
               AS review_on
    FROM orders_order AS o
    WHERE {whose} AND o.blocked_at IS NULL AND o.cancelled_at IS NULL
      AND o.status IN ('open', 'processing', 'shipped') AND o.payment = 'open' AND o.paid_at IS NULL
      AND o.total > o.refunded AND coalesce(o.delivered_at, o.placed_at) >= %(claimable_since)s
"""

OPEN_ORDER = " UNION ALL ".join(
    (
        *(part.format(**_THESE) for part in (_UNDELIVERED, _REVOCABLE, _UNREFUNDED)),
        _UNDELIVERED_GIFT.format(matter="", whose="o.gift_recipient_id = ANY(%(ids)s)"),
    )
)
OPEN_PAYMENT = _UNPAID.format(**_THESE)
# The period of withdrawal ends by itself; nobody need look again.
EVERY_OPEN_ORDER = f"{_UNDELIVERED} UNION ALL {_UNREFUNDED}".format(**_ALL)
EVERY_OPEN_PAYMENT = _UNPAID.format(**_ALL)


def cut_offs(as_of: date, who: Controller) -> Mapping[str, Any]:
    """The days that decide on `as_of`, computed once for any number of orders."""
    zone = legal_zone(who)
    ends = running_withdrawals(as_of, who.land if who.regional_holidays else None)
    return {
        "withdrawal_since": day_begins(min(ends), zone),
        "withdrawal_days": list(ends),
        "withdrawal_ends": list(ends.values()),
        "claimable_since": day_begins(date(as_of.year - LIMITATION_YEARS, 1, 1), zone),
    }


def running_withdrawals(as_of: date, land: str | None = None) -> dict[date, date]:
    """Day of receipt -> last day of withdrawal, for all whose period is not over on `as_of` (§§ 355(2), 193 BGB).

    A later receipt never ends earlier, so walking back may stop at the first period that is over.
    """
    found: dict[date, date] = {}
    day = as_of
    while (until := withdrawal_end(day, land)) >= as_of:
        found[day] = until
        day -= timedelta(days=1)
    return found
