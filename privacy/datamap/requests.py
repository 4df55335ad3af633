"""Requests with all that hangs on them, and restrictions: whose they are, why they are here and for how long."""

from django.utils.translation import gettext_lazy as _

from datamap.declarations import Basis, Group, PersonalData, register
from privacy.datamap.grouping import ACCOUNTABILITY, DUTY, staff_of
from privacy.models import (
    IdentityCopy,
    PublishedData,
    Rectification,
    Request,
    RequestEvent,
    RequestLetter,
    Restriction,
)

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
                "identity_asked_at", "identity_proven_at", "clarification_asked_at", "clarified_at",
                "extension_announced_on", "extension_reasons", "decision",
                "answered_at", "refusal_ground", "refusal_reason", "refusal_evidence",
            ),
            subject="customer",
            purpose=ACCOUNTABILITY,
            basis=DUTY,
            category="REQUEST",
            start="closed_at",
        ),
        *staff_of("owner", "refusal_proposed_by", "refusal_approved_by", category="REQUEST", start="closed_at"),
    ]  # fmt: skip
    plain = ("blocked_at", "due_on", "clock_stopped", "duplicate_of", "contact_person", "token", "version")
    subject_ref = "subject_ref"
    apart = "contact_person"


@register(RequestEvent)
class RequestEventData(PersonalData):
    parent = "request"
    groups = [
        _of_request("kind", "before", "after", "reason", "at"),
        *staff_of("actor", category="REQUEST", start=_CLOSED),
    ]


@register(IdentityCopy)
class IdentityCopyData(PersonalData):
    parent = "request"
    files = ("file",)
    groups = [
        Group(
            fields=("name", "content_type", "size", "file", "received_at"),
            subject=_ASKED,
            purpose=_("Knowing that the person is the one concerned (Art. 12(6) GDPR)"),
            basis=Basis.LEGAL_OBLIGATION,
            category="IDDOC",
            # The check ends the copy: settling identity removes it, and so does a refusal and the end of the case.
            # Whatever that left goes the night after.
            start=("request.identity_proven_at", "request.closed_at"),
        )
    ]


@register(RequestLetter)
class RequestLetterData(PersonalData):
    parent = "request"
    groups = [
        _of_request(
            "kind",
            "way",
            "language",
            "recipient",
            "address",
            "subject",
            "body",
            "written_at",
            "came_back_at",
            "settled_at",
        ),
        *staff_of("written_by", category="REQUEST", start=_CLOSED),
    ]


@register(Rectification)
class RectificationData(PersonalData):
    parent = "request"
    groups = [
        _of_request("field", "before", "after", "evidence", "state", "reason", "staged_at", "decided_at"),
        *staff_of("staged_by", "decided_by", category="REQUEST", start=_CLOSED),
    ]


@register(PublishedData)
class PublishedDataData(PersonalData):
    parent = "request"
    groups = [
        _of_request("what", "steps", "state", "noted_at", "settled_at"),
        *staff_of("noted_by", category="REQUEST", start=_CLOSED),
    ]


@register(Restriction)
class RestrictionData(PersonalData):
    groups = [
        Group(
            fields=("ref", "case", "parts", "reason", "since", "review_on", "decision", "notice_sent_at", "lifted_at"),
            subject="customer",
            purpose=_("Keeping restricted data out of use and proving it (Art. 18 GDPR)"),
            basis=Basis.LEGAL_OBLIGATION,
            category="REQUEST",
            start="lifted_at",
            begun_by_end=True,
        ),
        *staff_of("set_by", "lifted_by", category="REQUEST", start="lifted_at"),
    ]
    plain = ("request", "contact_person", "blocked_at", "version")
    subject_ref = "subject_ref"
    apart = "contact_person"
