"""The journal outside the database: what must not come back when an older database is restored.

Every erasure, suppression and its end, tombstone, restriction, objection and withdrawal is written here, and flushed,
before the database commits it, and which recipient was told of it; so is what keeps data longer: each hold, its review
and its end, and each version of a retention rule. Whoever restores a backup replays the journal before
anybody works (design: ADR 9 and 11). It holds opaque ids and keyed hashes only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection, transaction

from datamap.chain import JournalDamaged, JournalError, Line
from datamap.journaltable import TableStore
from datamap.segments import SegmentStore

__all__ = ["KINDS", "Entry", "JournalDamaged", "JournalError", "entries", "position", "register_replay", "write"]

KINDS = (
    "erasure",
    "contact_erasure",
    "erasure_taken_back",
    "suppression",
    "suppression_ended",
    "tombstone",
    "restriction_set",
    "restriction_lifted",
    "objection",
    "objection_taken_back",
    "consent_withdrawal",
    "tracking_withdrawal",
    "recipient_told",
    "hold_set",
    "hold_released",
    "rule_version",
)
# The journal's own lines: a database that lacks a committed checkpoint is older than it; "commit" says that the
# database committed what was written, "void" that it rolled it back.
CHECKPOINT, COMMIT, VOID = "checkpoint", "commit", "void"
OWN = (COMMIT, VOID)
# Ids, keyed hashes, instants and lower-case key words; a name, an address or a sentence has none of these forms.
OPAQUE = re.compile(
    r"[0-9]{1,20}|[0-9a-f]{16,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z][a-z0-9_.:-]{0,63}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]{5,15}(Z|[+-][0-9]{2}:[0-9]{2}))?|"
)

Payload = Mapping[str, Any]
Replay = Callable[[Payload], str]
ReplayMany = Callable[[Sequence[Payload]], int]

_replaying: ContextVar[int | None] = ContextVar("replaying", default=None)
_stores: dict[str, SegmentStore | TableStore] = {}


@dataclass(frozen=True)
class Entry:
    """One thing that must not be undone by a restore."""

    position: int
    at: str
    kind: str
    payload: Payload
    hash: str


@dataclass(frozen=True)
class Replayer:
    """What replays one kind of entry."""

    one: Replay | None
    many: ReplayMany | None
    loosens: bool

    def replay(self, payloads: Sequence[Payload]) -> int:
        """Replay them; returns how many were news. Raises what the handler raises."""
        if self.many is not None:
            return self.many(payloads)
        return sum(self.one(payload) == "replayed" for payload in payloads) if self.one else 0


replayers: dict[str, Replayer] = {}


def register_replay(
    kind: str, handler: Replay | None = None, *, many: ReplayMany | None = None, loosens: bool = False
) -> None:
    """Have entries of this kind replayed; called from an app's ready().

    handler(payload) answers "replayed" or "already" (it may be asked twice for the same), or raises; or `many` takes
    a list of payloads and answers how many of them were news. Both run in a transaction of their own in which `write`
    adds nothing. `loosens`: the kind lifts a protection, so an entry that was perhaps rolled back is left out.
    """
    if kind not in KINDS:
        raise ImproperlyConfigured(f"{kind!r} is no kind of journal entry.")
    replayers[kind] = Replayer(handler, many, loosens)


def store() -> SegmentStore | TableStore:
    """Where the journal lies, by JOURNAL_URL. Raises ImproperlyConfigured where that names no place."""
    url = settings.JOURNAL_URL
    if url not in _stores:
        _stores[url] = _open(url)
    return _stores[url]


def _open(url: str) -> SegmentStore | TableStore:
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return SegmentStore(Path(unquote(parts.path)))
    if parts.scheme in ("postgres", "postgresql"):
        return TableStore(url)
    raise ImproperlyConfigured("JOURNAL_URL must be file:///folder or postgres://user@host/name.")


def write(kind: str, payload: Payload) -> int:
    """Write one entry and flush it; returns its position. See `write_many`."""
    return write_many(kind, [payload])[0]


def write_many(kind: str, payloads: Sequence[Payload]) -> list[int]:
    """Write entries and flush them, before the transaction they belong to commits; returns their positions.

    Called inside `transaction.atomic`, as late as possible: an entry whose transaction is rolled back is found and
    voided later. The database notes the positions in the same transaction. While the journal is replayed nothing is
    added. Raises JournalError where it cannot be written (then the transaction must not commit), ValueError for a
    payload that is not opaque.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of journal entry.")
    for payload in payloads:
        _refuse_personal(payload)
    if (replayed := _replaying.get()) is not None:
        return [replayed] * len(payloads)
    return [line.seq for line in append(kind, payloads)]


def append(kind: str, payloads: Sequence[Payload], *, after_loss: bool = False) -> list[Line]:
    """Add lines and note them in the database; `after_loss` lets a journal begin anew (a release does)."""
    if not payloads:
        return []
    if not connection.in_atomic_block:
        raise JournalError("The journal is written inside the transaction it belongs to.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        (xid,) = cursor.fetchone()
        lines = store().append(kind, payloads, xid=xid, first=partial(_first_position, after_loss))
        try:
            cursor.execute(
                "INSERT INTO datamap_journalmark (first, last, hash, how, at) VALUES (%s, %s, %s, 'written', now())",
                [lines[0].seq, lines[-1].seq, lines[-1].hash],
            )
        except IntegrityError:
            raise JournalError("The journal was cut off: it counts anew what this database has written.") from None
    transaction.on_commit(partial(confirm, lines[0].seq, lines[-1].seq), robust=True)
    return lines


def _first_position(after_loss: bool, empty: bool) -> int:
    """Numbers never come again: a mark of a lost journal must not speak for an entry of the next one."""
    if not (empty or after_loss):
        return 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(last) FROM datamap_journalmark")
        (known,) = cursor.fetchone()
    if known is not None and not after_loss:
        raise JournalError("The journal is gone: this database has written entries that are no longer there.")
    return (known or 0) + 1


def confirm(first: int, last: int) -> None:
    """Say in the journal that the database has committed these entries: one that lacks them is older."""
    store().append(COMMIT, [{"first": first, "last": last}], durable=False)


def entries(after: int | None = None) -> Iterator[Entry]:
    """The entries after this position, oldest first; voided ones and those of open transactions among them."""
    for line in store().lines(after or 0):
        if line.kind not in OWN:
            yield Entry(line.seq, line.at, line.kind, line.payload, line.hash)


def covering(positions: Sequence[int]) -> dict[int, int]:
    """Those of these entries that the database knows, each with the last number of the mark that says so."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p, m.last FROM unnest(%s::bigint[]) AS p CROSS JOIN LATERAL "
            "(SELECT first, last FROM datamap_journalmark WHERE last >= p ORDER BY last LIMIT 1) m WHERE m.first <= p",
            [list(positions)],
        )
        return dict(cursor.fetchall())


def position() -> int:
    """The number of the newest line, 0 of a journal without any."""
    last = store().last()
    return last.seq if last else 0


@contextmanager
def replaying(at: int) -> Iterator[None]:
    """While an entry is replayed, `write` answers with its position and adds nothing."""
    token = _replaying.set(at)
    try:
        yield
    finally:
        _replaying.reset(token)


def _refuse_personal(payload: Payload) -> None:
    for key, value in payload.items():
        for one in value if isinstance(value, list | tuple) else [value]:
            known = one is None or isinstance(one, bool | int)
            if not known and not (isinstance(one, str) and OPAQUE.fullmatch(one)):
                raise ValueError(f"The journal holds ids and keyed hashes only; {key!r} is neither.")
