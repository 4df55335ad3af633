"""Seals what the bulk ways write and computes its blind indexes, each value's key once."""

from __future__ import annotations

from customers.models import Address, ContactPerson, ContactPoint, HeldIntake, Note, OptInClaim
from customers.normalizing import street_key
from vault.keyring import keyring

VALUE = ContactPoint._meta.get_field("value")
WHOLE = ContactPoint._meta.get_field("whole_index")
PART = ContactPoint._meta.get_field("part_index")
MATCH = ContactPoint._meta.get_field("match_index")
STREET = Address._meta.get_field("street")
STREET_INDEX = Address._meta.get_field("street_index")
NOTE = Note._meta.get_field("text")
NOTE_INDEX = Note._meta.get_field("text_index")
EVIDENCE = OptInClaim._meta.get_field("evidence")
EVIDENCE_INDEX = OptInClaim._meta.get_field("evidence_index")
PAYLOAD = HeldIntake._meta.get_field("payload")
PERSON_EMAIL = ContactPerson._meta.get_field("email_index")
PERSON_PHONE = ContactPerson._meta.get_field("phone_index")

Indexes = tuple[bytes | None, bytes | None, bytes | None]


class Sealer:
    """The functions of one chunk, bound to the keys once."""

    def __init__(self) -> None:
        ring = keyring()
        self.value = ring.sealer(VALUE.label)
        self.street = ring.sealer(STREET.label)
        self.whole = ring.blinder(WHOLE.label)
        self._part = ring.blinder(PART.label)
        self._match = ring.blinder(MATCH.label)
        self._street_index = ring.blinder(STREET_INDEX.label)

    def email_indexes(self, key: str | None) -> Indexes:
        """Whole address, part before the @, match key, of an address as `email_key` gives it."""
        if not key:
            return None, None, None
        local, _, domain = key.rpartition("@")
        domain = "gmail.com" if domain == "googlemail.com" else domain
        match = f"{local.split('+', 1)[0]}@{domain}"
        return self.whole(key), self._part(local), self._match(match)

    def phone_indexes(self, key: str | None) -> Indexes:
        """Whole number, last six and last nine digits, of a number as `phone_key` gives it."""
        if not key:
            return None, None, None
        return self.whole(key), self._part(key[-6:]), self._match(key[-9:])

    def street_index(self, street: str) -> bytes | None:
        """Street with number, for comparison."""
        key = street_key(street)
        return self._street_index(key) if key else None
