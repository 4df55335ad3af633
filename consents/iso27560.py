"""Consent records as ISO/IEC TS 27560 wants them, in the words of the Data Privacy Vocabulary (DPV 2) as JSON-LD.

Whatever may occur twice is a list: a repeated key of JSON is dropped by whoever reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from consents.events import DPV, Channel, Kind, Source
from consents.models import Purpose, PurposeVersion
from customers.normalizing import whole_key
from datamap.controlling import legal_zone
from datamap.models import Controller
from datamap.workdays import local_date

RECORD = "https://w3id.org/dpv/schema/dpv-27560#record"
CONTEXT = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "loc": "https://w3id.org/dpv/loc#",
    "pd": "https://w3id.org/dpv/pd#",
    "schema": "https://schema.org/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "obhut": "urn:obhut:consents:",
} | {
    # What a value of these is: without it a machine reads words, not the term that they name.
    name: {"@id": name, "@type": kind}
    for kind, names in (
        ("@id", ("dct:conformsTo", "dpv:hasApplicableLaw", "dpv:hasJurisdiction", "dpv:hasLegalBasis",
                 "dpv:hasLocation", "dpv:hasPersonalData", "dpv:hasPurpose", "dpv:hasRecipient", "dpv:isIndicatedBy")),
        ("xsd:date", ("dct:date",)),
        ("xsd:dateTime", ("dpv:isIndicatedAtTime", "obhut:recordedAt")),
        ("xsd:duration", ("dpv:hasDuration",)),
    )
    for name in names
}  # fmt: skip
BASIS = {
    Purpose.Basis.CONSENT: "eu-gdpr:A6-1-a",
    Purpose.Basis.CONTRACT: "eu-gdpr:A6-1-b-contract-performance",
    Purpose.Basis.INTERESTS: "eu-gdpr:A6-1-f",
}
DATA = {
    Channel.EMAIL: "pd:EmailAddress",
    Channel.SMS: "pd:TelephoneNumber",
    Channel.WHATSAPP: "pd:TelephoneNumber",
    Channel.PHONE: "pd:TelephoneNumber",
    Channel.POST: "pd:PhysicalAddress",
    Channel.WEB: "pd:BrowsingBehavior",
}
PURPOSES = {
    "profiling": "dpv:PersonalisedAdvertising",
    "tracking": "dpv:UsageAnalytics",
    "account": "dpv:CustomerManagement",
    "loyalty": "dpv:CustomerManagement",
    "feedback": "dpv:CustomerRelationshipManagement",
}
# Of what rests on a sale the person has said nothing: DPV has no word for it.
SALES = {Kind.NOTICED: "obhut:NoticeAtSale", Kind.LAPSED: "obhut:SaleUndone"}
# Sources in which the person acts; everything else somebody of the shop writes down, or a rule does.
BY_PERSON = {Source.WEB_FORM, Source.DOUBLE_OPT_IN, Source.ONE_CLICK, Source.SELF_SERVICE, Source.PHONE_CALL,
             Source.PAPER, Source.IN_STORE, Source.ERASURE}  # fmt: skip


@dataclass(frozen=True)
class Happened:
    """One event of a consent as the copy shows it; `version`: what held for its purpose when it was recorded."""

    uuid: str
    kind: str
    purpose: str
    channel: str
    endpoint: str
    source: str
    at: str
    recorded: str
    confirmed: bool
    late: bool
    version: PurposeVersion | None = None
    text_sha256: str = ""
    wording: Mapping[str, str] = field(default_factory=dict)
    salt: str = ""
    payload: str = ""


def document(
    happened: Iterable[Happened], purposes: Mapping[str, Purpose], who: Controller, subject: str, language: str
) -> dict[str, Any]:
    """All consent records of a person: one for each purpose, channel and endpoint, with its whole history."""
    ordered = sorted(happened, key=lambda one: (*_chain(one), one.at, one.recorded, one.uuid))
    graph = [
        _record(list(events), purposes.get(chain[0]), who, subject, language)
        for chain, events in groupby(ordered, key=_chain)
    ]
    return {"@context": CONTEXT, "@graph": graph}


def _chain(one: Happened) -> tuple[str, str, str]:
    """However an address was written, it is one endpoint: a no under one spelling ends the yes under the other."""
    return one.purpose, one.channel, whole_key(one.endpoint) or one.endpoint


def _record(
    events: Sequence[Happened], purpose: Purpose | None, who: Controller, subject: str, language: str
) -> dict[str, Any]:
    first, last = events[0], events[-1]
    record: dict[str, Any] = {
        "@id": f"urn:uuid:{first.uuid}",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": first.uuid,
        "dct:conformsTo": RECORD,
        "dpv:hasDataSubject": {"@id": f"obhut:subject:{subject}", "@type": "dpv:Customer"},
        "dpv:hasDataController": _controller(who),
        "dpv:hasJurisdiction": [f"loc:{who.jurisdiction}"],
        "dpv:hasApplicableLaw": ["eu-gdpr:GDPR"],
        "dpv:hasProcess": _processes(events, purpose, who, language),
        "dpv:hasConsentControl": [{"@type": ["dpv:WithdrawConsent"], "dpv:isExercisedAt": who.email}],
        "dpv:hasRight": [{"@type": ["dpv:DataSubjectRight", "eu-gdpr:A7-3"], "dpv:isExercisedAt": who.email}],
        "dpv:hasNotice": _notices(events, legal_zone(who)),
        "dpv:hasConsentStatus": [_status(one) for one in events if one.kind in DPV],
        "obhut:channel": first.channel,
        "obhut:endpoint": last.endpoint,
    }
    if told := [_sale(one) for one in events if one.kind in SALES]:
        record["obhut:hasSaleNotice"] = told
    return record


def _controller(who: Controller) -> dict[str, Any]:
    address = ", ".join(filter(None, (who.street, f"{who.postcode} {who.city}".strip(), who.country)))
    return {
        "@id": settings.SITE_URL,
        "@type": "dpv:DataController",
        "dpv:hasName": who.name,
        "dpv:hasAddress": address,
        "dpv:hasContact": who.email or who.phone,
        "schema:name": who.name,
        "schema:address": address,
        "schema:email": who.email,
        "schema:telephone": who.phone,
    }


def _processes(
    events: Sequence[Happened], purpose: Purpose | None, who: Controller, language: str
) -> list[dict[str, Any]]:
    """What was agreed to, as it was when each event was recorded: one for each version of the purpose since."""
    versions = {one.version.number: one.version for one in events if one.version is not None}
    found = [_process(events[0], purpose, versions[number], who, language) for number in sorted(versions)]
    return found or [_process(events[0], None, None, who, language)]


def _process(
    first: Happened, purpose: Purpose | None, version: PurposeVersion | None, who: Controller, language: str
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "@type": "dpv:Process",
        "dpv:hasPurpose": [PURPOSES.get(first.purpose, "dpv:DirectMarketing")],
        "dct:identifier": first.purpose,
        "dpv:hasPersonalData": [DATA[Channel(first.channel)]],
        "dpv:hasRecipient": ["dpv:DataController"],
    }
    if purpose is not None and version is not None:
        found |= {
            "dct:title": purpose.name_en if language == "en" else purpose.name_de,
            "dct:description": purpose.description_en if language == "en" else purpose.description_de,
            "dpv:hasLegalBasis": [BASIS[Purpose.Basis(version.basis)]],
            "dpv:hasStorageCondition": _storage(version, first.channel, who.country),
            "obhut:purposeVersion": version.number,
        }
    return found


def _storage(version: PurposeVersion, channel: str, country: str) -> list[dict[str, Any]]:
    """How long: a consent that is not used goes stale; the proof of one that ended is kept three years to year end, of
    one to calls five years from its last use besides (§ 7a UWG)."""
    kept: list[dict[str, Any]] = [
        {"@type": "dpv:StorageDeletion", "dpv:hasDuration": "P3Y", "dct:description": "CONSENT"}
    ]
    if channel == Channel.PHONE:
        kept.append({"@type": "dpv:StorageDeletion", "dpv:hasDuration": "P5Y", "dct:description": "CONSENT-TEL"})
    # The shop's own installation, at its seat; who has more places than that names them in the privacy notice.
    kept.append({"@type": "dpv:StorageLocation", "dpv:hasLocation": [f"loc:{country}"]})
    if version.stale_months:
        kept.insert(0, {"@type": "dpv:StorageDuration", "dpv:hasDuration": f"P{version.stale_months}M"})
    return kept


def _notices(events: Sequence[Happened], zone: ZoneInfo) -> list[dict[str, Any]]:
    """The wordings that the person saw, each once, with the day of the shop's calendar on which it was the first
    time."""
    seen: dict[str, dict[str, Any]] = {}
    for one in events:
        if one.text_sha256 and one.text_sha256 not in seen:
            seen[one.text_sha256] = {
                "@type": "dpv:ConsentNotice",
                "dct:identifier": one.wording.get("name", ""),
                "dct:language": one.wording.get("language", ""),
                "dct:date": local_date(datetime.fromisoformat(one.at), zone).isoformat(),
                "obhut:sha256": one.text_sha256,
            }
    return list(seen.values())


def _status(one: Happened) -> dict[str, Any]:
    kinds = [f"dpv:{DPV[Kind(one.kind)]}"]
    if one.kind in (Kind.GIVEN, Kind.RENEWED):
        kinds.append("dpv:ExpressedConsent")
    by = "dpv:DataSubject" if one.source in BY_PERSON else "dpv:DataController"
    return _event(one) | {"@type": kinds, "dpv:isIndicatedBy": [by]}


def _sale(one: Happened) -> dict[str, Any]:
    return _event(one) | {"@type": [SALES[Kind(one.kind)]], "obhut:sha256": one.text_sha256}


def _event(one: Happened) -> dict[str, Any]:
    return {
        "@id": f"urn:uuid:{one.uuid}",
        "dpv:hasIndicationMethod": one.source,
        "dpv:isIndicatedAtTime": one.at,
        "obhut:recordedAt": one.recorded,
        "obhut:purposeVersion": one.version.number if one.version else None,
        "obhut:confirmed": one.confirmed,
        "obhut:toldLater": one.late,
        "obhut:salt": one.salt,
        "obhut:payload": one.payload,
    }
