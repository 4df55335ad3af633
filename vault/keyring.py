"""The keys of an installation, and the only code that puts them to use."""

import hmac
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.views.decorators.debug import sensitive_variables

from vault import keyfile

VERSION = 1
HEADER_BYTES = 3  # version, key id
NONCE_BYTES = 12
TAG_BYTES = 16
HASH_BYTES = 32
LIST_HASH_BYTES = 2 + HASH_BYTES  # key id, HMAC
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))  # RFC 2104, 2


class SealError(ValueError):
    """A sealed value cannot be opened: moved, altered, cut off, or its key is not here."""


class KeyNotLoaded(SealError):
    """The ciphertext names a key that this process does not have."""


class Key(NamedTuple):
    """What may be known about a key by those who only administer it."""

    kind: str
    id: int
    fingerprint: str
    writes: bool

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


def _as_bytes(label: str | bytes) -> bytes:
    return label.encode() if isinstance(label, str) else label


def _header(key_id: int) -> bytes:
    return bytes((VERSION,)) + key_id.to_bytes(2, "big")


def key_id_of(sealed: bytes) -> int:
    """The id of the key that a ciphertext names."""
    return int.from_bytes(sealed[1:HEADER_BYTES], "big")


class KeyRing:
    """AES-256-GCM under one writing and any number of readable keys, and two kinds of keyed hash.

    The raw keys are not kept: only cipher objects and derived hash states are, so that neither
    a `repr` nor a debug page can show them, and the ring refuses to be pickled.
    """

    __slots__ = ("__weakref__", "_index", "_list", "_listers", "_readers", "_write_id", "_writer", "keys")

    @sensitive_variables()
    def __init__(self, entries: list[keyfile.Entry]) -> None:
        self.keys = tuple(
            Key(e.kind, e.id, fingerprint(e.kind, e.secret), e.writes)
            for e in sorted(entries, key=lambda e: (e.kind, e.id))
        )
        self._readers = {_header(e.id): AESGCM(e.secret) for e in entries if e.kind == "seal"}
        self._write_id = self.writing("seal").id
        self._writer = self._readers[_header(self._write_id)]
        self._index = {e.id: hmac.new(e.secret, digestmod="sha256") for e in entries if e.kind == "index"}
        self._list = {e.id: hmac.new(e.secret, digestmod="sha256") for e in entries if e.kind == "list"}
        self._listers: dict[tuple[str | bytes, int], Callable[[str], bytes]] = {}

    def __repr__(self) -> str:
        return f"<KeyRing {' '.join(map(str, self.keys))}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A key ring is never pickled.")

    def writing(self, kind: str) -> Key:
        """The key of this kind that new values are made with."""
        return next(key for key in self.keys if key.kind == kind and key.writes)

    def of_kind(self, kind: str) -> list[Key]:
        """All keys of a kind, the writing one first."""
        return sorted((k for k in self.keys if k.kind == kind), key=lambda k: not k.writes)

    # Sealing

    def sealer(self, label: str | bytes) -> Callable[[bytes], bytes]:
        """A function that seals under this label; for many values of one field."""
        aad, header, encrypt = _as_bytes(label), _header(self._write_id), self._writer.encrypt
        urandom = os.urandom

        def seal(data: bytes) -> bytes:
            nonce = urandom(NONCE_BYTES)
            return header + nonce + encrypt(nonce, data, aad)

        return seal

    def opener(self, label: str | bytes) -> Callable[[bytes], bytes]:
        """A function that opens what was sealed under this label, by any readable key."""
        aad = _as_bytes(label)
        decrypts = {header: cipher.decrypt for header, cipher in self._readers.items()}

        def open_(sealed: bytes) -> bytes:
            try:
                return decrypts[sealed[:3]](sealed[3:15], sealed[15:], aad)
            except (KeyError, InvalidTag, ValueError):
                raise self._refusal(label, sealed) from None

        return open_

    def open_all(self, label: str | bytes, sealed: Sequence[bytes | None]) -> list[bytes | None]:
        """Many values of one field at once, None for None. Raises SealError."""
        aad = _as_bytes(label)
        decrypts = {header: cipher.decrypt for header, cipher in self._readers.items()}
        try:
            return [None if one is None else decrypts[one[:3]](one[3:15], one[15:], aad) for one in sealed]
        except (KeyError, InvalidTag, ValueError):
            # One of them is broken: which, is found one by one.
            open_ = self.opener(label)
            return [None if one is None else open_(one) for one in sealed]

    def seal(self, label: str | bytes, data: bytes) -> bytes:
        """Version, key id, nonce, ciphertext and tag; only `label` opens it again."""
        return self.sealer(label)(data)

    def open(self, label: str | bytes, sealed: bytes) -> bytes:
        """The bytes sealed under this label. Raises SealError."""
        return self.opener(label)(bytes(sealed))

    def _refusal(self, label: str | bytes, sealed: bytes) -> SealError:
        if len(sealed) < HEADER_BYTES + NONCE_BYTES + TAG_BYTES:
            return SealError(f"A sealed value of {label!r} is cut off.")
        if sealed[0] != VERSION:
            return SealError(f"A sealed value of {label!r} has an unknown version.")
        if sealed[:HEADER_BYTES] not in self._readers:
            return KeyNotLoaded(f"A value of {label!r} is sealed by seal:{key_id_of(sealed)}, which is not loaded.")
        return SealError(f"A sealed value of {label!r} was altered, or belongs to another field.")

    # Keyed hashes

    def blinder(self, label: str | bytes, key_id: int | None = None) -> Callable[[str], bytes]:
        """A function that gives the blind index of a text under this label."""
        state = self._index[self.writing("index").id if key_id is None else key_id]
        return _hasher(_derived(state, b"obhut blind index\0", label))

    def blind(self, label: str | bytes, text: str) -> bytes:
        """32 bytes, equal for equal texts under the same label and index key only."""
        return self.blinder(label)(text)

    def list_hasher(self, scope: str | bytes, key_id: int | None = None) -> Callable[[str], bytes]:
        """A function that gives the list hash of a text in this scope."""
        id_ = self.writing("list").id if key_id is None else key_id
        made = self._listers.get((scope, id_))
        if made is None:
            hashed, prefix = _hasher(_derived(self._list[id_], b"obhut list\0", scope)), id_.to_bytes(2, "big")
            # There are a few scopes, and each consent that is recorded asks for one of them.
            made = self._listers[scope, id_] = lambda text: prefix + hashed(text)
        return made

    def list_hash(self, scope: str | bytes, text: str) -> bytes:
        """34 bytes: the id of the list key and the HMAC, for suppression and tombstones."""
        return self.list_hasher(scope)(text)

    def list_hashes(self, scope: str | bytes, text: str) -> list[bytes]:
        """The list hash under every list key here: what a question to a list asks for."""
        return [self.list_hasher(scope, key.id)(text) for key in self.of_kind("list")]


def _derived(state: hmac.HMAC, purpose: bytes, label: str | bytes) -> bytes:
    """A key of its own per purpose and label: equal texts never meet across fields."""
    derivation = state.copy()
    derivation.update(purpose + _as_bytes(label))
    return derivation.digest()


def _hasher(key: bytes) -> Callable[[str], bytes]:
    """HMAC-SHA-256 of many texts under one key of at most a block, whose two states are made once (RFC 2104, 4).

    To copy an object of `hmac` takes twice as long, and a ledger is verified with millions of them.
    """
    block = key.ljust(sha256().block_size, b"\0")
    inner, outer = sha256(block.translate(_INNER)), sha256(block.translate(_OUTER))

    def hashed(text: str) -> bytes:
        within, around = inner.copy(), outer.copy()
        within.update(text.encode())
        around.update(within.digest())
        return around.digest()

    return hashed


@sensitive_variables()
def fingerprint(kind: str, secret: bytes) -> str:
    """Sixteen hexadecimal digits that tell keys apart and give nothing of them away."""
    return hmac.new(secret, f"obhut fingerprint {kind}".encode(), sha256).hexdigest()[:16]


@sensitive_variables()
def load(text: str = "", path: str | Path = "", *, make: Path | None = None) -> KeyRing:
    """The ring of these lines, or of this file; with neither, of the file `make`, created if absent.

    Raises ImproperlyConfigured with one sentence that shows no part of a key.
    """
    if text.strip() and path:
        raise ImproperlyConfigured("VAULT_KEYS and VAULT_KEY_FILE are both set; set only one of them.")
    if text.strip():
        return KeyRing(keyfile.parse(text, "VAULT_KEYS"))
    if not path and make is None:
        raise ImproperlyConfigured(
            "No vault keys: set VAULT_KEYS or VAULT_KEY_FILE (docs/keys.md tells how to make them)."
        )
    if not path and make is not None:
        path = keyfile.ensure(make)
    return KeyRing(keyfile.parse(keyfile.read(path), str(path)))


_ring: KeyRing | None = None


def keyring() -> KeyRing:
    """The ring of this process, loaded from the settings at start (`VaultConfig.ready`)."""
    global _ring
    if _ring is None:
        text = getattr(settings, "VAULT_KEYS", "") or os.environ.get("VAULT_KEYS", "")
        path = getattr(settings, "VAULT_KEY_FILE", "") or os.environ.get("VAULT_KEY_FILE", "")
        make = Path(settings.VAR_DIR) / "vault.keys" if settings.DEBUG else None
        _ring = load(text, path, make=make)
    return _ring


@contextmanager
def replaced(ring: KeyRing) -> Iterator[KeyRing]:
    """Work with another ring for a while: restoring under old keys, and tests."""
    global _ring
    before, _ring = _ring, ring
    try:
        yield ring
    finally:
        _ring = before
