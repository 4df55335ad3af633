"""What stays of erased persons: keyed hashes by which they are noticed when they come in again, and not written to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection

from customers import suppression, tombstones
from customers.models import ContactPoint, Suppression
from customers.normalizing import email_key, phone_key
from customers.postal import POST, boxes_of
from vault.keyring import keyring

CHUNK = 2_000

VALUE: Any = ContactPoint._meta.get_field("value")
CONTACTS = "SELECT customer_id, kind, value FROM customers_contactpoint WHERE customer_id = ANY(%(ids)s)"
# Addresses they had before: by them, too, somebody comes in again, or asks what is kept of them.
FORMER = """
    SELECT h.customer_id, h.kind, h.value FROM customers_historicalcontactpoint h WHERE h.customer_id = ANY(%(ids)s)
    AND NOT EXISTS (SELECT 1 FROM customers_contactpoint c WHERE c.id = h.id AND c.value = h.value)
"""
NUMBERS = "SELECT id, number FROM customers_customer WHERE id = ANY(%(ids)s)"
# For each customer of %(ids)s an id, the platform and the name it has there; floors above add theirs.
_names: list[str] = ["SELECT customer_id, platform, value FROM customers_externalid WHERE customer_id = ANY(%(ids)s)"]
# Whoever is erased is not written to whatever an import said before: its undo leaves the entry.
STANDS = """
    UPDATE customers_suppression SET origin_id = NULL
    WHERE endpoint = ANY(%s) AND scope = %s AND ended_at IS NULL AND origin_id IS NOT NULL
"""

Endpoints = set[tuple[str, str]]
"""(email | phone | post, key of the endpoint)."""


@dataclass
class Remains:
    """How many hashes an erasure left."""

    tombstones: int = 0
    suppressed: int = 0


def register_names(sql: str) -> None:
    """For apps above: a SELECT of customer id, platform and a name under which the platform knows the customer, for
    the customers in `%(ids)s`; called from `ready`."""
    if sql not in _names:
        _names.append(sql)


def leave_remains(people: Mapping[int, UUID], *, erased_at: datetime, suppress: bool) -> Remains:
    """Store the tombstones of these customers (id -> `subject_ref`) while their rows still stand.

    Marked are their own e-mails and phones, also those that only their history knows, numbers and ids elsewhere, not
    those of contact persons. With `suppress` the endpoints of now go on the advertising list as well, and the postal
    addresses. Sealed values are opened for `CHUNK` persons at a time. Belongs into the transaction of the erasure.
    Raises what the journal raises, with nothing stored.
    """
    left = Remains()
    for part in _chunks(people):
        ids = list(part)
        endpoints, former = _endpoints(ids, CONTACTS), _endpoints(ids, FORMER)
        known = {id_: endpoints[id_] | former[id_] for id_ in ids}
        left.tombstones += tombstones.bury(_marks(part, known), erased_at=erased_at)
        if suppress:
            boxes = {(POST, key) for key in boxes_of(ids)}
            left.suppressed += _suppress({one for own in endpoints.values() for one in own} | boxes, erased_at)
    return left


def _chunks(people: Mapping[int, UUID]) -> Iterator[dict[int, UUID]]:
    waiting = iter(people.items())
    while part := dict(islice(waiting, CHUNK)):
        yield part


def _endpoints(ids: Sequence[int], sql: str) -> dict[int, Endpoints]:
    opened = keyring().opener(VALUE.label)
    found: dict[int, Endpoints] = {id_: set() for id_ in ids}
    for customer_id, kind, sealed in _rows(sql, ids):
        value = opened(bytes(sealed)).decode()
        if key := email_key(value) if kind == ContactPoint.Kind.EMAIL else phone_key(value):
            found[customer_id].add((kind, key))
    return found


def _marks(people: Mapping[int, UUID], endpoints: Mapping[int, Endpoints]) -> dict[UUID, set[tuple[str, bytes]]]:
    hashes = {kind: tombstones.hashers(kind)[0] for kind in ("email", "phone", "number", "external")}
    marks = {people[id_]: {(kind, hashes[kind](key)) for kind, key in own} for id_, own in endpoints.items()}
    ids = list(people)
    for customer_id, number in _rows(NUMBERS, ids):
        marks[people[customer_id]].add(("number", hashes["number"](number)))
    for sql in _names:
        for customer_id, platform, value in _rows(sql, ids):
            text = tombstones.external_text(platform, value)
            marks[people[customer_id]].add(("external", hashes["external"](text)))
    return marks


def _suppress(endpoints: Endpoints, since: datetime) -> int:
    hashes = {kind: suppression.hasher(kind) for kind in ("email", "phone", POST)}
    entries = [
        suppression.Entry(hashes[kind](key), kind, suppression.ADVERTISING, Suppression.Reason.ERASURE, since)
        for kind, key in sorted(endpoints)
    ]
    with connection.cursor() as cursor:
        cursor.execute(STANDS, [[entry.endpoint for entry in entries], suppression.ADVERTISING])
    return suppression.insert(entries)


def _rows(sql: str, ids: Sequence[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"ids": list(ids)})
        return cursor.fetchall()
