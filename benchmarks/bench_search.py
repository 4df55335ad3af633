"""The search box of the staff: each kind of question, ordered, against the usual search of Django's admin."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection as default_connection
from django.db.models import Q

from benchmarks.measure import milliseconds, p95, row
from benchmarks.people import fill
from benchmarks.serving import follow, server, sign_in
from customers.models import ContactPoint, Customer
from customers.searching import search

REPEATS = 60
USUAL_REPEATS = 3
PAGES = 20  # of each kind of question
FIELDS = ("number", "first_name", "last_name", "company", "addresses__city")


def run(size: int, connection: Any = default_connection) -> list[dict[str, Any]]:
    """Median and p95 in ms of each kind of question over `size` customers; fills the database up to that number."""
    missing = size - Customer.objects.count()
    if missing > size // 20:
        fill(connection, missing)
    questions = list(_questions(connection))
    return [*(_measured(name, size, texts) for name, texts in questions), _whole_pages(size, questions)]


def _measured(name: str, size: int, texts: list[str]) -> dict[str, Any]:
    for text in texts[:5]:
        search(text)
    ours = [_median_of_three(text) for text in texts]
    usual = sorted(_milliseconds(_as_the_admin_does, text) for text in texts[:USUAL_REPEATS])
    ours_median = sorted(ours)[len(ours) // 2]
    return row(
        f"search, {name}",
        size,
        "ms",
        ours_median,
        usual=usual[len(usual) // 2],
        p95=p95(ours),
        faster_is="less",
    )


def _whole_pages(size: int, questions: list[tuple[str, list[str]]]) -> dict[str, Any]:
    """From sending the words to the last byte of the page they lead to: results, or the one customer meant."""
    texts, others = (
        [text for turn in turns for _name, words in questions for text in words[turn : turn + 1]]
        for turns in (range(PAGES), range(PAGES, 2 * PAGES))
    )
    with server() as port:
        cookie = sign_in()
        # As workers are that have served for a while: what they ask is prepared, the people asked for are others.
        for text in others:
            follow(port, "/search/", {"q": text}, cookie)
        times = [milliseconds(lambda t=text: follow(port, "/search/", {"q": t}, cookie)) for text in texts]  # type: ignore[misc]
    return row("search page, whole request", size, "ms", statistics.median(times), p95=p95(times), faster_is="less")


def _questions(connection: Any) -> Iterator[tuple[str, list[str]]]:
    chance = random.Random(3)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT first_name, last_name, number FROM customers_customer "
            "WHERE length(last_name) > 6 AND last_name ~ '^[A-Za-z]+$' ORDER BY md5(id::text) LIMIT %s",
            [REPEATS],
        )
        people = cursor.fetchall()
    emails, phones = _reached_by("email"), _reached_by("phone")
    yield "3 letters", [last[:3] for _, last, _ in people]
    yield "5 letters", [last[1:6] for _, last, _ in people]
    yield "two words", [f"{first} {last}" for first, last, _ in people]
    yield "a typo", [_misspelt(last, chance) for _, last, _ in people]
    yield "2 letters", [last[:2] for _, last, _ in people]
    yield "number", [number for _, _, number in people]
    yield "exact e-mail", emails
    yield "last six digits", [phone[-6:] for phone in phones]


def _reached_by(kind: str) -> list[str]:
    """Addresses or numbers that really stand in the database, opened; any of them is as good as another."""
    points = ContactPoint.objects.filter(kind=kind, whole_index__isnull=False).order_by("whole_index")
    return list(points.values_list("value", flat=True)[:REPEATS])


def _misspelt(name: str, chance: random.Random) -> str:
    """Two letters in the middle swapped or one doubled, so that no row holds it."""
    place = chance.randrange(2, len(name) - 2)
    return name[:place] + "q" + name[place + 1 :]


def _as_the_admin_does(text: str) -> None:
    """search_fields with icontains: the count of the hits, the count of all, and the page in its order."""
    hits = Customer.objects.all()
    for word in text.split():
        condition = Q()
        for name in FIELDS:
            condition |= Q(**{f"{name}__icontains": word})
        hits = hits.filter(condition)
    hits = hits.distinct().order_by("sort_name", "pk")
    hits.count()
    Customer.objects.count()
    list(hits[:25])


def _milliseconds(work: Callable[[str], Any], text: str) -> float:
    start = time.perf_counter()
    work(text)
    return (time.perf_counter() - start) * 1000


def _median_of_three(text: str) -> float:
    """So that p95 speaks of the questions and not of what else the machine did at that moment."""
    return sorted(_milliseconds(search, text) for _ in range(3))[1]
