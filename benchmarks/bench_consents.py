"""The ledger of consents: who may be reached, single answers, appends of four clients, bulk, and verification."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from typing import Any

from django.db import connection as default_connection
from django.db import transaction
from django.utils import timezone

import consents
from benchmarks.measure import median_seconds, milliseconds, p95, row, seconds
from consents.audience import audience_sql
from consents.events import Event, Wording
from consents.models import Entry, Purpose, State
from consents.recording import made_rows, record, record_many
from consents.sealing import seal_pending
from consents.storing import COLUMNS
from consents.verifying import verify
from customers.models import Customer

MAIL = "consent{}@laden.example"
EVENTS = 5  # of each customer
BULK, CHUNK = 100_000, 10_000
VERIFIED = 1_000_000
ASKED = 200
TURNS = 3
CLIENTS, SECONDS, ROUNDS = 4, 3.0, 5
WORDING = Wording("ab" * 32, "newsletter:1", "de")

# Two events in three are of the newsletter; the last one decides, and two customers in five said no last.
_EVENTS = """
INSERT INTO bench_events (customer_id, purpose_id, kind, at)
SELECT c.id, CASE WHEN n %% 3 = 1 THEN %(birthday)s ELSE %(newsletter)s END,
    CASE WHEN n < %(last)s OR c.id %% 5 > 1 THEN 'given' ELSE 'withdrawn' END,
    now() - ((%(last)s - n) * 30 || ' days')::interval
FROM customers_customer c CROSS JOIN generate_series(%(first)s, %(last)s) n
"""
_STATES = """
INSERT INTO consents_state (customer_id, purpose_id, channel, state, since, late, confirmed, source, entry_id, granted,
    open, fresh_until)
SELECT c.id, %(purpose)s, 'email', CASE WHEN c.id %% 5 > 1 THEN 'given' ELSE 'withdrawn' END, now(), false, true,
    'web_form', %(entry)s, c.id %% 5 > 1,
    c.restricted_at IS NULL AND c.deactivated_at IS NULL AND k.advertising_stopped_at IS NULL,
    now() + interval '3 years'
FROM customers_customer c LEFT JOIN customers_summary k ON k.customer_id = c.id
"""
_USUAL = """
SELECT count(*) FROM (
    SELECT DISTINCT ON (customer_id) customer_id, kind FROM bench_events WHERE purpose_id = %s
    ORDER BY customer_id, at DESC, id DESC
) e JOIN customers_customer c ON c.id = e.customer_id LEFT JOIN customers_summary k ON k.customer_id = c.id
WHERE e.kind = 'given' AND c.restricted_at IS NULL AND c.deactivated_at IS NULL AND k.advertising_stopped_at IS NULL
"""
_LIMIT = "SELECT count(*) FROM consents_state WHERE purpose_id = %s AND channel = 'email' AND granted AND open"
_RAW = (
    "SELECT state, since, granted FROM consents_state WHERE customer_id = %s AND purpose_id = %s AND channel = 'email' "
    "AND endpoint_index = %s"
)
# What is hashed and sealed already, stored by the best statements for it.
_PLAIN = (
    """
    INSERT INTO consents_entry (uuid, ts, kind, purpose, text_sha256, actor_ref, ref_id, commitment, leaf)
    SELECT uuid, ts, kind, purpose, text_sha256, actor_ref, ref_id, commitment, leaf FROM bench_given
    """,
    "INSERT INTO consents_unsealed (entry_id) SELECT e.id FROM consents_entry e JOIN bench_given g USING (uuid)",
    """
    INSERT INTO consents_record (entry_id, customer_id, purpose_id, kind, channel, endpoint, endpoint_index, source,
        occurred_at, late, confirmed, proof, used_at)
    SELECT e.id, customer_id, p.id, g.kind, channel, endpoint, endpoint_index, source, since, late, confirmed,
        proof, since
    FROM bench_given g JOIN consents_entry e USING (uuid) JOIN consents_purpose p ON p.key = g.purpose
    """,
    """
    INSERT INTO consents_state (customer_id, purpose_id, channel, endpoint, endpoint_index, mark, state, since, late,
        confirmed, source, entry_id, granted, open, fresh_until)
    SELECT customer_id, p.id, channel, endpoint, endpoint_index, mark, g.kind, since, late, confirmed, source, e.id,
        true, true, since + interval '3 years'
    FROM bench_given g JOIN consents_entry e USING (uuid) JOIN consents_purpose p ON p.key = g.purpose
    """,
)


def run(size: int, connection: Any = default_connection) -> list[dict[str, Any]]:
    """All figures of the ledger, in a database of at least `size` customers."""
    newsletter = Purpose.objects.get(key="newsletter")
    rows = [*_audience(size, connection, newsletter), *_single(size, connection, newsletter)]
    # Before anything is stored that only looks like an entry.
    rows.append(_verification(size))
    return [*rows, _appends(size), *_bulk(connection)]


def _audience(size: int, connection: Any, purpose: Purpose) -> list[dict[str, Any]]:
    """Before the states were there, nothing; then the same states beside two, and beside five events of each."""
    entry = record(_event(Customer.objects.order_by("pk")[0], "birthday"))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE bench_events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint, "
            "purpose_id bigint, kind text, at timestamptz)"
        )
        cursor.execute("CREATE INDEX ON bench_events (customer_id, purpose_id, at DESC, id DESC)")
        # What the demo's customers said has other addresses and other dates.
        cursor.execute("TRUNCATE consents_state")
        cursor.execute(_STATES, {"purpose": purpose.pk, "entry": entry})
    few = _timed_audience(connection, purpose, 1, 2)
    many = _timed_audience(connection, purpose, 3, EVENTS)
    return [
        row("audience of the newsletter", size, "ms", many[0], usual=many[1], limit=many[2], faster_is="less"),
        row(f"audience, {EVENTS} events each", size, "ms", many[0], limit=few[0], faster_is="less"),
    ]


def _timed_audience(connection: Any, purpose: Purpose, first: int, last: int) -> tuple[float, float, float]:
    birthday = Purpose.objects.get(key="birthday")
    with connection.cursor() as cursor:
        given = {"birthday": birthday.pk, "newsletter": purpose.pk, "first": first, "last": last}
        cursor.execute(_EVENTS, given)
        cursor.execute("VACUUM ANALYZE bench_events, consents_state")
        statement, params = audience_sql(purpose, "email")
        counted = f"SELECT count(*) FROM ({statement}) a"

        def ask(sql: str, values: list[Any]) -> int:
            cursor.execute(sql, values)
            return cursor.fetchone()[0]

        if ask(counted, params) != ask(_USUAL, [purpose.pk]):
            raise RuntimeError("The ways do not find the same audience.")
        ours = 1000 * median_seconds(lambda: ask(counted, params), 9)
        limit = 1000 * median_seconds(lambda: ask(_LIMIT, [purpose.pk]), 9)
        usual = 1000 * median_seconds(lambda: ask(_USUAL, [purpose.pk]), 3)
    return ours, usual, limit


def _single(size: int, connection: Any, purpose: Purpose) -> list[dict[str, Any]]:
    """One answer with its reason against reading the state with a cursor of the framework."""
    people = _people(ASKED)
    record_many([_event(person, "feedback") for person in people])
    index = Purpose.objects.get(key="feedback").pk
    field: Any = State._meta.get_field("endpoint_index")
    ours, raw = [], []
    for person in people:
        address = MAIL.format(person.pk)
        ours.append(milliseconds(lambda p=person, a=address: consents.may(p, "feedback", "email", a)))
        blind = field.blind(address)
        with connection.cursor() as cursor:
            raw.append(milliseconds(lambda c=cursor, p=person, b=blind: c.execute(_RAW, [p.pk, index, b]).fetchone()))
    return [
        row(
            "consent, one answer",
            size,
            "ms",
            statistics.median(ours),
            limit=statistics.median(raw),
            p95=p95(ours),
            faster_is="less",
        )  # fmt: skip
    ]


def _people(count: int, after: int = 0) -> list[Customer]:
    """Customers each with an address of the benchmark."""
    people = list(Customer.objects.filter(pk__gt=after, restricted_at=None).only("pk", "number").order_by("pk")[:count])
    if len(people) < count:
        raise RuntimeError(f"There are fewer than {count} customers.")
    return people


def _event(person: Customer, purpose: str = "newsletter", **given: Any) -> Event:
    values: dict[str, Any] = {"source": "web_form", "wording": WORDING, "actor": "self", "confirmed": True} | given
    return Event("given", person.pk, person.number, purpose, "email", MAIL.format(person.pk), **values)


def _appends(size: int) -> dict[str, Any]:
    """Entries a second of four clients, each in a transaction of its own; the ways take turns."""
    found: dict[str, list[float]] = {"ours": [], "plain": []}
    for _round in range(ROUNDS):
        for way, rates in found.items():
            rates.append(sum(_written_by_clients(way)) / SECONDS)
    ours, plain = (statistics.median(rates) for rates in found.values())
    return row("consent appends, 4 clients", size, "entries/s", ours, limit=plain)


def _written_by_clients(way: str) -> list[int]:
    """How many entries each wrote; they begin together, once the last of them is ready."""
    clients = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.appending", way, str(client), str(SECONDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for client in range(CLIENTS)
    ]
    for client in clients:
        if client.stdout is None or not client.stdout.readline():
            raise RuntimeError("A client ended before it began.")
    for client in clients:
        print("go", file=client.stdin, flush=True)
    return [int(client.communicate()[0]) for client in clients]


def _bulk(connection: Any) -> list[dict[str, Any]]:
    """A file of consents as the intake records it, against INSERT .. SELECT of rows that are hashed already."""
    count = min(BULK, Customer.objects.filter(restricted_at=None).count() // (2 * TURNS))
    ours, plain, after = [], [], 0
    for _turn in range(TURNS):
        people = _people(2 * count, after)
        events = [_event(person, "birthday", source="import", late=True, at=timezone.now()) for person in people]
        ours.append(count / seconds(lambda e=events[:count]: _record_in_chunks(e)))
        plain.append(count / _plain_seconds(connection, events[count:]))
        after = people[-1].pk
    name = f"consents in bulk, {count:,}"
    return [row(name, count, "entries/s", statistics.median(ours), limit=statistics.median(plain))]


def _record_in_chunks(events: list[Event]) -> None:
    for start in range(0, len(events), CHUNK):
        record_many(events[start : start + CHUNK])


def _plain_seconds(connection: Any, events: list[Event]) -> float:
    rows = made_rows(events)
    names = ", ".join(COLUMNS)
    with connection.cursor() as cursor:
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        cursor.execute("DROP TABLE IF EXISTS bench_given")
        cursor.execute(f"CREATE TABLE bench_given ({columns})")
        with cursor.copy(f"COPY bench_given ({names}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(list(COLUMNS.values()))
            for one in rows:
                copy.write_row(one)
        cursor.execute("ANALYZE bench_given")

        def insert() -> None:
            with transaction.atomic():
                for statement in _PLAIN:
                    cursor.execute(statement)

        return seconds(insert)


def _verification(size: int) -> dict[str, Any]:
    """The whole ledger, brought to a million entries where there are customers enough."""
    wanted = min(VERIFIED, 4 * size)
    while (missing := wanted - Entry.objects.count()) > 0:
        people = _people(min(missing, CHUNK, size // 2))
        record_many([_event(person) for person in people])
    seal_pending()
    count = Entry.objects.count()
    found: list[Any] = []
    took = seconds(lambda: found.append(verify(os.cpu_count() or 1)))  # as the command does
    if not found[0].ok:
        raise RuntimeError(f"The ledger is broken: {found[0].why}")
    return row(f"verify the ledger, {count:,} entries", count, "s", took, faster_is="less")
