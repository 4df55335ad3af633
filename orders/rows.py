"""The shapes in which orders come in from files, forms and platforms, before anything is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(slots=True)
class SnapshotRow:
    """Name and address as an order shows them; the deviating delivery address is one of its own."""

    name: str = ""
    company: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""


@dataclass(slots=True)
class LineRow:
    """One position; amounts in the order's currency, `discount` is taken off the whole position."""

    sku: str = ""
    name: str = ""
    category: str = ""
    quantity: Decimal = Decimal(1)
    unit_price: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)


@dataclass(slots=True)
class OrderRow:
    """One order as a source describes it; `None` or an empty value is "no news".

    Whose order it is: `guest` says so itself; else `customer_external_id` of the same platform; else `email` of an
    account that came with that platform's customers; else a guest order. `unknown_customer` says what to do with an
    id nobody knows yet: "prospect" makes a customer without a name (CDNOW), "guest" a guest of this order.
    """

    line: int
    external_id: str
    number: str = ""
    customer_external_id: str = ""
    email: str = ""
    guest: bool = False
    unknown_customer: str = "guest"
    status: str = ""  # Order.Status or "" for no news
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None
    currency: str = ""
    total: Decimal | None = None
    shipping_cost: Decimal | None = None
    tax: Decimal | None = None
    discount: Decimal | None = None
    refunded: Decimal | None = None
    billing: SnapshotRow = field(default_factory=SnapshotRow)
    shipping: SnapshotRow = field(default_factory=SnapshotRow)
    lines: list[LineRow] = field(default_factory=list)
    note: str = ""
    tags: tuple[str, ...] = ()
