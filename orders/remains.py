"""Holds orders of erased persons: a file that still knows them must not bring them back (domain.md 4)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from customers.normalizing import email_key, phone_key
from customers.reading import read_country, read_phone
from customers.tombstones import any_erased, erased_among, external_text, hashers
from orders.buyers import Buyers
from orders.staging import Incoming, placed

# What an erased person's orders are called elsewhere: a file that names one of them is noticed. By its number too,
# which is all that some exports know; under a word of its own, for one order's number may be the id of another.
NAMES = """
    SELECT customer_id, platform, name FROM orders_order,
        unnest(ARRAY['order:' || external_id, 'order-number:' || nullif(number, '')]) AS name
    WHERE customer_id = ANY(%(ids)s) AND external_id <> '' AND platform <> '' AND name IS NOT NULL
"""


def hold_erased(buyers: Buyers, platform: str) -> None:
    """Move orders that meet a tombstone to the held ones, unless they were placed after the erasure.

    Somebody who orders again afterwards is a new customer, not linked to the erased one. An order whose
    customer is known by id is not asked about: that person lives in the book.
    """
    if not any_erased():
        return
    asked = buyers.strangers
    marks = {id(one): _marks(one, platform) for one in asked}
    erased = erased_among({mark for many in marks.values() for mark in many})
    if not erased:
        return
    refused: dict[int, UUID] = {}
    for one in asked:
        hits: list[tuple[datetime, UUID]] = [erased[mark] for mark in marks[id(one)] if mark in erased]
        if hits and placed(one) <= max(hits)[0]:
            refused[id(one)] = max(hits)[1]
    buyers.held += [(one, "tombstone", refused[id(one)]) for one in asked if id(one) in refused]
    buyers.guests = [one for one in buyers.guests if id(one) not in refused]
    left = {key: [one for one in many if id(one) not in refused] for key, many in buyers.prospects.items()}
    buyers.prospects = {key: many for key, many in left.items() if many}


def _marks(one: Incoming, platform: str) -> list[bytes]:
    row = one.row
    ids = [f"order:{row.external_id}", f"order-number:{row.number}"]
    ids += [row.customer_external_id] if row.customer_external_id else []
    found = [hash_(external_text(platform, value)) for value in ids for hash_ in hashers("external")]
    for value in {row.email, row.billing.email, row.shipping.email} - {""}:
        if key := email_key(value):
            found += [hash_(key) for hash_ in hashers("email")]
    for side in (row.billing, row.shipping):
        number = read_phone(side.phone, read_country(side.country) or "DE") if side.phone else None
        if key := phone_key(number or ""):
            found += [hash_(key) for hash_ in hashers("phone")]
    return found
