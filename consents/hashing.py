"""The hashes of the ledger (RFC 6962 trees); for a verifier elsewhere it needs the standard library alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from unicodedata import is_normalized, normalize

LEAF = b"\x00obhut-ledger-v1"
"""What stands before a leaf, so that no inner node of the tree is taken for one."""
_NODE = b"\x01"
_SEAL = b"\x02obhut-seal-v1"
_BLOCK = sha256().block_size
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))
NOTHING = bytes(32)
"""What the first seal names as its predecessor."""


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def canonical(value: Any) -> bytes:
    """The one way in which a value is written before it is hashed: JSON, keys sorted, no spaces, NFC, UTF-8.

    Raises TypeError for whatever could be written in two ways: floats, dates, keys that are no text.
    """
    return _encode(_plain(value)).encode()


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return value if value.isascii() or is_normalized("NFC", value) else normalize("NFC", value)
    if value is None or kind is bool or kind is int:
        return value
    if kind is list or kind is tuple:
        return [_plain(one) for one in value]
    if kind is dict and all(type(key) is str for key in value):
        return {_plain(key): _plain(one) for key, one in value.items()}
    if isinstance(value, str):
        return _plain(str(value))
    raise TypeError(f"{kind.__name__} has no canonical form.")


def commitment(salt: bytes, payload: bytes) -> bytes:
    """What stands in the ledger for a payload: without the salt nobody can guess it, and the salt goes with it."""
    # HMAC-SHA-256 (RFC 2104, 2) by hand: for texts this short `hmac.digest` takes twice as long.
    key = (salt if len(salt) <= _BLOCK else sha256(salt).digest()).ljust(_BLOCK, b"\0")
    return sha256(key.translate(_OUTER) + sha256(key.translate(_INNER) + payload).digest()).digest()


def leaf(clear: Sequence[Any], committed: bytes) -> bytes:
    """The hash of one entry: its clear fields and what it commits to."""
    return sha256(LEAF + canonical(list(clear)) + committed).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of the leaves (RFC 6962 2.1). Raises ValueError for none."""
    if not leaves:
        raise ValueError("There is no tree without leaves.")
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0]


def _above(level: Sequence[bytes]) -> list[bytes]:
    """The next level: pairs are hashed together, an odd last one is lifted as it is."""
    pairs = [sha256(_NODE + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
    return [*pairs, level[-1]] if len(level) % 2 else pairs


def path(leaves: Sequence[bytes], place: int) -> list[bytes]:
    """The inclusion proof of the leaf at this place, from the leaf upwards (RFC 6962 2.1.1)."""
    level, proof = list(leaves), []
    while len(level) > 1:
        beside = place ^ 1
        if beside < len(level):
            proof.append(level[beside])
        level, place = _above(level), place // 2
    return proof


def root_by_path(own: bytes, place: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root to which this proof leads. Raises ValueError for a proof of the wrong length or place."""
    if not 0 <= place < size:
        raise ValueError("The place lies outside the tree.")
    found, steps = own, list(proof)
    while size > 1:
        if place ^ 1 < size:
            if not steps:
                raise ValueError("The proof is too short.")
            beside = steps.pop(0)
            found = sha256(_NODE + (beside + found if place % 2 else found + beside)).digest()
        place, size = place // 2, (size + 1) // 2
    if steps:
        raise ValueError("The proof is too long.")
    return found


def seal_hash(number: int, first: int, last: int, tree: bytes, previous: bytes) -> bytes:
    """The hash of a seal, which names the one before it."""
    return sha256(_SEAL + canonical([number, first, last, tree.hex(), previous.hex()])).digest()
