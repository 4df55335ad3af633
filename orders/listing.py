"""The list of orders: its filters, and its pages by keyset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.signing import BadSignature, Signer
from django.db.models import Q

from customers.searching import matching_ids
from datamap.controlling import legal_zone
from datamap.workdays import day_begins
from orders.models import Order
from orders.numbering import spellings
from orders.querysets import OrderQuerySet
from staff.models import User

PAGE = 50
FOUND = 100
_signer = Signer(salt="orders.cursor")


@dataclass(slots=True)
class Page:
    """The rows of one page, and the addresses of the next one and of the beginning."""

    rows: list[Order]
    next_url: str = ""
    first_url: str = ""


def filtered(user: User, wanted: dict[str, Any]) -> OrderQuerySet:
    """The orders this person may see that fit the filters of a valid `FilterForm`."""
    orders = Order.objects.visible_to(user)
    for name in ("status", "payment", "kind", "currency"):
        if value := wanted.get(name):
            orders = orders.filter(**{name: value})
    zone = legal_zone()
    if begin := wanted.get("begin"):
        orders = orders.filter(placed_at__gte=day_begins(begin, zone))
    if end := wanted.get("end"):
        orders = orders.filter(placed_at__lt=day_begins(_after(end), zone))
    if number := wanted.get("number"):
        orders = orders.filter(number__startswith=number)
    return orders


def page_of(orders: OrderQuerySet, cursor: str, path: str, query: dict[str, str]) -> Page:
    """One page, newest first; an unreadable cursor starts at the beginning.

    The cursor is the signed id of the last row; its sort key is looked up here. Written as
    `<= x and (< x or id < y)`, which walks the index.
    """
    start = _row_of(cursor)
    if start is not None:
        orders = orders.filter(
            Q(placed_at__lte=start.placed_at) & (Q(placed_at__lt=start.placed_at) | Q(pk__lt=start.pk))
        )
    found = list(orders.latest_first().select_related("customer").defer(*HEAVY)[: PAGE + 1])
    rows = found[:PAGE]
    page = Page(rows)
    if len(found) > PAGE:
        page.next_url = _address(path, {**query, "cursor": _signer.sign(rows[-1].pk)})
    if start is not None:
        page.first_url = _address(path, query)
    return page


def search(user: User, text: str) -> list[Order]:
    """Orders by the beginning of their number, and those of customers found by name; the newest `FOUND`."""
    text = text.replace("\0", "").strip()
    if not text:
        return []
    orders = Order.objects.visible_to(user).select_related("customer").defer(*HEAVY)
    begins = Q()
    for number in spellings(text):
        begins |= Q(number__startswith=number)
    by_number = list(orders.filter(begins).latest_first()[:FOUND])
    people = matching_ids(text, restricted_too=user.may("customers.restricted"))
    by_name = list(orders.filter(customer_id__in=people).latest_first()[:FOUND]) if people else []
    found = {order.pk: order for order in (*by_number, *by_name)}
    return list(found.values())[:FOUND]


# Sealed columns that no list shows: opening them would cost more than the page.
HEAVY = ("billing", "shipping", "note", "gift_note", "source_digest", "tags")


def _address(path: str, query: dict[str, str]) -> str:
    told = urlencode({key: value for key, value in query.items() if value})
    return path + (f"?{told}" if told else "")


def _row_of(cursor: str) -> Order | None:
    if not cursor:
        return None
    try:
        pk = _signer.unsign(cursor)
    except BadSignature:
        return None
    return Order.archive.only("pk", "placed_at").filter(pk=pk).first()


def _after(day: date) -> date:
    return day + timedelta(days=1)
