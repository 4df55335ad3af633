"""One line of the journal, and the chain of hashes by which a journal that was cut or altered is noticed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.utils import timezone

START = "0" * 64


class JournalError(Exception):
    """The journal cannot take or give an entry; whatever depends on it must not happen."""


class JournalDamaged(JournalError):
    """A line of the journal is unreadable, altered, or does not follow the line before it."""


# One for all lines: json.dumps would make a new one for each.
_json = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True)
class Line:
    """What the journal holds: `hash` covers the line and `prev`, the hash of the line before."""

    seq: int
    at: str
    kind: str
    payload: Mapping[str, Any]
    xid: int
    """The database transaction in which it was written: tells later whether that one was rolled back."""
    body: str
    """The five above as they are stored and hashed."""
    prev: str
    hash: str


def new_lines(last: Line | None, first: int, kind: str, payloads: Iterable[Mapping[str, Any]], xid: int) -> list[Line]:
    """The lines that follow `last`, numbered from `first` on where that is higher."""
    at = timezone.now().isoformat(timespec="milliseconds")
    prev = last.hash if last else START
    lines = []
    for seq, payload in enumerate(payloads, max(last.seq + 1 if last else 1, first)):
        body = _json([seq, at, kind, payload, xid])
        line = Line(seq, at, kind, payload, xid, body, prev, _hash(body, prev))
        lines.append(line)
        prev = line.hash
    return lines


def _hash(body: str, prev: str) -> str:
    return sha256(f"{prev}{body}".encode()).hexdigest()


def encode(line: Line) -> str:
    """The line as it is stored, without its end: JSON."""
    return f'{{"entry":{line.body},"hash":"{line.hash}","prev":"{line.prev}"}}'


def decode(text: str | bytes) -> Line:
    """A stored line. Raises JournalDamaged where it does not carry its own hash."""
    try:
        stored = json.loads(text)
        body = _json(stored["entry"])
        seq, at, kind, payload, xid = stored["entry"]
        line = Line(seq, at, kind, payload, xid, body, stored["prev"], stored["hash"])
    except (ValueError, TypeError, KeyError):
        raise JournalDamaged("A line of the journal cannot be read.") from None
    if line.hash != _hash(body, line.prev):
        raise JournalDamaged(f"Line {line.seq} of the journal was altered.")
    return line


def in_chain(lines: Iterable[Line]) -> Iterator[Line]:
    """The same lines, each proven to follow the one before; raises JournalDamaged at the first that does not."""
    before: Line | None = None
    for line in lines:
        if before and (line.prev != before.hash or line.seq <= before.seq):
            raise JournalDamaged(f"Line {line.seq} of the journal does not follow line {before.seq}.")
        yield line
        before = line


def encoded(lines: Sequence[Line]) -> bytes:
    """Several lines as they are appended to a file."""
    return "".join(f"{encode(line)}\n" for line in lines).encode()
