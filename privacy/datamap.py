"""What the rights of people themselves hold about whom, why and for how long."""

from django.utils.translation import gettext_lazy as _

from datamap.declarations import Basis, Group, PersonalData, exempt, register
from privacy.models import (
    Breach,
    BreachEntry,
    DeletionLog,
    Disclosure,
    Erasure,
    ErasureStep,
    FileRemoval,
    Hold,
    HoldReview,
    IdentityCopy,
    Notice,
    Package,
    PaperVersion,
    Policy,
    Recipient,
    Rectification,
    Redaction,
    Request,
    RequestEvent,
    RequestLetter,
    Restriction,
    RetentionBatch,
    RetentionRun,
)

ACCOUNTABILITY = _("Proving that a request was answered and how")
DUTY = (Basis.LEGAL_OBLIGATION, Basis.LEGITIMATE_INTERESTS)

exempt(Policy, _("How the shop proceeds; names nobody."))
exempt(FileRemoval, _("Random names of files that are about to go."))


def _staff(*fields: str, category: str, start: str) -> list[Group]:
    """Each member of staff whom a row names is a person of their own."""
    return [
        Group(
            fields=(field,),
            subject=field,
            person="staff",
            purpose=_("Accountability for what was decided"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category=category,
            start=start,
            source=_("Made by the portal"),
            anonymize={field: None},
        )
        for field in fields
    ]


# --- The requests desk: requests with all that hangs on them, restrictions --------------------------------------
_ASKED = "request.customer"
_CLOSED = "request.closed_at"


def _of_request(*fields: str) -> Group:
    """What hangs on a request and is kept as long as it."""
    return Group(
        fields=fields, subject=_ASKED, purpose=ACCOUNTABILITY, basis=DUTY, category="REQUEST", start=_CLOSED
    )  # fmt: skip


@register(Request)
class RequestData(PersonalData):
    groups = [
        Group(
            fields=(
                "ref", "kind", "objects_to", "state", "received_at", "closed_at", "channel", "language", "text",
                "person_name", "person_email", "person_phone", "person_address", "identity_method", "identity_doubt",
                "identity_asked_at", "identity_proven_at", "extension_announced_on", "extension_reasons", "decision",
                "answered_at", "refusal_ground", "refusal_reason", "refusal_evidence",
            ),
            subject="customer",
            purpose=ACCOUNTABILITY,
            basis=DUTY,
            category="REQUEST",
            start="closed_at",
        ),
        *_staff("owner", "refusal_proposed_by", "refusal_approved_by", category="REQUEST", start="closed_at"),
    ]  # fmt: skip
    plain = ("blocked_at", "due_on", "clock_stopped", "duplicate_of", "token", "version")
    subject_ref = "subject_ref"


@register(RequestEvent)
class RequestEventData(PersonalData):
    parent = "request"
    groups = [
        _of_request("kind", "before", "after", "reason", "at"),
        *_staff("actor", category="REQUEST", start=_CLOSED),
    ]


@register(IdentityCopy)
class IdentityCopyData(PersonalData):
    parent = "request"
    files = ("file",)
    groups = [
        Group(
            fields=("name", "content_type", "size", "file", "received_at", "checked_at"),
            subject=_ASKED,
            purpose=_("Knowing that the person is the one concerned (Art. 12(6) GDPR)"),
            basis=Basis.LEGAL_OBLIGATION,
            category="IDDOC",
            # The desk removes it with the check; whatever it left goes the night after, at the latest with the request.
            start=("checked_at", "request.identity_proven_at", "request.closed_at"),
        )
    ]


@register(RequestLetter)
class RequestLetterData(PersonalData):
    parent = "request"
    groups = [
        _of_request("kind", "way", "language", "recipient", "address", "subject", "body", "written_at"),
        *_staff("written_by", category="REQUEST", start=_CLOSED),
    ]


@register(Rectification)
class RectificationData(PersonalData):
    parent = "request"
    groups = [
        _of_request("field", "before", "after", "evidence", "state", "reason", "staged_at", "decided_at"),
        *_staff("staged_by", "decided_by", category="REQUEST", start=_CLOSED),
    ]


@register(Restriction)
class RestrictionData(PersonalData):
    groups = [
        Group(
            fields=("ref", "case", "parts", "reason", "since", "decision", "notice_sent_at", "lifted_at"),
            subject="customer",
            purpose=_("Keeping restricted data out of use and proving it (Art. 18 GDPR)"),
            basis=Basis.LEGAL_OBLIGATION,
            category="REQUEST",
            start="lifted_at",
        ),
        *_staff("set_by", "lifted_by", category="REQUEST", start="lifted_at"),
    ]
    plain = ("request", "blocked_at", "version")
    subject_ref = "subject_ref"


# --- End of the requests desk ---------------------------------------------------------------------------------


@register(Erasure)
class ErasureData(PersonalData):
    groups = [
        Group(
            fields=(
                "receipt",
                "state",
                "as_of",
                "run_after",
                "needles",
                "items",
                "holds",
                "hints",
                "created_at",
                "started_at",
                "finished_at",
            ),
            subject="customer",
            purpose=_("Proof of erasure: counts and reasons, no content"),
            basis=DUTY,
            category="DELLOG",
            start="finished_at",
        ),
        *_staff("requested_by", "approved_by", category="DELLOG", start="finished_at"),
    ]  # fmt: skip
    plain = ("request", "lease", "lease_until")
    subject_ref = "subject_ref"


@register(ErasureStep)
class ErasureStepData(PersonalData):
    parent = "erasure"
    groups = [
        Group(
            fields=("key", "state", "count", "error", "attempts", "at"),
            subject="erasure.customer",
            purpose=_("Proof of erasure: counts and reasons, no content"),
            basis=DUTY,
            category="DELLOG",
            start="erasure.finished_at",
        )
    ]


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
        *_staff("owner", "set_by", "released_by", category="CLAIM", start="released_at"),
    ]  # fmt: skip
    plain = ("blocked_at",)
    subject_ref = "subject_ref"


@register(RetentionRun)
class RetentionRunData(PersonalData):
    groups = _staff("approved_by", category="DELLOG", start="finished_at")
    plain = ("as_of", "only", "state", "guard", "approved_at", "started_at", "finished_at")


@register(RetentionBatch)
class RetentionBatchData(PersonalData):
    parent = "run"
    groups = [
        Group(
            fields=("ids",),
            subject=None,
            person="nobody",
            purpose=_("Splitting a retention run among workers"),
            basis=Basis.LEGAL_OBLIGATION,
            category="DELLOG",
            start="run.finished_at",
            note=_("Keys of rows that are gone afterwards."),
        )
    ]
    plain = ("category", "model", "state", "attempts", "error", "lease_until", "done_at")


@register(DeletionLog)
class DeletionLogData(PersonalData):
    groups = [
        Group(
            fields=("ids",),
            subject=None,
            person="nobody",
            purpose=_("Proof that data were deleted in time (Art. 5(2) GDPR)"),
            basis=Basis.LEGAL_OBLIGATION,
            category="DELLOG",
            start="at",
        )
    ]
    plain = ("run", "erasure", "at", "rule_key", "rule_version", "model", "action", "count")


# Accountability: recipients, disclosures, notices, breaches, papers.
TOLD_WHOM = _("Answers about who received data, and telling them of changes (Art. 15(1)(c), 19 GDPR)")
REGISTER = _("Register of breaches (Art. 33(5) GDPR)")


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
        *_staff("by", category="CLAIM", start="hold.released_at"),
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
        *_staff("noted_by", category="DISCLOSE", start="blocked_at"),
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
        *_staff("settled_by", category="REQUEST", start="settled_at"),
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
        *_staff("noted_by", category="BREACH", start="closed_at"),
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
        *_staff("by", category="BREACH", start="breach.closed_at"),
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


@register(Package)
class PackageData(PersonalData):
    groups = [
        Group(
            fields=(
                "uuid", "kind", "state", "file", "bytes", "files", "rows", "asked_at", "built_at", "released_at",
                "provided_at", "expires_at", "token_hash",
            ),
            subject="customer",
            purpose=_("Handing a person the copy of their data (Art. 15(3), 20 GDPR)"),
            basis=Basis.LEGAL_OBLIGATION,
            category="DSARPKG",
            # One that nobody fetches goes as well.
            start=("provided_at", "built_at", "asked_at"),
            source=_("Made by the portal"),
        ),
        *_staff("asked_by", "released_by", category="DSARPKG", start="asked_at"),
    ]  # fmt: skip
    plain = ("request", "failure", "lease", "lease_until", "attempts")
    subject_ref = "subject_ref"
    files = ("file",)


@register(Redaction)
class RedactionData(PersonalData):
    parent = "package"
    groups = [
        Group(
            fields=("model", "row", "field", "place", "begins", "ends", "why", "digest", "decision", "decided_at"),
            subject="package.customer",
            purpose=_("Keeping data of others out of a copy (Art. 15(4) GDPR)"),
            basis=Basis.LEGAL_OBLIGATION,
            category="DSARPKG",
            start=("package.provided_at", "package.built_at", "package.asked_at"),
            source=_("Made by the portal"),
            note=_("Places in rows, never their words."),
        ),
        *_staff("decided_by", category="DSARPKG", start="package.asked_at"),
    ]
