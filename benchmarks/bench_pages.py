"""Measures pages: deep ones, rates beside the admin and a bare page, customers with long lives."""

from __future__ import annotations

import statistics
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from benchmarks.measure import milliseconds, p95, row
from benchmarks.serving import latencies, rates, server, sign_in
from customers.models import Address, Customer, Note
from customers.normalizing import fold
from interactions.models import Interaction
from orders.models import Order
from portal.querying import PER_PAGE, Selection, capped_count, read_page

DEEP = 10_000
MANY, FEW = 10_000, 100
TOUCHED = 30

FIRST = [
    "Anna",
    "Jürgen",
    "Zoë",
    "Łukasz",
    "Märta",
    "Hannelore",
    "Ömer",
    "Ida",
    "Max",
    "Sofia",
    "Karl",
    "Änne",
]
LAST = [
    "Müller",
    "Schmidt",
    "Weiß",
    "Yıldız",
    "Größmann",
    "Ångström",
    "Fuß",
    "Becker",
    "Schönhausen",
    "Krüger",
    "Wagner",
    "Heide",
]

_CUSTOMERS = """
insert into customers_customer (number, kind, status, salutation, title, first_name, last_name, company,
    vat_id, language, registered_at, sort_name, version, created_at)
select (900000000 + %s + n)::text, 'person', 'account', '', '',
    f[1 + n %% 12], l[1 + n / 12 %% 12] || n %% 7919, '', '', 'de', now(),
    lf[1 + n / 12 %% 12] || n %% 7919 || ' ' || ff[1 + n %% 12], 1, now()
from generate_series(1, %s) n, (select %s::text[] f, %s::text[] l, %s::text[] ff, %s::text[] lf) names
"""
_SUMMARIES = """
insert into customers_summary (customer_id, last_activity, orders, revenue, open_complaints, reachable)
select c.id, now() - (c.id * 7919 %% 90000000) * interval '1 second', c.id %% 40,
    c.id * 31 %% 200000 / 100.0, (c.id %% 97 = 0)::int, true
from customers_customer c where not exists (select 1 from customers_summary s where s.customer_id = c.id)
"""
_ADDRESSES = """
insert into customers_address
    (customer_id, kind, recipient, street, postcode, city, country, is_default, created_at)
select c.id, 'billing', '', %s, lpad((c.id * 37 %% 99999)::text, 5, '0'), 'Hamburg', 'DE', true, now()
from customers_customer c where not exists (select 1 from customers_address a where a.customer_id = c.id)
"""


def run(size: int) -> list[dict[str, Any]]:
    """All figures of pages, on a database that holds at least `size` customers afterwards."""
    fill(size)
    return [*_deep_pages(size), *_served(size)]


def fill(size: int) -> None:
    """Add made-up customers as sets until there are `size`."""
    there = Customer.objects.count()
    missing = size - there
    with connection.cursor() as cursor:
        if missing > 0:
            names = [FIRST, LAST, [fold(name) for name in FIRST], [fold(name) for name in LAST]]
            cursor.execute(_CUSTOMERS, [there, missing, *names])
        cursor.execute(_SUMMARIES, [])
        cursor.execute(_ADDRESSES, [Address._meta.get_field("street").seal("Hauptstr. 1")])
        cursor.execute("vacuum analyze customers_customer, customers_summary, customers_address")


def _deep_pages(size: int) -> list[dict[str, Any]]:
    """The database's part: page 1 and page 10,000 (or the last there is) in the usual order and by name."""
    rows = []
    for order in ("-activity", "name"):
        number = min(DEEP, size // PER_PAGE - 1)
        deep = _cursor_of_page(order, number)
        first, far = [], []
        for _time in range(TOUCHED):
            first.append(milliseconds(lambda o=order: read_page(Selection(), o)))
            far.append(milliseconds(lambda o=order, c=deep: read_page(Selection(), o, c)))
        offset = _offset_page(order, number * PER_PAGE)
        name = f"list {order.lstrip('-')}"
        rows += [
            row(f"{name}, page 1", size, "ms", statistics.median(first), p95=p95(first), faster_is="less"),
            row(
                f"{name}, page {number}",
                size,
                "ms",
                statistics.median(far),
                usual=offset,
                limit=statistics.median(first),
                p95=p95(far),
                faster_is="less",
            ),
        ]
    counts = [milliseconds(lambda: capped_count(Selection())) for _time in range(TOUCHED)]
    rows.append(row("list, capped count", size, "ms", statistics.median(counts), p95=p95(counts), faster_is="less"))
    return rows


def _cursor_of_page(order: str, number: int) -> str:
    """Big steps first: pages of 5,000, then the rest."""
    cursor, left = "", (number - 1) * PER_PAGE
    while left > 0:
        step = min(left, 5_000)
        page = read_page(Selection(), order, cursor, per_page=step)
        cursor, left = page.next, left - step
    return cursor


def _offset_page(order: str, offset: int) -> float:
    """The usual way to a deep page: an ordered queryset, sliced."""
    key = {"-activity": ("-summary__last_activity", "-pk"), "name": ("sort_name", "pk")}[order]
    rows = Customer.objects.select_related("summary").order_by(*key)
    return statistics.median(milliseconds(lambda: list(rows[offset : offset + PER_PAGE])) for _time in range(3))


def _served(size: int) -> list[dict[str, Any]]:
    cookie = sign_in()
    small, large = _life("benchfew", FEW), _life("benchmany", MANY)
    number = min(DEEP, size // PER_PAGE - 1)
    deep = _cursor_of_page("-activity", number)
    with server() as port:
        measured = rates(
            port,
            cookie,
            {
                "bare": "/bench/bare/",
                "list": "/customers/?o=name",
                "activity": "/customers/",
                "admin": "/bench/admin/customers/customer/",
            },
        )
        times = latencies(
            port,
            cookie,
            {
                "few": f"/customers/{small}/",
                "many": f"/customers/{large}/",
                "list": "/customers/",
                "deep": f"/customers/?c={deep}",
            },
        )
        lists, last = times["list"], times["deep"]
    few, many = statistics.median(times["few"]), statistics.median(times["many"])
    return [
        row("list page, by name", size, "req/s", measured["list"], usual=measured["admin"], limit=measured["bare"]),
        row(
            "list page, last activity",
            size,
            "req/s",
            measured["activity"],
            usual=measured["admin"],
            limit=measured["bare"],
        ),
        row("list page, whole request", size, "ms", statistics.median(lists), p95=p95(lists), faster_is="less"),
        row(
            f"deep list page, page {number}, whole request",
            size,
            "ms",
            statistics.median(last),
            limit=statistics.median(lists),
            p95=p95(last),
            faster_is="less",
        ),
        row(f"customer with {FEW} events", size, "ms", few, p95=p95(times["few"]), faster_is="less"),
        row(
            f"customer with {MANY} events",
            size,
            "ms",
            many,
            limit=few,
            p95=p95(times["many"]),
            faster_is="less",
        ),
    ]


def _life(number: str, events: int) -> str:
    """A customer to whom so many things happened: a third notes, orders and contacts each."""
    customer, made = Customer.objects.get_or_create(
        number=number, defaults={"last_name": "Bench", "sort_name": "bench"}
    )
    if made:
        fill(0)
        now, third = timezone.now(), events // 3
        times = [now - timedelta(hours=place) for place in range(third)]
        Note.objects.bulk_create([Note(customer=customer, text="Ruft wieder an.", created_at=at) for at in times])
        Order.objects.bulk_create(
            [Order(customer=customer, number=f"B{n}", placed_at=at, total=50) for n, at in enumerate(times)]
        )
        Interaction.objects.bulk_create(
            [Interaction(customer=customer, kind="call", content="Frage.", occurred_at=at) for at in times]
        )
        with connection.cursor() as cursor:
            # As autovacuum does with so many new rows: without it no index alone may answer.
            cursor.execute("vacuum analyze customers_note, orders_order, interactions_interaction")
    return number
