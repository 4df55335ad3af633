"""Mailchimp: the audience (opt-ins with their evidence) and the unsubscribed and cleaned lists (suppression only)."""

from django.utils.translation import gettext_lazy as _

from intake.profiles.declaring import CUSTOMERS, SUPPRESSIONS, Profile

# Its labels are the audience's own: those that Mailchimp proposes, in English and in German.
_EMAIL = ("Email Address", "Email", "E-Mail-Adresse", "E-Mail")

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
            "first_name": ("First Name", "FNAME", "Vorname"),
            "last_name": ("Last Name", "LNAME", "Nachname"),
            "company": ("Company", "COMPANY", "Firma", "Unternehmen"),
            "address_line": ("Address", "ADDRESS", "Adresse", "Anschrift"),
            "phone": ("Phone Number", "PHONE", "Telefonnummer", "Telefon"),
            "birthday": ("Birthday", "BIRTHDAY", "Geburtstag"),
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
