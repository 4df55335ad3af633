"""What customers hold about whom, why and for how long."""

from django.utils.translation import gettext_lazy as _

from customers.models import (
    ActivityClaim,
    Address,
    AdvertisingStop,
    ClaimReport,
    ContactPerson,
    ContactPoint,
    Customer,
    CustomerTag,
    ExternalId,
    Flag,
    HeldIntake,
    Note,
    NumberRange,
    OptInClaim,
    Origin,
    PostalMark,
    Preference,
    SearchEntry,
    SearchWord,
    Summary,
    Suppression,
    SuppressionMention,
    Tag,
    Tombstone,
)
from customers.periods import category_of, start_of
from datamap.declarations import Basis, By, Group, PersonalData, exempt, register
from datamap.receivers import Receiver

MASTER = _("Keeping the customer account and answering the customer")
SERVICE = _("Serving the customer as they like it")
CONTRACT = (Basis.CONTRACT, Basis.LEGITIMATE_INTERESTS)
SOURCE = _("Entered by staff, or as its origin says (form, file, shop platform)")


def _staff(*fields: str, start: str) -> Group:
    """Who of the staff did it."""
    return Group(
        fields=fields,
        subject=fields[0],
        person="staff",
        purpose=_("Accountability for what was entered"),
        basis=Basis.LEGITIMATE_INTERESTS,
        category="STAFF",
        start=start,
        source=_("Made by the portal"),
        anonymize=dict.fromkeys(fields),
    )


exempt(Origin, _("Says which file or platform rows came from; names no person."))
exempt(Tag, _("Words the staff sort by; who carries one stands in the tags of a customer."))
exempt(NumberRange, _("The next free customer number."))
exempt(ClaimReport, _("Figures only."))


@register(Customer)
class CustomerData(PersonalData):
    told = _("name and master data")
    groups = [
        Group(
            fields=(
                "number",
                "sort_number",
                "kind",
                "status",
                "salutation",
                "title",
                "first_name",
                "last_name",
                "sort_name",
                "company",
                "vat_id",
                "language",
                "registered_at",
                "deactivated_at",
                "created_at",
            ),
            subject="self",
            purpose=MASTER,
            basis=CONTRACT,
            category=category_of(""),
            start=start_of(""),
            provided=True,
            source=SOURCE,
        ),
        Group(
            fields=("birthday_day", "birthday_month"),
            subject="self",
            purpose=_("Greeting on the birthday; the year is not kept"),
            basis=Basis.CONSENT,
            category="BDAY",
            # The withdrawal stands in no column of this row: whoever keeps consents deletes it then and there. With the
            # account it goes as the row does.
            start=None,
            provided=True,
            source=SOURCE,
            anonymize=dict.fromkeys(("birthday_day", "birthday_month")),
        ),
        Group(
            fields=("restricted_at",),
            subject="self",
            purpose=_("Respecting a restriction (Art. 18 GDPR)"),
            basis=Basis.LEGAL_OBLIGATION,
            category=category_of(""),
            start=start_of(""),
            source=_("Made by the portal"),
        ),
    ]
    plain = ("version", "origin", "batch")
    copies = {"status": "summary.status"}


@register(Address)
class AddressData(PersonalData):
    groups = [
        Group(
            fields=("kind", "recipient", "street", "postcode", "city", "country", "is_default", "created_at"),
            subject="customer",
            purpose=_("Delivery and invoices"),
            basis=CONTRACT,
            category=category_of(),
            start=start_of(),
            provided=True,
            source=SOURCE,
            recipients=(Receiver.PARCEL,),
        )
    ]
    plain = ("origin", "batch")


@register(PostalMark)
class PostalMarkData(PersonalData):
    told = ""
    groups = [
        Group(
            fields=("mark",),
            subject="address.customer",
            purpose=_("Respecting an objection to advertising, also after erasure"),
            basis=(Basis.LEGITIMATE_INTERESTS, Basis.LEGAL_OBLIGATION),
            category=category_of("address.customer."),
            start=start_of("address.customer."),
            source=_("Made by the portal from the master data"),
        )
    ]
    parent = "address"


@register(ContactPoint)
class ContactPointData(PersonalData):
    told = _("e-mail addresses and phone numbers")
    groups = [
        Group(
            fields=("kind", "value", "label", "is_primary", "verified_at", "created_at"),
            subject="customer",
            purpose=_("Reaching the customer"),
            basis=CONTRACT,
            category=category_of(),
            start=start_of(),
            provided=True,
            source=SOURCE,
        )
    ]
    plain = ("origin", "batch")


@register(ContactPerson)
class ContactPersonData(PersonalData):
    groups = [
        Group(
            fields=("salutation", "first_name", "last_name", "position", "email", "phone", "created_at"),
            subject="customer",
            person="contact",
            purpose=_("Reaching the people who speak for a company"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category=category_of(),
            start=start_of(),
            source=_("From the company or from the person"),
        ),
        Group(
            fields=("restricted_at",),
            subject="customer",
            person="contact",
            purpose=_("Respecting a restriction (Art. 18 GDPR)"),
            basis=Basis.LEGAL_OBLIGATION,
            category=category_of(),
            start=start_of(),
            source=_("Made by the portal"),
        ),
    ]
    plain = ("origin", "batch")


@register(ExternalId)
class ExternalIdData(PersonalData):
    told = _("numbers in other systems")
    groups = [
        Group(
            fields=("platform", "value"),
            subject="customer",
            purpose=_("Telling customers of other systems apart"),
            basis=CONTRACT,
            category=category_of(),
            start=start_of(),
            source=_("The other system"),
        )
    ]
    plain = ("origin",)


@register(CustomerTag)
class CustomerTagData(PersonalData):
    told = _("tags")
    groups = [
        Group(
            fields=("tag", "set_at"),
            subject="customer",
            purpose=SERVICE,
            basis=CONTRACT,
            category="PREF",
            start=start_of(),
            source=SOURCE,
        )
    ]
    plain = ("origin",)


@register(Preference)
class PreferenceData(PersonalData):
    groups = [
        Group(
            fields=("kind", "value", "said_by", "said_at"),
            subject="customer",
            purpose=SERVICE,
            basis=CONTRACT,
            category="PREF",
            start=start_of(),
            provided=True,
            # What staff have noted of their own is no part of Art. 20.
            provided_where={"said_by__in": ("customer", "file")},
            source=_("The customer, the staff or an import: the row says which"),
        ),
        _staff("recorded_by", start="said_at"),
    ]
    plain = ("origin",)


@register(Note)
class NoteData(PersonalData):
    groups = [
        Group(
            fields=("text", "created_at"),
            subject="customer",
            purpose=_("Remembering what was said"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="TICKET",
            start="created_at",
            source=SOURCE,
        ),
        _staff("author", start="created_at"),
    ]
    plain = ("origin", "version")


@register(Flag)
class FlagData(PersonalData):
    groups = [
        Group(
            fields=("kind", "reason", "set_at", "review_on", "lifted_at"),
            subject="customer",
            purpose=_("Preventing fraud and protecting minors"),
            basis=(Basis.LEGITIMATE_INTERESTS, Basis.LEGAL_OBLIGATION),
            category=By("kind", fraud="FRAUD", minor="MINOR"),
            start="set_at",
            source=_("Set by staff"),
        ),
        _staff("set_by", start="set_at"),
        _staff("lifted_by", start="lifted_at"),
    ]


@register(HeldIntake)
class HeldIntakeData(PersonalData):
    told = _("entries of imports that wait for a decision")
    groups = [
        Group(
            fields=(
                "kind",
                "reason",
                "payload",
                "fingerprint",
                "line",
                "received_at",
                "decision",
                "decided_at",
            ),
            subject="customer",
            purpose=_("Letting a person decide about news that the rules cannot place"),
            basis=Basis.AS_SOURCE,
            category="EVENT",
            # A row counts as processed when a person has decided it: until then it waits, however long (C3).
            start="decided_at",
            source=_("The file or platform it came from"),
        ),
        _staff("decided_by", start="decided_at"),
    ]
    plain = ("origin",)
    subject_ref = "subject_ref"


@register(OptInClaim)
class OptInClaimData(PersonalData):
    told = _("consents that an import named without proof")
    groups = [
        Group(
            fields=("channel", "state", "evidence", "claimed_at"),
            subject="customer",
            purpose=_("Opt-ins that an import asserts, to be proven or dropped"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="CLAIM-OPTIN",
            start="claimed_at",
            source=_("The file or platform it came from"),
        )
    ]
    plain = ("origin",)


@register(ActivityClaim)
class ActivityClaimData(PersonalData):
    told = ""
    groups = [
        Group(
            fields=("at",),
            subject="customer",
            purpose=_("Overview of the relationship; computed from orders and contacts"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category=category_of(),
            start=start_of(),
            source=_("The file or platform it came from"),
        )
    ]
    plain = ("origin",)


@register(Suppression)
class SuppressionData(PersonalData):
    groups = [
        Group(
            fields=("endpoint", "channel", "scope", "reason", "since", "ended_at", "recorded_at"),
            subject=None,
            person="nobody",
            purpose=_("Respecting an objection to advertising, also after erasure"),
            basis=(Basis.LEGITIMATE_INTERESTS, Basis.LEGAL_OBLIGATION),
            category="SUPPRESS",
            start="since",
            source=SOURCE,
        )
    ]
    plain = ("origin",)


@register(SuppressionMention)
class SuppressionMentionData(PersonalData):
    groups = [
        Group(
            fields=("reason", "since"),
            subject=None,
            person="nobody",
            purpose=_("Respecting an objection to advertising, also after erasure"),
            basis=(Basis.LEGITIMATE_INTERESTS, Basis.LEGAL_OBLIGATION),
            category="SUPPRESS",
            start="since",
            source=SOURCE,
        )
    ]
    plain = ("origin",)
    parent = "entry"


@register(Tombstone)
class TombstoneData(PersonalData):
    groups = [
        Group(
            fields=("mark", "kind", "erased_at"),
            subject=None,
            person="nobody",
            purpose=_("Noticing when an erased person's data come in again"),
            basis=Basis.LEGAL_OBLIGATION,
            category="TOMB",
            start="erased_at",
            source=_("Made by the portal"),
        )
    ]
    plain = ("kept_since",)
    subject_ref = "subject_ref"


@register(Summary)
class SummaryData(PersonalData):
    told = ""
    groups = [
        Group(
            fields=(
                "status",
                "last_activity",
                "last_contact",
                "last_call",
                "withdrawal_end",
                "last_paid_order",
                "orders",
                "revenue",
                "open_complaints",
                "advertising_stopped_at",
                "reachable",
            ),
            subject="customer",
            purpose=_("Overview of the relationship; computed from orders and contacts"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category=category_of(),
            start=start_of(),
            source=_("Made by the portal"),
        )
    ]


@register(AdvertisingStop)
class AdvertisingStopData(PersonalData):
    told = ""
    groups = [
        Group(
            fields=("since", "ended_at"),
            subject="customer",
            purpose=_("Knowing at which times advertising was not allowed"),
            basis=Basis.LEGAL_OBLIGATION,
            category=category_of(),
            start=start_of(),
            source=SOURCE,
        )
    ]


@register(SearchEntry)
class SearchEntryData(PersonalData):
    told = ""
    groups = [
        Group(
            fields=("text", "phonetic", "postcode"),
            subject="customer",
            purpose=_("Finding the customer"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category=category_of(),
            start=start_of(),
            source=_("Made by the portal from the master data"),
        )
    ]


@register(SearchWord)
class SearchWordData(PersonalData):
    groups = [
        Group(
            fields=("word", "entries"),
            subject=None,
            person="nobody",
            purpose=_("Finding the word meant by a misspelt one; a word nobody carries goes the same night"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="EVENT",
            start=None,
            source=_("Made by the portal from the master data"),
        )
    ]
