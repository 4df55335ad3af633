"""Magento 2: customers (without their password hashes) and their addresses."""

from django.utils.translation import gettext_lazy as _

from intake.profiles.declaring import CUSTOMERS, Profile

PROFILES = (
    Profile(
        key="magento_customers",
        label=_("Magento 2: customers"),
        kind=CUSTOMERS,
        platform="magento",
        signature=(("email",), ("_website",), ("_store",), ("firstname",), ("lastname",), ("group_id",)),
        fields={
            "email": ("email",),
            "salutation": ("prefix",),
            "first_name": ("firstname",),
            "middle_name": ("middlename",),
            "last_name": ("lastname",),
            "birthday": ("dob",),
            "vat_id": ("taxvat",),
            "registered_at": ("created_at",),
        },
        keys=("email",),
    ),
    Profile(
        key="magento_addresses",
        label=_("Magento 2: customer addresses"),
        kind=CUSTOMERS,
        platform="magento",
        signature=(("_email",), ("_entity_id",), ("street",), ("postcode",), ("country_id",)),
        # `_entity_id` numbers the address, not the customer: people are joined by `_email` alone.
        fields={
            "email": ("_email",),
            "salutation": ("prefix",),
            "first_name": ("firstname",),
            "middle_name": ("middlename",),
            "last_name": ("lastname",),
            "company": ("company",),
            "street": ("street",),
            "postcode": ("postcode",),
            "city": ("city",),
            "country": ("country_id",),
            "phone": ("telephone",),
            "vat_id": ("vat_id",),
            "default_billing": ("_address_default_billing_",),
            "default_shipping": ("_address_default_shipping_",),
        },
        keys=("email",),
    ),
)
