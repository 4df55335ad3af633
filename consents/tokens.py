"""The links of mails and of the desk: what confirms an opt-in, unsubscribes, leads to the texts of a place. Nobody can
make one or read one.

All are made from the list key of the vault, which lies outside the database and never changes: a link in a mail of
last year still works, after an erasure as well, and no copy of the database holds one.
"""

from __future__ import annotations

import base64
import binascii
import os
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.keyring import HASH_BYTES, LIST_HASH_BYTES, keyring

_OPT_IN = "consents.opt_in"
_UNSUBSCRIBE = "consents.unsubscribe"
_PLACE = "consents.place"
_LABELS = {_UNSUBSCRIBE: b"obhut unsubscribe 1", _PLACE: b"obhut place 1"}
_NONCE = 12
_TICKET = struct.Struct(f">q q 16s {LIST_HASH_BYTES}s")
_PLACE_TICKET = struct.Struct(">q q")


class Forged(ValueError):
    """This is none of our links."""


@dataclass(frozen=True)
class Ticket:
    """What a link to unsubscribe stands for: ids, and the address as the suppression list hashes it; no address.

    customer: 0 where the mail went to nobody known. message: the number of the mail that carried it.
    """

    customer: int
    purpose: int
    message: UUID
    mark: bytes


@dataclass(frozen=True)
class PlaceTicket:
    """What a link to the texts of a place stands for: whom it was made for, which place, how long it is good."""

    customer: int
    place: str
    until: datetime


def opt_in_tokens(number: UUID) -> list[str]:
    """The link that confirms this opt-in, under each list key, the writing one first: 256 bits each."""
    ring = keyring()
    made = [ring.list_hasher(_OPT_IN, key.id)(number.hex) for key in ring.of_kind("list")]
    return [_text(one[-HASH_BYTES:]) for one in made]


def fingerprint(token: str) -> bytes:
    """What is kept of a token."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def unsubscribe_token(ticket: Ticket) -> str:
    """A link for this ticket: sealed, so that it says nothing and cannot be made up."""
    return _sealed(_UNSUBSCRIBE, _TICKET.pack(ticket.customer, ticket.purpose, ticket.message.bytes, ticket.mark))


def read_unsubscribe_token(token: str) -> Ticket:
    """What a link stands for. Raises Forged."""
    try:
        customer, purpose, message, mark = _TICKET.unpack(_opened(_UNSUBSCRIBE, token))
    except struct.error:
        raise Forged("This is none of our links.") from None
    return Ticket(customer, purpose, UUID(bytes=message), mark)


def place_token(ticket: PlaceTicket) -> str:
    """A link to a place, sealed in the same way."""
    until = int(ticket.until.timestamp())
    return _sealed(_PLACE, _PLACE_TICKET.pack(ticket.customer, until) + ticket.place.encode())


def read_place_token(token: str) -> PlaceTicket:
    """What a link to a place stands for, over or not. Raises Forged."""
    plain = _opened(_PLACE, token)
    try:
        customer, until = _PLACE_TICKET.unpack(plain[: _PLACE_TICKET.size])
        place = plain[_PLACE_TICKET.size :].decode()
    except (struct.error, UnicodeDecodeError):
        raise Forged("This is none of our links.") from None
    return PlaceTicket(customer, place, datetime.fromtimestamp(until, UTC))


def _sealed(scope: str, plain: bytes) -> str:
    key_id = keyring().writing("list").id
    nonce = os.urandom(_NONCE)
    return _text(key_id.to_bytes(2, "big") + nonce + _cipher(scope, key_id).encrypt(nonce, plain, _LABELS[scope]))


def _opened(scope: str, token: str) -> bytes:
    raw = _bytes(token)
    key_id = int.from_bytes(raw[:2], "big")
    if key_id not in {key.id for key in keyring().of_kind("list")}:
        raise Forged("This is none of our links.")
    try:
        return _cipher(scope, key_id).decrypt(raw[2 : 2 + _NONCE], raw[2 + _NONCE :], _LABELS[scope])
    except (InvalidTag, ValueError):
        raise Forged("This is none of our links.") from None


def _cipher(scope: str, key_id: int) -> AESGCM:
    return AESGCM(keyring().list_hasher(scope, key_id)("aes-256-gcm")[-HASH_BYTES:])


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    """The bytes of a text that `_text` made; any other spelling of them is none."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Forged("This is none of our links.") from None
    if _text(raw) != text:
        raise Forged("This is none of our links.")
    return raw
