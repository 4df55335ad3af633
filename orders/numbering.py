"""Gives numbers out of ranges per series and year, without gaps (§ 14(4) no. 4 UStG)."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from datamap.controlling import legal_zone

PREFIXES = {
    "order": "B",
    "received": "EB",
    "confirmation": "AB",
    "invoice": "RE",
    "credit_note": "GS",
    "delivery_note": "LS",
}


def spellings(typed: str) -> list[str]:
    """What somebody means who types the number of an order: "b-2026 00042", or "1001" where the shop wrote "#1001"."""
    plain = "".join(typed.split())
    return sorted({typed, plain, plain.upper(), f"#{plain}"}) if plain else []


def next_number(key: str, at: datetime) -> str:
    """The next number of a series, e.g. RE-2026-00042.

    Call inside the transaction that uses it: the range stays locked until that commits, and a rollback
    gives the number back.
    """
    year = at.astimezone(legal_zone()).year
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO orders_numberrange AS r (key, year, last) VALUES (%s, %s, 1)
            ON CONFLICT (key, year) DO UPDATE SET last = r.last + 1
            RETURNING last
            """,
            [key, year],
        )
        (last,) = cursor.fetchone()
    return f"{PREFIXES[key]}-{year}-{last:05d}"
