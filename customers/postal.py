"""Postal addresses on the suppression list: an entry names no person, so it keeps from whoever came in after it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from django.db.models import Min, Q

from customers.models import Address, Suppression
from customers.normalizing import fold, street_key
from customers.suppression import ADVERTISING, hashes_of

POST = "post"
PAGE = 5_000
_COUNTRY = re.compile(r"^[a-z]{1,2}-(?=\d)")
_LINE = re.compile(r"(?P<street>.+?)[,\s]+(?:[A-Za-z]{1,2}-)?(?P<postcode>\d{4,5})(?:[,\s]+\D*)?")


def postal_key(street: str, postcode: str) -> str:
    """The one way in which an address stands on the list, "Hauptstr. 5" as "Hauptstraße 5"; "" where it is none."""
    key = street_key(street)
    return f"{key}|{_COUNTRY.sub('', fold(postcode))}" if key and postcode.strip() else ""


def postal_hashes(street: str, postcode: str) -> list[bytes]:
    """What an entry for this address may hold, also one of before a street could be written in several ways."""
    before = f"{fold(street)}|{fold(postcode)}" if street and postcode else ""
    return [*hashes_of(POST, postal_key(street, postcode)), *hashes_of(POST, before)]


def boxes_of(customers: Iterable[int]) -> set[str]:
    """The postal addresses of these customers, each as it stands on the list."""
    rows = Address.objects.filter(customer__in=list(customers)).values_list("street", "postcode")
    return {key for street, postcode in rows if (key := postal_key(street, postcode))}


def read_postal(text: str) -> tuple[str, str] | None:
    """Street with number, and postcode, of a line such as "Hauptstr. 5, 20095 Hamburg"; None where it has none."""
    found = _LINE.fullmatch(text.strip())
    return (found["street"], found["postcode"]) if found else None


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
            for mark in postal_hashes(street, postcode)
        ]
        listed = entries.filter(endpoint__any_of=list({mark for mark, _customer, _came in asked}))
        since = {bytes(mark): day for mark, day in listed.values_list("endpoint").annotate(day=Min("since"))}
        for mark, customer, came in asked:
            if mark in since and since[mark] < came:
                found[customer] = min(since[mark], found.get(customer, since[mark]))
    return found
