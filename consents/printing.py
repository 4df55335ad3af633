"""Prints an answer of the time machine as PDF (PDF/A-2a, PDF/UA-1) with typst: data as JSON, no network, no file."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typst
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from consents import checkpoints, notes
from consents.answering import Answer, Proof
from consents.texts import reader_language
from datamap.controlling import controller, legal_zone
from datamap.typeface import settable

TEMPLATE = Path(__file__).with_name("answer.typ")
STANDARDS: list[Any] = ["a-2a", "ua-1"]


def as_pdf(answer: Answer) -> bytes:
    """The answer in the language of the reader."""
    data = json.dumps(settable(_said(answer)), ensure_ascii=False)
    return typst.compile(
        TEMPLATE.read_bytes(),
        sys_inputs={"answer": data},
        format="pdf",
        pdf_standards=STANDARDS,
        ignore_system_fonts=True,
        timestamp=int(answer.asked_at.timestamp()),
    )


def clock(at: datetime, zone: ZoneInfo) -> str:
    """An instant in this zone, to the second, with the zone's name: 24.11.2026 09:00:00 CET."""
    local = timezone.localtime(at, zone)
    return f"{date_format(local, 'SHORT_DATE_FORMAT')} {local:%H:%M:%S %Z}"


def _said(answer: Answer) -> dict[str, Any]:
    decision, signed, zone = answer.decision, answer.checkpoint, legal_zone()
    facts = [
        (_("Customer"), answer.customer.number),
        (_("Purpose"), answer.purpose.name),
        (_("Purpose as it was"), answer.version_words),
        (_("Channel"), str(answer.channel_label)),
        (_("Address or number"), answer.endpoint),
        (_("Whose it was"), str(answer.on_file_words)),
        (_("At"), clock(answer.at, zone)),
        (_("Since"), clock(decision.since, zone) if decision.since else ""),
        (_("Entry of the ledger"), str(decision.entry or "")),
    ]
    seals = [
        (_("Newest checkpoint"), clock(datetime.fromisoformat(signed.at), zone) if signed else _("none")),
        (_("Entries sealed by then"), str(signed.size) if signed else ""),
        (_("Hash of the seal"), signed.hash.hex() if signed else ""),
        (_("Public key"), notes.public_text(checkpoints.verifying_key())),
    ]
    return {
        "title": _("Proof: what was allowed when"),
        "author": controller().name or "Obhut",
        "language": reader_language(),
        "made": _("Asked on %s") % clock(answer.asked_at, zone),
        "verdict": (_("Allowed") if decision.allowed else _("Not allowed")) + ": " + str(decision.text),
        "facts": [fact for fact in facts if fact[1]],
        "events_title": _("What was entered until then"),
        "nothing": _("Nothing was entered until then."),
        "events": [_event(proof, zone) for proof in answer.events],
        "proof_title": _("Signed outside the database"),
        "proof": [fact for fact in seals if fact[1]],
    }


def _event(proof: Proof, zone: ZoneInfo) -> dict[str, Any]:
    record, entry = proof.record, proof.record.entry
    facts = [
        (_("Recorded"), clock(entry.ts, zone)),
        (_("Source"), str(record.get_source_display())),
        (_("By"), proof.by),
        (_("Told later"), _("yes") if record.late else ""),
        (_("Confirmed"), _("yes") if record.confirmed else ""),
        (_("Number in the ledger"), str(proof.number) if proof.number else _("waits for its seal")),
        (_("Seal"), f"{proof.seal.number} · {bytes(proof.seal.hash).hex()}" if proof.seal else ""),
        (_("Hash of the entry"), bytes(entry.leaf).hex()),
        (_("Hash of the wording"), entry.text_sha256),
    ]
    return {
        "title": f"{record.get_kind_display()} · {clock(record.occurred_at, zone)}",
        "facts": [fact for fact in facts if fact[1]],
        "wording": {
            "title": " · ".join((proof.title, _("version %d") % proof.wording.number)),
            "language": proof.language,
            "lines": [line for line in proof.body.split("\n") if line.strip()],
        }
        if proof.wording
        else None,
    }
