"""Signs how far the ledger is sealed, into a file outside the database: what is cut off later is noticed by it."""

from __future__ import annotations

import os
from bisect import bisect_left
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.db import connection
from django.utils import timezone

from consents import notes
from consents.hashing import NOTHING
from consents.notes import Checkpoint
from consents.recording import instant
from vault.keyring import keyring

TAIL = 4096
"""So many bytes hold several notes."""


class LedgerBehind(Exception):
    """The database lacks what a checkpoint has signed: nothing more is signed until a person has looked."""


def signing_key() -> Ed25519PrivateKey:
    """The key that signs: derived from the vault's list key, which lies outside the database and never changes."""
    seed = keyring().list_hasher("consents.checkpoint")("ed25519")
    return Ed25519PrivateKey.from_private_bytes(seed[-32:])


def verifying_key() -> Ed25519PublicKey:
    """What anybody may have to check the signatures."""
    return signing_key().public_key()


def origin() -> str:
    """Whose ledger it is: the first line of a checkpoint."""
    return f"{urlsplit(settings.SITE_URL).hostname or 'obhut'}/consents"


def place() -> Path:
    """The file of the checkpoints."""
    return Path(settings.CHECKPOINT_FILE)


def newest() -> Checkpoint | None:
    """The last checkpoint of the file; None where there is none yet. Raises notes.NoteForged."""
    found = last_written()
    return notes.read(found, verifying_key()) if found else None


def last_written() -> str | None:
    """The last note of the file, read from its end: the file grows with every hour. None where there is none."""
    path = place()
    if not path.is_file():
        return None
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        text = file.read().decode("utf-8", errors="replace")
    return notes.last_note(text) or next(iter(written()[-1:]), None)


def written() -> list[str]:
    """The notes of the file, oldest first."""
    path = place()
    return notes.notes_in(path.read_text(encoding="utf-8")) if path.is_file() else []


class Book:
    """The notes of the file, read once for any number of receipts."""

    def __init__(self) -> None:
        self._notes = written()
        self._sizes = [notes.size_of(note) for note in self._notes]
        self._key = verifying_key()

    def over(self, position: int) -> str | None:
        """The first note that covers this place of the ledger; None where none does. Raises notes.NoteForged."""
        found = bisect_left(self._sizes, position)
        if found == len(self._notes):
            return None
        notes.read(self._notes[found], self._key)
        return self._notes[found]


def sign_checkpoint() -> Checkpoint | None:
    """Sign the last seal and append it to the file; None where nothing is new.

    Raises LedgerBehind where the database does not have the seal of the newest checkpoint, notes.NoteForged where the
    file was altered, OSError where it cannot be written.
    """
    before = newest()
    if before is not None and hash_at(before.size) != before.hash:
        raise LedgerBehind(f"The ledger lacks what was signed at {before.at}.")
    size, last = _last_seal()
    if size == (before.size if before else 0):
        return None
    checkpoint = Checkpoint(origin(), size, last, instant(timezone.now()))
    _append(notes.sign(checkpoint, signing_key()))
    return checkpoint


def hash_at(size: int) -> bytes | None:
    """The hash of the seal after which that many entries were sealed; None where no seal ends there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT hash FROM consents_seal WHERE last = %s", [size])
        row = cursor.fetchone()
    return bytes(row[0]) if row else None


def _last_seal() -> tuple[int, bytes]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT last, hash FROM consents_seal ORDER BY number DESC LIMIT 1")
        size, last = cursor.fetchone() or (0, NOTHING)
    return size, bytes(last)


def _append(note: str) -> None:
    path = place()
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        file.write(note + "\n")
        file.flush()
        os.fsync(file.fileno())
