"""Shopify's customer export (2019 to 2026) and order export (one row for each line item)."""

from django.utils.translation import gettext_lazy as _

from intake.profiles.declaring import CUSTOMERS, ORDERS, Profile

CUSTOMERS_PROFILE = Profile(
    key="shopify_customers",
    label=_("Shopify: customers"),
    kind=CUSTOMERS,
    platform="shopify",
    signature=(
        ("First Name",),
        ("Last Name",),
        ("Email",),
        ("Accepts Email Marketing", "Accepts Marketing"),
        ("Total Spent",),
        ("Tax Exempt",),
    ),
    fields={
        "external_id": ("Customer ID",),
        "first_name": ("First Name",),
        "last_name": ("Last Name",),
        "email": ("Email",),
        "company": ("Default Address Company", "Company"),
        "street": ("Default Address Address1", "Address1"),
        "street2": ("Default Address Address2", "Address2"),
        "city": ("Default Address City", "City"),
        "country": ("Default Address Country Code", "Country Code", "Country"),
        "postcode": ("Default Address Zip", "Zip"),
        "phone": ("Phone",),
        "phone2": ("Default Address Phone",),
        "note": ("Note",),
        "tags": ("Tags",),
        "newsletter": ("Accepts Email Marketing", "Accepts Marketing"),
        "sms": ("Accepts SMS Marketing",),
        "whatsapp": ("Accepts WhatsApp Marketing",),
    },
    opt_ins={"email": "newsletter", "sms": "sms", "whatsapp": "whatsapp"},
    apostrophes=True,
)

_SIDES = {
    f"{side}_{target}": tuple(f"{title} {column}" for column in columns)
    for side, title in (("billing", "Billing"), ("shipping", "Shipping"))
    for target, columns in {
        "full_name": ("Name",),
        "company": ("Company",),
        "street": ("Street", "Address1"),
        "postcode": ("Zip",),
        "city": ("City",),
        "country": ("Country",),
        "phone": ("Phone",),
    }.items()
}

ORDERS_PROFILE = Profile(
    key="shopify_orders",
    label=_("Shopify: orders"),
    kind=ORDERS,
    platform="shopify",
    signature=(
        ("Name",),
        ("Email",),
        ("Financial Status",),
        ("Created at",),
        ("Lineitem quantity",),
        ("Lineitem name",),
        ("Lineitem price",),
    ),
    fields={
        # `Name` is the order number here, `Id` the key; old exports have no `Id`.
        "external_id": ("Id", "Name"),
        "group": ("Name",),
        "number": ("Name",),
        "email": ("Email",),
        "financial": ("Financial Status",),
        "fulfillment": ("Fulfillment Status",),
        "placed_at": ("Created at",),
        "paid_at": ("Paid at",),
        "cancelled_at": ("Cancelled at",),
        "currency": ("Currency",),
        "total": ("Total",),
        "shipping_cost": ("Shipping",),
        "tax": ("Taxes",),
        "order_discount": ("Discount Amount",),
        "refunded": ("Refunded Amount",),
        "note": ("Notes",),
        "tags": ("Tags",),
        "phone": ("Phone",),
        "line_quantity": ("Lineitem quantity",),
        "line_name": ("Lineitem name",),
        "line_unit_price": ("Lineitem price",),
        "line_sku": ("Lineitem sku",),
        "line_discount": ("Lineitem discount",),
        **_SIDES,
    },
    keys=("external_id",),
    apostrophes=True,
    grouped=True,
    statuses={"fulfilled": "shipped", "paid": "processing", "refunded": "returned", "voided": "cancelled"},
)

PROFILES = (CUSTOMERS_PROFILE, ORDERS_PROFILE)
