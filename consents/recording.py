"""The one way into the ledger: events are checked, hashed, sealed and written, and told to whoever reacts."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from consents import storing
from consents.events import CLOSING, WITH_ENDPOINT, Event, Kind
from consents.hashing import canonical, commitment, leaf
from consents.models import Purpose, Record
from consents.reacting import changed
from consents.storing import AT, CHAIN, INDEXED, MARK, Row
from customers.suppression import hasher, key_of
from datamap import journal
from datamap.workdays import add_months
from vault.keyring import keyring

_ENDPOINT: Any = Record._meta.get_field("endpoint")
_INDEX: Any = Record._meta.get_field("endpoint_index")
_PROOF: Any = Record._meta.get_field("proof")
_KINDS = frozenset(Kind.values) - {Kind.ERASED.value}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotRecorded(ValueError):
    """An event that cannot stand in the ledger: unknown purpose or kind, a channel it does not have."""


class NobodyThere(LookupError):
    """The customer of an event is not there: who was erased gets no new entries."""


def record(event: Event) -> int:
    """Write one event; answers the id of its entry. See `record_many`."""
    return record_many([event])[0]


def record_many(events: Sequence[Event]) -> list[int]:
    """Write events and the states that follow from them, in the caller's transaction; answers their entries' ids.

    A statement for each set of events of different consents, whatever their number. Raises NotRecorded for an event
    that does not fit its purpose, NobodyThere where a customer is not there; then nothing is written.
    """
    found = [0] * len(events)
    with transaction.atomic():
        made = made_rows(events)
        for wave in _waves(made):
            rows = [made[place] for place in wave]
            written = _stored([events[place] for place in wave], rows)
            if len(written) < len(rows):
                _refuse_purposes(events)
            for place, row in zip(wave, rows, strict=True):
                found[place] = written[row[0]]
            _note_in_journal([events[place] for place in wave], rows)
        changed(events)
    return found


def _stored(events: Sequence[Event], rows: Sequence[Row]) -> dict[UUID, int]:
    """The ids of the entries written; fewer than asked for where a purpose does not fit."""
    follows_key = len(keyring().of_kind("index")) > 1
    if len(rows) == 1 and not follows_key and (entry := storing.store_one(rows[0])):
        return {rows[0][0]: entry}
    # What could not be written by itself is told here why.
    ids = {event.customer_id for event in events}
    if storing.lock(ids) < len(ids):
        raise NobodyThere("Somebody whom this is about is not there any more.")
    storing.take_turns([row[MARK] for row in rows])
    if follows_key:
        storing.move_endpoints(_moved(events))
    return storing.store(rows)


def _moved(events: Sequence[Event]) -> list[tuple[int, bytes, bytes]]:
    """While the index key changes: of whom which endpoint is found how, before and from now on."""
    moved = [
        (event.customer_id, old, _INDEX.blind(event.endpoint))
        for event in events
        if event.endpoint
        for old in _INDEX.candidates(event.endpoint)
    ]
    return [one for one in moved if one[1] != one[2]]


def _note_in_journal(events: Sequence[Event], rows: Sequence[Row]) -> None:
    """Every no outlives a restore: ids and a keyed hash, outside the database."""
    journal.write_many(
        "consent_withdrawal",
        [
            {
                "customer": event.customer_id,
                "purpose": event.purpose,
                "channel": event.channel,
                "endpoint": row[INDEXED].hex() if row[INDEXED] else "",
                # The key of the list never changes; that of the index may have, since the backup was made.
                "mark": row[MARK].hex() if row[MARK] else "",
                "at": row[AT].isoformat(),
                "source": event.source,
            }
            for event, row in zip(events, rows, strict=True)
            if event.kind in (Kind.WITHDRAWN, Kind.REFUSED)
        ],
    )


def _waves(rows: Sequence[Row]) -> list[list[int]]:
    """Places of rows, in sets in which each consent occurs once: what happens to one follows what happened before.

    However an address was written: it is one endpoint.
    """
    waves: list[list[int]] = []
    seen: dict[tuple[Any, ...], int] = {}
    for place, row in enumerate(rows):
        chain = tuple(row[at] for at in CHAIN)
        wave = seen[chain] = seen.get(chain, -1) + 1
        if wave == len(waves):
            waves.append([])
        waves[wave].append(place)
    return waves


def _refuse_purposes(events: Sequence[Event]) -> NoReturn:
    """Say which purpose or channel it is that nothing was found for."""
    channels = dict(Purpose.objects.values_list("key", "channels"))
    for event in events:
        if event.purpose not in channels:
            raise NotRecorded(f"There is no purpose {event.purpose}.")
        if event.channel not in channels[event.purpose] and event.kind not in CLOSING:
            raise NotRecorded(f"The purpose {event.purpose} does not use the channel {event.channel}.")
    raise NotRecorded("A purpose was changed meanwhile.")


def made_rows(events: Sequence[Event]) -> list[Row]:
    """What is stored of each event: hashed, sealed, in the order of `storing.COLUMNS`. Raises NotRecorded."""
    now = timezone.now()
    marks = {channel: hasher(channel) for channel in {event.channel for event in events if event.endpoint}}
    salts = os.urandom(32 * len(events))
    rows: list[Row] = []
    for n, event in enumerate(events):
        _refuse_unfit(event)
        rows.append(_row(event, now, salts[32 * n : 32 * n + 32], marks))
    return rows


def _refuse_unfit(event: Event) -> None:
    if event.kind not in _KINDS:
        raise NotRecorded(f"{event.kind} is nothing that happens to a consent.")
    if bool(event.endpoint) != (event.channel in WITH_ENDPOINT):
        raise NotRecorded(f"A consent on the channel {event.channel} is about one endpoint, and no other is.")
    if event.at is not None and event.at.tzinfo is None:
        raise NotRecorded("An instant carries its zone.")


def _row(event: Event, now: datetime, salt: bytes, marks: dict[str, Callable[[str], bytes]]) -> Row:
    at = event.at or now
    number = uuid4()
    payload = canonical(payload_of(event, at))
    committed = commitment(salt, payload)
    wording = event.wording.sha256 if event.wording else ""
    clear = clear_fields(number, now, event.kind, event.purpose, wording, event.actor, event.ref)
    endpoint = event.endpoint
    key = key_of(event.channel, endpoint) if endpoint else None
    if endpoint and key is None and event.kind not in CLOSING:
        raise NotRecorded("Nobody can read this address or number: a consent for it would never be found again.")
    return (
        number, now, event.kind, event.purpose, wording, event.actor, event.ref, committed, leaf(clear, committed),
        event.customer_id, event.channel, _ENDPOINT.seal(endpoint) if endpoint else None,
        _INDEX.blind(endpoint) if endpoint else None, marks[event.channel](key) if key else None, event.source, at,
        event.late, event.confirmed, _PROOF.seal(salt.hex() + payload.decode()),
    )  # fmt: skip


def payload_of(event: Event, at: datetime) -> dict[str, Any]:
    """What an entry commits to, as it is sealed, shown and given to the person."""
    said: dict[str, Any] = {
        "at": instant(at),
        "channel": event.channel,
        "customer": event.number,
        "endpoint": event.endpoint,
        "late": event.late,
        "confirmed": event.confirmed,
        "source": event.source,
        "evidence": dict(event.evidence),
    }
    if event.wording:
        said["wording"] = {"name": event.wording.name, "language": event.wording.language}
    return said


def clear_fields(
    number: UUID, ts: datetime, kind: str, purpose: str, sha256: str, actor: str, ref: UUID | None
) -> list[Any]:
    """The clear fields of an entry in the order in which its leaf holds them."""
    return [number.hex, micros(ts), kind, purpose, sha256, actor, ref.hex if ref else ""]


def micros(at: datetime) -> int:
    """An instant as microseconds since 1970: the form without zones in which it is hashed."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def instant(at: datetime) -> str:
    """An instant as text, in UTC to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def months_later(at: datetime, months: int) -> datetime:
    """The same moment that many months on, clipped to the last day of the month."""
    day = add_months(at.date(), months)
    return at.replace(year=day.year, month=day.month, day=day.day)
