"""Gives out customer numbers, one or thousands at a time, each once."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

KEY = "customer"


def lock_range() -> tuple[str, int]:
    """Prefix and next value; until the transaction ends nobody else gives out or claims a number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_numberrange (key, prefix, next_value) VALUES (%s, '', 10001) ON CONFLICT DO NOTHING",
            [KEY],
        )
        cursor.execute("SELECT prefix, next_value FROM customers_numberrange WHERE key = %s FOR UPDATE", [KEY])
        return cursor.fetchone()


def taken(numbers: Collection[str]) -> set[str]:
    """Which of these numbers a customer carries."""
    if not numbers:
        return set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM customers_customer WHERE number = ANY(%s)", [list(numbers)])
        return {number for (number,) in cursor.fetchall()}


def next_numbers(count: int, besides: Collection[str] = ()) -> list[str]:
    """So many free numbers in order, inside the caller's transaction; numbers that files brought are stepped over.

    `besides` are numbers about to be stored by the caller itself.
    """
    prefix, value = lock_range()
    free: list[str] = []
    claimed = set(besides)
    while len(free) < count:
        wanted = [f"{prefix}{n}" for n in range(value, value + count - len(free))]
        value += len(wanted)
        used = taken(wanted) | (claimed & set(wanted))
        free += [number for number in wanted if number not in used]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_numberrange SET next_value = %s WHERE key = %s", [value, KEY])
    return free


def next_number() -> str:
    """The next free number, for one customer entered by hand; inside the caller's transaction."""
    return next_numbers(1)[0]
