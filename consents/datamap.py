"""What the ledger of consents holds about whom, why and for how long."""

from django.utils.translation import gettext_lazy as _

from consents.models import (
    Acceptance,
    Entry,
    ErasedRecord,
    ErasureProof,
    LegalText,
    LegalTextVersion,
    PendingOptIn,
    Placement,
    Position,
    Purpose,
    PurposeVersion,
    ReceiptMark,
    Record,
    Scan,
    Seal,
    State,
    Unsealed,
)
from customers.periods import start_of
from datamap.declarations import Basis, By, Group, PersonalData, exempt, register

PROOF = _("Proving what the person has agreed to, refused and withdrawn")
NAMELESS = _("Numbers and hashes that stand for ever; whose they were is erased with the record.")

KNOWN_SINCE = ("customer.summary.last_activity", "customer.registered_at", "customer.created_at")

exempt(Purpose, _("What the shop uses data for; names no person."))
exempt(PurposeVersion, _("What the shop used data for then; names no person."))
exempt(LegalText, _("Texts of the shop; names no person."))
exempt(Placement, _("Which text is shown where; names no person."))
exempt(ReceiptMark, _("A number; names no person."))
for model in (Entry, Position, Seal, Unsealed, ErasedRecord, ErasureProof):
    exempt(model, NAMELESS)


@register(LegalTextVersion)
class LegalTextVersionData(PersonalData):
    groups = [
        Group(
            fields=("published_by",),
            subject="published_by",
            person="staff",
            purpose=_("Knowing who published a text"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="STAFF",
            start=None,
            anonymize={"published_by": None},
        )
    ]
    plain = (
        "text", "number", "title_de", "title_en", "body_de", "body_en", "sha256_de", "sha256_en", "valid_from",
        "published_at", "created_at",
    )  # fmt: skip


@register(Record)
class RecordData(PersonalData):
    told = _("proofs of consents")
    groups = [
        Group(
            fields=("purpose", "kind", "channel", "endpoint", "source", "occurred_at", "confirmed", "proof"),
            subject="customer",
            purpose=PROOF,
            basis=(Basis.CONSENT_PROOF, Basis.LEGITIMATE_INTERESTS),
            category="CONSENT",
            # A consent that stands has no last day yet; an erasure that is asked for ends it.
            start="ended_at",
            begun_by_end=True,
            source=_("The person, or whoever took the consent down: the record says which"),
        ),
        Group(
            fields=("used_at", "fresh_from", "pauses"),
            subject="customer",
            purpose=_("Proving a consent to calls for five years from each use (§ 7a UWG)"),
            basis=Basis.LEGAL_OBLIGATION,
            category=By("channel", phone="CONSENT-TEL", default="CONSENT"),
            start=By("channel", phone="used_at", default="ended_at"),
            begun_by_end=True,
            source=_("Made by the portal"),
        ),
    ]
    plain = ("entry", "late", "ended_at", "blocked_at")
    subject_ref = "subject_ref"


@register(State)
class StateData(PersonalData):
    told = ""
    groups = [
        Group(
            fields=("purpose", "channel", "endpoint", "mark", "state", "since", "confirmed", "source", "fresh_until"),
            subject="customer",
            purpose=_("Knowing what is allowed before anything is sent"),
            basis=Basis.CONSENT_PROOF,
            category="PREF",
            start=start_of(),
            source=_("Made from the consent events"),
        )
    ]
    plain = ("late", "entry", "granted", "open")


@register(Scan)
class ScanData(PersonalData):
    groups = [
        Group(
            fields=("name", "file", "content_type", "size"),
            subject="record.customer",
            purpose=PROOF,
            basis=(Basis.CONSENT_PROOF, Basis.LEGITIMATE_INTERESTS),
            category=By("record.channel", phone="CONSENT-TEL", default="CONSENT"),
            start=By("record.channel", phone="record.used_at", default="record.ended_at"),
            source=_("The paper that the person signed"),
        )
    ]
    plain = ("added_at",)
    parent = "record"
    files = ("file",)


@register(Acceptance)
class AcceptanceData(PersonalData):
    told = _("agreements to terms and notices")
    groups = [
        Group(
            fields=("version", "place", "order_number", "demand", "language", "source", "at"),
            subject="customer",
            purpose=_("Proving which text somebody accepted or was shown"),
            basis=(Basis.CONTRACT, Basis.LEGITIMATE_INTERESTS),
            # What belongs to an order is kept as long as claims of it; the rest goes with the person.
            category=By("order_number", {"": "PREF"}, default="ORDER"),
            start=By("order_number", {"": KNOWN_SINCE}, default="at"),
            anonymize={"order_number": ""},
        )
    ]


@register(PendingOptIn)
class PendingOptInData(PersonalData):
    groups = [
        Group(
            fields=(
                "channel",
                "address",
                "asked",
                "texts",
                "page",
                "language",
                "source",
                "evidence",
                "asked_at",
                "confirmed_at",
            ),
            subject="customer",
            purpose=_("Asking the owner of an address whether the person wants what a form asked for"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="DOI-PEND",
            start="asked_at",
            source=_("Whoever sent the form"),
        )
    ]
    plain = ("uuid", "actor", "token_sha256", "message")  # fmt: skip
