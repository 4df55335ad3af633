"""Keyed hashes of erased persons: asked before anything about a person comes in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from customers.normalizing import email_key, phone_key
from datamap import journal
from vault.keyring import keyring

SCOPE = "customers.tombstone"


def external_text(platform: str, value: str) -> str:
    """An external id as it is hashed: ids of two platforms never meet."""
    return f"{platform}\0{value}"


def hashers(kind: str) -> list[Callable[[str], bytes]]:
    """One hash function for each list key, the writing one first; kind is email, phone, number or external."""
    ring = keyring()
    return [ring.list_hasher(f"{SCOPE}.{kind}", key.id) for key in ring.of_kind("list")]


def marks_of(
    *, emails: Iterable[str] = (), phones: Iterable[str] = (), external: Iterable[tuple[str, str]] = ()
) -> list[tuple[str, bytes]]:
    """(kind, mark) of everything an erased person may come in with again: what an erasure stores."""
    texts = [("email", email_key(value)) for value in emails]
    texts += [("phone", phone_key(value)) for value in phones]
    texts += [("external", external_text(*pair)) for pair in external]
    return [(kind, hashers(kind)[0](text)) for kind, text in texts if text]


def erased(
    *, email: str = "", phone: str = "", external: tuple[str, str] | None = None
) -> tuple[datetime, UUID] | None:
    """When and under which mark a person with this e-mail, phone or (platform, id) was erased; the latest counts."""
    texts = [
        ("email", email_key(email) if email else None),
        ("phone", phone_key(phone) if phone else None),
        ("external", external_text(*external) if external else None),
    ]
    marks = [hash_(text) for kind, text in texts if text for hash_ in hashers(kind)]
    return max(erased_among(marks).values(), default=None)


def erasures_of(*, email: str = "", phone: str = "") -> list[UUID]:
    """The marks of all erasures of persons with this e-mail or phone, the latest first: one may have come back."""
    texts = [("email", email_key(email) if email else None), ("phone", phone_key(phone) if phone else None)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT subject_ref FROM customers_tombstone WHERE mark = ANY(%s) AND subject_ref IS NOT NULL "
            "GROUP BY 1 ORDER BY max(erased_at) DESC, 1",
            [[hash_(text) for kind, text in texts if text for hash_ in hashers(kind)]],
        )
        return [ref for (ref,) in cursor.fetchall()]


def erased_among(marks: Collection[bytes]) -> dict[bytes, tuple[datetime, UUID]]:
    """Mark -> (erased at, subject_ref) for those of the marks that belong to erased persons; one query."""
    if not marks:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (mark) mark, erased_at, subject_ref FROM customers_tombstone "
            "WHERE mark = ANY(%s) ORDER BY mark, erased_at DESC",
            [list(marks)],
        )
        return {bytes(mark): (at, ref) for mark, at, ref in cursor.fetchall()}


def erasure_of_number(number: str) -> tuple[datetime, UUID] | None:
    """When and under which mark the person with this customer number was erased; None where nobody was."""
    return max(erased_among([hash_(number) for hash_ in hashers("number")]).values(), default=None)


def erased_at(subject_ref: UUID) -> datetime | None:
    """When somebody was erased under this mark; None where nobody was."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(erased_at) FROM customers_tombstone WHERE subject_ref = %s", [subject_ref])
        return cursor.fetchone()[0]


def any_erased() -> bool:
    """Whether anybody was ever erased: a shop without tombstones need not hash for them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM customers_tombstone)")
        return cursor.fetchone()[0]


def bury(marks: Mapping[UUID, Collection[tuple[str, bytes]]], *, erased_at: datetime) -> int:
    """Store the marks (`marks_of`) of erased persons under their `subject_ref`, as a set, and note them in the journal.

    One transaction; a mark that stands there already is left. Returns how many marks were stored. Raises
    JournalError, with nothing stored, where the journal cannot be written.
    """
    with transaction.atomic():
        stored = _insert([(kind, mark, ref, erased_at) for ref, own in marks.items() for kind, mark in own])
        journal.write_many("tombstone", [_payload(ref, own, erased_at) for ref, own in marks.items() if own])
    return stored


def _insert(rows: Sequence[tuple[str, bytes, UUID, datetime]]) -> int:
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_tombstone (kind, mark, subject_ref, erased_at) "
            "SELECT * FROM unnest(%s::text[], %s::bytea[], %s::uuid[], %s::timestamptz[]) ON CONFLICT DO NOTHING",
            [list(column) for column in zip(*rows, strict=True)],
        )
        return cursor.rowcount


def _payload(ref: UUID, marks: Collection[tuple[str, bytes]], erased_at: datetime) -> dict[str, str | list[str]]:
    return {
        "subject_ref": str(ref),
        "erased_at": erased_at.isoformat(),
        "kinds": [kind for kind, _mark in marks],
        "marks": [mark.hex() for _kind, mark in marks],
    }


def replay(payloads: Sequence[journal.Payload]) -> int:
    """Store marks of the journal again; returns how many persons had at least one that was missing."""
    return sum(_insert(_rows(payload)) > 0 for payload in payloads)


def _rows(payload: journal.Payload) -> list[tuple[str, bytes, UUID, datetime]]:
    ref, erased_at = UUID(payload["subject_ref"]), datetime.fromisoformat(payload["erased_at"])
    pairs = zip(payload["kinds"], payload["marks"], strict=True)
    return [(kind, bytes.fromhex(mark), ref, erased_at) for kind, mark in pairs]
