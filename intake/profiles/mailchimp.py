"""Mailchimp: the audience (opt-ins with their evidence) and the unsubscribed and cleaned lists (suppression only)."""

from django.utils.translation import gettext_lazy as _

from intake.profiles.declaring import CUSTOMERS, SUPPRESSIONS, Profile

_EMAIL = ("Email Address", "Email")

PROFILES = (
    Profile(
        key="mailchimp",
        label=_("Mailchimp: audience"),
        kind=CUSTOMERS,
        platform="mailchimp",
        signature=(_EMAIL, ("MEMBER_RATING",), ("OPTIN_TIME",), ("LEID",), ("LAST_CHANGED",)),
        fields={
            "external_id": ("LEID",),
            "email": _EMAIL,
            "first_name": ("First Name", "FNAME"),
            "last_name": ("Last Name", "LNAME"),
            "company": ("Company", "COMPANY"),
            "address_line": ("Address", "ADDRESS"),
            "phone": ("Phone Number", "PHONE"),
            "birthday": ("Birthday", "BIRTHDAY"),
            "note": ("NOTES",),
            "tags": ("TAGS",),
        },
        evidence=("OPTIN_TIME", "OPTIN_IP", "CONFIRM_TIME", "CONFIRM_IP"),
        # The file lists whom Mailchimp holds to be subscribed.
        asserts_opt_in="email",
    ),
    Profile(
        key="mailchimp_unsubscribed",
        label=_("Mailchimp: unsubscribed or cleaned"),
        kind=SUPPRESSIONS,
        platform="mailchimp",
        signature=(_EMAIL, ("MEMBER_RATING",), ("UNSUB_TIME", "CLEAN_TIME"), ("LEID",)),
        fields={"email": _EMAIL, "since": ("UNSUB_TIME",), "cleaned_at": ("CLEAN_TIME",)},
        keys=("email",),
    ),
)
