"""What the copy of a person's data shows of purchases, and how (schema.org names; money as text with its currency)."""

from __future__ import annotations

from typing import Any

from datamap.packages import ACCESS, Layout, Nested, Row, Told, Where, register_file

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


def status(state: str) -> str:
    """The state of a purchase as schema.org names it."""
    return state and f"https://schema.org/{STATUS[state]}"


def money(amount: str, currency: str) -> Where:
    """A column as an amount of money: text, so that no machine rounds it, with the currency of another column."""
    shared = Told(currency, always=True, again=True)
    return Where(amount, {"@type": "MonetaryAmount", "value": Told(amount), "currency": shared})


def or_null(text: str) -> str | None:
    """What is empty was never told."""
    return text or None


def address(snapshot: Any) -> Any:
    """A name and address as an order shows them; the mark where it was blackened, None where nothing was told."""
    if not snapshot or not isinstance(snapshot, dict):
        return snapshot or None
    names = {
        "street": "streetAddress", "postcode": "postalCode", "city": "addressLocality", "country": "addressCountry",
        "phone": "telephone",
    }  # fmt: skip
    return {"@type": "PostalAddress", **{names.get(key, key): value for key, value in snapshot.items()}}


# What is about another person is left out or blackened before it comes here.
ORDER: Layout = {
    "@context": "https://schema.org",
    "@type": "Order",
    "orderNumber": Told("number"),
    "orderDate": Told("placed_at"),
    "orderStatus": Told("status", status),
    **{called: money(name, "currency") for name, called in AMOUNTS.items()},
    "billingAddress": Told("billing", address),
    "deliveryAddress": Told("shipping", address),
}
LINE: Layout = {
    "@type": "OrderItem",
    "orderItemNumber": Told("position", always=True),
    "orderQuantity": Told("quantity", always=True),
    "orderedItem": {
        "@type": "Product",
        **{key: Told(key, or_null, always=True) for key in ("sku", "name", "category")},
    },
    **{called: money(name, "order.currency") for name, called in LINE_AMOUNTS.items()},
}


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
    layout=ORDER,
    schema=ORDER_SCHEMA,
    csv="data/orders.csv",
    newest="placed_at",
    nested=(
        Nested(
            "orderedItem",
            "orders.OrderLine",
            "order",
            "data/order_lines.csv",
            layout=LINE,
            inherits=("currency",),
            schema=LINE_SCHEMA,
        ),
    ),
)
register_file("data/derived.json", "orders.CustomerTotal", shape=total, schema=FIGURES_SCHEMA, kinds=(ACCESS,))
