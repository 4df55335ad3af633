"""What follows from the rows of the demo: dictionary, summaries, totals, number ranges, statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import connection, transaction

from customers.indexing import DICTIONARY
from customers.models import Customer
from customers.numbering import KEY as CUSTOMER_KEY
from customers.numbering import lock_range
from customers.summary import set_advertising_stops
from datamap.workdays import add_months, local_date
from ops.demo.shelving import tables
from orders.totals import CHUNK, refresh_totals
from privacy.models import Request, Restriction

_WORDS = """
    INSERT INTO customers_searchword (word, entries)
    SELECT word, count(*) FROM customers_searchentry, unnest(string_to_array(text, ' ')) AS word
    WHERE word ~ %s GROUP BY word
"""
_SUMMARIES = """
    INSERT INTO customers_summary (customer_id, last_activity, last_contact, last_call, orders, revenue,
        open_complaints, reachable)
    SELECT c.id, greatest(coalesce(c.registered_at, c.created_at), i.contact), i.contact, i.call, 0, 0,
        coalesce(k.open, 0), true
    FROM customers_customer c
    LEFT JOIN (
        SELECT customer_id, max(occurred_at) AS contact, max(occurred_at) FILTER (WHERE kind = 'call') AS call
        FROM interactions_interaction WHERE customer_id IS NOT NULL GROUP BY 1
    ) i ON i.customer_id = c.id
    LEFT JOIN (
        SELECT customer_id, count(*) AS open FROM interactions_complaint
        WHERE closed_at IS NULL AND customer_id IS NOT NULL GROUP BY 1
    ) k ON k.customer_id = c.id
"""
_RANGE = """
    INSERT INTO orders_numberrange AS r (key, year, last) VALUES (%s, %s, %s)
    ON CONFLICT (key, year) DO UPDATE SET last = excluded.last
"""


def known_numbers() -> Counter[tuple[str, int]]:
    """Where the series of orders and papers stand."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT key, year, last FROM orders_numberrange")
        return Counter({(key, year): last for key, year, last in cursor.fetchall()})


def first_customer_number() -> int:
    """Where the customer numbers of the demo begin."""
    with transaction.atomic():
        return lock_range()[1]


def raise_ranges(numbers: Counter[tuple[str, int]], next_customer: int) -> None:
    """The next order, paper and customer go on behind those of the demo."""
    with transaction.atomic(), connection.cursor() as cursor:
        for (key, year), last in numbers.items():
            cursor.execute(_RANGE, [key, year, last])
        cursor.execute("UPDATE customers_numberrange SET next_value = %s WHERE key = %s", [next_customer, CUSTOMER_KEY])


def summarize(stops: dict[int, int]) -> None:
    """The dictionary and the summaries, but for what orders add up to."""
    with connection.cursor() as cursor:
        cursor.execute(_WORDS, [DICTIONARY])
        cursor.execute(_SUMMARIES)
    set_advertising_stops({pk: datetime.fromtimestamp(at, UTC) for pk, at in stops.items()})


def file_restrictions() -> None:
    """Each restricted person has asked for it: a request that is answered, and a restriction that stands."""
    restricted = Customer.objects.filter(restricted_at__isnull=False).order_by("pk")
    for start in range(0, restricted.count(), CHUNK):
        people = list(restricted.only("pk", "restricted_at", "language")[start : start + CHUNK])
        requests = [
            Request(
                kind=Request.Kind.RESTRICTION,
                state=Request.State.ANSWERED,
                customer=one,
                channel=Request.Channel.LETTER,
                language="de" if one.language == "de" else "en",
                received_at=one.restricted_at,
                answered_at=one.restricted_at,
                due_on=add_months(local_date(one.restricted_at), 1),
            )
            for one in people
            if one.restricted_at
        ]
        Request.objects.bulk_create(requests)
        Restriction.objects.bulk_create(
            Restriction(
                customer=one.customer,
                request=one,
                case=Restriction.Case.ACCURACY,
                parts=[Restriction.Part.ADDRESS],
                reason="Die Anschrift wird bestritten.",
                since=one.received_at,
            )
            for one in requests
        )


def total(progress: Callable[[float], None]) -> None:
    """Totals and order figures by the function that keeps them, chunk by chunk."""
    first, last = Customer.objects.order_by("pk").first(), Customer.objects.order_by("pk").last()
    if first is None or last is None:
        return
    for start in range(first.pk, last.pk + 1, CHUNK):
        refresh_totals(range(start, min(start + CHUNK, last.pk + 1)))
        progress((start - first.pk) / (last.pk - first.pk + 1))


def analyze() -> None:
    """Fresh statistics: a planner without them walks the wrong index."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(tables())}")
