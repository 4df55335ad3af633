"""Measures pages: deep ones, rates beside the admin and a bare page, customers with long lives."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from benchmarks.measure import p95, row
from customers.models import Address, Customer, Note
from customers.normalizing import fold
from interactions.models import Interaction
from orders.models import Order
from portal.querying import PER_PAGE, Selection, capped_count, read_page
from staff.models import Role, User

SECONDS = 1.0
ROUNDS = 8
CLIENTS = 4
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
            first.append(_milliseconds(lambda o=order: read_page(Selection(), o)))
            far.append(_milliseconds(lambda o=order, c=deep: read_page(Selection(), o, c)))
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
    counts = [_milliseconds(lambda: capped_count(Selection())) for _time in range(TOUCHED)]
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
    return statistics.median(_milliseconds(lambda: list(rows[offset : offset + PER_PAGE])) for _time in range(3))


def _served(size: int) -> list[dict[str, Any]]:
    cookie = _sign_in()
    small, large = _life("benchfew", FEW), _life("benchmany", MANY)
    with _server() as port:
        rates = _rates(
            port,
            cookie,
            {
                "bare": "/bench/bare/",
                "list": "/customers/?o=name",
                "activity": "/customers/",
                "admin": "/bench/admin/customers/customer/",
            },
        )
        times = _latencies(
            port, cookie, {"few": f"/customers/{small}/", "many": f"/customers/{large}/", "list": "/customers/"}
        )
        lists = times["list"]
    few, many = statistics.median(times["few"]), statistics.median(times["many"])
    return [
        row("list page, by name", size, "req/s", rates["list"], usual=rates["admin"], limit=rates["bare"]),
        row(
            "list page, last activity",
            size,
            "req/s",
            rates["activity"],
            usual=rates["admin"],
            limit=rates["bare"],
        ),
        row("list page, whole request", size, "ms", statistics.median(lists), p95=p95(lists), faster_is="less"),
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


def _sign_in() -> str:
    """The session cookie of a manager, as signing in would leave it."""
    user = User.objects.filter(email="bench@obhut.example").first()
    user = user or User.objects.create_user("bench@obhut.example", name="Bench", roles=[Role.MANAGER])
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session["_auth_user_backend"] = settings.AUTHENTICATION_BACKENDS[-1]
    session["_auth_user_hash"] = user.get_session_auth_hash()
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


@contextmanager
def _server() -> Iterator[int]:
    """The portal under gunicorn with two workers on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "benchmarks.page_settings",
        "BENCH_DATABASE": str(connection.settings_dict["NAME"]),
    }
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "-w", "2", "-b", f"127.0.0.1:{port}"]
    process = subprocess.Popen([*command, "--log-level", "warning", "--backlog", "512"], env=environment)
    try:
        for _time in range(200):
            if process.poll() is not None:
                raise RuntimeError("gunicorn did not start.")
            try:
                _get(port, "/healthz", "")
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _get(port: int, path: str, cookie: str) -> bytes:
    """One request on one connection, as sync workers want it; the whole answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
        line.sendall(head.encode())
        parts = []
        while part := line.recv(65536):
            parts.append(part)
    return b"".join(parts)


def _checked(port: int, path: str, cookie: str) -> None:
    answer = _get(port, path, cookie)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"{path} answered {answer[:60]!r}.")


def _rates(port: int, cookie: str, paths: dict[str, str]) -> dict[str, float]:
    """Answered requests per second of each page: the best of short rounds that take turns, so that whatever else the
    machine did at one moment falls on none of them alone."""
    for path in paths.values():
        for _time in range(4):
            _checked(port, path, cookie)
    best = dict.fromkeys(paths, 0.0)
    for _round in range(ROUNDS):
        for name, path in paths.items():
            best[name] = max(best[name], _rate(port, path, cookie))
    return best


def _rate(port: int, path: str, cookie: str) -> float:
    """Answered requests per second under a few clients."""
    done, end = [0] * CLIENTS, time.perf_counter() + SECONDS

    def ask(place: int) -> None:
        while time.perf_counter() < end:
            _get(port, path, cookie)
            done[place] += 1

    start = time.perf_counter()
    clients = [threading.Thread(target=ask, args=(place,)) for place in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return sum(done) / (time.perf_counter() - start)


def _latencies(port: int, cookie: str, paths: dict[str, str]) -> dict[str, list[float]]:
    """Milliseconds of single requests, the pages taking turns."""
    for path in paths.values():
        for _time in range(4):
            _checked(port, path, cookie)
    times: dict[str, list[float]] = {name: [] for name in paths}
    for _time in range(TOUCHED):
        for name, path in paths.items():
            times[name].append(_milliseconds(lambda p=path: _get(port, p, cookie)))
    return times


def _milliseconds(work: Any) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000
