"""What the copy of a person's data shows of purchases, and how (schema.org names; money as text with its currency)."""

from __future__ import annotations

from typing import Any

from datamap.packages import ACCESS, Nested, Row, register_file

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


def order(row: Row) -> Row:
    """A purchase as schema.org Order; what is about another person is left out or blackened before it comes here."""
    currency = row.get("currency")
    found: Row = {"@context": "https://schema.org", "@type": "Order"}
    for name, called in (("number", "orderNumber"), ("placed_at", "orderDate")):
        if name in row:
            found[called] = row.pop(name)
    if "status" in row:
        found["orderStatus"] = f"https://schema.org/{STATUS[row.pop('status')]}"
    for name, called in AMOUNTS.items():
        if row.get(name) is not None:
            found[called] = money(row.pop(name), currency)
    for name, called in (("billing", "billingAddress"), ("shipping", "deliveryAddress")):
        if row.get(name):
            found[called] = address(row.pop(name))
    return found


def money(amount: Any, currency: Any) -> Row:
    """An amount as text, so that no machine rounds it."""
    return {"@type": "MonetaryAmount", "value": str(amount), "currency": currency}


def address(snapshot: Any) -> Any:
    """A name and address as an order shows them; the mark where it was blackened."""
    if not isinstance(snapshot, dict):
        return snapshot
    names = {
        "street": "streetAddress", "postcode": "postalCode", "city": "addressLocality", "country": "addressCountry",
        "phone": "telephone",
    }  # fmt: skip
    return {"@type": "PostalAddress", **{names.get(key, key): value for key, value in snapshot.items()}}


def line(row: Row, parent: Row) -> Row:
    """A position as schema.org OrderItem."""
    take = row.pop
    found: Row = {
        "@type": "OrderItem",
        "orderItemNumber": take("position", None),
        "orderQuantity": take("quantity", None),
        "orderedItem": {
            "@type": "Product",
            "sku": take("sku", None) or None,
            "name": take("name", None) or None,
            "category": take("category", None) or None,
        },
    }
    currency = parent.get("currency")
    for name, called in (("unit_price", "price"), ("discount", "discount")):
        amount = take(name, None)
        if amount is not None:
            found[called] = money(amount, currency)
    take("order", None)
    return found


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
    shape=order,
    schema=ORDER_SCHEMA,
    csv="data/orders.csv",
    nested=(Nested("orderedItem", "orders.OrderLine", "order", "data/order_lines.csv", line, LINE_SCHEMA),),
)
register_file("data/derived.json", "orders.CustomerTotal", shape=total, schema=FIGURES_SCHEMA, kinds=(ACCESS,))
