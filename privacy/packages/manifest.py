"""`manifest.json`: what is in a package, with hashes, in the names of OpenDSR; the only file that tells its time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from datamap.controlling import legal_zone
from privacy.packages.describing import Description, controller_facts
from privacy.packages.ordering import Assembly, Order
from privacy.packages.writing import Entry

SCHEMA_VERSION = "1.0"


def manifest(order: Order, description: Description, entries: Iterable[Entry], result: Assembly) -> dict[str, Any]:
    """The manifest of a package whose other files are finished."""
    who = description.controller
    return {
        "schema_version": SCHEMA_VERSION,
        "regulation": "gdpr",
        "subject_request_id": order.reference,
        "subject_request_type": order.kind,
        "submitted_time": order.asked_at.isoformat(timespec="seconds") if order.asked_at else None,
        "subject_identities": [
            *([{"identity_type": "controller_customer_id", "identity_value": order.subject.number,
                "identity_format": "raw"}] if order.subject.number else []),
            *({"identity_type": "subject_ref", "identity_value": str(ref), "identity_format": "raw"}
              for ref in order.subject.refs),
        ],
        "controller": controller_facts(who),
        "privacy_officer": {"name": who.officer_name, "email": who.officer_email, "phone": who.officer_phone},
        "generated_at": datetime.now(legal_zone(who)).isoformat(timespec="seconds"),
        "language": order.subject.language,
        "files": [_listed(entry) for entry in entries],
        "models_without_data": sorted(set(result.without)),
        "redacted_passages": result.redacted,
        "review_pending": result.pending,
    }  # fmt: skip


def _listed(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = {
        "path": entry.path,
        "sha256": entry.sha256,
        "bytes": entry.bytes,
        "media_type": entry.media_type,
    }
    found |= {"rows": entry.rows} if entry.rows is not None else {}
    found |= {"schema": entry.schema} if entry.schema else {}
    return found | {"legal_basis": entry.basis, "source": entry.source}
