"""Turns orders that come in into checked, sealed values ready for COPY, and tells news from what is known."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import gettext as _

from customers.reading import clean_note, clean_text, same_letters
from customers.rows import Outcome, Problem
from orders.models import CENT, Order, OrderLine
from orders.rows import LineRow, OrderRow, SnapshotRow
from vault.keyring import keyring

PART = 8
# A list hash begins with the id of its key.
KEY_ID = 2
PARTS = ("facts", "billing", "shipping", "note", "lines")
NO_NEWS = bytes(PART)
MOST = Decimal(10) ** 12
MOST_QUANTITY = Decimal(10) ** 9
Status = Order.Status
# `values` translates every label each time it is asked.
STATUSES = frozenset(Status.values)


@dataclass(slots=True)
class Incoming:
    """One order on its way in: the row, what is new about it, and whose it is."""

    row: OrderRow
    digest: bytes
    # Names of the parts that differ from what the source said last time.
    news: frozenset[str] = frozenset(PARTS)
    order_id: int | None = None
    customer_id: int | None = None
    guest: bool = False
    known: bytes | None = None
    lines: list[LineRow] = field(default_factory=list)
    # The order was known by its number alone, and the row brings its id.
    renames: bool = False

    @property
    def says(self) -> bytes:
        """The digest to keep: a part without news stays as the source last told it."""
        if self.known is None:
            return self.digest
        parts = zip(split(self.digest), split(self.known), strict=True)
        return b"".join(old if new == NO_NEWS else new for new, old in parts)


def split(digest: bytes) -> list[bytes]:
    """The digest of each part."""
    return [digest[at : at + PART] for at in range(0, PART * len(PARTS), PART)]


def digester() -> Any:
    """A function that gives the keyed digest of a row by part; without the key nobody can try addresses."""
    # By the list key, which never changes: computing the index anew must not make every order news.
    hashed = keyring().list_hasher("orders.order.source_digest")

    def part(value: Any) -> bytes:
        return hashed(repr(value))[KEY_ID : KEY_ID + PART] if value else NO_NEWS

    def digest(row: OrderRow) -> bytes:
        facts = (
            row.number,
            row.status,
            row.placed_at,
            row.paid_at,
            row.delivered_at,
            row.cancelled_at,
            row.currency,
            row.total,
            row.shipping_cost,
            row.tax,
            row.discount,
            row.refunded,
            row.tags,
        )
        lines = [(x.sku, x.name, x.category, x.quantity, x.unit_price, x.discount) for x in row.lines]
        return b"".join(
            (
                part(facts),
                part(billing_of(row)),
                part(contact(row.shipping)),
                part(row.note),
                part(lines),
            )
        )

    return digest


SAID = ("name", "company", "street", "postcode", "city", "country", "email", "phone")


def contact(snapshot: SnapshotRow) -> dict[str, str]:
    """The lines of a snapshot that say anything."""
    found = {}
    for name in SAID:
        if value := getattr(snapshot, name):
            found[name] = value
    return found


def billing_of(row: OrderRow) -> dict[str, str]:
    """The billing lines, with the e-mail address the order came with."""
    found = contact(row.billing)
    return {**found, "email": row.email} if row.email and "email" not in found else found


PLACE = ("name", "company", "street", "postcode", "city", "country")


def deviates(billing: dict[str, str], shipping: dict[str, str]) -> bool:
    """Whether the goods go somewhere else than the bill; another phone or e-mail is no other place."""
    where = {k: v for k, v in shipping.items() if k in PLACE}
    return bool(where) and where != {k: v for k, v in billing.items() if k in PLACE}


def cleaned(row: OrderRow, outcome: Outcome) -> OrderRow | None:
    """The row with readable text and amounts, or None when it cannot be stored (the outcome says why)."""
    row.external_id = clean_text(row.external_id)[0]
    row.number = clean_text(row.number)[0] or row.external_id
    # As the customer's own record writes it, or neither would find the other.
    row.customer_external_id = same_letters(clean_text(row.customer_external_id)[0])
    row.note = clean_note(row.note)[0] if row.note else ""
    row.currency = row.currency.strip().upper()
    for snapshot in (row.billing, row.shipping):
        for name in SAID:
            value = getattr(snapshot, name)
            if value and (not value.isprintable() or value[0] == " " or value[-1] == " "):
                setattr(snapshot, name, clean_text(value)[0])
    problem = _unstorable(row)
    if problem:
        outcome.reject(Problem(row.line, *problem))
        return None
    for line in row.lines:
        _clean_line(line, row.line, outcome)
    return row


def _unstorable(row: OrderRow) -> tuple[str, str] | None:
    if not row.external_id:
        return "external_id", _("The order has no id or number.")
    if len(row.external_id) > 120 or len(row.number) > 120:
        return "external_id", _("The id of the order is longer than 120 characters.")
    if row.currency and not (len(row.currency) == 3 and row.currency.isascii() and row.currency.isalpha()):
        return "currency", _("The currency is not a three-letter code.")
    if row.status and row.status not in STATUSES:
        return "status", _("The status is unknown.")
    for name in ("total", "shipping_cost", "tax", "discount", "refunded"):
        amount = getattr(row, name)
        if amount is not None and not (amount.is_finite() and abs(amount) < MOST):
            return name, _("The amount is too large to be one.")
    for line in row.lines:
        values = (line.quantity, line.unit_price, line.discount)
        if not all(v.is_finite() for v in values) or abs(line.quantity) >= MOST_QUANTITY:
            return "quantity", _("The quantity or price of a line is not a usable number.")
        if abs(line.unit_price) >= MOST / 100 or abs(line_amount(line)) >= MOST:
            return "unit_price", _("The amount is too large to be one.")
    return None


LINE_FIELDS: Any = OrderLine._meta
LIMITS: dict[str, int] = {name: LINE_FIELDS.get_field(name).max_length for name in ("sku", "name", "category")}


def _clean_line(line: LineRow, number: int, outcome: Outcome) -> None:
    for name, limit in LIMITS.items():
        value = getattr(line, name)
        if value and (len(value) > limit or not value.isprintable() or value[0] == " " or value[-1] == " "):
            value = clean_text(value)[0]
            if len(value) > limit:
                outcome.warn(Problem(number, name, _("The text was cut to %d characters.") % limit))
            setattr(line, name, value[:limit])


def line_amount(line: LineRow) -> Decimal:
    """What a position costs."""
    return (line.quantity * line.unit_price - line.discount).quantize(CENT, ROUND_HALF_UP)


def total_of(row: OrderRow) -> Decimal | None:
    """The total as told, else what lines, shipping and discount make; None when neither is known."""
    if row.total is not None:
        return row.total
    if not row.lines:
        return None
    extra = (row.shipping_cost or Decimal(0)) - (row.discount or Decimal(0))
    return sum((line_amount(line) for line in row.lines), Decimal(0)) + extra


def placed(one: Incoming) -> datetime:
    """The source's own date of the order; a new order without one is rejected before it comes here."""
    assert one.row.placed_at is not None
    return one.row.placed_at


def status_of(row: OrderRow) -> str:
    """The status as told, else what the dates say."""
    if row.status:
        return row.status
    if row.cancelled_at:
        return Status.CANCELLED
    if row.delivered_at:
        return Status.COMPLETED if row.paid_at else Status.SHIPPED
    return Status.PROCESSING if row.paid_at else Status.OPEN


def cancelled_at(row: OrderRow) -> datetime | None:
    """When it was cancelled; a cancelled order without a date counts from the day it was placed."""
    return row.cancelled_at or (row.placed_at if row.status == Status.CANCELLED else None)


def payload(row: OrderRow) -> dict[str, Any]:
    """The row as JSON, for a held row; `from_payload` reads it again."""
    return json.loads(json.dumps(asdict(row), default=_plain))


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


MOMENTS = ("placed_at", "paid_at", "delivered_at", "cancelled_at")
AMOUNTS = ("total", "shipping_cost", "tax", "discount", "refunded")


def from_payload(data: dict[str, Any]) -> OrderRow:
    """The row of a held payload."""
    given = dict(data)
    for name in MOMENTS:
        given[name] = datetime.fromisoformat(given[name]) if given.get(name) else None
    for name in AMOUNTS:
        given[name] = Decimal(given[name]) if given.get(name) is not None else None
    given["billing"] = SnapshotRow(**given.get("billing", {}))
    given["shipping"] = SnapshotRow(**given.get("shipping", {}))
    given["lines"] = [_line(line) for line in given.get("lines", [])]
    given["tags"] = tuple(given.get("tags", ()))
    return OrderRow(**given)


def _line(data: dict[str, str]) -> LineRow:
    return LineRow(
        data["sku"],
        data["name"],
        data["category"],
        Decimal(data["quantity"]),
        Decimal(data["unit_price"]),
        Decimal(data["discount"]),
    )
