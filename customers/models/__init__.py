"""The person, what the shop notes about them and what stands beside them, one module a subject."""

from customers.models.beside import AdvertisingStop, NumberRange, SearchEntry, SearchWord, Summary
from customers.models.identity import Address, ContactPerson, ContactPoint, Customer, ExternalId, HistoryEntry, Origin
from customers.models.incoming import ActivityClaim, ClaimReport, HeldIntake, OptInClaim
from customers.models.remarks import CustomerTag, Flag, Note, Preference, Tag
from customers.models.stopping import PostalMark, Suppression, SuppressionMention, Tombstone

__all__ = [
    "ActivityClaim",
    "Address",
    "AdvertisingStop",
    "ClaimReport",
    "ContactPerson",
    "ContactPoint",
    "Customer",
    "CustomerTag",
    "ExternalId",
    "Flag",
    "HeldIntake",
    "HistoryEntry",
    "Note",
    "NumberRange",
    "OptInClaim",
    "Origin",
    "PostalMark",
    "Preference",
    "SearchEntry",
    "SearchWord",
    "Summary",
    "Suppression",
    "SuppressionMention",
    "Tag",
    "Tombstone",
]
