"""Whether what stands apart from its person was parted by an erasure: the tombstone of the number in it says so.

An erasure leaves the number of a customer under its mark, hashed with the key of the list, which does not lie in the
database. Who cuts a record off by hand may invent a mark, or take that of somebody else, and has no such hash for it.
The tombstone lives as long as the last row that is blocked under its mark (domain.md 5, TOMB).
"""

from __future__ import annotations

from typing import Any

import orjson
from django.db import connection

from consents.models import Record
from customers import tombstones
from vault.keyring import SealError, keyring

PAGE = 5_000
_PARTED = """
SELECT r.entry_id, r.proof, ARRAY(
    SELECT t.mark FROM customers_tombstone t WHERE t.subject_ref = r.subject_ref AND t.kind = 'number')
FROM consents_record r WHERE r.customer_id IS NULL AND r.entry_id > %s ORDER BY r.entry_id LIMIT %s
"""
_PROOF: Any = Record._meta.get_field("proof")


def first_unfounded() -> int | None:
    """The first entry whose record was parted from its person by no erasure; in bounded memory."""
    opened, hashers = keyring().opener(_PROOF.label), tombstones.hashers("number")
    last = 0
    while rows := _page(last):
        for entry, proof, marks in rows:
            try:
                number = orjson.loads(opened(bytes(proof))[64:])["customer"]
            except (SealError, ValueError):
                return entry
            left = set(map(bytes, marks))
            if not any(hash_(number) in left for hash_ in hashers):
                return entry
        last = rows[-1][0]
    return None


def _page(after: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_PARTED, [after, PAGE])
        return cursor.fetchall()
