"""Loads the demo shop: chunk by chunk from Python by COPY, everything that follows by sets."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db import connection, transaction

from customers.models import Customer
from interactions.models import Complaint, FollowUp, Interaction
from ops.demo import deriving, shelving
from ops.demo.agreeing import agree
from ops.demo.arriving import Arrivals
from ops.demo.buying import Purchases
from ops.demo.copying import Writer
from ops.demo.people import People
from ops.demo.seasons import Clock
from ops.demo.staffing import Shop, furnish
from ops.demo.talking import Talks
from ops.demo.visiting import visit
from orders.models import Document, Order, OrderLine, Return

# Up to here everything is one transaction: a killed run leaves nothing.
ONE_TRANSACTION = 20_000
# From here on indexes and foreign keys are made once, after the rows.
SHELVED_FROM = 50_000
CHUNK = 2_000
# The share of the time that the rows take; the rest is what follows from them.
_ROWS_SHARE = 0.75
_LOCK = 8_107_423


class DemoRefused(Exception):
    """The demo must not, or cannot, be loaded here; the sentence says what to do."""


@dataclass(frozen=True)
class Loaded:
    """What a load wrote."""

    customers: int
    orders: int
    lines: int
    documents: int
    returns: int
    interactions: int
    complaints: int
    follow_ups: int
    seconds: float


def load_demo(
    customers: int, seed: int, as_of: date, *, progress: Callable[[float], None] = lambda share: None
) -> Loaded:
    """Fill an empty development database with a shop of this many customers and three orders for each.

    The same for the same size, seed and day, but for the nonces of sealed values. Up to 20,000 customers in one
    transaction; above that a transaction for each chunk, with a mark by which a run that was killed is recognized.
    Raises DemoRefused outside development, where customers exist, and where a load was interrupted.
    """
    began = time.monotonic()
    if not settings.DEBUG:
        raise DemoRefused("The demo fills a database with invented people: it needs DEBUG=1.")
    with _alone():
        if shelving.mend():
            raise DemoRefused("A demo load was interrupted; run `manage.py flush`, then `demo` again.")
        if Customer.objects.exists():
            raise DemoRefused("This database has customers already; the demo is loaded into an empty one.")
        if customers <= ONE_TRANSACTION:
            with transaction.atomic():
                writer, stops = _write(customers, seed, as_of, progress)
                _derive(stops, progress)
                agree(customers, seed, as_of)
                visit(seed, Clock(as_of))
        else:
            writer = _load_in_chunks(customers, seed, as_of, progress)
        deriving.analyze()
    progress(1.0)
    return _counted(writer, time.monotonic() - began)


def _load_in_chunks(customers: int, seed: int, as_of: date, progress: Callable[[float], None]) -> Writer:
    with connection.cursor() as cursor:
        # Nothing here is worth waiting for the disk: what a crash takes is loaded again.
        cursor.execute("SET synchronous_commit = off")
    shelving.mark(shelve=customers >= SHELVED_FROM)
    try:
        writer, stops = _write(customers, seed, as_of, progress)
    finally:
        shelving.put_back()
    _derive(stops, progress)
    agree(customers, seed, as_of)
    visit(seed, Clock(as_of))
    shelving.clear_mark()
    return writer


def _write(customers: int, seed: int, as_of: date, progress: Callable[[float], None]) -> tuple[Writer, dict[int, int]]:
    clock = Clock(as_of)
    with transaction.atomic():
        shop = furnish(clock)
        first_number = deriving.first_customer_number()
    writer, people = Writer(), People(seed, customers, clock)
    writer.begin()
    arrivals, purchases, talks = _authors(people, shop, writer, first_number, seed)
    for start in range(0, customers, CHUNK):
        with transaction.atomic():
            for index in range(start, min(start + CHUNK, customers)):
                arrivals.arrive(index)
                purchases.follow(index)
                talks.follow(index)
            if start + CHUNK >= customers:
                purchases.finish()
            writer.send()
            deriving.raise_ranges(purchases.numbers, first_number + min(start + CHUNK, customers))
        progress(_ROWS_SHARE * (start + CHUNK) / customers)
    return writer, arrivals.stops


def _derive(stops: dict[int, int], progress: Callable[[float], None]) -> None:
    """With the indexes in place again: totals are counted along them."""
    deriving.summarize(stops)
    deriving.file_restrictions()
    deriving.total(lambda share: progress(_ROWS_SHARE + (1 - _ROWS_SHARE) * share))


def _authors(
    people: People, shop: Shop, writer: Writer, first_number: int, seed: int
) -> tuple[Arrivals, Purchases, Talks]:
    first = writer.next_id[Customer]
    purchases = Purchases(people, shop, writer, first, seed)
    purchases.numbers = deriving.known_numbers()
    talks = Talks(people, shop, writer, first, seed)
    purchases.tell = talks.about
    return Arrivals(people, shop, writer, first_number), purchases, talks


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Two loads at once would mix; the second is told."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            raise DemoRefused("Another `demo` is loading into this database.")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _counted(writer: Writer, seconds: float) -> Loaded:
    counts = writer.counts
    return Loaded(
        counts[Customer],
        counts[Order],
        counts[OrderLine],
        counts[Document],
        counts[Return],
        counts[Interaction],
        counts[Complaint],
        counts[FollowUp],
        round(seconds, 2),
    )
