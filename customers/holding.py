"""Rows that wait for a person: putting them aside, and what the person decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.matching import Held, fingerprint, payload_of
from customers.models import Customer, HeldIntake
from customers.rows import AddressRow, CustomerRow, OptInRow, Source
from customers.sealing import PAYLOAD

KIND = "customer"


class DecisionRefused(Exception):
    """The held row cannot be decided that way; the text says why, for the person at the desk."""


def marks_of(held: Sequence[Held], platform: str) -> list[bytes]:
    """The fingerprints of rows that wait, in their order."""
    return [fingerprint(platform, one.row) for one in held]


def put_aside(held: Sequence[Held], marks: Sequence[bytes], source: Source) -> None:
    """Keep these rows, sealed, until somebody has looked; a row kept before is not kept twice."""
    rows: dict[bytes, tuple[Any, ...]] = {}
    for one, mark in zip(held, marks, strict=True):
        payload = {"platform": source.platform, "row": payload_of(one.row)}
        sealed = PAYLOAD.seal(payload)
        rows[mark] = (one.reason, sealed, mark, one.row.line, one.customer_id, one.subject_ref)
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_heldintake (kind, reason, payload, fingerprint, line, customer_id, "
            "subject_ref, origin_id, received_at, decision) "
            "SELECT %s, n.*, %s, now(), '' FROM unnest(%s::text[], %s::bytea[], %s::bytea[], %s::int[], "
            "%s::bigint[], %s::uuid[]) n ON CONFLICT (fingerprint) DO NOTHING",
            [KIND, source.origin_id, *map(list, zip(*rows.values(), strict=True))],
        )


def claim(held_id: int, decision: str, user_id: int | None) -> HeldIntake:
    """Take a waiting row for a decision, locked; inside a transaction. Raises DecisionRefused if it is decided."""
    held = HeldIntake.objects.select_for_update().filter(pk=held_id).first()
    if held is None or held.decision:
        raise DecisionRefused(_("Somebody has decided this row already."))
    if held.kind != KIND:
        raise DecisionRefused(_("This row is not about a customer."))
    held.decision, held.decided_at, held.decided_by_id = decision, timezone.now(), user_id
    held.save(update_fields=["decision", "decided_at", "decided_by"])
    return held


def source_of(held: HeldIntake, user_id: int | None) -> Source:
    """The batch a held row came with, for writing it now."""
    origin = held.origin
    return Source(origin.batch or UUID(int=0), held.payload["platform"], origin.pk, user_id)


def row_of(payload: dict[str, Any]) -> CustomerRow:
    """A kept row as it came in."""
    row = dict(payload["row"])
    for name in ("registered_at", "last_activity"):
        row[name] = datetime.fromisoformat(row[name]) if row[name] else None
    row["addresses"] = [AddressRow(**address) for address in row["addresses"]]
    row["opt_ins"] = tuple(OptInRow(**opt_in) for opt_in in row["opt_ins"])
    row["tags"] = tuple(row["tags"])
    return CustomerRow(**row)


def refuse_restricted(customer: Customer) -> None:
    """Raises DecisionRefused while the customer's data are restricted: they may be stored, not changed (Art. 18)."""
    if customer.restricted_at is not None:
        raise DecisionRefused(_("The data of this customer are restricted; lift the restriction first."))
