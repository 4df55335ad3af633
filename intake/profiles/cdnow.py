"""The CDNOW transaction file: customer, date, items and amount of one purchase in each row, no key of its own."""

from django.utils.translation import gettext_lazy as _

from intake.profiles.declaring import ORDERS, Profile

PROFILES = (
    Profile(
        key="cdnow",
        label=_("CDNOW: purchases"),
        kind=ORDERS,
        platform="cdnow",
        signature=(
            ("customer_id",),
            ("date", "order_date"),
            ("number_of_cds", "items"),
            ("dollar_value", "amount"),
        ),
        fields={
            "customer_external_id": ("customer_id",),
            "placed_at": ("date", "order_date"),
            "items": ("number_of_cds", "items"),
            "total": ("dollar_value", "amount"),
        },
        keys=("customer_external_id",),
        currency="USD",
        unknown_customer="prospect",
    ),
)
