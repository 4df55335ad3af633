"""Checkpoints of the ledger as signed notes (C2SP): what was sealed when, in a form that anybody can check.

Needs `cryptography` and no Django: the offline verifier reads them too.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_ED25519 = b"\x01"
_DASH = "\N{EM DASH}"


class NoteForged(ValueError):
    """A note that is not what was signed: unreadable, altered, or signed by another key."""


@dataclass(frozen=True)
class Checkpoint:
    """How many entries were sealed, the hash of the last seal, and when this was signed (ISO 8601)."""

    origin: str
    size: int
    hash: bytes
    at: str

    @property
    def signed_at(self) -> datetime:
        """The moment of the signature."""
        return datetime.fromisoformat(self.at)

    @property
    def body(self) -> str:
        """The text that is signed: origin, size, hash, and the time as an extension line."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.hash).decode()}\n{self.at}\n"


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    """The signed note."""
    signature = base64.b64encode(_key_hash(checkpoint.origin, key.public_key()) + key.sign(checkpoint.body.encode()))
    return f"{checkpoint.body}\n{_DASH} {checkpoint.origin} {signature.decode()}\n"


def read(note: str, key: Ed25519PublicKey) -> Checkpoint:
    """What a note says. Raises NoteForged unless this key signed exactly that."""
    try:
        body, _blank, signatures = note.partition("\n\n")
        origin, size, hash_, at = body.split("\n")
        found = Checkpoint(origin, int(size), base64.b64decode(hash_, validate=True), at)
        dash, name, encoded = signatures.strip("\n").split(" ")
        signature = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise NoteForged("This is no checkpoint of a consent ledger.") from None
    if found.body != f"{body}\n" or (dash, name) != (_DASH, origin) or signature[:4] != _key_hash(origin, key):
        raise NoteForged("The checkpoint is not signed by this key.")
    try:
        key.verify(signature[4:], found.body.encode())
    except InvalidSignature:
        raise NoteForged("The signature of the checkpoint does not fit.") from None
    return found


def notes_in(text: str) -> list[str]:
    """The notes of a file, oldest first; whatever stands after the last complete one is left."""
    parts = text.split("\n\n")
    return [f"{body}\n\n{parts[i + 1]}\n" for i, body in enumerate(parts[:-1]) if i % 2 == 0]


def last_note(text: str) -> str | None:
    """The last complete note of the end of a file, wherever that end was cut off; None where none is complete in it."""
    parts = text.split("\n\n")
    for place in range(len(parts) - 2, 0, -1):
        if parts[place].startswith(f"{_DASH} "):
            return f"{parts[place - 1]}\n\n{parts[place]}\n"
    return None


def size_of(note: str) -> int:
    """How many entries a checkpoint covers: its second line."""
    return int(note.split("\n", 2)[1])


def origin_of(note: str) -> str:
    """Whose ledger a checkpoint is about: its first line."""
    return note.split("\n", 1)[0]


def public_text(key: Ed25519PublicKey) -> str:
    """A public key as people pass it on: base64 of its 32 bytes."""
    return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def public_key(text: str) -> Ed25519PublicKey:
    """The key of such a text. Raises ValueError."""
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.strip(), validate=True))


def _key_hash(origin: str, key: Ed25519PublicKey) -> bytes:
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return sha256(origin.encode() + b"\n" + _ED25519 + raw).digest()[:4]
