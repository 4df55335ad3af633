"""Postal addresses on the suppression list: an entry names no person, so it keeps from whoever came in after it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from django.db.models import Min, Q

from customers.models import Address, Suppression
from customers.normalizing import fold
from customers.suppression import ADVERTISING, hashes_of

POST = "post"
PAGE = 5_000


def postal_key(street: str, postcode: str) -> str:
    """The one way in which a postal address stands on the list: folded street with number, postcode."""
    return f"{fold(street)}|{fold(postcode)}" if street and postcode else ""


def stopped_by_post(customers: Iterable[int] | None = None, at: datetime | None = None) -> dict[int, datetime]:
    """Customers, all or some of these, at whose address somebody had objected before they came in -> since when.

    It may be the same person again, erased and back: the list has the address alone. Whoever was a customer before
    lives there too and has a word of their own. `at`: as the list was then. Bounded memory, a statement for each page.
    """
    standing = Q(ended_at__isnull=True) if at is None else Q(since__lte=at) & (Q(ended_at=None) | Q(ended_at__gt=at))
    entries = Suppression.objects.filter(standing, channel=POST, scope=ADVERTISING)
    first = entries.aggregate(first=Min("since"))["first"]
    if first is None:
        return {}
    addresses = Address.objects.filter(customer__created_at__gt=first).order_by("customer", "pk")
    if customers is not None:
        addresses = addresses.filter(customer__in=list(customers))
    rows = addresses.values_list("customer", "customer__created_at", "street", "postcode").iterator(chunk_size=PAGE)
    found: dict[int, datetime] = {}
    while page := list(islice(rows, PAGE)):
        asked = [
            (mark, customer, came)
            for customer, came, street, postcode in page
            for mark in hashes_of(POST, postal_key(street, postcode))
        ]
        listed = entries.filter(endpoint__any_of=list({mark for mark, _customer, _came in asked}))
        since = {bytes(mark): day for mark, day in listed.values_list("endpoint").annotate(day=Min("since"))}
        for mark, customer, came in asked:
            if mark in since and since[mark] < came:
                found[customer] = min(since[mark], found.get(customer, since[mark]))
    return found
