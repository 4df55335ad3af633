"""What the copy of a person's data shows of purchases, and how (schema.org names; money as text with its currency)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from datamap.packages import ACCESS, Columns, Nested, Row, put, register_file

TEXT = {"type": ["string", "null"]}
MONEY = {
    "type": "object",
    "properties": {
        "@type": {"const": "MonetaryAmount"},
        "value": {"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$"},
        "currency": TEXT,
    },
    "required": ["value", "currency"],
    "additionalProperties": False,
}
ADDITIONAL = {"type": "object", "title": "columns of the portal that have no name in schema.org"}
STATUS = {
    "open": "OrderPaymentDue",
    "processing": "OrderProcessing",
    "shipped": "OrderInTransit",
    "completed": "OrderDelivered",
    "cancelled": "OrderCancelled",
    "returned": "OrderReturned",
}
AMOUNTS = {
    "total": "totalPaymentDue",
    "shipping_cost": "shippingCosts",
    "discount": "discount",
    "tax": "includedTax",
    "refunded": "refunded",
}
LINE_AMOUNTS = {"unit_price": "price", "discount": "discount"}


def orders(columns: Columns) -> list[Row]:
    """Purchases as schema.org Order; what is about another person is left out or blackened before it comes here."""
    nothing = [None] * len(columns["id"])
    currencies = columns.get("currency", nothing)
    found: list[Row] = [{"@context": "https://schema.org", "@type": "Order"} for _one in nothing]
    for name, called in (("number", "orderNumber"), ("placed_at", "orderDate")):
        put(found, called, columns.pop(name, nothing))
    states = columns.pop("status", nothing)
    put(found, "orderStatus", [state and f"https://schema.org/{STATUS[state]}" for state in states])
    for name, called in AMOUNTS.items():
        put(found, called, money(columns.pop(name, nothing), currencies))
    for name, called in (("billing", "billingAddress"), ("shipping", "deliveryAddress")):
        # One snapshot may stand in many orders.
        snapshots = columns.pop(name, nothing)
        once = {id(snapshot): address(snapshot) for snapshot in snapshots if snapshot}
        put(found, called, [once.get(id(snapshot)) for snapshot in snapshots])
    return found


def money(amounts: Iterable[Any], currencies: Iterable[Any]) -> list[Row | None]:
    """Amounts as text, so that no machine rounds them; None stays None."""
    return [
        None if amount is None else {"@type": "MonetaryAmount", "value": str(amount), "currency": currency}
        for amount, currency in zip(amounts, currencies, strict=True)
    ]


def address(snapshot: Any) -> Any:
    """A name and address as an order shows them; the mark where it was blackened."""
    if not isinstance(snapshot, dict):
        return snapshot
    names = {
        "street": "streetAddress", "postcode": "postalCode", "city": "addressLocality", "country": "addressCountry",
        "phone": "telephone",
    }  # fmt: skip
    return {"@type": "PostalAddress", **{names.get(key, key): value for key, value in snapshot.items()}}


def lines(columns: Columns) -> list[Row]:
    """Positions as schema.org OrderItem; their currency is that of the order, see `in_currency`."""
    nothing = [None] * len(columns["id"])
    columns.pop("order", None)
    position, quantity, sku, name, category = (
        columns.pop(column, nothing) for column in ("position", "quantity", "sku", "name", "category")
    )
    found: list[Row] = [
        {
            "@type": "OrderItem",
            "orderItemNumber": place,
            "orderQuantity": count,
            "orderedItem": {"@type": "Product", "sku": key or None, "name": called or None, "category": kind or None},
        }
        for place, count, key, called, kind in zip(position, quantity, sku, name, category, strict=True)
    ]
    for column, called in LINE_AMOUNTS.items():
        put(found, called, money(columns.pop(column, nothing), nothing))
    return found


def in_currency(items: list[Row], currency: Any) -> None:
    """Tell the currency of an order to its positions."""
    for item in items:
        for called in LINE_AMOUNTS.values():
            if called in item:
                item[called]["currency"] = currency


def total(row: Row) -> Row:
    """What the person bought in one currency, as the portal added it up."""
    return {"kind": "total", **{name: row.pop(name) for name in [*row] if name != "id"}}


ORDER_SCHEMA = {
    "type": "object",
    "required": ["@type"],
    "properties": {
        "@context": {"const": "https://schema.org"},
        "@type": {"const": "Order"},
        "orderNumber": TEXT,
        "orderDate": TEXT | {"format": "date-time"},
        "orderStatus": TEXT,
        **dict.fromkeys(AMOUNTS.values(), MONEY),
        "billingAddress": {"type": ["object", "string"]},
        "deliveryAddress": {"type": ["object", "string"]},
        "additional": ADDITIONAL,
    },
    "additionalProperties": False,
}
LINE_SCHEMA = {
    "type": "object",
    "required": ["@type", "orderedItem"],
    "properties": {
        "@type": {"const": "OrderItem"},
        "orderItemNumber": {"type": ["integer", "null"]},
        "orderQuantity": TEXT,
        "orderedItem": {
            "type": "object",
            "properties": {"@type": {"const": "Product"}, "sku": TEXT, "name": TEXT, "category": TEXT},
        },
        "price": MONEY,
        "discount": MONEY,
        "additional": ADDITIONAL,
    },
    "additionalProperties": False,
}
FIGURES_SCHEMA = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}

register_file(
    "data/orders.json",
    "orders.Order",
    many=orders,
    schema=ORDER_SCHEMA,
    csv="data/orders.csv",
    nested=(
        Nested(
            "orderedItem",
            "orders.OrderLine",
            "order",
            "data/order_lines.csv",
            many=lines,
            heir=("currency", in_currency),
            schema=LINE_SCHEMA,
        ),
    ),
)
register_file("data/derived.json", "orders.CustomerTotal", shape=total, schema=FIGURES_SCHEMA, kinds=(ACCESS,))
