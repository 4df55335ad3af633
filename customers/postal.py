"""Postal addresses on the suppression list: an entry names no person, so it keeps from whoever came in after it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from customers.models import Address, Customer
from customers.normalizing import fold, street_key
from customers.suppression import ADVERTISING, FIRST, hashes_of
from datamap.preparing import SOME_KEY, Standing, ask

POST = "post"
PAGE = 5_000
_COUNTRY = re.compile(r"^[a-z]{1,2}-(?=\d)")
_STREET: Any = Address._meta.get_field("street")
_POST = f"x.channel = '{POST}' AND x.scope = '{ADVERTISING}' AND "
_NOW = _POST + "x.ended_at IS NULL"
_THEN = _POST + f"{FIRST} <= %(at)s AND (x.ended_at IS NULL OR x.ended_at > %(at)s)"
# Of addresses that are noted as the list hashes them, those that stand on it.
_NOTED = f"""
SELECT a.customer_id, min({FIRST}) AS since FROM customers_suppression x
JOIN customers_postalmark m ON m.mark = x.endpoint JOIN customers_address a ON a.id = m.address_id
JOIN customers_customer c ON c.id = a.customer_id WHERE {_NOW} AND {FIRST} < c.created_at GROUP BY 1
"""  # noqa: S608
_LATER = f"""
FROM customers_address a JOIN customers_customer c ON c.id = a.customer_id
WHERE c.created_at > least(
    (SELECT min(x.since) FROM customers_suppression x WHERE {_NOW}),
    (SELECT min(m.since) FROM customers_suppression x JOIN customers_suppressionmention m ON m.entry_id = x.id
     WHERE {_NOW}))
    AND NOT EXISTS (SELECT FROM customers_postalmark m WHERE m.address_id = a.id)
"""  # noqa: S608
_NOT_NOTED = f"SELECT a.customer_id, c.created_at, a.street, a.postcode {_LATER}"
# Locked: who changes an address now does so after it is noted, and takes the note along.
_TO_NOTE = f"""
SELECT a.id, a.street, a.postcode {_LATER} AND a.id > %s ORDER BY a.id LIMIT %s FOR NO KEY UPDATE OF a SKIP LOCKED
"""
_NOTE = "INSERT INTO customers_postalmark (address_id, mark) SELECT * FROM unnest(%s::bigint[], %s::bytea[])"
_LISTED = "SELECT * FROM unnest(%s::bigint[], %s::timestamptz[]) AS n (customer_id, since)"
_LIVING: Standing[Any] = Standing(
    lambda ids: Address.objects.filter(customer__any_of=ids).values_list(
        "customer", "customer__created_at", "street", "postcode"
    ),
    [SOME_KEY],
)
_LINE = re.compile(r"(?P<street>.+?)[,\s]+(?:[A-Za-z]{1,2}-)?(?P<postcode>\d{4,5})(?:[,\s]+\D*)?")


def postal_key(street: str, postcode: str) -> str:
    """The one way in which an address stands on the list, "Hauptstr. 5" as "Hauptstraße 5"; "" where it is none."""
    key = street_key(street)
    return f"{key}|{_COUNTRY.sub('', fold(postcode))}" if key and postcode.strip() else ""


def postal_hashes(street: str, postcode: str) -> list[bytes]:
    """What an entry for this address may hold, also one of before a street could be written in several ways."""
    before = f"{fold(street)}|{fold(postcode)}" if street and postcode else ""
    return [*hashes_of(POST, postal_key(street, postcode)), *hashes_of(POST, before)]


def boxes_of(customers: Iterable[int]) -> set[str]:
    """The postal addresses of these customers, each as it stands on the list."""
    rows = Address.objects.filter(customer__in=list(customers)).values_list("street", "postcode")
    return {key for street, postcode in rows if (key := postal_key(street, postcode))}


def read_postal(text: str) -> tuple[str, str] | None:
    """Street with number, and postcode, of a line such as "Hauptstr. 5, 20095 Hamburg"; None where it has none."""
    found = _LINE.fullmatch(text.strip())
    return (found["street"], found["postcode"]) if found else None


def stopped_by_post(customers: Iterable[int], at: datetime | None = None) -> dict[int, datetime]:
    """Those of these customers at whose address somebody had objected before they came in -> since when.

    It may be the same person again, erased and back: the list has the address alone. Whoever was a customer before
    lives there too and has a word of their own. `at`: as the list was then, and where they lived then.
    """
    ids = set(customers)
    if at is not None:
        return _compared(_lived(ids, at), at)
    return _compared(_LIVING(list(ids)))


def _lived(customers: set[int], at: datetime) -> list[tuple[int, datetime, str, str]]:
    """The addresses of a moment, from their history; where it does not reach back, those of today."""
    history: Any = Address.history
    mine = history.filter(customer_id__in=customers).values("id")
    told = list(
        history.filter(id__in=mine, history_date__lte=at)
        .order_by("id", "-history_date", "-history_id")
        .distinct("id")
        .values_list("id", "history_type", "customer_id", "street", "postcode")
    )
    came = dict(Customer.objects.filter(pk__in=customers).values_list("pk", "created_at"))
    found = [
        (customer, came[customer], street, postcode)
        for _id, kind, customer, street, postcode in told
        if kind != "-" and customer in came
    ]
    untold = Address.objects.filter(customer__in=customers).exclude(pk__in=[pk for pk, *_row in told])
    older = untold.filter(Q(created_at__lte=at) | Q(customer__created_at__gt=at))
    return [*found, *older.values_list("customer", "customer__created_at", "street", "postcode")]


def stopped_sql(among: Iterable[int] | None = None) -> tuple[str, list[Any]]:
    """The same of some or of everybody: a SELECT of `customer_id` and `since`, and its parameters.

    Of some, who is stopped stands in the parameters. Of everybody, addresses that are noted (`note_marks`) are compared
    by the database; the others before, a page at a time, and who is stopped by them stands in the parameters.
    """
    if among is not None:
        stopped = stopped_by_post(among)
        return _LISTED, [list(stopped), list(stopped.values())]
    found: dict[int, datetime] = {}
    with connection.chunked_cursor() as cursor:
        cursor.execute(_NOT_NOTED)
        while page := cursor.fetchmany(PAGE):
            for customer, since in _compared([(*row[:2], _STREET.open(row[2]), row[3]) for row in page]).items():
                found[customer] = min(since, found.get(customer, since))
    both = f"SELECT customer_id, min(since) AS since FROM ({_NOTED} UNION ALL {_LISTED}) b GROUP BY 1"  # noqa: S608
    return both, [list(found), list(found.values())]


def _compared(addresses: Iterable[tuple[int, datetime, str, str]], at: datetime | None = None) -> dict[int, datetime]:
    """The rule for single addresses: (customer, when they came in, street, postcode)."""
    marks = [
        (mark, customer, came)
        for customer, came, street, postcode in addresses
        for mark in postal_hashes(street, postcode)
    ]
    found: dict[int, datetime] = {}
    if not marks:
        return found
    standing = _NOW if at is None else _THEN
    rows = ask(
        f"SELECT x.endpoint, min({FIRST}) FROM customers_suppression x "  # noqa: S608 - words of ours
        f"WHERE {standing} AND x.endpoint = ANY (%(marks)s) GROUP BY 1",
        {"marks": list({mark for mark, _customer, _came in marks}), "at": at},
    )
    since = {bytes(mark): day for mark, day in rows}
    for mark, customer, came in marks:
        if mark in since and since[mark] < came:
            found[customer] = min(since[mark], found.get(customer, since[mark]))
    return found


def note_marks(page: int = PAGE) -> int:
    """Note how the list hashes the addresses that an entry may stop; answers how many. A transaction for each page.

    Beat asks. Where nobody has objected to post, and of whoever came in before the first who did, nothing is noted.
    """
    noted = after = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_TO_NOTE, [after, page])
            rows = cursor.fetchall()
            marks = [
                (pk, mark)
                for pk, street, postcode in rows
                for mark in set(postal_hashes(_STREET.open(street), postcode)) or {b""}
            ]
            if marks:
                cursor.execute(_NOTE, list(map(list, zip(*marks, strict=True))))
        if not rows:
            return noted
        noted, after = noted + len(rows), rows[-1][0]
