"""What the rights of people themselves hold about whom, why and for how long."""

from django.utils.translation import gettext_lazy as _

from datamap.declarations import Basis, Group, PersonalData, exempt, register
from privacy.models import (
    DeletionLog,
    Erasure,
    ErasureStep,
    FileRemoval,
    Hold,
    Package,
    Policy,
    Redaction,
    Request,
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


@register(Request)
class RequestData(PersonalData):
    groups = [
        Group(
            fields=("ref", "kind", "state", "received_at", "closed_at"),
            subject="customer",
            purpose=ACCOUNTABILITY,
            basis=DUTY,
            category="REQUEST",
            start="closed_at",
        )
    ]
    plain = ("blocked_at",)
    subject_ref = "subject_ref"


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
