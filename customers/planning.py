"""Compares what came in with what is known and says what would have to be written: the same for trial and truth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from customers.cleaning import Person
from customers.known import MAIN, PLACE, address_key, kind_of, plain
from customers.rows import OptInRow
from customers.sealing import EVIDENCE_INDEX, NOTE_INDEX, VALUE, Sealer

NEVER_LESS = {"prospect": 0, "guest": 0, "account": 1}


@dataclass(slots=True)
class Changes:
    """What a row adds to one known customer."""

    customer_id: int
    values: dict[str, Any] = field(default_factory=dict)
    new_points: list[tuple[str, str, str | None]] = field(default_factory=list)  # kind, value, key
    points: list[tuple[int, str, str, str | None]] = field(default_factory=list)  # id, kind, value, key
    new_addresses: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    addresses: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    external_id: str = ""
    tags: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    opt_ins: list[OptInRow] = field(default_factory=list)
    told: list[str] = field(default_factory=list)  # channels of which the ledger of consents takes the news
    last_activity: datetime | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__slots__ if name != "customer_id")


def changes_for(customer_id: int, person: Person, state: dict[str, Any], platform: str, sealer: Sealer) -> Changes:
    """What `person` changes about a customer in this `state`, which is brought to what it would then be."""
    changes = Changes(customer_id)
    _values(changes, person, state)
    for kind in ("email", "phone"):
        if value := getattr(person, kind):
            _point(changes, state, kind, value, getattr(person, f"{kind}_key"), sealer)
    for key, address in person.addresses.items():
        _address(changes, state, key, address, sealer)
    if person.external_id and [platform, person.external_id] not in state["external"]:
        # An account found by e-mail is not known under an id of this platform, or the row would not be its.
        changes.external_id = person.external_id
        state["external"].append([platform, person.external_id])
    _additions(changes, person, state)
    if person.last_activity:
        _activity(changes, person.last_activity, state)
    return changes


def _values(changes: Changes, person: Person, state: dict[str, Any]) -> None:
    values = person.values
    if NEVER_LESS[person.status] > NEVER_LESS.get(state["values"]["status"], 1):
        values = values | {"status": person.status}
    for name, value in values.items():
        now = plain(value)
        if state["values"].get(name) != now:
            changes.values[name] = value
            state["values"][name] = now


def _point(changes: Changes, state: dict[str, Any], kind: str, value: str, key: str | None, sealer: Sealer) -> None:
    index = sealer.whole(key).hex() if key else ""
    own = [point for point in state["points"] if point[1] == kind]
    if any(point[3] == index if index else _typed(point) == value for point in own):
        return
    if own:
        changes.points.append((own[0][0], kind, value, key))
        own[0][3:] = [index, _kept(value, index)]
    else:
        changes.new_points.append((kind, value, key))
        state["points"].append([0, kind, True, index, _kept(value, index)])


def _typed(point: list[Any]) -> str | None:
    """The value of a contact point that has no index because it could not be read."""
    return None if point[3] else VALUE.open(bytes.fromhex(point[4]))


def _kept(value: str, index: str) -> str:
    """What a state holds of a value: nothing beside its index, else the seal; a dry run writes states to a table."""
    return "" if index else (VALUE.seal(value) or b"").hex()


def _address(changes: Changes, state: dict[str, Any], key: str, address: dict[str, str], sealer: Sealer) -> None:
    now = {name: address[name] for name in PLACE if name in address}
    if "street" in address:
        index = sealer.street_index(address["street"])
        now["street"] = index.hex() if index else ""
    if key == MAIN:
        if any(_is_at(place, now) for place in state["addresses"].values()):
            return
        key = state.get("main", key)
    key = address_key(kind_of(key), now.get("street", ""), now.get("postcode", ""), now.get("city", ""))
    known = state["addresses"].get(key)
    if known is None:
        changes.new_addresses.append((kind_of(key), address))
        state["addresses"][key] = now | {"id": 0}
        state.setdefault("main", key)
        return
    changed = [name for name, value in now.items() if known.get(name, "") != value]
    if changed:
        changes.addresses.append((known["id"], {name: address[name] for name in changed}))
        known |= now


def _is_at(known: dict[str, str], now: dict[str, str]) -> bool:
    return all(known.get(name, "") == value for name, value in now.items())


def _activity(changes: Changes, at: datetime, state: dict[str, Any]) -> None:
    """A date this platform has not told yet is news, also an earlier one than is known from elsewhere: it is what is
    left when that is taken back."""
    told = plain(at)
    if told > state["activity"] and told != state["values"].get("registered_at"):
        changes.last_activity = at
        state["activity"] = told


def _additions(changes: Changes, person: Person, state: dict[str, Any]) -> None:
    for tag in person.tags:
        if tag not in state["tags"]:
            changes.tags.append(tag)
            state["tags"].append(tag)
    for note in person.notes:
        index = (NOTE_INDEX.blind(note) or b"").hex()
        if index not in state["notes"]:
            changes.notes.append(note)
            state["notes"].append(index)
    for channel, opt_in in person.opt_ins.items():
        claim = [opt_in.state, (EVIDENCE_INDEX.blind(dict(opt_in.evidence)) or b"").hex()]
        if state["claims"].get(channel) != claim:
            changes.opt_ins.append(opt_in)
            state["claims"][channel] = claim
    for channel, opt_in in person.told.items():
        # A dry run, which writes no ledger, remembers here what an earlier chunk would have told.
        told = [opt_in.state, (EVIDENCE_INDEX.blind(dict(opt_in.evidence)) or b"").hex()]
        if state.setdefault("told", {}).get(channel) != told:
            changes.told.append(channel)
            state["told"][channel] = told


def state_of_new(person: Person, number: str, platform: str, sealer: Sealer) -> dict[str, Any]:
    """The state in which a new customer stands once written; a dry run compares later rows with it."""
    state: dict[str, Any] = {
        "number": number,
        "restricted": False,
        "values": {"status": person.status, "kind": implied_kind(person.values), "language": "de"},
        "points": [],
        "addresses": {},
        "external": [],
        "tags": [],
        "notes": [],
        "claims": {},
        "activity": "",
    }
    changes_for(0, person, state, platform, sealer)
    return state


def implied_kind(values: dict[str, Any]) -> str:
    """A company where the row says so, or names one and no person."""
    named = values.get("first_name") or values.get("last_name")
    return values.get("kind") or ("company" if values.get("company") and not named else "person")


def tags_of(changes: Iterable[Changes], persons: Iterable[Person]) -> set[str]:
    """Every tag that will be set."""
    return {tag for change in changes for tag in change.tags} | {t for person in persons for t in person.tags}
