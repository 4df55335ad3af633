"""Erasures, retention runs and the log of what was deleted: whose they are, why they are here and for how long."""

from django.utils.translation import gettext_lazy as _

from datamap.declarations import Basis, Group, PersonalData, exempt, register
from privacy.datamap.grouping import DUTY, staff_of
from privacy.models import DeletionLog, Erasure, ErasureStep, FileRemoval, RetentionBatch, RetentionRun

exempt(FileRemoval, _("Random names of files that are about to go."))


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
            source=_("Made by the portal"),
        ),
        *staff_of("requested_by", "approved_by", "cancelled_by", category="DELLOG", start="finished_at"),
    ]  # fmt: skip
    plain = ("request", "contact_person", "suppress", "lease", "lease_until")
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
            source=_("Made by the portal"),
        )
    ]


@register(RetentionRun)
class RetentionRunData(PersonalData):
    groups = staff_of("approved_by", category="DELLOG", start="finished_at")
    plain = ("as_of", "only", "warns_first", "state", "guard", "approved_at", "started_at", "finished_at")


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
