"""Existing customers (§ 7(3) UWG): the notice at a sale is recorded, and every mail that rests on it repeats it.

All four conditions have to be there: the address was given with a sale, the mails are about the shop's own similar
goods (which purposes those are stands with the purpose), nobody has objected, and the notice was shown when the address
was asked for, and is again in every mail. A notice that was missing then cannot be made up for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid5

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consents.deciding import Decision
from consents.events import CLOSING, Channel, Event, Kind, Source, Wording
from consents.models import Acceptance, LegalText, Purpose, Record, State
from consents.recording import instant, record_many
from customers.selling import Notice, Sale
from customers.suppression import hashes_of, suppressed_among

_NAMESPACE = UUID("6f0b0c52-3f0e-4c55-9a51-5a1e7c3d7d11")
_INDEX: Any = Record._meta.get_field("endpoint_index")
_PEOPLE = """
SELECT c.id, c.number, coalesce(array_agg(cp.whole_index) FILTER (WHERE cp.whole_index IS NOT NULL), '{}')
FROM customers_customer c LEFT JOIN customers_summary k ON k.customer_id = c.id
LEFT JOIN customers_contactpoint cp ON cp.customer_id = c.id AND cp.kind = 'email'
WHERE c.id = ANY (%s) AND c.restricted_at IS NULL AND c.deactivated_at IS NULL AND k.advertising_stopped_at IS NULL
GROUP BY c.id, c.number
"""


@dataclass(frozen=True)
class _Buyer:
    """A customer who may be told: number, and the keys of the addresses that are theirs."""

    number: str
    indexes: frozenset[bytes]


@transaction.atomic
def note_sales(sales: Sequence[Sale]) -> int:
    """Record the notices of these sales, as a set; answers how many entries were written.

    Left out is what lacks a condition: an order that is not paid, a notice that came after the address was given, an
    address that is not the buyer's, somebody who objected, withdrew, or stands on the suppression list. The same order
    again writes nothing.
    """
    purposes = list(
        Purpose.objects.filter(existing_customers=True, retired_at=None, channels__contains=[Channel.EMAIL])
    )
    fit = [sale for sale in _with_notices(sales) if sale.paid_at is not None and _was_told(sale)]
    if not fit or not purposes:
        return 0
    buyers = _buyers(sale.customer_id for sale in fit)
    against = suppressed_among(Channel.EMAIL, {sale.email for sale in fit})
    closed, known = _closed(fit), _known(fit)
    events: dict[tuple[UUID, str], Event] = {}
    for sale in fit:
        buyer = buyers.get(sale.customer_id)
        if buyer is None or sale.email in against or buyer.indexes.isdisjoint(_INDEX.candidates(sale.email)):
            continue
        marks = hashes_of(Channel.EMAIL, sale.email)
        for purpose in purposes:
            key = reference(sale.customer_id, sale.number), purpose.key
            if key not in known and not any((purpose.pk, mark) in closed for mark in marks):
                events[key] = _event(sale, buyer, purpose)
    record_many(list(events.values()))
    return len(events)


def _with_notices(sales: Sequence[Sale]) -> list[Sale]:
    """Sales whose taker knows of no notice get the one that was shown with the order, if any was."""
    unknown = {(sale.customer_id, sale.number) for sale in sales if sale.notice is None}
    shown = Acceptance.objects.filter(
        customer__in={customer for customer, _number in unknown},
        order_number__in={number for _customer, number in unknown},
        version__text__kind=LegalText.Kind.SALE_NOTICE,
    )
    notices: dict[tuple[int | None, str], Notice] = {}
    for one in shown.select_related("version__text").order_by("-at"):
        wording = one.version.wording(one.language)
        notices[one.customer_id, one.order_number] = Notice(wording.name, wording.sha256, wording.language, one.at)
    return [
        sale if sale.notice else replace(sale, notice=notices.get((sale.customer_id, sale.number))) for sale in sales
    ]


def _was_told(sale: Sale) -> bool:
    """Whether the notice was there when the address was asked for."""
    notice = sale.notice
    return notice is not None and bool(notice.sha256) and notice.shown_at <= sale.placed_at


def _buyers(ids: Iterable[int]) -> dict[int, _Buyer]:
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, [sorted(set(ids))])
        return {pk: _Buyer(number, frozenset(map(bytes, keys))) for pk, number, keys in cursor.fetchall()}


def _closed(sales: Iterable[Sale]) -> set[tuple[int, bytes]]:
    """(purpose, hash of the address) where somebody has said no, under whatever record."""
    marks = [mark for sale in sales for mark in hashes_of(Channel.EMAIL, sale.email)]
    states = State.objects.filter(mark__any_of=marks, channel=Channel.EMAIL, state__in=list(CLOSING))
    return {(purpose, bytes(mark or b"")) for purpose, mark in states.values_list("purpose", "mark")}


def _known(sales: Iterable[Sale]) -> set[tuple[UUID, str]]:
    """(reference of the order, purpose) of what was recorded before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ref_id, purpose FROM consents_entry WHERE ref_id = ANY (%s)",
            [[reference(sale.customer_id, sale.number) for sale in sales]],
        )
        return set(cursor.fetchall())


def reference(customer_id: int, number: str) -> UUID:
    """One for each order of a customer; the entry names the order nowhere else."""
    return uuid5(_NAMESPACE, f"{customer_id}/{number}")


def _event(sale: Sale, buyer: _Buyer, purpose: Purpose) -> Event:
    notice: Notice = sale.notice  # type: ignore[assignment]
    assert sale.paid_at is not None
    return Event(
        kind=Kind.NOTICED,
        customer_id=sale.customer_id,
        number=buyer.number,
        purpose=purpose.key,
        channel=Channel.EMAIL,
        endpoint=sale.email,
        at=min(sale.paid_at, timezone.now()),
        late=True,
        source=Source.SALE,
        wording=Wording(notice.sha256, notice.name, notice.language),
        actor="sale",
        ref=reference(sale.customer_id, sale.number),
        evidence={"order": sale.number, "notice": notice.name, "shown_at": instant(notice.shown_at)},
    )


def notice_context(decision: Decision) -> dict[str, Any]:
    """What the text of an advertising mail gets: the notice where the law wants it, in the language of the text.

    `object_notice` is "" under a consent, which has its link to withdraw; under § 7(3) UWG every single mail has to say
    that the person may object at any time, at no other cost than that of sending it.
    """
    told = _(
        "You get this mail because you bought from us. You may object to it at any time, at no other cost than sending "
        "the objection at the basic rate."
    )
    return {"object_notice": told if decision.reason == "existing_customer" else ""}
