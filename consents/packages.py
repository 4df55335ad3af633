"""What the copy of a person's data shows of consents: records as ISO/IEC TS 27560, and the receipts that prove them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.utils.translation import get_language

from consents.checkpoints import Book
from consents.deciding import version_among
from consents.evidence import evidence_in_words, proof_in_words, purposes_in_words
from consents.iso27560 import Happened, document
from consents.models import Entry, Purpose, PurposeVersion, Record
from consents.receipts import Erased, NotYet, receipt_of
from consents.recording import instant
from datamap.controlling import controller
from datamap.packages import ACCESS, Row, register_card, register_reading

MODELS = ("consents.Record",)


def records(rows: Mapping[str, list[Row]]) -> str:
    """Every consent of the person, blocked ones too, with its whole history; nothing where there is none."""
    found = rows["consents.Record"]
    if not found:
        return ""
    language = "en" if get_language() == "en" else "de"
    happened = list(_happened(found, _versions()))
    subject = next((json.loads(one.payload)["customer"] for one in happened if _is_json(one.payload)), "")
    purposes = {purpose.key: purpose for purpose in Purpose.objects.all()}
    made = document(happened, purposes, controller(), subject, language)
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def _versions() -> dict[str, list[PurposeVersion]]:
    """By key of the purpose what held for it when."""
    found: dict[str, list[PurposeVersion]] = {}
    for version in PurposeVersion.objects.select_related("purpose"):
        found.setdefault(version.purpose.key, []).append(version)
    return found


def _happened(rows: Iterable[Row], versions: Mapping[str, list[PurposeVersion]]) -> Iterator[Happened]:
    entries = Entry.objects.in_bulk([row["id"] for row in rows])
    for row in rows:
        entry, proof = entries[row["id"]], str(row.get("proof") or "")
        payload = proof[64:]
        yield Happened(
            uuid=str(entry.uuid),
            kind=entry.kind,
            purpose=entry.purpose,
            channel=row["channel"],
            endpoint=row.get("endpoint") or "",
            source=row["source"],
            at=instant(datetime.fromisoformat(str(row["occurred_at"]))),
            recorded=instant(entry.ts),
            confirmed=bool(row["confirmed"]),
            late=bool(row["late"]),
            version=version_among(versions[entry.purpose], entry.ts) if entry.purpose in versions else None,
            text_sha256=entry.text_sha256,
            wording=_wording(payload),
            salt=proof[:64],
            payload=payload,
        )


def _wording(payload: str) -> dict[str, Any]:
    return json.loads(payload).get("wording", {}) if _is_json(payload) else {}


def _is_json(payload: str) -> bool:
    """Whether a payload is whole: what names somebody else was blackened in it."""
    try:
        return isinstance(json.loads(payload), dict)
    except ValueError:
        return False


def receipts(rows: Mapping[str, list[Row]]) -> str:
    """The receipts of all that is sealed and signed, as lines to keep."""
    language, found = "en" if get_language() == "en" else "de", []
    own = dict(Record.archive.filter(pk__in=[row["id"] for row in rows["consents.Record"]]).values_list("pk", "proof"))
    book = Book()
    for row in rows["consents.Record"]:
        # A receipt cannot be blackened: one whose record names somebody else is left out.
        if row["proof"] != own.get(row["id"]):
            continue
        with suppress(NotYet, Erased):
            one = receipt_of(row["id"], language, book)
            found.append(f"{one.person['what']}\n{one.person['id']}\n\n{one.lines}\n")
    return "\n".join(found)


register_card("data/consents.jsonld", MODELS, records, "application/ld+json", kinds=(ACCESS,))
register_card("data/consent_receipts.txt", MODELS, receipts, "text/plain; charset=utf-8", kinds=(ACCESS,))
register_reading("consents.Record", "proof", proof_in_words)
for model in ("consents.Record", "consents.State"):
    register_reading(model, "purpose", purposes_in_words)
for column in ("asked", "texts", "evidence"):
    register_reading("consents.PendingOptIn", column, evidence_in_words)
