"""Import of orders with two lines each: ours against hand-written COPY and sets, and against bulk_create."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import uuid4

from django.db import connection as default_connection
from django.db import transaction
from django.utils import timezone

from benchmarks.measure import row, seconds
from customers.intake import write_customers
from customers.models import ExternalId, Origin
from customers.rows import CustomerRow, Source
from orders.intake import write_orders
from orders.models import Order, OrderLine
from orders.rows import LineRow, OrderRow, SnapshotRow
from orders.staging import contact, digester
from orders.totals import refresh_totals
from orders.writing import COPIED

CHUNK = 10_000
MOST = 50_000
ROUNDS = 3
USUAL_ROWS = 5_000
START = datetime(2024, 1, 1, 9, tzinfo=UTC)


def run(size: int, connection: Any = default_connection) -> list[dict[str, Any]]:
    """Orders per second, first import and again; ours, the limit and the usual way take turns on fresh orders."""
    size = min(size, MOST)
    platform, buyers = f"bench-{uuid4().hex[:8]}", max(size // 3, 1)
    make_buyers(platform, buyers)
    source = new_source(platform)
    ours, again, limit, usual = [], [], [], []
    for turn in range(ROUNDS):
        rows = list(orders(f"ours{turn}-", size, buyers))
        ours.append(size / seconds(lambda: import_ours(rows, source)))  # noqa: B023
        again.append(size / seconds(lambda: import_ours(rows, source)))  # noqa: B023
        rows = list(orders(f"limit{turn}-", size, buyers))
        limit.append(size / seconds(lambda: import_limit(rows, source, connection)))  # noqa: B023
        rows = list(orders(f"usual{turn}-", min(size, USUAL_ROWS), buyers))
        usual.append(len(rows) / seconds(lambda: import_usual(rows, platform)))  # noqa: B023
    median = ROUNDS // 2
    ours_median = sorted(ours)[median]
    return [
        row("import orders", size, "orders/s", ours_median, usual=sorted(usual)[median], limit=sorted(limit)[median]),
        row("import orders again, unchanged", size, "orders/s", sorted(again)[median], limit=ours_median),
    ]


def new_source(platform: str) -> Source:
    batch = uuid4()
    origin = Origin.objects.create(kind=Origin.Kind.FILE, platform=platform, batch=batch)
    return Source(batch, platform, origin.pk)


def make_buyers(platform: str, count: int) -> None:
    """Customers with an id of this platform."""
    rows = (CustomerRow(line=n, external_id=str(n), last_name=f"Nachname{n}") for n in range(count))
    source = new_source(platform)
    while chunk := list(islice(rows, CHUNK)):
        write_customers(chunk, source)


def orders(prefix: str, size: int, buyers: int) -> Iterator[OrderRow]:
    """Paid and delivered orders with a billing address and two lines."""
    for n in range(size):
        placed = START + timedelta(minutes=n)
        yield OrderRow(
            line=n + 2,
            external_id=f"{prefix}{n}",
            customer_external_id=str(n * 7919 % buyers),
            status="completed",
            placed_at=placed,
            paid_at=placed,
            delivered_at=placed + timedelta(days=2),
            currency="EUR",
            total=Decimal("44.70"),
            shipping_cost=Decimal("4.90"),
            tax=Decimal("7.14"),
            billing=SnapshotRow(f"Name {n}", "", f"Straße {n % 200}", "20095", "Hamburg", "DE"),
            lines=[
                LineRow("A-1", "Kaffeemühle", "Küche", Decimal(1), Decimal("19.90")),
                LineRow("A-2", "Bohnen", "Kaffee", Decimal(2), Decimal("9.95")),
            ],
        )


def import_ours(rows: list[OrderRow], source: Source) -> None:
    """As the intake does it."""
    waiting = iter(rows)
    while chunk := list(islice(waiting, CHUNK)):
        write_orders(chunk, source)


STAGE = """
    CREATE TEMPORARY TABLE bench_orders (n int, external_id text, customer text, placed timestamptz,
        delivered timestamptz, total numeric, shipping_cost numeric, tax numeric, billing bytea, digest bytea)
        ON COMMIT DROP;
    CREATE TEMPORARY TABLE bench_lines (n int, position int, sku text, name text, category text, quantity numeric,
        unit_price numeric, discount numeric) ON COMMIT DROP;
    CREATE TEMPORARY TABLE bench_made (id bigint, external_id text) ON COMMIT DROP
"""
# The keys are kept at once: the planner knows nothing yet of a platform that has just begun, and a join by its name
# would compare every staged order with every order of it.
ORDERS = """
    WITH made AS (INSERT INTO orders_order (number, platform, external_id, customer_id, kind, status, payment,
        placed_at, paid_at, delivered_at, currency, total, shipping_cost, discount, tax, refunded, billing, deviating,
        tags, version, source_digest, origin_id, created_at)
    SELECT s.external_id, %(platform)s, s.external_id, e.customer_id, 'account', 'completed', 'paid', s.placed,
        s.placed, s.delivered, 'EUR', s.total, s.shipping_cost, 0, s.tax, 0, s.billing, false, '', 1,
        s.digest, %(origin)s, now()
    FROM bench_orders AS s JOIN customers_externalid AS e ON e.platform = %(platform)s AND e.value = s.customer
    ORDER BY s.n
    ON CONFLICT (platform, external_id) WHERE NOT external_id = '' DO NOTHING RETURNING id, external_id)
    INSERT INTO bench_made SELECT id, external_id FROM made
"""
LINES = """
    INSERT INTO orders_orderline (order_id, position, sku, name, category, quantity, unit_price, discount)
    SELECT m.id, l.position, l.sku, l.name, l.category, l.quantity, l.unit_price, l.discount
    FROM bench_lines AS l JOIN bench_orders AS s USING (n) JOIN bench_made AS m USING (external_id)
"""
HISTORY = f"""
    INSERT INTO orders_historicalorder ({COPIED}, batch, history_date, history_type)
    SELECT {", ".join(f"o.{name}" for name in COPIED.split(", "))}, %(batch)s, now(), '+'
    FROM bench_made AS m JOIN orders_order AS o USING (id)
"""


def import_limit(rows: list[OrderRow], source: Source, connection: Any) -> None:
    """The best hand-written way for the same work: one COPY of each file, sets, sealing, history, totals."""
    seal, digest = Order._meta.get_field("billing").seal, digester()
    given = {"platform": source.platform, "origin": source.origin_id, "batch": source.batch}
    waiting = iter(rows)
    while chunk := list(islice(waiting, CHUNK)):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(STAGE)
            with cursor.copy("COPY bench_orders FROM STDIN") as copy:
                for n, one in enumerate(chunk):
                    copy.write_row(
                        (
                            n,
                            one.external_id,
                            one.customer_external_id,
                            one.placed_at,
                            one.delivered_at,
                            one.total,
                            one.shipping_cost,
                            one.tax,
                            seal(contact(one.billing)),
                            digest(one),
                        )
                    )
            with cursor.copy("COPY bench_lines FROM STDIN") as copy:
                for n, one in enumerate(chunk):
                    for place, line in enumerate(one.lines, start=1):
                        amounts = (line.quantity, line.unit_price, line.discount)
                        copy.write_row((n, place, line.sku, line.name, line.category, *amounts))
            cursor.execute("ANALYZE bench_orders, bench_lines")
            cursor.execute(ORDERS, given)
            cursor.execute("ANALYZE bench_made")
            cursor.execute(LINES)
            cursor.execute(HISTORY, given)
            cursor.execute(
                "SELECT DISTINCT e.customer_id FROM bench_orders AS s JOIN customers_externalid AS e"
                " ON e.platform = %(platform)s AND e.value = s.customer",
                given,
            )
            refresh_totals([pk for (pk,) in cursor.fetchall()])
            cursor.execute("DROP TABLE bench_orders, bench_lines, bench_made")


def import_usual(rows: list[OrderRow], platform: str) -> None:
    """bulk_create in thousands with one id lookup each; no history, no totals, no question what is there already."""
    waiting = iter(rows)
    while chunk := list(islice(waiting, 1000)):
        with transaction.atomic():
            wanted = {one.customer_external_id for one in chunk}
            known = ExternalId.objects.filter(platform=platform, value__in=wanted)
            ids = dict(known.values_list("value", "customer_id"))
            made = Order.objects.bulk_create([_order(one, ids, platform) for one in chunk], batch_size=1000)
            pairs = zip(made, chunk, strict=True)
            lines = [_line(order, place, line) for order, one in pairs for place, line in enumerate(one.lines)]
            OrderLine.objects.bulk_create(lines, batch_size=1000)


def _order(one: OrderRow, ids: dict[str, int], platform: str) -> Order:
    return Order(
        number=one.external_id,
        platform=platform,
        external_id=one.external_id,
        customer_id=ids[one.customer_external_id],
        status=one.status,
        payment="paid",
        placed_at=one.placed_at or timezone.now(),
        paid_at=one.paid_at,
        delivered_at=one.delivered_at,
        total=one.total or Decimal(0),
        shipping_cost=one.shipping_cost or Decimal(0),
        tax=one.tax or Decimal(0),
        billing=contact(one.billing),
    )


def _line(order: Order, position: int, line: LineRow) -> OrderLine:
    return OrderLine(
        order=order,
        position=position,
        sku=line.sku,
        name=line.name,
        category=line.category,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount=line.discount,
    )
