"""Turns a row as it came in into values that may be stored, and says what could not be read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers import reading
from customers.known import MAIN, address_key
from customers.models import Address, ContactPoint, Customer, ExternalId, Note, Tag
from customers.normalizing import fold, street_key, whole_key
from customers.rows import AddressRow, CustomerRow, OptInRow, Outcome, Problem

KINDS = {
    **dict.fromkeys(("company", "firma", "business", "commercial", "unternehmen", "geschaeftlich", "b2b"), "company"),
    **dict.fromkeys(("person", "private", "privat", "individual", "b2c"), "person"),
}
# Where a file puts "Firma" beside "Herr" and "Frau", it says what the row is about.
FIRM = frozenset(("firma", "fa", "company", "unternehmen"))
STATUSES = frozenset(Customer.Status.values)
STATES = frozenset(("yes", "no", "pending"))
CHANNELS = frozenset(("email", "sms", "whatsapp", "phone"))
ADDRESS_KINDS = frozenset((*Address.Kind.values, MAIN))
NAMES = ("title", "first_name", "last_name", "company")
PLACE = ("recipient", "street", "postcode", "city")
LONGEST_NUMBER = 20
ZERO_BACK = gettext_lazy("A leading zero was missing and has been put back.")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_TITLES = re.compile(r"(?i)\b(?:prof\.?|dr\.?|dipl\.?-?\w*\.?|ing\.|med\.)(?=\s|$)")


def _length(model: Any, name: str) -> int:
    return model._meta.get_field(name).max_length


LENGTHS = {name: _length(Customer, name) for name in (*NAMES, "vat_id")} | {
    name: _length(Address, name) for name in PLACE
}
LENGTHS |= {
    "email": _length(ContactPoint, "value"),
    "phone": _length(ContactPoint, "value"),
    "external_id": _length(ExternalId, "value"),
    "number": LONGEST_NUMBER,
    "tags": _length(Tag, "name"),
    "note": _length(Note, "text"),
}


class Unstorable(Exception):
    """The record cannot be stored at all; carries field and sentence."""


@dataclass(slots=True)
class Person:
    """One customer as a file describes them, cleaned; only what the file knows is set."""

    line: int
    external_id: str
    status: str
    number: str
    values: dict[str, Any]
    email: str = ""
    email_key: str | None = None
    email_index: bytes | None = None
    phone: str = ""
    phone_key: str | None = None
    addresses: dict[str, dict[str, str]] = field(default_factory=dict)  # by `known.address_key`
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    opt_ins: dict[str, OptInRow] = field(default_factory=dict)
    # Of these what the ledger of consents takes (`optins`).
    told: dict[str, OptInRow] = field(default_factory=dict)
    last_activity: datetime | None = None
    rows: list[CustomerRow] = field(default_factory=list)
    names_country: bool = False  # also one that nobody knows

    def absorb(self, later: Person) -> None:
        """Take over what a later row of the same customer says; an empty value erases nothing."""
        self.values |= later.values
        self.number = later.number or self.number
        self.external_id = self.external_id or later.external_id
        if later.email:
            self.email, self.email_key, self.email_index = later.email, later.email_key, later.email_index
        if later.phone:
            self.phone, self.phone_key = later.phone, later.phone_key
        for key, address in later.addresses.items():
            self.addresses[key] = self.addresses.get(key, {}) | address
        self.tags = tuple(dict.fromkeys(self.tags + later.tags))
        self.notes = tuple(dict.fromkeys(self.notes + later.notes))
        self.opt_ins |= later.opt_ins
        if later.last_activity and (self.last_activity is None or later.last_activity > self.last_activity):
            self.last_activity = later.last_activity
        self.rows += later.rows
        self.names_country = self.names_country or later.names_country


class Cleaner:
    """Cleans the rows of one chunk; problems go to `outcome`."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.line = 0

    def clean(self, row: CustomerRow) -> Person | None:
        """The row as a person, or None where it was rejected (the outcome says why)."""
        self.line = row.line
        try:
            return self._person(row)
        except Unstorable as unstorable:
            self.outcome.reject(Problem(row.line, *unstorable.args))
            return None

    def _person(self, row: CustomerRow) -> Person:
        values: dict[str, Any] = {}
        for name in NAMES:
            if text := self.text(name, getattr(row, name)):
                values[name] = text
        self._form_of_address(row, values)
        person = Person(
            row.line,
            self.text("external_id", row.external_id),
            row.status if row.status in STATUSES else "account",
            self.text("number", row.number),
            values,
            last_activity=_aware(row.last_activity),
            rows=[row],
        )
        self._facts(row, values)
        person.addresses = self._addresses(row.addresses)
        person.names_country = any(address.country for address in row.addresses)
        self._endpoints(row, person)
        if row.tags:
            person.tags = tuple(dict.fromkeys(t for tag in row.tags if (t := self.text("tags", tag))))
        if row.note and (note := self.text("note", row.note, reading.clean_note)):
            person.notes = (note,)
        for opt_in in row.opt_ins:
            if opt_in.state in STATES and opt_in.channel in CHANNELS:
                evidence = {name: reading.clean_text(text)[0] for name, text in opt_in.evidence.items()}
                person.opt_ins[opt_in.channel] = replace(opt_in, evidence=evidence)
        if not (person.external_id or person.number or person.email_key or _named(values)):
            message = _("Nothing in this record says who it is: no id, no number, no e-mail address, no name.")
            raise Unstorable("external_id", message)
        return person

    def text(self, name: str, value: str, clean: Any = reading.clean_text) -> str:
        """A text without control characters, or Unstorable where it is too long."""
        if not value:
            return ""
        text, lost = clean(value)
        if lost:
            self.warn(name, _("Control characters were taken out."))
        if not text.isascii():
            text = reading.same_letters(text)
        if len(text) > LENGTHS[name]:
            most = {"length": len(text), "most": LENGTHS[name]}
            raise Unstorable(name, _("%(length)d characters are too many: at most %(most)d fit.") % most)
        return text

    def warn(self, name: str, message: str) -> None:
        """Note an optional value that could not be read."""
        self.outcome.warn(Problem(self.line, name, message))

    def _form_of_address(self, row: CustomerRow, values: dict[str, Any]) -> None:
        if not row.salutation:
            return
        said, _lost = reading.clean_text(row.salutation)
        if "company" in values and fold(said).rstrip(".") in FIRM:
            values["kind"] = "company"
            return
        salutation = reading.read_salutation(said)
        if salutation is None:
            titles = " ".join(_TITLES.findall(said))
            salutation = reading.read_salutation(_TITLES.sub("", said).strip())
            if titles and salutation is not None and len(titles) <= LENGTHS["title"]:
                values.setdefault("title", titles)
        if salutation is None:
            self.warn("salutation", _("This form of address is not known; none is stored."))
        elif salutation:
            values["salutation"] = salutation

    def _facts(self, row: CustomerRow, values: dict[str, Any]) -> None:
        if row.birthday and (said := reading.clean_text(row.birthday)[0]):
            if birthday := reading.read_birthday(said):
                values["birthday_day"], values["birthday_month"] = birthday
            else:
                self.warn("birthday", _("This is no date; no birthday is stored."))
        if row.vat_id:
            said, is_european = reading.read_vat_id(row.vat_id)
            vat_id = self.text("vat_id", said)
            if vat_id and not is_european:
                self.warn("vat_id", _("This is no VAT id of the EU; it is kept as typed."))
            if vat_id:
                values["vat_id"] = vat_id
        if row.language and _LANGUAGE.fullmatch(code := row.language.strip()[:3].rstrip("-_").lower()):
            values["language"] = code
        if row.registered_at:
            values["registered_at"] = _aware(row.registered_at)
        if row.kind and (kind := KINDS.get(fold(row.kind.replace("ä", "ae")))):
            values["kind"] = kind

    def _addresses(self, rows: list[AddressRow]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for row in rows:
            address = {name: text for name in PLACE if (text := self.text(name, getattr(row, name)))}
            if row.country and (said := reading.clean_text(row.country)[0]):
                if country := reading.read_country(said):
                    address["country"] = country
                else:
                    self.warn("country", _("This country is not known; none is stored."))
            if "postcode" in address:
                # Where no country is named, `postcodes` decides once it is known whom the row is about.
                padded = reading.pad_postcode(address["postcode"], address.get("country", ""))
                if padded != address["postcode"]:
                    self.warn("postcode", str(ZERO_BACK))
                    address["postcode"] = padded
            if address.keys() - {"country", "recipient"}:
                kind = row.kind if row.kind in ADDRESS_KINDS else "other"
                key = address_key(
                    kind,
                    street_key(address.get("street", "")) or "",
                    address.get("postcode", ""),
                    address.get("city", ""),
                )
                found[key] = found.get(key, {}) | address
        return found

    def _endpoints(self, row: CustomerRow, person: Person) -> None:
        if row.email:
            person.email = self.text("email", row.email)
            if reading.is_email(person.email):
                person.email_key = whole_key(person.email)
            elif person.email:
                self.warn("email", _("This is no e-mail address; it is kept as typed and not searched by."))
        if row.phone:
            said = self.text("phone", row.phone)
            # Also of an address that says nothing else and is not stored.
            countries = (reading.read_country(reading.clean_text(address.country)[0]) for address in row.addresses)
            region = next(filter(None, countries), "DE")
            if number := reading.read_phone(said, region):
                person.phone, person.phone_key = number, whole_key(number)
            elif said:
                person.phone = said
                self.warn("phone", _("This is no phone number; it is kept as typed and not searched by."))


def _named(values: dict[str, Any]) -> bool:
    return any(name in values for name in ("first_name", "last_name", "company"))


def _aware(at: datetime | None) -> datetime | None:
    if at is None:
        return None
    return timezone.make_aware(at) if timezone.is_naive(at) else at
