"""Seals the entries that wait: numbers them, builds their tree, chains the seal; enters erased records first."""

from __future__ import annotations

import os
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.utils import timezone

from consents.events import Kind
from consents.hashing import NOTHING, canonical, commitment, leaf, root, seal_hash
from consents.recording import clear_fields

AT_ONCE = 10_000
LOCK = 0x0B447_0010
_TAKE = """
DELETE FROM consents_unsealed u USING consents_entry e
WHERE u.entry_id = ANY(ARRAY(SELECT entry_id FROM consents_unsealed ORDER BY entry_id LIMIT %s))
    AND e.id = u.entry_id
RETURNING e.id, e.leaf
"""
_LAST = "SELECT number, last, hash FROM consents_seal ORDER BY number DESC LIMIT 1"


def seal_pending() -> int:
    """Seal everything that is committed and waits; answers how many entries were sealed.

    Each seal is a transaction of its own under one lock: any number of processes may try at once, and an entry that
    is rolled back leaves no gap, since numbers are drawn here.
    """
    total = 0
    while count := _seal_once():
        total += count
    return total


@transaction.atomic
def _seal_once() -> int:
    enter_erasures()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(_TAKE, [AT_ONCE])
        taken = sorted((pk, bytes(own)) for pk, own in cursor.fetchall())
        if not taken:
            return 0
        # Asked under the lock, by a statement of its own: it sees the seal of whoever held it before.
        cursor.execute(_LAST)
        number, last, previous = cursor.fetchone() or (0, 0, NOTHING)
        first = last + 1
        cursor.execute(
            "INSERT INTO consents_position (number, entry_id) "
            "SELECT %s + place - 1, id FROM unnest(%s::bigint[]) WITH ORDINALITY AS t (id, place)",
            [first, [pk for pk, _own in taken]],
        )
        tree = root([own for _pk, own in taken])
        seal = (number + 1, first, last + len(taken), tree, bytes(previous))
        cursor.execute(
            "INSERT INTO consents_seal (number, first, last, root, previous, hash, sealed_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [*seal, seal_hash(*seal), timezone.now()],
        )
    return len(taken)


def enter_erasures() -> int:
    """Write into the ledger which records were erased since the last time; answers how many.

    One entry for up to `AT_ONCE` of them. It commits to their numbers, which stay readable: they name nobody.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.entry_id, e.uuid FROM consents_erasedrecord r JOIN consents_entry e ON e.id = r.entry_id "
            "WHERE r.by_id IS NULL ORDER BY r.entry_id LIMIT %s FOR UPDATE OF r SKIP LOCKED",
            [AT_ONCE],
        )
        gone: list[tuple[int, UUID]] = cursor.fetchall()
        if not gone:
            return 0
        number, now, salt = uuid4(), timezone.now(), os.urandom(32)
        committed = commitment(salt, canonical([uuid.hex for _pk, uuid in gone]))
        clear = clear_fields(number, now, Kind.ERASED, "", "", "system", None)
        cursor.execute(
            "WITH entry AS (INSERT INTO consents_entry "
            "(uuid, ts, kind, purpose, text_sha256, actor_ref, ref_id, commitment, leaf) "
            "VALUES (%s, %s, %s, '', '', 'system', NULL, %s, %s) RETURNING id), "
            "waiting AS (INSERT INTO consents_unsealed (entry_id) SELECT id FROM entry), "
            "proof AS (INSERT INTO consents_erasureproof (entry_id, salt, entries) SELECT id, %s, %s FROM entry) "
            "UPDATE consents_erasedrecord r SET by_id = entry.id FROM entry WHERE r.entry_id = ANY(%s)",
            [number, now, Kind.ERASED.value, committed, leaf(clear, committed), salt,
             [uuid for _pk, uuid in gone], [pk for pk, _uuid in gone]],
        )  # fmt: skip
    return len(gone)
