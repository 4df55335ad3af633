"""What the copy of a person's data shows of customers, and how (schema.org names)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from customers.listwords import channel_words, mark_words, scope_words, state_words
from customers.models import ContactPoint, Summary, Suppression, Tombstone
from customers.postal import POST, boxes_of, stopped_by_post
from customers.suppression import hashes_of
from customers.vcard import vcard
from datamap.packages import (
    ACCESS,
    Nested,
    Person,
    Row,
    register_card,
    register_file,
    register_finder,
    register_reading,
)

TEXT = {"type": ["string", "null"]}
ADDITIONAL = {"type": "object", "title": "columns of the portal that have no name in schema.org"}


def person(row: Row) -> Row:
    """A customer as schema.org Person or Organization."""
    company = row.pop("kind", "") == "company"
    found: Row = {
        "@context": "https://schema.org",
        "@type": "Organization" if company else "Person",
        "identifier": row.pop("number", None),
        "honorificPrefix": row.pop("title", None) or None,
        "givenName": row.pop("first_name", None) or None,
        "familyName": row.pop("last_name", None) or None,
        "legalName" if company else "worksFor": row.pop("company", None) or None,
        "vatID": row.pop("vat_id", None) or None,
        "knowsLanguage": row.pop("language", None) or None,
    }
    day, month = row.pop("birthday_day", None), row.pop("birthday_month", None)
    if day and month:
        found["birthDate"] = f"--{month:02}-{day:02}"
    return found


def contact_point(row: Row) -> Row:
    """A contact point of schema.org."""
    way = "email" if row.pop("kind", "") == "email" else "telephone"
    return {"@type": "ContactPoint", way: row.pop("value", None), "contactType": row.pop("label", None) or None}


def external_id(row: Row) -> Row:
    """The name of the person in another system."""
    return {"@type": "PropertyValue", "propertyID": row.pop("platform", None), "value": row.pop("value", None)}


def postal_address(row: Row) -> Row:
    """A postal address of schema.org."""
    return {
        "@type": "PostalAddress",
        "name": row.pop("recipient", None) or None,
        "streetAddress": row.pop("street", None) or None,
        "postalCode": row.pop("postcode", None) or None,
        "addressLocality": row.pop("city", None) or None,
        "addressCountry": row.pop("country", None) or None,
        "usage": row.pop("kind", None),
    }


def note(row: Row) -> Row:
    """What staff wrote about the person, by whom (as a role) and when."""
    return {name: row.pop(name, None) for name in ("text", "created_at", "author")}


def summary(row: Row) -> Row:
    """Figures that the portal worked out."""
    return {"kind": "summary", **{name: row.pop(name) for name in [*row] if name != "id"}}


def card(rows: Mapping[str, list[Row]]) -> str:
    """The person as a vCard; nothing where there is no customer's row."""
    found = rows["customers.Customer"]
    return vcard(found[0], rows["customers.ContactPoint"], rows["customers.Address"]) if found else ""


def suppression_entries(subject: Person) -> Q | None:
    """Entries of the blocklist that stand for an address or number of this person."""
    if subject.customer_id is None:
        return _entries_of_erased(subject)
    points = list(ContactPoint.objects.filter(customer=subject.customer_id).values_list("kind", "value"))
    # Somebody else may live there: the entry of an address is theirs alone as long as it stops nothing of this person.
    if _is_stopped_by_post(subject.customer_id):
        points += [(POST, key) for key in boxes_of([subject.customer_id])]
    marks = [mark for kind, value in points for mark in hashes_of(kind, value)]
    return Q(endpoint__in=marks) if marks else None


def _is_stopped_by_post(customer_id: int) -> bool:
    objected = Summary.objects.filter(customer=customer_id, advertising_stopped_at__isnull=False)
    return objected.exists() or bool(stopped_by_post([customer_id]))


def _entries_of_erased(subject: Person) -> Q | None:
    """Those of the addresses that are told, and those an erasure left: it writes its marks at the same instant."""
    marks = [mark for channel, value in subject.reached_by for mark in hashes_of(channel, value)]
    instants = Tombstone.objects.filter(subject_ref__in=subject.refs).values_list("erased_at", flat=True).distinct()
    left = Q(reason=Suppression.Reason.ERASURE, since__in=list(instants)) if subject.refs else Q(pk__in=[])
    return Q(endpoint__in=marks) | left if marks or subject.refs else None


def tombstones(subject: Person) -> Q | None:
    """The marks by which an erased person is recognized."""
    return Q(subject_ref__in=subject.refs) if subject.refs else None


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**properties, "additional": ADDITIONAL},
        "additionalProperties": False,
    }


PERSON_SCHEMA = _object(
    **{"@context": {"const": "https://schema.org"}, "@type": {"enum": ["Person", "Organization"]}},
    identifier=TEXT,
    honorificPrefix=TEXT,
    givenName=TEXT,
    familyName=TEXT,
    legalName=TEXT,
    worksFor=TEXT,
    vatID=TEXT,
    knowsLanguage=TEXT,
    birthDate={"type": "string", "pattern": "^--[0-9]{2}-[0-9]{2}$"},
)
POINT_SCHEMA = _object(**{"@type": {"const": "ContactPoint"}}, email=TEXT, telephone=TEXT, contactType=TEXT)
ID_SCHEMA = _object(**{"@type": {"const": "PropertyValue"}}, propertyID=TEXT, value=TEXT)
ADDRESS_SCHEMA = _object(
    **{"@type": {"const": "PostalAddress"}},
    name=TEXT,
    streetAddress=TEXT,
    postalCode=TEXT,
    addressLocality=TEXT,
    addressCountry=TEXT,
    usage=TEXT,
)
NOTE_SCHEMA = _object(text=TEXT, created_at=TEXT | {"format": "date-time"}, author=TEXT)
FIGURES_SCHEMA = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}

register_file(
    "data/person.json",
    "customers.Customer",
    shape=person,
    schema=PERSON_SCHEMA,
    nested=(
        Nested("contactPoint", "customers.ContactPoint", "customer", shape=contact_point, schema=POINT_SCHEMA),
        Nested("identifiers", "customers.ExternalId", "customer", shape=external_id, schema=ID_SCHEMA),
    ),
    single=True,
)
register_file("data/addresses.json", "customers.Address", shape=postal_address, schema=ADDRESS_SCHEMA)
register_file("data/notes.json", "customers.Note", shape=note, schema=NOTE_SCHEMA, kinds=(ACCESS,))
register_file("data/derived.json", "customers.Summary", shape=summary, schema=FIGURES_SCHEMA, kinds=(ACCESS,))
register_card(
    "data/person.vcf",
    ("customers.Customer", "customers.ContactPoint", "customers.Address"),
    card,
    "text/vcard; charset=utf-8",
)
register_finder("customers.Suppression", suppression_entries)
register_finder("customers.Tombstone", tombstones)
for model in ("customers.Suppression", "customers.OptInClaim"):
    register_reading(model, "channel", lambda: channel_words)
register_reading("customers.Suppression", "scope", lambda: scope_words)
register_reading("customers.OptInClaim", "state", lambda: state_words)
register_reading("customers.Tombstone", "kind", lambda: mark_words)
