"""Finds the stored order an incoming row is about: by its id, or by its number where one of the two knows no id."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from orders.rows import OrderRow
from orders.writing import ORDERS

_STORED = (
    "SELECT external_id, number, placed_at, id, customer_id, source_digest, blocked_at IS NOT NULL"
    " FROM {orders} WHERE platform = %s AND external_id <> ''"
)
_BY_ID = _STORED + " AND external_id = ANY(%s)"
_BY_NUMBER = _STORED + " AND number = ANY(%s) AND external_id <> number"


@dataclass(slots=True)
class Stored:
    """An order that is there, and under which id."""

    external_id: str
    number: str
    placed_at: datetime
    id: int
    customer_id: int | None
    digest: bytes | None
    blocked: bool


def knows_its_id(row: OrderRow) -> bool:
    """Whether the source gives an id beside the number; older exports of some platforms have no such column."""
    return row.external_id != row.number


def recognize(rows: Collection[OrderRow], platform: str, orders: str = ORDERS) -> dict[str, Stored]:
    """External id of a row -> the stored order of this platform it is about; rows nobody knows are left out.

    An order has the same id; or, where the row or the stored order knows none, the same number and the same instant
    of being placed: numbers alone begin anew, and one order's number may be another one's id. Each stored order is
    that of one row: of several that would fit, the one with its id, else the first. Two questions at most, whatever
    the number of rows. `orders` names where they stand: a dry run has a table of its own before the one of all.
    """
    by_id = {one.external_id: one for one in _ask(_BY_ID.format(orders=orders), platform, _ids_and_numbers(rows))}
    found = {row.external_id: by_id[row.external_id] for row in rows if row.external_id in by_id}
    taken = {one.id for one in found.values()}
    nameless = []
    for row in rows:
        if row.external_id in found:
            continue
        if not knows_its_id(row):
            nameless.append(row)
        elif (one := by_id.get(row.number)) and _is_nameless(one, row) and one.id not in taken:
            found[row.external_id] = one
            taken.add(one.id)
    if nameless:
        found |= {number: one for number, one in _by_number(nameless, platform, orders) if one.id not in taken}
    return found


def _is_nameless(stored: Stored, row: OrderRow) -> bool:
    return stored.number == stored.external_id and stored.placed_at == row.placed_at


def _by_number(rows: Iterable[OrderRow], platform: str, orders: str) -> Iterator[tuple[str, Stored]]:
    wanted = {row.number: row for row in rows}
    hits: dict[str, list[Stored]] = {}
    for one in _ask(_BY_NUMBER.format(orders=orders), platform, wanted):
        if one.placed_at == wanted[one.number].placed_at:
            hits.setdefault(one.number, []).append(one)
    return ((number, many[0]) for number, many in hits.items() if len(many) == 1)


def _ids_and_numbers(rows: Iterable[OrderRow]) -> set[str]:
    return {name for row in rows for name in (row.external_id, row.number) if name}


def _ask(query: str, platform: str, names: Collection[str]) -> Iterator[Stored]:
    with connection.cursor() as cursor:
        cursor.execute(query, [platform, list(names)])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    for external_id, number, placed_at, pk, customer_id, digest, blocked in rows:
        kept = bytes(digest) if digest is not None else None
        yield Stored(external_id, number, placed_at, pk, customer_id, kept, blocked)
