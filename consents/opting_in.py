"""The double opt-in: a form asks, a neutral mail goes out, and the person confirms from exactly that address.

What the form answers, what is written and what is sent is the same whether the address is known, suppressed, erased or
new: nobody learns here who is a customer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from consents import ages, storing
from consents.delisting import end_entries
from consents.events import Channel, Event, Kind, Source, Wording
from consents.joining import owner_of
from consents.models import PendingOptIn, Purpose
from consents.models.pending import network_of
from consents.offering import NotOffered, Offer, offers
from consents.opt_in_mail import TEMPLATE, words_of
from consents.passing import read_passed, written_passed
from consents.recording import instant, record_many
from consents.texts import Due, accept, versions_shown
from consents.tokens import fingerprint, opt_in_tokens
from customers import suppression
from customers.confirming import note_confirmed
from customers.models import ContactPoint, Customer, Flag
from customers.reading import clean_text, is_email
from datamap.controlling import controller
from datamap.deadlocks import repeated_after_deadlock
from datamap.workdays import local_date
from mail.models import MessageClass
from mail.sending import queue

__all__ = ["BadAddress", "NotOffered", "Outcome", "TooMany", "ask_opt_in", "confirm", "pending_of"]

WINDOW = timedelta(hours=1)
# So many mails an hour to one address, so many forms an hour from one place on the net.
PER_ADDRESS, PER_NETWORK = 3, 30
LONGEST_AGENT = 200
LOCK = 0x0B44_7011


class BadAddress(ValueError):
    """No e-mail address, or none of the customer it is said to be of."""


class TooMany(Exception):
    """So many forms came from one place that no more are taken for a while."""


class Outcome(Enum):
    """What became of a link that somebody has followed."""

    CONFIRMED = "confirmed"
    BEFORE = "before"
    OVER = "over"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Visitor:
    """Who sent a form, as far as it proves something: address on the net, and browser."""

    ip: str = ""
    agent: str = ""

    @property
    def evidence(self) -> dict[str, str]:
        """What is kept of it, sealed."""
        return {name: value for name, value in (("ip", self.ip), ("agent", self.agent[:LONGEST_AGENT])) if value}


NOBODY = Visitor()


def ask_opt_in(
    address: str,
    purposes: Iterable[str],
    *,
    page: str,
    language: str = "de",
    channel: str = Channel.EMAIL,
    customer: Customer | None = None,
    source: str = Source.WEB_FORM,
    actor: str = "self",
    visitor: Visitor = NOBODY,
    born: date | None = None,
    shown: Mapping[str, str] | None = None,
    passed: Sequence[Due] = (),
    at: datetime | None = None,
) -> None:
    """Ask the owner of this address by a neutral mail to confirm what a form asked for. One transaction; says nothing.

    Nothing is allowed before the link is confirmed. `shown`: purpose -> SHA-256 of the wording that stood in the form,
    where that may have changed meanwhile. `born` is compared with the age from which one may consent and not kept:
    what the person is too young for is dropped, without a trace if that is everything. `passed`: the texts that were
    accepted or shown on the page; they count for the person, as of now, once the link is confirmed. The third mail of
    an hour to one address is the last.

    Raises NotOffered, BadAddress (also where `customer` is given and does not have the address), TooMany.
    """
    address = _read(address, channel)
    now = at or timezone.now()
    offered = offers(language, channel=channel, keys=purposes)
    if not offered or any(shown is not None and shown.get(o.purpose.key) != o.wording.sha256 for o in offered):
        raise NotOffered("The wording is not the one that was shown.")
    evidence: dict[str, Any] = visitor.evidence
    offered, checked = _old_enough(offered, born, now)
    evidence |= checked
    with transaction.atomic():
        _take_turns(address)
        _refuse_too_many(evidence, now)
        known = owner_of(address, customer, lock=False)
        if customer is not None and known != customer:
            raise BadAddress("This is no address of this customer.")
        if offered and not _is_asked_often(address, now):
            pending = PendingOptIn(
                customer=known, channel=channel, address=address, page=page, language=language, source=source,
                actor=actor, evidence=evidence, asked_at=now, asked=[_asked(offer) for offer in offered],
                texts=written_passed(passed),
            )  # fmt: skip
            _send(pending)


def pending_of(token: str, *, lock: bool = False) -> PendingOptIn | None:
    """The opt-in that this link belongs to."""
    rows = PendingOptIn.objects.select_related("message")
    rows = rows.select_for_update(of=("self",)) if lock else rows
    return rows.filter(token_sha256=fingerprint(token)).first()


def state_of(pending: PendingOptIn | None, at: datetime | None = None) -> Outcome | None:
    """What a link is that cannot be confirmed; None where it can."""
    if pending is None:
        return Outcome.UNKNOWN
    if pending.confirmed_at is not None:
        return Outcome.BEFORE
    return Outcome.OVER if pending.is_over(at or timezone.now()) else None


@dataclass(frozen=True)
class Asked:
    """A purpose as somebody asked for it, with the wording that the ledger will name."""

    name: str
    title: str
    body: str


def asked_for(pending: PendingOptIn) -> list[Asked]:
    """What the link agrees to, in full: whoever was asked by the desk reads it there first (Art. 4(11) GDPR).

    The names are in the language of whoever reads, the wordings in that in which they were asked.
    """
    used = {purpose.key: purpose for purpose in _still_used(pending)}
    asked = [one for one in pending.asked if one["purpose"] in used]
    shown = versions_shown(one["sha256"] for one in asked)
    found = []
    for one in asked:
        version, language = shown.get(one["sha256"], (None, ""))
        title, body = (version.title(language), version.body(language)) if version else ("", "")
        found.append(Asked(used[one["purpose"]].name, title, body))
    return found


@repeated_after_deadlock
def confirm(token: str, *, visitor: Visitor = NOBODY, at: datetime | None = None) -> Outcome:
    """The person confirms: ledger, state and suppression list follow in one transaction, once, however often sent.

    The entry of the suppression list for exactly this channel and address ends, and no other. Nobody known by the
    address becomes a prospect; after an erasure that is somebody new.
    """
    pending = pending_of(token, lock=True)
    now = at or timezone.now()
    if (settled := state_of(pending, now)) is not None:
        return settled
    assert pending is not None
    _take_turns(pending.address)
    used = {purpose.key: purpose for purpose in _still_used(pending)}
    if not used:
        return Outcome.OVER
    customer = owner_of(pending.address, pending.customer, make=True, language=pending.language, at=now)
    assert customer is not None
    storing.take_turns(suppression.hashes_of(pending.channel, pending.address), alone=True)
    if Flag.objects.filter(customer=customer, kind=Flag.Kind.MINOR, lifted_at=None).exists():
        # Nothing that was said too young counts by itself one day (domain.md 1.3): a fresh consent is needed then.
        used = {key: purpose for key, purpose in used.items() if not purpose.minimum_age}
    given = record_many([
        Event(
            kind=Kind.GIVEN, customer_id=customer.pk, number=customer.number, purpose=one["purpose"],
            channel=pending.channel, endpoint=pending.address, at=now, source=Source.DOUBLE_OPT_IN, confirmed=True,
            wording=Wording(one["sha256"], one["name"], one["language"]), actor="self", ref=pending.uuid,
            evidence=_evidence(pending, one["purpose"], visitor, now),
        )
        for one in pending.asked if one["purpose"] in used
    ])  # fmt: skip
    if any(purpose.advertising for purpose in used.values()):
        end_entries(pending.channel, pending.address, given)
    note_confirmed(customer, pending.address, now)
    if pending.texts:
        accept(
            customer.pk, read_passed(pending.texts), pending.page, language=pending.language, source=pending.source,
            at=pending.asked_at,
        )  # fmt: skip
    pending.customer, pending.confirmed_at = customer, now
    pending.save(update_fields=["customer", "confirmed_at"])
    return Outcome.CONFIRMED


def forget_pending(ids: list[int]) -> None:
    """Opt-ins that wait for an address of persons who are erased go with them, whoever asked."""
    if not PendingOptIn.objects.exists():
        return
    points = ContactPoint.objects.filter(customer__any_of=ids, kind=ContactPoint.Kind.EMAIL)
    PendingOptIn.objects.filter(address_index__in=points.values("whole_index")).delete()


def _read(address: str, channel: str) -> str:
    if channel != Channel.EMAIL:
        raise NotOffered("Only an e-mail address can be confirmed by a link.")
    text, _lost = clean_text(address)
    if not is_email(text) or len(text) > 320 or suppression.key_of(channel, text) is None:
        raise BadAddress("This is no e-mail address.")
    return text


def _old_enough(offered: list[Offer], born: date | None, now: datetime) -> tuple[list[Offer], dict[str, Any]]:
    """What the person may consent to alone, and the result of the check (§ 20 TDDDG: not the date).

    The limit is that of each purpose: of one that knows no age nothing was checked.
    """
    who = controller()
    if born is None:
        return offered, {}
    today = local_date(now)
    fit = [offer for offer in offered if ages.is_old_enough(offer.purpose, who.jurisdiction, born, today)]
    limits = {offer.purpose.key: ages.limit_of(offer.purpose, who.jurisdiction) for offer in fit}
    checked = {key: limit for key, limit in limits.items() if limit is not None}
    return fit, {"age_check": {"limits": checked, "jurisdiction": who.jurisdiction}} if checked else {}


def _take_turns(address: str) -> None:
    """Two forms about one address are taken one after the other."""
    index: Any = PendingOptIn._meta.get_field("address_index")
    key = int.from_bytes(index.blind(address)[:4], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, key])


def _refuse_too_many(evidence: Mapping[str, Any], now: datetime) -> None:
    if network_of(evidence) is None:
        return
    recent = PendingOptIn.objects.filter(network_index=evidence, asked_at__gt=now - WINDOW)
    if recent.count() >= PER_NETWORK:
        raise TooMany


def _is_asked_often(address: str, now: datetime) -> bool:
    recent = PendingOptIn.objects.filter(address_index=address, asked_at__gt=now - WINDOW)
    return recent.count() >= PER_ADDRESS


def _asked(offer: Offer) -> dict[str, str]:
    wording = offer.wording
    return {
        "purpose": offer.purpose.key,
        "sha256": wording.sha256,
        "name": wording.name,
        "language": wording.language,
    }


def _send(pending: PendingOptIn) -> None:
    pending.token_sha256 = fingerprint(opt_in_tokens(pending.uuid)[0])
    words = words_of(pending)
    pending.evidence |= {"mail": {"subject": words.subject, "text": words.body}}
    pending.save()
    pending.message = queue(
        TEMPLATE, address=pending.address, message_class=MessageClass.NOTICE, context={"opt_in": pending.pk},
        language=pending.language, key=f"opt-in-{pending.uuid.hex}",
    )  # fmt: skip
    pending.save(update_fields=["message"])


def _still_used(pending: PendingOptIn) -> Iterable[Purpose]:
    keys = [one["purpose"] for one in pending.asked]
    return Purpose.objects.filter(key__in=keys, retired_at__isnull=True, channels__contains=[pending.channel])


def _evidence(pending: PendingOptIn, purpose: str, visitor: Visitor, now: datetime) -> dict[str, Any]:
    """All three times, both texts (the form's by its fingerprint in the entry), the link's number, who sent what."""
    kept = dict(pending.evidence)
    sent = pending.message.sent_at if pending.message else None
    found: dict[str, Any] = {
        "form": {"at": instant(pending.asked_at), "page": pending.page, "by": pending.actor, "source": pending.source},
        "mail": kept.pop("mail", {}) | {"at": instant(sent) if sent else None},
        "confirmation": {"at": instant(now)} | visitor.evidence,
        "token": bytes(pending.token_sha256).hex(),
    }
    checked = kept.pop("age_check", {})
    if limit := checked.get("limits", {}).get(purpose):
        found["age_check"] = {"limit": limit, "passed": True, "jurisdiction": checked["jurisdiction"]}
    found["form"] |= kept
    return found
