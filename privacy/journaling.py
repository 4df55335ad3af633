"""How an erasure stands in the journal outside the database: opaque ids and a keyed hash, to be replayed by."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from customers import tombstones


def entry_of(
    customer_id: int, number: str, subject_ref: UUID, at: datetime, receipt: UUID | None = None
) -> dict[str, Any]:
    """The journal's entry of one erased person; without a receipt where the night ended them."""
    named = {"receipt": str(receipt)} if receipt else {}
    return named | {
        "customer": customer_id,
        "mark": tombstones.hashers("number")[0](number).hex(),
        "subject_ref": str(subject_ref),
        "at": at.isoformat(),
    }


def entry_of_contact(
    contact_id: int, customer_id: int, number: str, subject_ref: UUID, at: datetime, receipt: UUID
) -> dict[str, Any]:
    """The journal's entry of one erased contact person of a company that stays."""
    return entry_of(customer_id, number, subject_ref, at, receipt) | {"contact": contact_id}


def is_meant(entry: Any, number: str) -> bool:
    """Whether the customer with this number is the one whom the entry erased: an id alone might be another's."""
    return entry["mark"] in {hash_(number).hex() for hash_ in tombstones.hashers("number")}
