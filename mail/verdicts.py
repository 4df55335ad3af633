"""How bad it is that a mail did not arrive: each provider's own word goes before the one name anymail has for all.

Brevo's, Postmark's, Amazon's, MailerSend's and Mandrill's soft bounces come as `bounced` like the hard ones
(integrations.md 3); who takes one for a hard one never writes to that person again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from anymail.signals import EventType, RejectReason

from mail.models import Message

Bounce = Message.Bounce
# Words for a bounce that may pass, and for one that lasts, wherever a provider puts them.
_PASSING = frozenset(
    {"soft_bounce", "soft_bounced", "SoftBounce", "Transient", "Undetermined", "DnsError", "Temporary", "temporary"}
)
_LASTING = frozenset({"hard_bounce", "hard_bounced", "HardBounce", "Permanent", "HardFail"})
# SparkPost's classes of refusals that may pass: soft, DNS, full mailbox, too large, timeout, filters, deferred.
_PASSING_CLASSES = frozenset({"20", "21", "22", "23", "24", "40", "50", "51", "52", "53", "54", "70", "100"})
# 5.7.x is a policy of the receiver and 5.2.2 a full mailbox (RFC 3463): neither says that the mailbox is gone.
_POLICY = re.compile(r"\b5\.(?:7\.\d{1,3}|2\.2)\b")
# Mailgun did not even try: its own list names the address, for a word of the person.
_ON_ITS_LIST = frozenset({"suppress-unsubscribe", "suppress-complaint"})


def kind_of(kind: str, own: Any) -> str:
    """What a report is about; anymail does not know every word of a provider for a yes or a no of the person."""
    if not isinstance(own, dict):
        return kind
    feedback = {
        _part(own, "complaint").get("complaintFeedbackType"),  # Amazon SES
        _part(own, "msys", "message_event").get("fbtype"),  # SparkPost
    }
    if kind == EventType.COMPLAINED and "not-spam" in feedback:
        return EventType.UNKNOWN  # taken out of the folder of spam (RFC 6430): the contrary of a complaint
    # Brevo's word for transactional mails, and the list that Amazon keeps.
    leaves = own.get("event") == "unsubscribed" or (
        _part(own, "subscription", "newTopicPreferences").get("unsubscribeAll") is True
    )
    return EventType.UNSUBSCRIBED if kind == EventType.UNKNOWN and leaves else kind


def is_listed(raw: Mapping[str, Any]) -> bool:
    """Whether the provider sent nothing because its own list has the address as unsubscribed or complaining."""
    return (
        raw["reject_reason"] == RejectReason.UNSUBSCRIBED
        or _part(_own(raw), "event-data").get("reason") in _ON_ITS_LIST
    )


def bounce_of(kind: str, raw: Mapping[str, Any]) -> str:
    """How bad it is that a mail did not arrive; none where it is no such report."""
    reject, own = raw["reject_reason"], _own(raw)
    if kind == EventType.COMPLAINED:
        return Bounce.COMPLAINT
    if kind == EventType.DEFERRED:
        return Bounce.SOFT
    if kind == EventType.FAILED and _part(own, "payload").get("status") == "HardFail":  # Postal
        return Bounce.SOFT if _POLICY.search(str(own["payload"].get("output"))) else Bounce.HARD
    if kind not in (EventType.BOUNCED, EventType.REJECTED) or is_listed(raw):
        return Bounce.NONE
    if (
        str(_part(own, "msys", "message_event").get("bounce_class", "")) in _PASSING_CLASSES
        or reject == RejectReason.SPAM
    ):
        return Bounce.SOFT  # a filter of the receiver is no word of the person
    words = _words(own)
    if not words.isdisjoint(_PASSING):
        return Bounce.SOFT
    if not words.isdisjoint(_LASTING) or own.get("event") == own.get("type") == "bounce":
        return Bounce.HARD
    if reject in (RejectReason.BOUNCED, RejectReason.INVALID):
        return Bounce.HARD
    return Bounce.SOFT if kind == EventType.BOUNCED else Bounce.NONE


def _own(raw: Mapping[str, Any]) -> dict[str, Any]:
    return raw["event"] if isinstance(raw["event"], dict) else {}


def _words(own: Mapping[str, Any]) -> set[str]:
    """Where the providers say how bad it is: Brevo and Mandrill, Postmark, MailerSend, Amazon SES, Resend."""
    said = (
        own.get("event"), own.get("Type"), _part(own, "data").get("type"), _part(own, "bounce").get("bounceType"),
        _part(own, "data", "bounce").get("type"),
    )  # fmt: skip
    return {word for word in said if isinstance(word, str)}


def _part(own: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """What lies deeper; nothing where it is not there."""
    found: Any = own
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
