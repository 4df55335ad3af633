"""Holds, recipients, breaches and papers: whose they are, why they are here and for how long."""

from django.utils.translation import gettext_lazy as _

from datamap.declarations import Basis, Group, Number, PersonalData, exempt, register
from privacy.datamap.grouping import DUTY, staff_of
from privacy.models import (
    Breach,
    BreachEntry,
    BreachRule,
    Disclosure,
    Hold,
    HoldReview,
    Notice,
    PaperVersion,
    Policy,
    Recipient,
)  # fmt: skip

TOLD_WHOM = _("Answers about who received data, and telling them of changes (Art. 15(1)(c), 19 GDPR)")
REGISTER = _("Register of breaches (Art. 33(5) GDPR)")

exempt(Policy, _("How the shop proceeds; names nobody."))


@register(Hold)
class HoldData(PersonalData):
    groups = [
        Group(
            fields=(
                "kind", "order_number", "first_year", "last_year", "categories", "reason", "review_on", "set_at",
                "released_at",
            ),
            subject="customer",
            purpose=_("Keeping what a running matter needs (Art. 17(3) GDPR, AO § 147(3))"),
            basis=DUTY,
            category="CLAIM",
            start="released_at",
        ),
        *staff_of("owner", "set_by", "released_by", category="CLAIM", start="released_at"),
    ]  # fmt: skip
    plain = ("blocked_at",)
    subject_ref = "subject_ref"


@register(HoldReview)
class HoldReviewData(PersonalData):
    parent = "hold"
    groups = [
        Group(
            fields=("at", "reason", "review_on"),
            subject="hold.customer",
            purpose=_("Keeping what a running matter needs (Art. 17(3) GDPR, AO § 147(3))"),
            basis=DUTY,
            category="CLAIM",
            start="hold.released_at",
        ),
        *staff_of("by", category="CLAIM", start="hold.released_at"),
    ]  # fmt: skip


@register(Recipient)
class RecipientData(PersonalData):
    groups = [
        Group(
            fields=("name", "email", "contact"),
            subject=None,
            person="third",
            purpose=TOLD_WHOM,
            basis=Basis.LEGAL_OBLIGATION,
            category="DISCLOSE",
            start="until",
            source=_("The recipient"),
        )
    ]
    plain = (
        "kind",
        "role",
        "language",
        "country",
        "safeguard",
        "purposes",
        "data",
        "contract",
        "since",
        "until",
        "version",
    )


@register(Disclosure)
class DisclosureData(PersonalData):
    groups = [
        Group(
            fields=("recipient", "at", "data", "purpose", "basis", "country", "safeguard", "origin", "note"),
            subject="customer",
            purpose=TOLD_WHOM,
            basis=Basis.LEGAL_OBLIGATION,
            category="DISCLOSE",
            start="blocked_at",
            source=_("Made by the portal"),
            note=_("Kept under a pseudonym once the data are erased."),
        ),
        *staff_of("noted_by", category="DISCLOSE", start="blocked_at"),
    ]  # fmt: skip
    plain = ("noted_at", "blocked_at")
    subject_ref = "subject_ref"


@register(Notice)
class NoticeData(PersonalData):
    groups = [
        Group(
            fields=(
                "recipient", "kind", "details", "state", "attempts", "queued_at", "sent_at", "settled_at", "reason",
            ),
            subject="customer",
            purpose=TOLD_WHOM,
            basis=Basis.LEGAL_OBLIGATION,
            category="REQUEST",
            start="settled_at",
            source=_("Made by the portal"),
            note=_("What tells the recipient whom it is about goes once the recipient knows."),
        ),
        *staff_of("settled_by", category="REQUEST", start="settled_at"),
    ]  # fmt: skip
    plain = ("mail_key", "request", "erasure", "blocked_at")
    subject_ref = "subject_ref"


@register(Breach)
class BreachData(PersonalData):
    groups = [
        Group(
            fields=("title", "facts", "effects", "measures", "reasons", "late_reasons", "persons_told"),
            subject=None,
            person="third",
            purpose=REGISTER,
            basis=Basis.LEGAL_OBLIGATION,
            category="BREACH",
            start="closed_at",
            note=_("Names of persons concerned do not belong here."),
        ),
        *staff_of("noted_by", category="BREACH", start="closed_at"),
    ]  # fmt: skip
    plain = (
        "aware_at", "happened_at", "persons", "persons_count", "data", "records_count", "risk", "decision",
        "decided_at", "notified_at", "persons_told_at", "closed_at", "noted_at", "version",
    )  # fmt: skip


@register(BreachEntry)
class BreachEntryData(PersonalData):
    parent = "breach"
    groups = [
        Group(
            fields=("text",),
            subject=None,
            person="third",
            purpose=REGISTER,
            basis=Basis.LEGAL_OBLIGATION,
            category="BREACH",
            start="breach.closed_at",
        ),
        *staff_of("by", category="BREACH", start="breach.closed_at"),
    ]  # fmt: skip
    plain = ("at", "told_authority_at")


@register(PaperVersion)
class PaperVersionData(PersonalData):
    groups = [
        Group(
            fields=("content",),
            subject=None,
            person="staff",
            purpose=_("Proof of what the shop had laid down (Art. 5(2), 30 GDPR)"),
            basis=Basis.LEGAL_OBLIGATION,
            category="STAFF",
            start=None,
            note=_("Names the privacy officer of that day."),
        ),
        Group(
            fields=("by",),
            subject="by",
            person="staff",
            purpose=_("Accountability for what was decided"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="STAFF",
            start=None,
            source=_("Made by the portal"),
            anonymize={"by": None},
        ),
    ]
    plain = ("kind", "sha256", "made_at")


@register(BreachRule)
class BreachRuleData(PersonalData):
    groups = [
        Group(
            fields=("created_by",),
            subject=Number("created_by", of="pk"),
            person="staff",
            purpose=_("Accountability for the rules for breaches"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="STAFF",
            start=None,
            anonymize={"created_by": None},
        ),
    ]
    plain = ("version", "valid_from", "hours", "told_from", "statute", "reason", "created_at")
