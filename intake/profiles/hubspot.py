"""HubSpot's contact export."""

from django.utils.translation import gettext_lazy as _

from intake.profiles.declaring import CUSTOMERS, Profile

PROFILES = (
    Profile(
        key="hubspot",
        label=_("HubSpot: contacts"),
        kind=CUSTOMERS,
        platform="hubspot",
        signature=(("Record ID",), ("Email",), ("Lifecycle Stage",), ("Create Date",)),
        fields={
            "external_id": ("Record ID",),
            "first_name": ("First Name",),
            "last_name": ("Last Name",),
            "email": ("Email",),
            "phone": ("Phone Number",),
            "phone2": ("Mobile Phone Number",),
            "company": ("Associated Company", "Company Name"),
            "street": ("Street Address",),
            "city": ("City",),
            "postcode": ("Postal Code",),
            "country": ("Country/Region", "Country"),
            "registered_at": ("Create Date",),
            "last_activity": ("Last Activity Date",),
        },
    ),
)
