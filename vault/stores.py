"""Ciphertexts outside sealed fields: base64 text in a JSON column of a table that is not ours."""

import base64
import binascii
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models, transaction

from vault.keyring import HEADER_BYTES, NONCE_BYTES, TAG_BYTES, VERSION, SealError, key_id_of, keyring


def _sealed(value: Any) -> bytes | None:
    """The ciphertext in a JSON value, if it looks like one."""
    if not isinstance(value, str):
        return None
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    whole = len(data) >= HEADER_BYTES + NONCE_BYTES + TAG_BYTES
    return data if whole and data[0] == VERSION else None


class SealedJSONValues:
    """The values of a JSON column that were sealed one by one under one label, in base64.

    For small third-party tables such as second factors: rows are read one by one.
    """

    def __init__(self, model_label: str, field_name: str, label: str) -> None:
        self.model_label, self.field_name, self.label = model_label, field_name, label

    def _rows(self) -> models.QuerySet:
        return apps.get_model(self.model_label)._base_manager.order_by("pk")

    def _ciphertexts(self, document: Any) -> dict[Any, bytes]:
        """The ciphertexts of this label in a document; what does not open is none of ours."""
        parts = document if isinstance(document, dict) else dict(enumerate(document or []))
        found = {}
        for place, value in parts.items():
            data = _sealed(value)
            if data is not None:
                found[place] = data
            elif isinstance(value, list):
                found |= {(place, i): inner for i, inner in self._ciphertexts(value).items()}
        return found

    def uses(self) -> Counter[int]:
        """How many ciphertexts name each seal key."""
        documents = self._rows().values_list(self.field_name, flat=True).iterator()
        known = {key.id for key in keyring().of_kind("seal")}
        ids = (key_id_of(data) for doc in documents for data in self._ciphertexts(doc).values())
        return Counter(key_id for key_id in ids if key_id in known)

    def reseal(self) -> Iterator[int]:
        """Bring every ciphertext under the writing key, a row at a time."""
        for pk in list(self._rows().values_list("pk", flat=True)):
            with transaction.atomic():
                row = self._rows().select_for_update().filter(pk=pk).first()
                count = 0 if row is None else self._reseal_row(row)
            if count:
                yield count

    def _reseal_row(self, row: models.Model) -> int:
        ring, document, count = keyring(), getattr(row, self.field_name), 0
        to = ring.writing("seal").id
        for place, data in self._ciphertexts(document).items():
            if key_id_of(data) == to:
                continue
            try:
                fresh = ring.seal(self.label, ring.open(self.label, data))
            except SealError:
                continue
            outer, inner = place if isinstance(place, tuple) else (None, place)
            target = document if outer is None else document[outer]
            target[inner] = base64.b64encode(fresh).decode("ascii")
            count += 1
        if count:
            row.save(update_fields=[self.field_name])
        return count
