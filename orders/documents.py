"""Issues papers: a snapshot of the order under a number without gaps, never touched again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from datamap.controlling import controller, legal_zone
from datamap.models import Controller
from datamap.workdays import local_date
from orders.models import CENT, Document, Order, OrderLine
from orders.numbering import next_number
from orders.refusing import Refused, locked
from orders.totals import refresh_totals
from staff.models import User

ONCE = {Document.Kind.RECEIVED, Document.Kind.CONFIRMATION, Document.Kind.INVOICE}


@transaction.atomic
def issue_document(
    pk: int, kind: str, *, user_id: int | None = None, version: int | None = None, at: datetime | None = None
) -> Document:
    """Issue one paper of an order as it stands now.

    Atomic; the order stays locked, so the number and the snapshot belong together. Raises
    Order.DoesNotExist, Stale, and Refused when the order is cancelled, was issued that paper before, or a
    credit note was asked for (`issue_credit_note`).
    """
    order = locked(pk, version)
    if kind == Document.Kind.CREDIT_NOTE:
        raise Refused(_("A credit note is issued to an invoice."))
    if order.cancelled_at:
        raise Refused(_("The order is cancelled; no further paper is issued for it."))
    if kind in ONCE and standing(order, kind):
        raise Refused(_("This paper was issued before."))
    at = at or timezone.now()
    lines = list(order.lines.all())
    document = _snapshot(order, kind, at, user_id)
    if kind == Document.Kind.DELIVERY_NOTE:
        # Prices are no business of who opens the parcel (Art. 5(1)(c) GDPR).
        document.lines = [{k: v for k, v in line.items() if k in GOODS} for line in _lines(lines)]
        document.billing_snapshot = None
        document.delivery_snapshot = _whereto(order)
        document.gift_note = order.gift_note or None
    else:
        document.lines = [*_lines(lines), *_extras(order)]
        document.rates = tax_by_rate(order, lines)
        document.gross, document.tax = order.total, sum((_dec(r["tax"]) for r in document.rates), Decimal(0))
        document.net = document.gross - document.tax
    if kind == Document.Kind.INVOICE:
        document.seller["supplied_on"] = _supplied_on(order, at).isoformat()
    document.save(force_insert=True)
    if kind == Document.Kind.INVOICE:
        order.invoiced_at = at
        save_changed(order, user_id)
    else:
        # A second click finds another version; the paper itself says what happened, a history row would say nothing.
        Order.objects.filter(pk=order.pk).update(version=order.version + 1)
    return document


def supply_of(document: Document) -> tuple[date | None, bool]:
    """The day of supply that an invoice names (§ 14(4) no. 6 UStG), and whether it is the invoice's own date."""
    said = document.seller.get("supplied_on")
    supplied_on = date.fromisoformat(said) if said else None
    return supplied_on, supplied_on == local_date(document.issued_at, legal_zone())


def _supplied_on(order: Order, at: datetime) -> date:
    delivered = order.delivered_at is not None and order.delivered_at <= at
    return local_date(order.delivered_at if delivered and order.delivered_at else at, legal_zone())


@transaction.atomic
def issue_credit_note(
    invoice_pk: int,
    gross: Decimal,
    *,
    version: int | None = None,
    user_id: int | None = None,
    at: datetime | None = None,
    reason: str = "",
) -> Document:
    """Give back part or all of an invoice: the credit note names it, and the order counts that much less.

    Atomic. Raises Document.DoesNotExist, Stale, and Refused when more would be credited than was charged.
    """
    invoice = Document.objects.get(pk=invoice_pk, kind=Document.Kind.INVOICE)
    if invoice.order_id is None:
        raise Refused(_("The order of this invoice is no longer known; nothing can be credited."))
    order = locked(invoice.order_id, version)
    document = credit_under_lock(order, invoice, gross, user_id=user_id, at=at, reason=reason)
    save_changed(order, user_id)
    refresh_totals([order.customer_id])
    return document


def credit_under_lock(
    order: Order,
    invoice: Document,
    gross: Decimal,
    *,
    user_id: int | None,
    at: datetime | None = None,
    reason: str = "",
) -> Document:
    """Issue the credit note and raise `order.refunded`; the caller locks, saves, refreshes totals."""
    gross = gross.quantize(CENT, ROUND_HALF_UP)
    left = min(creditable(invoice), order.total - order.refunded)
    if gross <= 0:
        raise Refused(_("The amount must be more than nothing."))
    if gross > left:
        raise Refused(_("No more than %(left)s %(currency)s can be credited.") % _amount(left, order.currency))
    document = _snapshot(order, Document.Kind.CREDIT_NOTE, at or timezone.now(), user_id)
    document.corrects = invoice
    document.billing_snapshot = invoice.billing_snapshot
    document.delivery_snapshot = None
    document.lines = [{"name": _("Credit for invoice %s") % invoice.number, "amount": str(gross)}]
    document.reason = reason or None
    document.rates = _shares(_rates_left(invoice), gross)
    document.gross, document.tax = gross, sum((_dec(r["tax"]) for r in document.rates), Decimal(0))
    document.net = gross - document.tax
    document.save(force_insert=True)
    order.refunded += gross
    order.settle_payment()
    return document


def standing(order: Order, kind: str) -> Document | None:
    """The paper of this kind that still counts: for an invoice, one that is not credited in full."""
    found = order.documents.filter(kind=kind).order_by("-issued_at", "-id").first()
    if found and kind == Document.Kind.INVOICE and creditable(found) <= 0 < found.gross:
        return None
    return found


def creditable(invoice: Document) -> Decimal:
    """What is left of an invoice after its credit notes."""
    credited = invoice.corrections.aggregate(sum=Sum("gross"))["sum"] or Decimal(0)
    return invoice.gross - credited


def save_changed(order: Order, user_id: int | None) -> None:
    """Save a locked order as its next version; the history row names who did it."""
    order.version += 1
    by(order, user_id).save()


def by(order: Order, user_id: int | None) -> Order:
    """The order, whose next history row names this member of staff."""
    if user_id is not None:
        setattr(order, "_history_user", User(pk=user_id))  # noqa: B010  (simple-history reads it from there)
    return order


def tax_by_rate(order: Order, lines: Iterable[OrderLine]) -> list[dict[str, str]]:
    """Net and tax by rate; where the source gave no rates, one entry from the order's own tax."""
    by_rate: defaultdict[Decimal | None, Decimal] = defaultdict(Decimal)
    for line in lines:
        by_rate[line.tax_rate] += line.amount
    if None in by_rate or not by_rate:
        return [_rate(None, order.total, order.tax)] if order.total else []
    # Shipping and a discount on the whole follow the main rate.
    main = max(by_rate, key=lambda rate: by_rate[rate])
    by_rate[main] += order.total - sum(by_rate.values(), Decimal(0))
    return [
        _rate(rate, gross, included_tax(gross, rate or Decimal(0))) for rate, gross in sorted(by_rate.items()) if gross
    ]


def included_tax(gross: Decimal, rate: Decimal) -> Decimal:
    """The tax inside a gross amount at a rate in percent."""
    return (gross * rate / (100 + rate)).quantize(CENT, ROUND_HALF_UP)


SELLER = ("name", "street", "postcode", "city", "country", "email", "phone", "vat_id", "tax_number")
PLACE = ("name", "company", "street", "postcode", "city", "country")
GOODS = ("position", "sku", "name", "quantity")


def _snapshot(order: Order, kind: str, at: datetime, user_id: int | None) -> Document:
    return Document(
        order=order,
        order_number=order.number,
        ordered_at=order.placed_at,
        customer_id=order.customer_id,
        gift_recipient_id=order.gift_recipient_id if kind == Document.Kind.DELIVERY_NOTE else None,
        kind=kind,
        number=next_number(kind, at),
        issued_at=at,
        seller=seller_of(controller()),
        billing_snapshot=_place(order.billing),
        delivery_snapshot=_place(order.shipping) if order.deviating else None,
        currency=order.currency,
        issued_by_id=user_id,
    )


def _whereto(order: Order) -> dict[str, str] | None:
    """Where the goods go."""
    return _place(order.shipping if order.deviating else order.billing)


def _place(address: dict[str, str] | None) -> dict[str, str] | None:
    """What a paper shows of an address: without e-mail and phone, which have no place in a blocked paper."""
    return {name: value for name, value in (address or {}).items() if name in PLACE} or None


def seller_of(shop: Controller) -> dict[str, str]:
    """The shop as a paper names it (§ 14(4) nos. 1 and 2 UStG)."""
    return {name: getattr(shop, name) for name in SELLER if getattr(shop, name)}


def _lines(lines: Iterable[OrderLine]) -> list[dict[str, Any]]:
    return [
        {
            "position": line.position,
            "sku": line.sku,
            "name": line.name,
            "quantity": f"{line.quantity.normalize():f}",
            "unit_price": str(line.unit_price),
            "discount": str(line.discount),
            "tax_rate": None if line.tax_rate is None else str(line.tax_rate),
            "amount": str(line.amount),
        }
        for line in lines
    ]


def _extras(order: Order) -> list[dict[str, Any]]:
    extras = [(_("Shipping"), order.shipping_cost), (_("Discount"), -order.discount)]
    return [{"name": name, "amount": str(amount)} for name, amount in extras if amount]


def _rate(rate: Decimal | None, gross: Decimal, tax: Decimal) -> dict[str, str]:
    return {
        "rate": "" if rate is None else str(rate),
        "net": str(gross - tax),
        "tax": str(tax),
        "gross": str(gross),
    }


def _rates_left(invoice: Document) -> list[dict[str, str]]:
    """An invoice by rate, less its credit notes: the last of these takes what rounding left, in tax as in gross."""
    left = {entry["rate"]: (_dec(entry["gross"]), _dec(entry["tax"])) for entry in invoice.rates}
    for rates in invoice.corrections.values_list("rates", flat=True):
        for entry in rates:
            gross, tax = left[entry["rate"]]
            left[entry["rate"]] = gross - _dec(entry["gross"]), tax - _dec(entry["tax"])
    return [_rate(_dec(rate) if rate else None, gross, tax) for rate, (gross, tax) in left.items() if gross]


def _shares(rates: list[dict[str, str]], gross: Decimal) -> list[dict[str, str]]:
    """Split a credit over what is left by rate; the last one takes what rounding left."""
    shares, left, whole = [], gross, sum((_dec(entry["gross"]) for entry in rates), Decimal(0))
    for index, entry in enumerate(rates, start=1):
        part = (_dec(entry["gross"]) * gross / whole).quantize(CENT, ROUND_HALF_UP)
        part = left if index == len(rates) else part
        left -= part
        tax = (_dec(entry["tax"]) * part / _dec(entry["gross"])).quantize(CENT, ROUND_HALF_UP)
        shares.append(_rate(_dec(entry["rate"]) if entry["rate"] else None, part, tax))
    return shares


def _dec(text: str) -> Decimal:
    return Decimal(text)


def _amount(left: Decimal, currency: str) -> dict[str, Any]:
    return {"left": left, "currency": currency}
