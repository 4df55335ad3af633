"""The end of persons and of rows: ours against hand-written steps, one CTE, Django's cascade and get-and-delete."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django.db import connection, transaction
from django.utils import timezone

from benchmarks.measure import row, seconds
from customers.indexing import forget_words
from customers.models import Address, ContactPoint, Customer, OptInClaim, Origin
from customers.remains import leave_remains
from datamap import journal
from datamap.workdays import local_date
from interactions.models import Interaction
from orders.models import Order
from privacy.journaling import entry_of
from privacy.models import DeletionLog, RetentionBatch, RetentionRun
from privacy.purging import work
from privacy.selecting import branches, due_page, units
from privacy.verdicts import Book

PERSONS = 10_000
ROUNDS, ORDER_ROUNDS = 3, 7
USUAL_ONE, USUAL_SET = 60, 400
BATCH = 1_000

# Persons with three orders of two lines, two contacts, three consent-like rows and two rows of history each.
_MAKE = [
    """
    INSERT INTO customers_customer (number, kind, status, salutation, title, first_name, last_name, company, vat_id,
        language, sort_name, version, created_at, registered_at)
    SELECT %(mark)s || n, 'person', 'account', '', '', 'Anna', 'Bench', '', '', 'de', 'bench anna', 1, %(old)s, %(old)s
    FROM generate_series(1, %(many)s) n
    """,
    """
    INSERT INTO customers_summary (customer_id, last_activity, orders, revenue, open_complaints, reachable)
    SELECT id, %(old)s, 3, 100, 0, true FROM customers_customer WHERE number LIKE %(like)s
    """,
    """
    INSERT INTO customers_searchentry (customer_id, text, phonetic, postcode)
    SELECT id, 'bench anna ' || number, '', '20095' FROM customers_customer WHERE number LIKE %(like)s
    """,
    """
    INSERT INTO customers_address (customer_id, kind, recipient, street, postcode, city, country, is_default,
        created_at)
    SELECT id, 'billing', '', %(street)s, '20095', 'Hamburg', 'DE', true, %(old)s
    FROM customers_customer WHERE number LIKE %(like)s
    """,
    """
    INSERT INTO customers_contactpoint (customer_id, kind, value, label, is_primary, created_at)
    SELECT id, k, CASE k WHEN 'email' THEN %(email)s::bytea ELSE %(phone)s END, '', true, %(old)s
    FROM customers_customer, unnest(ARRAY['email', 'phone']) k WHERE number LIKE %(like)s
    """,
    """
    INSERT INTO customers_optinclaim (customer_id, channel, state, evidence, origin_id, claimed_at)
    SELECT id, k, 'yes', %(evidence)s, %(origin)s, now()
    FROM customers_customer, unnest(ARRAY['email', 'sms', 'phone']) k WHERE number LIKE %(like)s
    """,
    """
    INSERT INTO interactions_interaction (customer_id, kind, direction, record_class, occurred_at, closed_at, content,
        outcome, order_number, version, created_at)
    SELECT id, 'call', 'in', 'ticket', now(), now(), %(content)s, %(outcome)s, '', 1, now()
    FROM customers_customer, generate_series(1, 2) WHERE number LIKE %(like)s
    """,
    """
    INSERT INTO orders_order (number, platform, external_id, customer_id, kind, status, payment, placed_at, paid_at,
        delivered_at, currency, total, shipping_cost, discount, tax, refunded, deviating, tags, version, created_at)
    SELECT number || '-' || k, '', '', id, 'account', 'completed', 'paid', %(placed)s, %(placed)s, %(placed)s, 'EUR',
        20, 0, 0, 0, 0, false, '', 1, now()
    FROM customers_customer, generate_series(1, 3) k WHERE number LIKE %(like)s
    """,
    """
    INSERT INTO orders_orderline (order_id, position, sku, name, category, quantity, unit_price, discount)
    SELECT o.id, k, 'A', 'Article', '', 1, 10, 0 FROM orders_order o JOIN customers_customer c ON c.id = o.customer_id,
        generate_series(1, 2) k WHERE c.number LIKE %(like)s
    """,
    """
    INSERT INTO customers_historicalcustomer (id, number, kind, status, salutation, title, first_name, last_name,
        company, vat_id, language, created_at, history_date, history_type)
    SELECT id, number, kind, status, '', '', first_name, last_name, '', '', 'de', now(), now(), '~'
    FROM customers_customer, generate_series(1, 2) WHERE number LIKE %(like)s
    """,
]

_STEPS = [
    "DELETE FROM orders_historicalorder WHERE customer_id = ANY(%(ids)s)",
    "UPDATE orders_returnline SET line_id = NULL WHERE line_id IN (SELECT l.id FROM orders_orderline l "
    "JOIN orders_order o ON o.id = l.order_id WHERE o.customer_id = ANY(%(ids)s))",
    "UPDATE orders_return SET order_id = NULL WHERE order_id IN (SELECT id FROM orders_order "
    "WHERE customer_id = ANY(%(ids)s))",
    "UPDATE orders_document SET order_id = NULL WHERE order_id IN (SELECT id FROM orders_order "
    "WHERE customer_id = ANY(%(ids)s))",
    "UPDATE orders_orderline SET name = '' WHERE order_id = ANY(SELECT id FROM orders_order "
    "WHERE customer_id = ANY(%(ids)s))",
    "UPDATE orders_order SET customer_id = NULL, number = '', external_id = '', tags = '', billing = NULL, "
    "shipping = NULL, note = NULL, gift_note = NULL, source_digest = NULL WHERE customer_id = ANY(%(ids)s)",
    "DELETE FROM interactions_historicalinteraction WHERE customer_id = ANY(%(ids)s)",
    "DELETE FROM interactions_interaction WHERE customer_id = ANY(%(ids)s)",
    "DELETE FROM customers_optinclaim WHERE customer_id = ANY(%(ids)s)",
    "DELETE FROM customers_historicalcontactpoint WHERE customer_id = ANY(%(ids)s)",
    "DELETE FROM customers_contactpoint WHERE customer_id = ANY(%(ids)s)",
    "DELETE FROM customers_historicaladdress WHERE customer_id = ANY(%(ids)s)",
    "DELETE FROM customers_address WHERE customer_id = ANY(%(ids)s)",
    "DELETE FROM customers_searchentry WHERE customer_id = ANY(%(ids)s)",
    "DELETE FROM customers_summary WHERE customer_id = ANY(%(ids)s)",
    "DELETE FROM customers_historicalcustomer WHERE id = ANY(%(ids)s)",
    "DELETE FROM customers_customer WHERE id = ANY(%(ids)s)",
]
_ONE_CTE = """
WITH done AS (
    UPDATE orders_order SET customer_id = NULL, number = '', external_id = '', tags = '', billing = NULL,
        shipping = NULL, note = NULL, gift_note = NULL, source_digest = NULL
    WHERE id = ANY(%(ids)s) RETURNING id
), lines AS (
    UPDATE orders_orderline SET name = '' WHERE order_id IN (SELECT id FROM done)
), history AS (
    DELETE FROM orders_historicalorder WHERE id IN (SELECT id FROM done)
), returns AS (
    UPDATE orders_return SET order_id = NULL WHERE order_id IN (SELECT id FROM done)
), papers AS (
    UPDATE orders_document SET order_id = NULL WHERE order_id IN (SELECT id FROM done)
), returned AS (
    UPDATE orders_returnline SET line_id = NULL
    WHERE line_id IN (SELECT l.id FROM orders_orderline l JOIN done ON done.id = l.order_id)
) SELECT count(*) FROM done
"""


def run(size: int) -> list[dict[str, Any]]:
    """All figures, each way on persons of its own; ours and the limit take turns."""
    persons = min(PERSONS, max(size // 20, 500))
    _clean()
    # What only reads comes first: a night chooses before it writes, and finds the table cleaned up.
    return [*_chosen(size), *_persons(size, persons), *_anonymized(size, persons), *_workers(size, persons)]


def _clean() -> None:
    """What autovacuum would do: it must not begin to while something is measured."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def _persons(size: int, persons: int) -> list[dict[str, Any]]:
    ours, limit = [], []
    for turn in range(ROUNDS):
        limit.append(persons / _timed(f"L{turn}-", persons, _by_steps))
        ours.append(persons / _timed(f"O{turn}-", persons, _by_run))
    one = USUAL_ONE / _timed("G-", USUAL_ONE, _get_and_delete)
    cascade = USUAL_SET / _timed("C-", USUAL_SET, _cascade)
    best, usual = statistics.median(ours), statistics.median(limit)
    return [
        row("erase persons", size, "persons/s", best, usual=one, limit=usual),
        row("erase persons, cascade", size, "persons/s", best, usual=cascade, limit=usual),
    ]


def _timed(mark: str, many: int, work_on: Any) -> float:
    ids = _make(mark, many)
    took = seconds(lambda: work_on(ids))
    if Customer.objects.filter(pk__any_of=ids).exists():
        raise RuntimeError("Somebody was left behind.")
    return took


def _make(mark: str, many: int) -> list[int]:
    """So many persons whose account ended long ago; their orders are younger and become figures."""
    old, placed = timezone.now() - timedelta(days=1200), timezone.now() - timedelta(days=300)
    origin = Origin.objects.create(kind=Origin.Kind.FILE, batch=uuid4())
    sealed = {
        "street": Address._meta.get_field("street").seal("Hauptstr. 1"),
        "email": ContactPoint._meta.get_field("value").seal("bench@laden.example"),
        "phone": ContactPoint._meta.get_field("value").seal("+49301234567"),
        "evidence": OptInClaim._meta.get_field("evidence").seal({}),
        "content": Interaction._meta.get_field("content").seal("Frage."),
        "outcome": Interaction._meta.get_field("outcome").seal(""),
    }
    given = {
        "mark": mark,
        "like": f"{mark}%",
        "many": many,
        "old": old,
        "placed": placed,
        "origin": origin.pk,
        **sealed,
    }
    with connection.cursor() as cursor:
        for statement in _MAKE:
            cursor.execute(statement, given)
        cursor.execute("ANALYZE customers_customer, customers_summary, orders_order")
    return list(Customer.objects.filter(number__startswith=mark).order_by("pk").values_list("pk", flat=True))


def _by_steps(ids: list[int]) -> None:
    """What somebody writes by hand who knows the tables: the same marks, journal, log and words of the search."""
    log = RetentionRun.objects.create(as_of=date.today(), state=RetentionRun.State.DONE)
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        refs = {pk: uuid4() for pk in batch}
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT id, number FROM customers_customer WHERE id = ANY(%s) FOR UPDATE", [batch])
            numbers = dict(cursor.fetchall())
            forget_words(batch)
            leave_remains(refs, erased_at=timezone.now(), suppress=False)
            for statement in _STEPS:
                cursor.execute(statement, {"ids": batch})
            entries = [entry_of(pk, numbers[pk], refs[pk], timezone.now()) for pk in batch]
            journal.write_many("erasure", entries)
            DeletionLog.objects.create(
                run=log, rule_key="ACCOUNT", rule_version=1, model="customers.Customer", action="delete",
                count=len(batch), ids=[str(pk) for pk in batch],
            )  # fmt: skip


def _by_run(ids: list[int]) -> None:
    """The retention run over just these persons."""
    run = RetentionRun.objects.create(as_of=local_date(timezone.now()), state=RetentionRun.State.RUNNING)
    for start in range(0, len(ids), BATCH):
        RetentionBatch.objects.create(
            run=run, category="ACCOUNT", model="customers.Customer", ids=[str(pk) for pk in ids[start : start + BATCH]]
        )
    work(run.pk)


def _get_and_delete(ids: list[int]) -> None:
    for pk in ids:
        customer = Customer.objects.get(pk=pk)
        for order in customer.orders.all():
            order.customer, order.number, order.billing = None, "", None
            order.lines.update(name="")
            order.save()
            order.history.all().delete()
        for contact in customer.interactions.all():
            contact.delete()
        customer.delete()
        Customer.history.filter(id=pk).delete()


def _cascade(ids: list[int]) -> None:
    for start in range(0, len(ids), 100):
        batch = ids[start : start + 100]
        orders = Order.objects.filter(customer__in=batch)
        orders.model.history.filter(customer_id__in=batch).delete()
        orders.update(customer=None, number="", billing=None)
        Interaction.objects.filter(customer__in=batch).delete()
        Customer.objects.filter(pk__in=batch).delete()
        Customer.history.filter(id__in=batch).delete()


def _anonymized(size: int, persons: int) -> list[dict[str, Any]]:
    """Orders past their period: ours against one hand-written statement."""
    _clean()  # of the persons who went before
    ours, limit = [], []
    for turn in range(ORDER_ROUNDS):
        for rates, way in ((limit, _by_cte), (ours, _orders_by_run)):
            ids = _make(f"A{turn}{way.__name__}-", persons // (2 * ROUNDS))  # about one batch of orders
            Order.objects.filter(customer__in=ids).update(
                delivered_at=timezone.now() - timedelta(days=2500), placed_at=timezone.now() - timedelta(days=2500)
            )
            orders = list(Order.objects.filter(customer__in=ids).order_by("pk").values_list("pk", flat=True))
            rates.append(len(orders) / seconds(lambda: way(orders)))  # noqa: B023
    return [row("anonymize orders", size, "orders/s", statistics.median(ours), limit=statistics.median(limit))]


def _by_cte(ids: list[int]) -> None:
    for start in range(0, len(ids), 5 * BATCH):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_ONE_CTE, {"ids": ids[start : start + 5 * BATCH]})


def _orders_by_run(ids: list[int]) -> None:
    run = RetentionRun.objects.create(as_of=local_date(timezone.now()), state=RetentionRun.State.RUNNING)
    for start in range(0, len(ids), 5 * BATCH):
        page = [str(pk) for pk in ids[start : start + 5 * BATCH]]
        RetentionBatch.objects.create(run=run, category="ORDER", model="orders.Order", ids=page)
    work(run.pk)


def _chosen(size: int) -> list[dict[str, Any]]:
    """The slowest of all first pages of due rows."""
    book = Book(local_date(timezone.now()), night=True)
    worst, name = 0.0, ""
    for unit in units(book):
        for branch in branches(unit):
            times = [seconds(lambda: due_page(book, branch)) for _time in range(5)]  # noqa: B023
            if statistics.median(times) > worst:
                worst, name = statistics.median(times), f"{unit.key} {unit.table.label}"
    found = row("choose a batch of due rows", size, "ms", worst * 1000, p95=worst * 1000, faster_is="less")
    return [found | {"slowest": name}]


def _workers(size: int, persons: int) -> list[dict[str, Any]]:
    """One worker against two on the same number of persons, as processes of their own."""
    rates = []
    for many in (1, 2):
        ids = _make(f"W{many}-", persons)
        run = RetentionRun.objects.create(as_of=local_date(timezone.now()), state=RetentionRun.State.RUNNING)
        for start in range(0, len(ids), BATCH // 2):
            page = [str(pk) for pk in ids[start : start + BATCH // 2]]
            RetentionBatch.objects.create(run=run, category="ACCOUNT", model="customers.Customer", ids=page)
        rates.append(len(ids) / _side_by_side(many, run))
    return [row("purge with two workers", size, "persons/s", rates[1], usual=rates[0])]


def _side_by_side(many: int, run: RetentionRun) -> float:
    """Seconds from the word go, which all workers wait for, to the end of the last one."""
    code = (
        "import sys, django; django.setup(); from uuid import UUID; from privacy.purging import work; "
        "print('ready', flush=True); sys.stdin.readline(); work(UUID(sys.argv[1]))"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "benchmarks.page_settings"}
    command = [sys.executable, "-c", code, str(run.pk)]
    workers = [
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _worker in range(many)
    ]
    for worker in workers:
        if not worker.stdout or worker.stdout.readline() != "ready\n":
            raise RuntimeError("A worker did not start.")

    def go() -> None:
        for worker in workers:
            worker.stdin.close()  # type: ignore[union-attr]
        codes = [worker.wait(600) for worker in workers]
        if any(codes):
            raise RuntimeError("A worker failed.")

    return seconds(go)
