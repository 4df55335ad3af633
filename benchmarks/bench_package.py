"""The copy of a person's data against COPY streamed into a ZIP: time, and memory beyond what the process had."""

from __future__ import annotations

import io
import multiprocessing
import statistics
import zipfile
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import django
from django.db import connection as default_connection
from django.utils import timezone

from benchmarks.measure import row, seconds
from customers.models import ContactPoint, Customer
from interactions.models import Interaction
from orders.models import Order, OrderLine
from privacy.packages.building import build
from staff.models import Role, User

EVENTS, ORDERS, LINES = 10_000, 2_000, 3
FEW = 50  # events of somebody with little
ROUNDS = 5
LEVEL = 6
# The same rows in clear and nothing else: the best that could be made of them without keys, words and explanations.
CLEAR = {
    "bench_events": (
        "communications",
        "CREATE TABLE bench_events AS SELECT i.id, i.kind, i.direction, i.occurred_at, i.closed_at, i.record_class, "
        "i.order_number, i.created_at, %s || i.id AS content, 'erledigt'::text AS outcome "
        "FROM interactions_interaction i WHERE i.customer_id = %s",
    ),
    "bench_orders": (
        "orders",
        "CREATE TABLE bench_orders AS SELECT id, number, kind, status, payment, placed_at, delivered_at, currency, "
        "total, shipping_cost, discount, tax, refunded, deviating, created_at, "
        '\'{"name": "Änne Groß", "street": "Am Deich 4", "city": "Hamburg"}\'::text AS billing '
        "FROM orders_order WHERE %s <> '' AND customer_id = %s",
    ),
    "bench_lines": (
        "order_lines",
        "CREATE TABLE bench_lines AS SELECT l.* FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id "
        "WHERE %s <> '' AND o.customer_id = %s",
    ),
}
TEXT = "Die Mühle mahlt zu grob, die Kundin bittet um Rückruf am Nachmittag; der Bohnenbehälter sitzt locker. Vorgang "


def run(size: int, connection: Any = default_connection) -> list[dict[str, Any]]:
    """Milliseconds of one whole package of 10,000 events and 6,000 lines, beside COPY; memory at 1 and 4 times that."""
    small, busy, busier = _person(FEW, 1), _person(EVENTS, ORDERS), _person(4 * EVENTS, 4 * ORDERS)
    with connection.cursor() as cursor:
        for _name, sql in CLEAR.values():
            cursor.execute(sql, [TEXT, busy.pk])
        cursor.execute("ANALYZE")
    build(busy, "access")
    limits, ours = [], []
    for _round in range(ROUNDS):  # in turns: what else the machine does meets both
        limits.append(seconds(lambda: _copied(connection)))
        ours.append(seconds(lambda: build(busy, "access")))
    name = f"package, {EVENTS:,} events"
    took, least = (statistics.median(found) * 1000 for found in (ours, limits))
    return [
        row(name, size, "ms", took, limit=least, faster_is="less"),
        row("package memory", size, "MB", _memory(busy, small), faster_is="less"),
        row("package memory, 4 x", size, "MB", _memory(busier, small), faster_is="less"),
    ]


def _person(events: int, orders: int) -> Customer:
    """A customer with a long life."""
    now = timezone.now()
    staff = User.objects.filter(roles__key=Role.SERVICE).first()
    customer = Customer.objects.create(number=f"bench-{events}", last_name="Groß", first_name="Änne")
    ContactPoint.objects.create(customer=customer, kind="email", value=f"bench{events}@example.org")
    for first in range(0, events, 5_000):
        Interaction.objects.bulk_create(
            Interaction(
                customer=customer, kind="call", content=f"{TEXT}{n}", outcome="erledigt", staff=staff,
                occurred_at=now - timedelta(hours=n), closed_at=now,
            )
            for n in range(first, min(events, first + 5_000))
        )  # fmt: skip
    billing = {"name": "Änne Groß", "street": "Am Deich 4", "city": "Hamburg"}
    made = Order.objects.bulk_create(
        Order(
            customer=customer,
            number=f"BE-{events}-{n}",
            placed_at=now,
            delivered_at=now,
            total="35.70",
            billing=billing,
        )
        for n in range(orders)
    )
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order, position=place, sku=f"A-{place}", name=f"Artikel {place}", unit_price="11.90", tax_rate=19
        )
        for order in made
        for place in range(1, LINES + 1)
    )
    return customer


def _copied(connection: Any) -> int:
    """What the database gives away fastest, straight into a ZIP, as JSON and as CSV."""
    outlet = io.BytesIO()
    with (
        zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive,
        connection.cursor() as cursor,
    ):
        for table, (name, _sql) in CLEAR.items():
            forms = {
                "json": f"COPY (SELECT to_json(t) FROM {table} t) TO STDOUT",
                "csv": f"COPY {table} TO STDOUT (FORMAT csv, HEADER)",
            }
            for ending, sql in forms.items():
                with archive.open(f"{name}.{ending}", "w") as file, cursor.copy(sql) as copy:
                    for piece in copy:
                        file.write(piece)
    return outlet.tell()


def _memory(person: Customer, small: Customer) -> float:
    """MB of a process of its own: what filling the tables has freed would hide what a package takes."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=django.setup) as pool:
        return pool.submit(_extra_memory, person.pk, small.pk).result()


def _extra_memory(person: int, small: int) -> float:
    """How far the process grows beyond what it has after the package of somebody with little, in MB; Linux counts."""
    build(Customer.objects.get(pk=small), "access")
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    build(Customer.objects.get(pk=person), "access")
    return (_status("VmHWM") - before) / 1024


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise LookupError(name)
