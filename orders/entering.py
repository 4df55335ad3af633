"""Orders that staff enter or correct by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.intake import write_customers
from customers.models import Address, ContactPoint, Customer, ExternalId, Origin
from customers.placing import Passage, note_passage
from customers.rows import AddressRow, CustomerRow, Source
from orders.documents import by, save_changed, tax_by_rate
from orders.models import Order, OrderLine
from orders.numbering import next_number
from orders.refusing import Refused, locked
from orders.totals import refresh_totals

OWN = "obhut"


@dataclass(slots=True)
class LineInput:
    """One position as the form has it."""

    sku: str = ""
    name: str = ""
    quantity: Decimal = Decimal(1)
    unit_price: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    tax_rate: Decimal | None = None


@dataclass(slots=True)
class OrderInput:
    """An order as the form has it; without a customer it is a guest's."""

    lines: Sequence[LineInput]
    billing: dict[str, str]
    shipping: dict[str, str] = field(default_factory=dict)
    customer_id: int | None = None
    gift_recipient_id: int | None = None
    # Whoever is at the delivery address gets the present and a record of their own.
    gift_recipient_new: bool = False
    type_id: int | None = None
    placed_at: datetime | None = None
    currency: str = "EUR"
    shipping_cost: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    gift_note: str = ""
    note: str = ""
    # Versions of legal texts that were accepted or shown, and the place at which they were due.
    texts: tuple[int, ...] = ()
    texts_place: str = ""


@transaction.atomic
def enter_order(data: OrderInput, *, token: UUID, user_id: int | None) -> Order:
    """Store an order entered by staff; a guest order makes a guest of its own, attached to nobody known.

    Atomic. `token` belongs to the form: sent twice, the first order is the answer. Other words under the same token
    (somebody went back and typed on) are an order of their own: nothing typed is lost. Raises Refused when there
    are no lines, the amounts make less than nothing, or the guest is protected (an erased person).
    """
    key = f"form:{uuid5(token, repr((user_id, data)))}"
    known = Order.objects.filter(platform="", external_id=key).first()
    if known:
        return known
    at = data.placed_at or timezone.now()
    # The lock on the number range makes the second of two equal forms wait, and see the first.
    number = next_number("order", at)
    known = Order.objects.filter(platform="", external_id=key).first()
    if known:
        return known
    origin = Origin.objects.create(kind=Origin.Kind.STAFF, platform=OWN, label="orders:new")
    guest = data.customer_id is None
    order = Order(
        number=number,
        external_id=key,
        customer_id=_make_guest(data, number, origin, user_id) if guest else data.customer_id,
        kind=Order.Kind.GUEST if guest else Order.Kind.STAFF,
        placed_at=at,
        origin=origin,
    )
    _fill(order, data)
    _add_recipient(order, data, origin, user_id)
    by(order, user_id).save(force_insert=True)
    _write_lines(order, data)
    assert order.customer_id is not None
    note_passage(Passage(data.texts_place, order.customer_id, data.texts, "sale", at, number))
    refresh_totals([order.customer_id])
    return order


@transaction.atomic
def edit_order(pk: int, data: OrderInput, *, version: int, user_id: int | None) -> Order:
    """Correct an order that is still open; its customer stays who it is.

    Atomic. Raises Order.DoesNotExist, Stale when somebody was quicker, and Refused when the order is
    cancelled, or papers or returns rest on it. The lines before the change are kept in the history.
    """
    order = locked(pk, version)
    if reason := why_fixed(order):
        raise Refused(reason)
    before = [_plain(line) for line in order.lines.all()]
    order.placed_at = data.placed_at or order.placed_at
    _fill(order, data)
    if data.gift_recipient_new:
        origin = Origin.objects.create(kind=Origin.Kind.STAFF, platform=OWN, label="orders:edit")
        _add_recipient(order, data, origin, user_id)
    save_changed(order, user_id)
    order.lines.all().delete()
    _write_lines(order, data)
    kept = order.history.latest()
    kept.lines_before = before
    kept.save(update_fields=["lines_before"])
    refresh_totals([order.customer_id])
    return order


def why_fixed(order: Order) -> str:
    """Why lines and addresses of this order can no longer be changed, or "" when they can."""
    if order.cancelled_at:
        return _("The order is cancelled.")
    if order.documents.exists():
        return _("Papers were issued for this order; correct it by credit note or return.")
    if order.returns.exists():
        return _("A return was announced for this order.")
    return ""


def billing_of(customer: Customer) -> dict[str, str]:
    """Name, usual billing address and e-mail of a customer, as a new order takes them over."""
    address = (
        customer.addresses.filter(kind=Address.Kind.BILLING).order_by("-is_default", "-id").first()
        or customer.addresses.order_by("-is_default", "-id").first()
    )
    endpoints = ContactPoint.objects.filter(customer=customer).order_by("-is_primary", "id")
    first = {point.kind: point.value for point in reversed(endpoints)}
    name = " ".join(part for part in (customer.title, customer.first_name, customer.last_name) if part)
    found = {"name": name, "company": customer.company, **first}
    if address:
        found |= {
            "street": address.street,
            "postcode": address.postcode,
            "city": address.city,
            "country": address.country,
        }
    return {key: value for key, value in found.items() if value}


def _fill(order: Order, data: OrderInput) -> None:
    lines = [_line(order, place, line) for place, line in enumerate(data.lines, start=1)]
    if not lines:
        raise Refused(_("An order has at least one line."))
    order.total = sum((line.amount for line in lines), Decimal(0)) + data.shipping_cost - data.discount
    if order.total < order.refunded or order.total < 0:
        raise Refused(_("The discount is more than the goods cost."))
    order.type_id, order.currency = data.type_id, data.currency
    order.shipping_cost, order.discount = data.shipping_cost, data.discount
    order.billing = data.billing or None
    order.shipping = data.shipping or None
    order.deviating = bool(data.shipping) and data.shipping != {
        key: value for key, value in data.billing.items() if key in data.shipping
    }
    order.gift_recipient_id, order.gift_note, order.note = data.gift_recipient_id, data.gift_note, data.note
    order.tax = sum((Decimal(rate["tax"]) for rate in tax_by_rate(order, lines)), Decimal(0))
    order.settle_payment()


def _line(order: Order, position: int, line: LineInput) -> OrderLine:
    return OrderLine(
        order=order,
        position=position,
        sku=line.sku,
        name=line.name,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount=line.discount,
        tax_rate=line.tax_rate,
    )


def _write_lines(order: Order, data: OrderInput) -> None:
    OrderLine.objects.bulk_create(_line(order, place, line) for place, line in enumerate(data.lines, start=1))


def _plain(line: OrderLine) -> dict[str, Any]:
    names = ("position", "sku", "name", "category", "quantity", "unit_price", "discount", "tax_rate")
    values = {name: getattr(line, name) for name in names}
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def _make_guest(data: OrderInput, number: str, origin: Origin, user_id: int | None) -> int:
    """A guest of this one order. Raises Refused where the person is protected."""
    now = timezone.now()
    row = _row_of(data.billing, f"order:{number}", Customer.Status.GUEST)
    row.registered_at, row.last_activity = now, now
    return _make(row, origin, user_id)


def _add_recipient(order: Order, data: OrderInput, origin: Origin, user_id: int | None) -> None:
    """A record of their own for whoever gets the present: a person with rights, not a line of somebody's order.

    Never matched with anybody known: a name and an address alone prove nothing.
    """
    if data.gift_recipient_new and data.gift_recipient_id is None:
        row = _row_of(data.shipping, f"gift:{uuid4()}", Customer.Status.PROSPECT, kind=Address.Kind.SHIPPING)
        order.gift_recipient_id = _make(row, origin, user_id)


def _row_of(snapshot: dict[str, str], key: str, status: str, kind: str = Address.Kind.BILLING) -> CustomerRow:
    """The contact lines of an address as a row about a person; `key` is the person's name in this house."""
    given = snapshot.get
    first, _space, last = given("name", "").rpartition(" ")
    place = {name: given(name, "") for name in ("street", "postcode", "city", "country")}
    return CustomerRow(
        line=1,
        external_id=key,
        status=status,
        first_name=first,
        last_name=last,
        company=given("company", ""),
        email=given("email", ""),
        phone=given("phone", ""),
        addresses=[AddressRow(kind=kind, recipient=given("name", "") or given("company", ""), **place)],
    )


def _make(row: CustomerRow, origin: Origin, user_id: int | None) -> int:
    """Store somebody new through the one door. Raises Refused where the person is protected."""
    outcome = write_customers([row], Source(uuid4(), OWN, origin.pk, user_id))
    if outcome.error_count or outcome.held:
        raise Refused(
            outcome.errors[0].message if outcome.errors else _("There is a protected record; ask the privacy role.")
        )
    return ExternalId.objects.get(platform=OWN, value=row.external_id).customer_id
