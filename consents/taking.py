"""Takes down at the desk what a customer said on the phone, on paper or in the store, with its evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext as _

from consents.delisting import end_entries, spoken_since
from consents.events import CLOSING, WITH_ENDPOINT, Channel, Event, Kind, Source, Wording
from consents.models import Entry, Purpose, Scan, State
from consents.panel import needs_confirmation
from consents.recording import record
from consents.withdrawing import end_states, is_post, suppress_boxes
from customers.models import Customer, Flag
from datamap.deadlocks import repeated_after_deadlock
from staff.models import User

SIGNED = (Source.PAPER, Source.IN_STORE)
SOURCES = (Source.PHONE_CALL, Source.PAPER, Source.IN_STORE)


class NotTaken(ValueError):
    """What was said cannot stand as it is; says why, in the reader's language."""


@dataclass(frozen=True)
class Said:
    """What a customer said. at: when; None is just now, everything else is told later than it happened.

    signed: the person has signed it since a no, for exactly this; then it is confirmed, and ends that no.
    """

    purpose: Purpose
    channel: str
    agrees: bool
    source: str
    endpoint: str = ""
    at: datetime | None = None
    wording: Wording | None = None
    note: str = ""
    token: UUID | None = None
    scans: list[UploadedFile] = field(default_factory=list)
    signed: bool = False


@repeated_after_deadlock
def take_down(customer: Customer, said: Said, *, by: User) -> str:
    """Enter it into the ledger, all or nothing; answers the kind of the event, "" where it stands there already.

    Who says yes on the phone to mails that need a double opt-in has asked for them: the yes is the confirmation. Raises
    NotTaken for a yes without its wording or evidence, of somebody too young or whose data are restricted;
    customers.Customer.DoesNotExist for somebody who is gone.
    """
    # The second of two clicks waits here, and then finds what the first one wrote.
    locked = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if said.token and Entry.objects.filter(ref_id=_reference(customer, said, by)).exists():
        return ""
    standing = _standing(customer, said)
    if not said.agrees and standing is not None and (_stands_already(said, standing) or _ends(said, standing)):
        return _end(standing, said, by)
    if said.agrees:
        _refuse_unfounded(locked, said)
    confirmed = said.agrees and said.signed
    if confirmed:
        _refuse_unsigned(locked, said, standing)
    kind = _kind(said, standing)
    entry = record(
        Event(
            kind=kind,
            customer_id=customer.pk,
            number=customer.number,
            purpose=said.purpose.key,
            channel=said.channel,
            endpoint=said.endpoint if said.channel in WITH_ENDPOINT else "",
            at=said.at,
            late=said.at is not None,
            confirmed=confirmed,
            source=said.source,
            wording=said.wording,
            actor=actor_of(by),
            ref=_reference(customer, said, by) if said.token else None,
            evidence=_evidence(said),
        )
    )
    _keep(entry, said)
    if confirmed and said.channel in WITH_ENDPOINT:
        end_entries(said.channel, said.endpoint, [entry])
    if not said.agrees and is_post(said.purpose, said.channel):
        suppress_boxes([customer.pk], said.at or timezone.now())
    return kind


@repeated_after_deadlock
def end_consent(customer: Customer, purpose: Purpose, channel: str, endpoint: str, *, by: User) -> bool:
    """End one consent at once, or note the objection where none was needed; False where that stands already."""
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    said = Said(purpose, channel, False, Source.DESK, endpoint)
    return take_down(customer, said, by=by) != ""


def actor_of(user: User) -> str:
    """How the ledger names a member of the staff."""
    return f"staff:{user.pk}"


def _standing(customer: Customer, said: Said) -> State | None:
    states = State.objects.filter(customer=customer, purpose=said.purpose, channel=said.channel)
    if said.channel in WITH_ENDPOINT:
        states = states.filter(endpoint_index=said.endpoint)
    return states.select_related("purpose", "customer").first()


def _stands_already(said: Said, standing: State) -> bool:
    """Whether a no says nothing new; of one of before the no that stands the ledger learns when it began."""
    return standing.state in CLOSING and (said.at is None or said.at >= standing.since)


def _ends(said: Said, standing: State) -> bool:
    """Whether a no ends the yes that stands; one that is told later ends no yes that was given after it."""
    return standing.granted and (said.at is None or said.at >= standing.since)


def _end(standing: State, said: Said, by: User) -> str:
    if standing.state in CLOSING:
        return ""
    end_states([standing], source=said.source, actor=actor_of(by), at=said.at, evidence=_evidence(said))
    standing.refresh_from_db(fields=["entry"])
    _keep(standing.entry_id, said)
    return Kind.WITHDRAWN


def _kind(said: Said, standing: State | None) -> str:
    if not said.agrees:
        return Kind.REFUSED
    if needs_confirmation(said.purpose, said.channel) and not said.scans:
        return Kind.REQUESTED
    given = standing is not None and standing.state in (Kind.GIVEN, Kind.RENEWED)
    return Kind.RENEWED if given else Kind.GIVEN


def _refuse_unfounded(customer: Customer, said: Said) -> None:
    """Art. 7(1) GDPR: the shop proves each yes, and what the person was told."""
    if customer.restricted_at is not None:
        raise NotTaken(_("The data are restricted (Art. 18 GDPR): nothing new is begun with them."))
    if customer.deactivated_at is not None:
        raise NotTaken(_("The customer is deactivated."))
    if said.wording is None or not said.wording.sha256:
        raise NotTaken(_("Say which published wording the person heard or read."))
    if said.source == Source.PAPER and not said.scans:
        raise NotTaken(_("A consent on paper needs its scan."))
    if not said.note and not said.scans:
        raise NotTaken(_("Note what the person said: it is the evidence."))
    minors = Flag.objects.filter(customer=customer, kind=Flag.Kind.MINOR, lifted_at__isnull=True)
    if said.purpose.minimum_age and minors.exists():
        raise NotTaken(_("The person is too young: a consent would not be valid (Art. 8 GDPR)."))


def _refuse_unsigned(customer: Customer, said: Said, standing: State | None) -> None:
    """A no ends by what the person has signed since, and the shop has to show it (Art. 7(1) GDPR, § 7a UWG)."""
    if said.channel == Channel.EMAIL:
        raise NotTaken(_("An e-mail address comes back only when the person confirms it from there."))
    if said.source not in SIGNED or not said.scans:
        raise NotTaken(_("What ends an earlier no is signed, on paper or in the store, and needs its scan."))
    at = said.at or timezone.now()
    closed = standing is not None and standing.state in CLOSING and standing.since >= at
    if closed or spoken_since(customer, said.channel, said.endpoint, at):
        raise NotTaken(_("The person has said no since then: what was signed before does not end it."))


def _evidence(said: Said) -> dict[str, Any]:
    found: dict[str, Any] = {"note": said.note} if said.note else {}
    if said.scans:
        found["scans"] = [_hash(scan) for scan in said.scans]
    return found


def _hash(scan: UploadedFile) -> str:
    digest = sha256()
    for chunk in scan.chunks():
        digest.update(chunk)
    scan.seek(0)
    return digest.hexdigest()


def _keep(entry: int, said: Said) -> None:
    for scan in said.scans:
        Scan.objects.create(
            record_id=entry,
            name=scan.name or "",
            # Said by the browser: as long as it likes.
            content_type=(scan.content_type or "application/octet-stream")[:100],
            size=scan.size or 0,
            file=scan,
        )


def _reference(customer: Customer, said: Said, by: User) -> UUID:
    """The form's token bound to what was typed into it, for whom and by whom."""
    assert said.token is not None
    typed = (
        said.purpose.key, said.channel, said.endpoint, said.agrees, said.source, str(said.at), said.note,
        said.wording.sha256 if said.wording else "", [(scan.name, scan.size) for scan in said.scans],
    )  # fmt: skip
    return uuid5(said.token, repr((customer.pk, by.pk, typed)))
