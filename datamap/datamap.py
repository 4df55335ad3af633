"""Declares the ground floor's own tables, the vault's below it, and Django's list of models."""

from django.utils.translation import gettext_lazy as _

from datamap.accesslog import pages_in_words
from datamap.declarations import Basis, Group, Number, PersonalData, exempt, register, register_store
from datamap.models import AccessLog, Controller, JournalMark, Quarantine, RetentionRule
from datamap.packages import ACCESS, register_file, register_reading

exempt("vault.KeyRecord", _("Fingerprints of keys, no persons."))
exempt("vault.Rotation", _("Progress of a change of keys, no persons."))
exempt("contenttypes.ContentType", _("Names of tables, no persons."))
exempt(JournalMark, _("Numbers of journal entries, no persons."))

register_store(
    "datamap.journal",
    _("Journal of erasures, objections and restrictions"),
    _("Erasures and objections hold again after a backup was restored"),
    Basis.LEGAL_OBLIGATION,
    "BACKUP",
    person="nobody",
    note=_("Row numbers and keyed fingerprints only; dropped when no backup can be older."),
)


@register(AccessLog)
class AccessLogData(PersonalData):
    told = _("log of who opened the data")
    groups = [
        Group(
            fields=("customer_number", "page", "purpose", "at"),
            subject=Number("customer_number"),
            purpose=_("Security of personal data and answers about who read them"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="ACCESSLOG",
            start="at",
            source=_("Made by the portal"),
            anonymize={"customer_number": "", "purpose": ""},
        ),
        Group(
            fields=("user_id",),
            subject=Number("user_id", of="pk"),
            person="staff",
            purpose=_("Security of personal data and answers about who read them"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="ACCESSLOG",
            start="at",
            source=_("Made by the portal"),
            anonymize={"user_id": None},
        ),
    ]


register_file("", "datamap.AccessLog", csv="meta/access_log.csv", kinds=(ACCESS,))
register_reading("datamap.AccessLog", "page", pages_in_words)


@register(Controller)
class ControllerData(PersonalData):
    groups = [
        Group(
            fields=("officer_name", "officer_email", "officer_phone"),
            subject=None,
            person="staff",
            purpose=_("Name of the contact for privacy matters (Art. 13(1)(b), 37(7))"),
            basis=Basis.LEGAL_OBLIGATION,
            category="STAFF",
            start=None,
            note=_("As long as the person holds the office."),
        ),
    ]
    plain = (
        "name",
        "street",
        "postcode",
        "city",
        "country",
        "email",
        "phone",
        "vat_id",
        "tax_number",
        "seat",
        "land",
        "zone",
        "jurisdiction",
        "supervised_financial",
        "regional_holidays",
        "execution_margin_days",
        "authority_name",
        "authority_contact",
    )


@register(RetentionRule)
class RetentionRuleData(PersonalData):
    groups = [
        Group(
            fields=("created_by",),
            subject=Number("created_by", of="pk"),
            person="staff",
            purpose=_("Accountability for the rules of retention"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="STAFF",
            start=None,
            anonymize={"created_by": None},
        ),
    ]
    plain = (
        "key",
        "version",
        "variant",
        "category",
        "purpose",
        "basis",
        "start_event",
        "start_label",
        "number",
        "unit",
        "year_end",
        "lives_as",
        "cap_months",
        "action",
        "on_request",
        "statute",
        "transition",
        "transition_statute",
        "valid_from",
        "policy",
        "jurisdiction",
        "owner",
        "review_on",
        "note",
        "reason",
        "created_at",
    )


@register(Quarantine)
class QuarantineData(PersonalData):
    groups = [
        Group(
            fields=("first_release_by",),
            subject=Number("first_release_by", of="pk"),
            person="staff",
            purpose=_("Accountability for work on a restored database"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="STAFF",
            start=None,
            anonymize={"first_release_by": None},
        ),
        Group(
            fields=("second_release_by",),
            subject=Number("second_release_by", of="pk"),
            person="staff",
            purpose=_("Accountability for work on a restored database"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="STAFF",
            start=None,
            anonymize={"second_release_by": None},
        ),
    ]
    plain = ("reason", "began_at", "first_release_at", "ended_at", "ended_how", "replayed")
