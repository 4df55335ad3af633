"""The time machine: what the answer was at any moment of the past, and everything that proves it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from consents import checkpoints, notes
from consents.ages import ages_as_typed
from consents.deciding import Decision, events_until, may, version_then
from consents.events import WITH_ENDPOINT, Channel
from consents.evidence import ACTORS, told
from consents.models import LegalTextVersion, Position, Purpose, PurposeVersion, Record, Seal, State
from consents.notes import Checkpoint
from consents.panel import Endpoint, endpoints_of, kind_of
from consents.recording import instant
from consents.texts import versions_shown
from customers.models import Customer
from customers.past_contacts import had_contact
from datamap.controlling import legal_zone
from staff.models import User

CLOCK = "SHORT_DATETIME_FORMAT"
ON_FILE = {
    True: gettext_lazy("on the customer's file at that moment"),
    False: gettext_lazy("not on the customer's file at that moment"),
    None: gettext_lazy("not asked: the history does not reach back to that moment"),
}
"""What the history of contact points says about the address or number."""
_SEALS = """
SELECT n, s.number FROM unnest(%s::bigint[]) AS n
JOIN LATERAL (SELECT number FROM consents_seal WHERE last >= n ORDER BY last LIMIT 1) s ON true
"""


@dataclass(frozen=True)
class Choice:
    """One address or number that can be asked about; `key` says which without naming it."""

    key: str
    channel: str
    value: str

    @property
    def label(self) -> str:
        """The channel in words, with the endpoint where there is one."""
        words = str(Channel(self.channel).label)
        return f"{words}: {self.value}" if self.value else words


@dataclass(frozen=True)
class Proof:
    """One event of the ledger, with the wording as it was and the seal that holds it."""

    record: Record
    by: str
    wording: LegalTextVersion | None
    language: str
    salt: str
    payload: dict[str, Any]
    number: int | None
    seal: Seal | None

    @property
    def evidence(self) -> list[tuple[str, str]]:
        """What was sealed as evidence, each with its name."""
        return list(told(self.payload.get("evidence", {})))

    @property
    def title(self) -> str:
        """The title of the wording in the language in which it was shown."""
        return self.wording.title(self.language) if self.wording else ""

    @property
    def body(self) -> str:
        """The wording, word for word."""
        return self.wording.body(self.language) if self.wording else ""


@dataclass(frozen=True)
class Answer:
    """The answer for one moment with its proof."""

    customer: Customer
    purpose: Purpose
    # The purpose as it was then.
    version: PurposeVersion
    channel: str
    endpoint: str
    at: datetime
    decision: Decision
    events: list[Proof]
    checkpoint: Checkpoint | None
    asked_at: datetime
    # Whether the address or number was the customer's then; None where the history does not tell.
    on_file: bool | None = None

    @property
    def on_file_words(self) -> Any:
        """The same in words; nothing on a channel without addresses."""
        return ON_FILE[self.on_file] if self.endpoint else ""

    @property
    def channel_label(self) -> Any:
        """The channel in words."""
        return Channel(self.channel).label

    @property
    def use(self) -> str:
        """Purpose and channel in words."""
        return self.purpose.on(self.channel)

    @property
    def zone_name(self) -> str:
        """What the shop's clocks were called at that moment: CEST or CET tell the two hours of one name apart."""
        return f"{localtime(self.at, legal_zone()):%Z}"

    @property
    def version_known(self) -> bool:
        """Whether that version is known to have been the one that held."""
        return self.version.valid_from <= self.at

    @property
    def version_words(self) -> str:
        """The purpose as it was, in words."""
        version = self.version
        day = localtime(version.valid_from, legal_zone())
        said = [_("version %(number)d of %(day)s") % {"number": version.number, "day": date_format(day, CLOCK)}]
        if not self.version_known:
            said.append(_("what held before is not on record"))
        said.append(str(version.get_basis_display()))
        if version.existing_customers:
            said.append(_("allowed to existing customers"))
        if version.minimum_age:
            said.append(_("minimum age %s") % ages_as_typed(version.minimum_age))
        if version.stale_months:
            said.append(ngettext("stale after %d month", "stale after %d months", version.stale_months)
                        % version.stale_months)  # fmt: skip
        if version.retired_at:
            out_of_use = localtime(version.retired_at, legal_zone())
            said.append(_("no longer used since %s") % date_format(out_of_use, CLOCK))
        return " · ".join(said)


def choices_of(customer: Customer) -> list[Choice]:
    """Every channel with the endpoints that the customer has, or once consented for."""
    endpoints = endpoints_of(customer)
    known = {one.index for one in endpoints}
    for state in State.objects.filter(customer=customer, endpoint_index__isnull=False).order_by("pk"):
        index = bytes(state.endpoint_index or b"")
        if index not in known:
            known.add(index)
            endpoints.append(Endpoint(-state.pk, kind_of(state.channel), state.endpoint or "", index))
    found = []
    for channel in Channel.values:
        if channel in WITH_ENDPOINT:
            own = [one for one in endpoints if one.kind == kind_of(channel)]
            found += [Choice(f"{channel}.{one.id}", channel, one.value) for one in own]
        else:
            found.append(Choice(channel, channel, ""))
    return found


def answer(customer: Customer, purpose: Purpose, channel: str, endpoint: str, at: datetime) -> Answer:
    """What `may` answered at that moment, and the events until then."""
    decision = may(customer, purpose.key, channel, endpoint or None, at)
    records = list(events_until(customer, purpose.pk, channel, endpoint, at))
    on_file = had_contact(customer, endpoint, at) if endpoint else None
    version = version_then(purpose, at)
    return Answer(
        customer,
        purpose,
        version,
        channel,
        endpoint,
        at,
        decision,
        proofs_of(records),
        signed(),
        timezone.now(),
        on_file,
    )


def proofs_of(records: Sequence[Record]) -> list[Proof]:
    """The proofs of these events; a fixed number of queries."""
    wordings = versions_shown(record.entry.text_sha256 for record in records)
    numbers = dict(Position.objects.filter(entry__in=[r.pk for r in records]).values_list("entry", "number"))
    seals = seals_of(numbers.values())
    names = actors_named(record.entry.actor_ref for record in records)
    return [_proof(record, wordings, numbers.get(record.pk), seals, names) for record in records]


def _proof(
    record: Record,
    wordings: dict[str, tuple[LegalTextVersion, str]],
    number: int | None,
    seals: dict[int, Seal],
    names: dict[str, str],
) -> Proof:
    version, language = wordings.get(record.entry.text_sha256, (None, ""))
    proof = record.proof or ""
    payload = orjson.loads(proof[64:]) if len(proof) > 64 else {}
    seal = seals.get(number) if number else None
    return Proof(record, names[record.entry.actor_ref], version, language, proof[:64], payload, number, seal)


def seals_of(numbers: Iterable[int]) -> dict[int, Seal]:
    """By number of an entry the seal that holds it; two queries, along the index of the last numbers."""
    wanted = sorted(set(numbers))
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_SEALS, [wanted])
        found = dict(cursor.fetchall())
    seals = Seal.objects.in_bulk(set(found.values()))
    return {number: seals[seal] for number, seal in found.items() if seals[seal].first <= number}


def actors_named(references: Iterable[str]) -> dict[str, str]:
    """Who acted, in words: the person, a member of the staff, or the rule."""
    wanted = set(references)
    staff = {ref: int(ref[6:]) for ref in wanted if ref.startswith("staff:") and ref[6:].isdigit()}
    names = dict(User.objects.filter(pk__in=staff.values()).values_list("pk", "name"))
    return {
        ref: names.get(staff.get(ref, 0)) or _("staff") if ref.startswith("staff:") else str(ACTORS.get(ref, ref))
        for ref in wanted
    }


def signed() -> Checkpoint | None:
    """The newest checkpoint; None where there is none, or it cannot be read or trusted."""
    try:
        return checkpoints.newest()
    except (OSError, notes.NoteForged):
        return None


def as_json(answer: Answer) -> dict[str, Any]:
    """The answer with its proof for machines; the entries can be checked against their seals with it."""
    decision = answer.decision
    return {
        "customer": answer.customer.number,
        "purpose": answer.purpose.key,
        "purpose_version": _version(answer),
        "channel": answer.channel,
        "endpoint": answer.endpoint,
        "on_file": answer.on_file,
        "at": instant(answer.at),
        "asked_at": instant(answer.asked_at),
        "allowed": decision.allowed,
        "reason": decision.reason,
        "text": str(decision.text),
        "since": instant(decision.since) if decision.since else None,
        "entry": decision.entry,
        "wording_sha256": decision.wording or None,
        "events": [_event(proof) for proof in answer.events],
        "checkpoint": _checkpoint(answer.checkpoint),
        "public_key": notes.public_text(checkpoints.verifying_key()),
    }


def _version(answer: Answer) -> dict[str, Any]:
    version = answer.version
    return {
        "number": version.number,
        "valid_from": instant(version.valid_from),
        "known": answer.version_known,
        "basis": version.basis,
        "channels": version.channels,
        "advertising": version.advertising,
        "existing_customers": version.existing_customers,
        "minimum_age": version.minimum_age,
        "stale_months": version.stale_months,
        "retired_at": instant(version.retired_at) if version.retired_at else None,
    }


def _event(proof: Proof) -> dict[str, Any]:
    entry = proof.record.entry
    return {
        "entry": entry.pk,
        "uuid": _hex(entry.uuid),
        "number": proof.number,
        "kind": entry.kind,
        "at": instant(proof.record.occurred_at),
        "recorded": instant(entry.ts),
        "told_later": proof.record.late,
        "confirmed": proof.record.confirmed,
        "source": proof.record.source,
        "actor": entry.actor_ref,
        "ref": _hex(entry.ref_id),
        "text_sha256": entry.text_sha256 or None,
        "wording": {
            "text": proof.wording.text.key,
            "version": proof.wording.number,
            "language": proof.language,
            "title": proof.title,
            "body": proof.body,
        }
        if proof.wording
        else None,
        "salt": proof.salt,
        "payload": proof.payload,
        "commitment": bytes(entry.commitment).hex(),
        "leaf": bytes(entry.leaf).hex(),
        "seal": seal_as_json(proof.seal),
    }


def seal_as_json(seal: Seal | None) -> dict[str, Any] | None:
    """A seal with its hashes in hexadecimal."""
    if seal is None:
        return None
    return {
        "number": seal.number,
        "first": seal.first,
        "last": seal.last,
        "root": bytes(seal.root).hex(),
        "previous": bytes(seal.previous).hex(),
        "hash": bytes(seal.hash).hex(),
        "sealed_at": instant(seal.sealed_at),
    }


def _checkpoint(checkpoint: Checkpoint | None) -> dict[str, Any] | None:
    if checkpoint is None:
        return None
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "hash": checkpoint.hash.hex(),
        "at": checkpoint.at,
    }


def _hex(uuid: UUID | None) -> str | None:
    return uuid.hex if uuid else None
