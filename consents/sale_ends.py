"""A notice at a sale rests on the sale: where that is undone, what it allowed ends (§ 7(3) no. 1 UWG).

The end is an entry of its own, so that answers about the time before stay what they were. What rests on another sale at
the same address goes on, and the ledger says on which. A later sale brings its own notice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from consents import storing
from consents.events import Event, Kind, Source, Wording
from consents.models import Record
from consents.recording import record_many
from consents.sales import reference
from customers.selling import Undone

_Chain = tuple[int, int, bytes]
"""Customer, purpose and address of what was told at sales."""
# From the end on the proof has a last day (domain.md 5, CONSENT).
_END = """
UPDATE consents_record r SET ended_at = greatest(n.at, r.occurred_at)
FROM unnest(%s::uuid[], %s::timestamptz[]) AS n (ref, at) JOIN consents_entry e ON e.ref_id = n.ref
WHERE r.entry_id = e.id AND r.kind = 'noticed' AND r.ended_at IS NULL
"""


@transaction.atomic
def note_undone(sales: Sequence[Undone]) -> int:
    """Record that these sales are undone, as a set; answers how many notices lapsed. The same again writes nothing."""
    now = timezone.now()
    undone = {reference(sale.customer_id, sale.number): (sale, min(sale.at, now)) for sale in sales}
    # Two orders of one customer that are cancelled at once: the second finds what the first has written.
    storing.lock({sale.customer_id for sale in sales})
    lapsed = set(_told(undone, Kind.LAPSED).values_list("entry__ref_id", "purpose"))
    told = {_key(one): one for one in _told(undone, Kind.NOTICED) if (one.entry.ref_id, one.purpose_id) not in lapsed}
    if not told:
        return 0
    ends = [_lapsed(one, *undone[_ref(one)]) for one in told.values()]
    record_many([*ends, *map(_goes_on, _others(told.values(), set(undone)))])
    with connection.cursor() as cursor:
        cursor.execute(_END, [list(undone), [at for _sale, at in undone.values()]])
    return len(ends)


def _told(undone: Mapping[UUID, tuple[Undone, datetime]], kind: str) -> QuerySet[Record]:
    records = Record.objects.filter(
        entry__ref_id__in=list(undone), kind=kind, customer__in={sale.customer_id for sale, _at in undone.values()}
    )
    return records.select_related("entry", "purpose", "customer").order_by("pk")


def _others(told: Iterable[Record], undone: set[UUID]) -> list[Record]:
    """For each consent of these the last notice at a sale that stands."""
    ended = {_chain(one) for one in told}
    records = Record.objects.filter(
        customer__in={customer for customer, _purpose, _index in ended},
        kind__in=[Kind.NOTICED, Kind.LAPSED],
        entry__ref_id__isnull=False,
    )
    everything = [
        one
        for one in records.select_related("entry", "purpose", "customer").order_by("occurred_at", "pk")
        if _chain(one) in ended and _ref(one) not in undone
    ]
    gone = {_key(one) for one in everything if one.kind == Kind.LAPSED}
    return list({_chain(one): one for one in everything if _key(one) not in gone}.values())


def _chain(one: Record) -> _Chain:
    return one.customer_id or 0, one.purpose_id, bytes(one.endpoint_index or b"")


def _key(one: Record) -> tuple[UUID, _Chain]:
    return _ref(one), _chain(one)


def _ref(one: Record) -> UUID:
    assert one.entry.ref_id is not None
    return one.entry.ref_id


def _lapsed(one: Record, sale: Undone, at: datetime) -> Event:
    return _event(one, Kind.LAPSED, max(at, one.occurred_at), evidence={"order": sale.number})


def _goes_on(one: Record) -> Event:
    """The notice of the sale that is left, said again: what is allowed from now on rests on it."""
    payload = orjson.loads((one.proof or "")[64:])
    said = payload.get("wording", {})
    wording = Wording(one.entry.text_sha256, said.get("name", ""), said.get("language", ""))
    return _event(one, Kind.NOTICED, one.occurred_at, late=True, wording=wording, evidence=payload["evidence"])


def _event(one: Record, kind: str, at: datetime, **more: object) -> Event:
    assert one.customer is not None
    return Event(
        kind=kind,
        customer_id=one.customer.pk,
        number=one.customer.number,
        purpose=one.purpose.key,
        channel=one.channel,
        endpoint=one.endpoint or "",
        at=at,
        source=Source.SALE,
        actor="sale",
        ref=_ref(one),
        **more,  # type: ignore[arg-type]
    )
