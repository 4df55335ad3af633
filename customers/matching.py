"""Who is who: finds the customer each row is about, or says why a person must look at it."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from customers import tombstones
from customers.cleaning import Person
from customers.known import Hit, Known
from customers.normalizing import fold
from customers.planning import changes_for
from customers.rows import CustomerRow
from customers.sealing import Sealer
from customers.vanishing import GoneMeanwhile
from vault.keyring import keyring

MADE_UP = "~"
"""Beginning of an external id that the house made from a row which brings no key of its own."""


@dataclass(slots=True)
class Held:
    """A row that waits for a person."""

    row: CustomerRow
    reason: str
    customer_id: int | None = None
    subject_ref: UUID | None = None


@dataclass(slots=True)
class Matched:
    """The people of one chunk: known customers, new ones, and rows that wait."""

    known: dict[int, Person] = field(default_factory=dict)
    new: list[Person] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    states: dict[int, dict[str, Any]] = field(default_factory=dict)
    # Whose number belongs to somebody of quite another name.
    strangers: list[Person] = field(default_factory=list)
    # How many restricted customers a row says nothing new of.
    untouched: int = 0


def payload_of(row: CustomerRow) -> dict[str, Any]:
    """A row as JSON holds it."""
    return json.loads(json.dumps(asdict(row), default=_text))


def fingerprint(platform: str, row: CustomerRow) -> bytes:
    """Equal for equal rows of one platform, whatever line they stand on."""
    text = json.dumps({**asdict(row), "line": 0}, sort_keys=True, default=_text)
    digest = hashlib.sha256(f"{platform}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()
    return keyring().list_hash("customers.held", digest)


def made_up_id(platform: str, row: CustomerRow) -> str:
    """An id for a row without any key, so that the same file again finds the same person."""
    return MADE_UP + fingerprint(platform, row).hex()[4:44]


def match(persons: list[Person], known: Known, sealer: Sealer, *, lock: bool, own_numbers: bool = False) -> Matched:
    """Apply "Who is who" of commands.md to the people of one chunk.

    1. The same platform and id. 2. For account rows exactly one account with that e-mail, unless that account is
    known under another id of the same platform; several hits are held. Guests and prospects are never matched by
    e-mail. A later row about the same person adds to the earlier one. Before all that, a row without an id is about
    the customer of its number, where these are the house's own. Raises GoneMeanwhile where somebody was ended between
    the look and the lock.
    """
    found = Matched()
    numbered: set[int] = set()
    if own_numbers:
        persons = _join_by_number(persons, known, found)
        numbered = set(found.known)
    by_id: dict[str, Person] = {}
    loose: list[Person] = []
    for person in persons:
        if not person.external_id and not (person.status == "account" and person.email_key):
            person.external_id = made_up_id(known.platform, person.rows[0])
        if not person.external_id:
            loose.append(person)
        elif earlier := by_id.get(person.external_id):
            earlier.absorb(person)
        else:
            by_id[person.external_id] = person
    ids = known.by_external_id(list(by_id))
    for value, customer_id in ids.items():
        _join(found, customer_id, by_id.pop(value))
    unknown = [*by_id.values(), *loose]
    unknown.sort(key=lambda person: person.line)
    unknown = _without_erased_ids(unknown, known.platform, found)
    _match_by_email(unknown, known, sealer, found)
    found.new = _without_erased_marks(found.new, found)
    found.states = known.states(list(found.known), lock=lock)
    if found.known.keys() - found.states.keys():
        raise GoneMeanwhile
    for customer_id in numbered:
        if not _may_be_named(found.known[customer_id], found.states[customer_id]["values"]):
            found.strangers.append(found.known.pop(customer_id))
    return found


def hold_restricted(found: Matched, platform: str, sealer: Sealer) -> None:
    """Hold the news about customers whose data are restricted; rows that bring none count as untouched."""
    for customer_id, state in found.states.items():
        if state["restricted"] and customer_id in found.known:
            person = found.known.pop(customer_id)
            if changes_for(customer_id, person, deepcopy(state), platform, sealer):
                found.held += [Held(row, "restricted", customer_id) for row in person.rows]
            else:
                found.untouched += 1


def _join_by_number(persons: list[Person], known: Known, found: Matched) -> list[Person]:
    """Join the rows without an id to the customers of their numbers; answers the others, each number once."""
    ids = known.by_number({person.number for person in persons if person.number and not person.external_id})
    rest: list[Person] = []
    new: dict[str, Person] = {}
    for person in persons:
        customer_id = None if person.external_id else ids.get(person.number)
        if customer_id is not None:
            # A list of customers says nothing about who has an account: a guest stays one.
            person.status = "guest"
            _join(found, customer_id, person)
        elif not person.external_id and person.number in new:
            new[person.number].absorb(person)
        else:
            rest.append(person)
            if person.number and not person.external_id:
                new[person.number] = person
    return rest


def _may_be_named(person: Person, now: dict[str, Any]) -> bool:
    """Whether a row may be about who is known by that number: one name agrees, or one of the two has none."""
    names = ("first_name", "last_name", "company")
    told = [name for name in names if person.values.get(name)]
    known = any(now.get(name) for name in names)
    return not told or not known or any(fold(person.values[name]) == fold(now.get(name) or "") for name in told)


def _join(found: Matched, customer_id: int, person: Person) -> None:
    if customer_id in found.known:
        found.known[customer_id].absorb(person)
    else:
        found.known[customer_id] = person


def _match_by_email(persons: list[Person], known: Known, sealer: Sealer, found: Matched) -> None:
    for person in persons:
        if person.status == "account" and person.email_key:
            person.email_index = sealer.whole(person.email_key)
    wanted = {person.email_index for person in persons if person.email_index}
    hits = known.by_email([index for index in wanted if index])
    for customer_id, person in found.known.items() if persons else ():
        # A customer whom this chunk gives the address counts as having it, as a later chunk would find it.
        index = sealer.whole(person.email_key) if person.email_key and person.status == "account" else None
        if index in wanted and index and all(hit.id != customer_id for hit in hits.get(index, ())):
            hits.setdefault(index, []).append(Hit(customer_id, other_id=True))
    here: dict[bytes, list[Person]] = {}
    for person in persons:
        index = person.email_index
        if index is None:
            found.new.append(person)
            continue
        stored, fresh = hits.get(index, []), here.setdefault(index, [])
        others = [hit.other_id for hit in stored] + [bool(one.external_id) for one in fresh]
        if not others or (person.external_id and all(others)):
            # Nobody has the address, or whoever has it is somebody else on this platform.
            found.new.append(person)
            fresh.append(person)
        elif len(others) > 1:
            found.held += [Held(row, "ambiguous") for row in person.rows]
        elif stored:
            _join(found, stored[0].id, person)
            stored[0].other_id = stored[0].other_id or bool(person.external_id)
        else:
            fresh[0].absorb(person)


def _without_erased_ids(persons: list[Person], platform: str, found: Matched) -> list[Person]:
    """Hold rows whose external id belonged to an erased person; a newer registration is a new, unlinked customer."""
    if not persons or not tombstones.any_erased():
        return persons
    marks = {
        hash_(tombstones.external_text(platform, person.external_id)): person
        for hash_ in tombstones.hashers("external")
        for person in persons
        if person.external_id
    }
    return _judge(persons, marks, found, unlink=True)


def _without_erased_marks(persons: list[Person], found: Matched) -> list[Person]:
    """The same by e-mail, phone and our own customer number; asked only about rows that no living account explains."""
    if not persons or not tombstones.any_erased():
        return persons
    marks: dict[bytes, list[Person]] = {}
    for kind, name in (("email", "email_key"), ("phone", "phone_key"), ("number", "number")):
        for hash_ in tombstones.hashers(kind):
            for person in persons:
                if key := getattr(person, name):
                    marks.setdefault(hash_(key), []).append(person)
    hits = tombstones.erased_among(marks)
    judged: dict[int, tuple[datetime, UUID]] = {}
    for mark, hit in hits.items():
        for person in marks[mark]:
            judged[id(person)] = max(hit, judged.get(id(person), hit))
    return [person for person in persons if _may_come_in(person, judged.get(id(person)), found)]


def _judge(persons: list[Person], marks: dict[bytes, Person], found: Matched, *, unlink: bool) -> list[Person]:
    hits = tombstones.erased_among(marks)
    judged = {id(marks[mark]): hit for mark, hit in hits.items()}
    kept = []
    for person in persons:
        hit = judged.get(id(person))
        if not _may_come_in(person, hit, found):
            continue
        if hit and unlink:
            found.new.append(person)
        else:
            kept.append(person)
    return kept


def _may_come_in(person: Person, hit: tuple[datetime, UUID] | None, found: Matched) -> bool:
    if hit is None:
        return True
    own = max(filter(None, (person.values.get("registered_at"), person.last_activity)), default=None)
    if own is not None and own > hit[0]:
        return True
    found.held += [Held(row, "tombstone", subject_ref=hit[1]) for row in person.rows]
    return False


def _text(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else dict(value)
