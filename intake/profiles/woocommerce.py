"""WooCommerce: the analytics export of customers (headers follow the site's language) and Advanced Order Export."""

from django.utils.translation import gettext_lazy as _

from intake.profiles.declaring import CUSTOMERS, ORDERS, Profile

_EMAIL = ("Email", "E-Mail", "E-Mail-Adresse")
_SIGN_UP = ("Sign Up", "Registrierung", "Registriert", "Registrieren", "Anmeldung", "Angemeldet", "Anmelden")
_LAST_ACTIVE = ("Last Active", "Zuletzt aktiv", "Letzte Aktivität")
_TOTAL = ("Total Spend", "Gesamtausgaben", "Ausgaben gesamt")

CUSTOMERS_PROFILE = Profile(
    key="woocommerce_customers",
    label=_("WooCommerce: customers"),
    kind=CUSTOMERS,
    platform="woocommerce",
    signature=(("Name",), _EMAIL, _LAST_ACTIVE, _SIGN_UP, _TOTAL),
    fields={
        "full_name": ("Name",),
        "username": ("Username", "Benutzername", "Nutzername"),
        "email": _EMAIL,
        "last_activity": _LAST_ACTIVE,
        "registered_at": _SIGN_UP,
        "country": ("Country / Region", "Land / Region", "Land/Region", "Country", "Land"),
        "city": ("City", "Stadt", "Ort"),
        "postcode": ("Postal Code", "Postleitzahl", "PLZ"),
        "phone": ("Billing Phone", "Rechnungstelefon", "Telefon (Rechnung)"),
        "phone2": ("Shipping Phone", "Liefertelefon", "Telefon (Lieferung)"),
    },
    keys=("email",),
)

_SIDES = {
    f"{side}_{target}": (f"{column} ({title})",)
    for side, title in (("billing", "Billing"), ("shipping", "Shipping"))
    for target, column in {
        "first_name": "First Name",
        "last_name": "Last Name",
        "company": "Company",
        "street": "Address 1&2",
        "postcode": "Postcode",
        "city": "City",
        "country": "Country Code",
        "email": "Email",
        "phone": "Phone",
    }.items()
}

ORDERS_PROFILE = Profile(
    key="woocommerce_orders",
    label=_("WooCommerce: orders (Advanced Order Export)"),
    kind=ORDERS,
    platform="woocommerce",
    signature=(
        ("Order Number", "Order ID"),
        ("Order Status",),
        ("Order Date",),
        ("Email (Billing)",),
        ("Order Total Amount",),
    ),
    fields={
        "external_id": ("Order ID", "Order Number"),
        "group": ("Order ID", "Order Number"),
        "number": ("Order Number", "Order ID"),
        "customer_external_id": ("Customer User ID", "Customer ID", "User ID"),
        "email": ("Email (Billing)",),
        "status": ("Order Status",),
        "placed_at": ("Order Date",),
        "paid_at": ("Paid Date",),
        "delivered_at": (),
        "currency": ("Order Currency", "Currency"),
        "total": ("Order Total Amount",),
        "shipping_cost": ("Order Shipping Amount",),
        "tax": ("Order Total Tax Amount", "Order Tax Amount"),
        "order_discount": ("Cart Discount Amount",),
        "refunded": ("Order Refund Amount",),
        "note": ("Customer Note",),
        "line_item": ("Item #",),
        "line_sku": ("SKU",),
        "line_name": ("Name", "Item Name"),
        "line_quantity": ("Quantity",),
        "line_unit_price": ("Item Cost",),
        "line_total": ("Order Line Total",),
        **_SIDES,
    },
    keys=("external_id",),
    grouped=True,
    statuses={
        "completed": "completed", "processing": "processing", "on-hold": "open", "on hold": "open", "pending": "open",
        "pending payment": "open", "cancelled": "cancelled", "failed": "cancelled", "refunded": "returned",
        "abgeschlossen": "completed", "fertiggestellt": "completed", "in bearbeitung": "processing",
        "in wartestellung": "open", "zahlung ausstehend": "open", "storniert": "cancelled",
        "fehlgeschlagen": "cancelled", "erstattet": "returned", "rückerstattet": "returned",
    },
)  # fmt: skip

PROFILES = (CUSTOMERS_PROFILE, ORDERS_PROFILE)
