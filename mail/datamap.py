"""What the outbox, letters and providers' reports hold about people, why, and for how long."""

from django.utils.translation import gettext_lazy as _

from customers.periods import CATEGORIES
from datamap.declarations import Basis, By, Group, PersonalData, register
from datamap.receivers import Receiver
from mail.models import Deliverability, Enclosure, Letter, Message, ProviderEvent

# The row of a letter is transport alone: the letter itself is kept as sent. Of everything else the row is the one
# proof that it was written (domain.md 5, SENDLOG).
SENDING = By(
    "message_class",
    letter="EVENT",
    notice="SENDLOG",
    advertising="SENDLOG",
    feedback="SENDLOG",
    recall="SENDLOG",
)
SENT = ("sent_at", "created_at")
KEPT = {"LETTER": "LETTER", "REQUEST": "REQUEST"}
PROOF = _("Business letters and answers to requests, as proof of what was written")


def _letter(path: str, field: str) -> By:
    """A business letter counts from its sending, an answer from the end of its request."""
    sent = tuple(f"{path}{name}" for name in SENT)
    return By(field, LETTER=sent, REQUEST=(f"{path}closed_at", *sent))


@register(Message)
class MessageData(PersonalData):
    groups = [
        Group(
            fields=(
                "key",
                "recipient",
                "context",
                "message_class",
                "template",
                "language",
                "state",
                "reason",
                "reply_code",
                "bounce",
                "provider_id",
                "created_at",
                "attempted_at",
                "sent_at",
                "delivered_at",
            ),
            subject="customer",
            purpose=_("Sending each mail once, and proving that it was sent"),
            basis=(Basis.CONTRACT, Basis.LEGITIMATE_INTERESTS),
            category=SENDING,
            start=SENT,
            # EVENT counts from when a row was processed, and what became of a letter in doubt only a person can say. It
            # stays no longer than the letter it carried.
            unsettled={"state": "unknown", "message_class": "letter", "letter__isnull": False},
            source=_("Made by the portal"),
            recipients=(Receiver.MAIL_PROVIDER,),
            handed_over="sent_at",
            # What stays are figures of a mailing.
            anonymize={
                "customer": None,
                "key": None,
                "recipient": None,
                "context": {},
                "provider_id": "",
                "reply_code": "",
            },
        ),
        Group(
            fields=("decided_by",),
            subject="decided_by",
            person="staff",
            purpose=_("Accountability for what was decided"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="STAFF",
            start="decided_at",
            source=_("Made by the portal"),
            anonymize={"decided_by": None},
        ),
    ]
    plain = (
        "uuid",
        "message_id",
        "attempts",
        "queued_at",
        "next_attempt_at",
        "lease",
        "lease_until",
        "decided_at",
    )


@register(Letter)
class LetterData(PersonalData):
    groups = [
        Group(
            fields=("key", "recipient_lines", "subject", "body", "html", "created_at", "sent_at", "closed_at"),
            subject="customer",
            purpose=PROOF,
            basis=(Basis.LEGAL_OBLIGATION, Basis.LEGITIMATE_INTERESTS),
            category=By("kept_as", KEPT),
            start=_letter("", "kept_as"),
            source=_("Made by the portal"),
            recipients=(Receiver.MAIL_PROVIDER,),
        )
    ]
    plain = ("message", "kept_as", "sender", "blocked_at")
    subject_ref = "subject_ref"


@register(Enclosure)
class EnclosureData(PersonalData):
    groups = [
        Group(
            fields=("name", "content_type", "size", "file"),
            subject="letter.customer",
            purpose=PROOF,
            basis=(Basis.LEGAL_OBLIGATION, Basis.LEGITIMATE_INTERESTS),
            category=By("letter.kept_as", KEPT),
            start=_letter("letter.", "letter.kept_as"),
            source=_("Made by the portal"),
        )
    ]
    parent = "letter"
    files = ("file",)


@register(ProviderEvent)
class ProviderEventData(PersonalData):
    groups = [
        Group(
            fields=("raw", "kind", "occurred_at", "received_at", "processed_at"),
            subject="customer",
            purpose=_("Knowing whether mails arrive"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="EVENT",
            start=("processed_at", "received_at"),
            source=_("The mail provider"),
        )
    ]
    plain = ("provider", "message", "fault")


@register(Deliverability)
class DeliverabilityData(PersonalData):
    groups = [
        Group(
            fields=("soft_bounces", "hard_bounced_at", "complained_at", "changed_at"),
            subject="contact_point.customer",
            purpose=_("Knowing whether mails arrive"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category=By("contact_point.customer.status", CATEGORIES),
            start="changed_at",
            source=_("The mail provider"),
        )
    ]
    parent = "contact_point"
