"""What contacts hold about people, why, and for how long."""

from django.utils.translation import gettext_lazy as _

from datamap.declarations import Basis, By, Group, PersonalData, register
from interactions.models import Attachment, Complaint, ComplaintReview, FollowUp, Interaction

RECORD_CLASSES = {"ticket": "TICKET", "letter": "LETTER", "claim": "CLAIM"}
# A dispute is over when the complaint is settled, not when one of its contacts was closed (domain.md 5, CLAIM).
BEGINS = By(
    "record_class",
    letter="occurred_at",
    claim=("complaint.closed_at", "closed_at", "occurred_at"),
    default=("closed_at", "occurred_at"),
)


def _in_charge(field: str) -> Group:
    """Each member of staff whom a follow-up names is a person of their own."""
    return Group(
        fields=(field,),
        subject=field,
        person="staff",
        purpose=_("Knowing who is in charge"),
        basis=Basis.LEGITIMATE_INTERESTS,
        category="TICKET",
        start=("done_at", "due_on"),
    )


@register(Interaction)
class InteractionData(PersonalData):
    told = _("calls, mails and other contacts")
    groups = [
        Group(
            fields=("content", "outcome", "occurred_at", "order_number"),
            subject="customer",
            purpose=_("Serving the customer and proving what was agreed"),
            basis=(Basis.LEGITIMATE_INTERESTS, Basis.LEGAL_OBLIGATION),
            category=By("record_class", RECORD_CLASSES),
            start=BEGINS,
        ),
        Group(
            fields=("staff",),
            subject="staff",
            person="staff",
            purpose=_("Knowing who spoke with the customer"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category=By("record_class", RECORD_CLASSES),
            start=BEGINS,
        ),
    ]
    plain = (
        "kind",
        "direction",
        "record_class",
        "answered_at",
        "closed_at",
        "complaint",
        "complaint_closed_at",
        "token",
        "origin",
        "version",
        "created_at",
        "blocked_at",
        "batch",
    )
    subject_ref = "subject_ref"
    copies = {"complaint.closed_at": "complaint_closed_at"}


@register(Complaint)
class ComplaintData(PersonalData):
    groups = [
        Group(
            fields=("subject", "resolution", "order_number"),
            subject="customer",
            purpose=_("Settling complaints and defending claims"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="CLAIM",
            # Settled, to the end of the year: an open complaint has no last day yet.
            start="closed_at",
        ),
        Group(
            fields=("owner",),
            subject="owner",
            person="staff",
            purpose=_("Knowing who is in charge"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="CLAIM",
            start="closed_at",
        ),
    ]
    plain = ("state", "opened_at", "answered_at", "closed_at", "review_on", "version", "blocked_at", "batch")
    subject_ref = "subject_ref"


@register(ComplaintReview)
class ComplaintReviewData(PersonalData):
    parent = "complaint"
    groups = [
        Group(
            fields=("at", "reason", "review_on"),
            subject="complaint.customer",
            purpose=_("Settling complaints and defending claims"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="CLAIM",
            start="complaint.closed_at",
        ),
        Group(
            fields=("by",),
            subject="by",
            person="staff",
            purpose=_("Knowing who is in charge"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="CLAIM",
            start="complaint.closed_at",
        ),
    ]


@register(FollowUp)
class FollowUpData(PersonalData):
    groups = [
        Group(
            fields=("step", "due_on"),
            subject="customer",
            purpose=_("Keeping promises made to the customer"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="TICKET",
            start=("done_at", "due_on"),
        ),
        *(_in_charge(field) for field in ("owner", "created_by", "done_by")),
    ]
    plain = ("interaction", "created_at", "done_at")


@register(Attachment)
class AttachmentData(PersonalData):
    groups = [
        Group(
            fields=("name", "file", "content_type", "size"),
            subject="interaction.customer",
            purpose=_("Serving the customer and proving what was agreed"),
            basis=(Basis.LEGITIMATE_INTERESTS, Basis.LEGAL_OBLIGATION),
            category=By("interaction.record_class", RECORD_CLASSES),
            start=By(
                "interaction.record_class",
                letter="interaction.occurred_at",
                claim=("interaction.complaint.closed_at", "interaction.closed_at", "interaction.occurred_at"),
                default=("interaction.closed_at", "interaction.occurred_at"),
            ),
        )
    ]
    plain = ("added_at",)
    parent = "interaction"
    files = ("file",)
