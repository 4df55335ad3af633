"""Looks at one entry of the ledger and at what hangs on it; a million times in some seconds."""

from __future__ import annotations

from binascii import unhexlify
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from django.db import connection

from consents.hashing import LEAF, canonical, commitment
from consents.models import Purpose, Record
from consents.recording import micros
from vault.keyring import SealError, keyring

FIELDS = """
    encode(uuid_send(e.uuid), 'hex'), (extract(epoch FROM e.ts) * 1000000)::bigint, e.kind, e.purpose,
    e.text_sha256, e.actor_ref, coalesce(encode(uuid_send(e.ref_id), 'hex'), ''), e.commitment, e.leaf, r.proof,
    r.kind, r.channel, r.endpoint_index, r.source,
    to_char(r.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), r.late, r.confirmed, r.purpose_id,
    (SELECT number FROM customers_customer c WHERE c.id = r.customer_id), r.blocked_at IS NULL, g.at, g.by_id
"""
"""What is read of an entry, in the forms in which it was hashed, so that none is made again for each. The customer is
looked up for each row: joined, their numbers would be remembered, which takes longer than to look."""
_PROOF: Any = Record._meta.get_field("proof")
_INDEX: Any = Record._meta.get_field("endpoint_index")


class Judge:
    """Tells what is wrong with entries; `leaf` is that of the last one, `erased` counts those whose record went."""

    def __init__(self, patience: datetime) -> None:
        ring = keyring()
        self._open = ring.opener(_PROOF.label)
        self._normalize = _INDEX.normalize
        self._blinders = [ring.blinder(_INDEX.label, key.id) for key in ring.of_kind("index")]
        self._purposes = dict(Purpose.objects.values_list("pk", "key"))
        self._patience = patience
        self._late = micros(patience)
        self.leaf = b""
        self.erased = 0

    def fault_of(self, row: tuple[Any, ...]) -> str:
        """What is wrong with an entry and what hangs on it; "" where nothing is."""
        (
            entry, uuid, ts, kind, purpose, wording, actor, ref, committed, leaf, proof, record_kind, channel,
            index, source, at, late, confirmed, purpose_id, customer, at_hand, erased_at, entered_by,
        ) = row  # fmt: skip
        # As `hashing.leaf` does; orjson writes such a list in the same bytes.
        self.leaf = sha256(LEAF + orjson.dumps([uuid, ts, kind, purpose, wording, actor, ref]) + committed).digest()
        if self.leaf != leaf:
            return "a clear field was changed"
        if proof is None:
            return (
                _fault_of_erasure(entry, committed) if kind == "erased" else self._fault_of_loss(erased_at, entered_by)
            )
        try:
            opened = self._open(proof)
            salt, payload = unhexlify(opened[:64]), opened[64:]
        except (SealError, ValueError):
            return "its record does not open"
        if commitment(salt, payload) != committed:
            return "its record was changed"
        said = orjson.loads(payload)
        fits = (
            (record_kind, said["channel"], said["source"], said["at"], said["late"], said["confirmed"])
            == (kind, channel, source, at, late, confirmed)
            and self._purposes.get(purpose_id) == purpose
            # Of nobody is only what an erasure blocked (`parting` asks which), and that is always of nobody.
            and customer == (said["customer"] if at_hand else None)
            and self._is_endpoint(said["endpoint"], index)
        )
        return "" if fits else "what its record says in clear is not what was sealed"

    def impatience_with(self, row: tuple[Any, ...]) -> str:
        """Whether an entry waits for its seal for too long."""
        return "it was never sealed" if row[2] < self._late else ""

    def _is_endpoint(self, endpoint: str, index: bytes | None) -> bool:
        text = self._normalize(endpoint) if endpoint else None
        if not text:
            return index is None
        for blind in self._blinders:  # noqa: SIM110  # a generator would take longer than the rest
            if blind(text) == index:
                return True
        return False

    def _fault_of_loss(self, erased_at: datetime | None, entered_by: int | None) -> str:
        if erased_at is None:
            return "its record is gone, and no erasure took it"
        if entered_by is None and erased_at < self._patience:
            return "its record went by an erasure that was never entered"
        self.erased += 1
        return ""


def _fault_of_erasure(entry: int, committed: bytes) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT salt, entries FROM consents_erasureproof WHERE entry_id = %s", [entry])
        row = cursor.fetchone()
    if row is None:
        return "the list of what was erased is gone"
    listed = canonical([uuid.hex for uuid in row[1]])
    return "" if commitment(bytes(row[0]), listed) == committed else "the list of what was erased was changed"
