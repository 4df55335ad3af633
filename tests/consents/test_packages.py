"""A person's copy holds every consent with its whole history, in the words of ISO/IEC TS 27560, and its receipts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from consents import checkpoints
from consents.checkpoints import sign_checkpoint
from consents.models import Purpose, Record
from consents.purposes import save_purpose
from consents.sealing import seal_pending
from consents.verify import CHECKPOINT, RECEIPT, unarmored, verify
from consents.withdrawing import withdraw
from customers.models import Customer
from privacy.erasing import ask_erasure, run_erasure
from privacy.packages.building import build
from privacy.packages.knowing import marks_of_erased
from tests.consents.making import moment, say
from tests.privacy.making import make_person
from tests.privacy.packaging import everything, files_of, make_colleague, make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    make_shop()
    person = make_person("4711")
    say(person, "requested", at=moment("2026-01-02T10:00:00+01:00"))
    say(person, confirmed=True, source="double_opt_in", at=moment("2026-01-02T11:00:00+01:00"))
    withdraw(person, "newsletter", "email", source="rfc8058", at=moment("2026-03-01T09:00:00+01:00"))
    say(person, purpose="post", channel="post", endpoint="")
    say(person, "noticed", purpose="feedback", source="sale")
    say(make_person("4712"), endpoint="andere@laden.example")
    seal_pending()
    sign_checkpoint()
    return person


def graph(files: dict[str, bytes]) -> list[dict[str, Any]]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _value in pairs]
        assert len(set(names)) == len(names), "a key stands twice"
        return dict(pairs)

    document = json.loads(files["data/consents.jsonld"], object_pairs_hook=once)
    prefixes = set(document["@context"])
    for record in document["@graph"]:
        used = {name.partition(":")[0] for name in record if not name.startswith("@")}
        assert used <= prefixes
    return document["@graph"]


def test_each_consent_is_a_record_of_its_whole_history(customer: Customer) -> None:
    found = {(one["dpv:hasProcess"][0]["dct:identifier"], one["obhut:channel"]): one for one in graph(
        files_of(build(customer, "access")))}  # fmt: skip
    assert set(found) == {("newsletter", "email"), ("post", "post"), ("feedback", "email")}
    record = found["newsletter", "email"]
    # The structure of the example of the W3C guide, with lists where it repeats a key.
    assert record["@type"] == "dpv:ConsentRecord"
    assert record["dct:conformsTo"] == "https://w3id.org/dpv/schema/dpv-27560#record"
    assert record["dpv:hasDataController"]["schema:name"] == "Laden am Deich GmbH"
    states = record["dpv:hasConsentStatus"]
    assert [state["@type"][0] for state in states] == [
        "dpv:ConsentRequested", "dpv:ConsentGiven", "dpv:ConsentWithdrawn"
    ]  # fmt: skip
    assert states[2]["dpv:isIndicatedAtTime"] == "2026-03-01T08:00:00.000000Z"
    assert states[2]["dpv:hasIndicationMethod"] == "rfc8058"
    assert states[1]["obhut:confirmed"] is True
    assert [notice["obhut:sha256"] for notice in record["dpv:hasNotice"]] == ["ab" * 32]
    process = record["dpv:hasProcess"][0]
    assert (process["dpv:hasPurpose"], process["dpv:hasLegalBasis"]) == (["dpv:DirectMarketing"], ["eu-gdpr:A6-1-a"])
    assert found["feedback", "email"]["dpv:hasConsentStatus"] == []  # told at a sale is no consent
    assert len(found["feedback", "email"]["obhut:hasSaleNotice"]) == 1


def test_one_address_is_one_record_however_it_was_written_and_ends_with_its_withdrawal(customer: Customer) -> None:
    """Two records of one mailbox would leave a yes standing that the person has withdrawn."""
    say(customer, "given", "birthday", endpoint="Alma4711@Laden.example", at=moment("2026-07-01T00:30:00+02:00"))
    say(customer, "renewed", "birthday", endpoint="alma4711@laden.example", at=moment("2026-08-05T12:00:00+02:00"))
    withdraw(customer, "birthday", "email", source="rfc8058", at=moment("2026-09-01T09:00:00+02:00"))
    (record,) = [
        one
        for one in graph(files_of(build(customer, "access")))
        if one["dpv:hasProcess"][0]["dct:identifier"] == "birthday"
    ]
    assert [state["@type"][0] for state in record["dpv:hasConsentStatus"]] == [
        "dpv:ConsentGiven", "dpv:RenewedConsentGiven", "dpv:ConsentWithdrawn"
    ]  # fmt: skip
    # The day of the shop's calendar: in UTC it was still the last of June.
    assert [notice["dct:date"] for notice in record["dpv:hasNotice"]] == ["2026-07-01"]


def test_the_proof_of_a_consent_to_calls_is_kept_five_years_and_the_copy_says_so(customer: Customer) -> None:
    say(customer, purpose="phone", channel="phone", endpoint="+49301234567", source="phone_call")
    found = {one["obhut:channel"]: one for one in graph(files_of(build(customer, "access")))}
    kept = {
        channel: [(one["dpv:hasDuration"], one.get("dct:description")) for one in
                  found[channel]["dpv:hasProcess"][0]["dpv:hasStorageCondition"] if "dpv:hasDuration" in one]
        for channel in ("phone", "email")
    }  # fmt: skip
    # § 7a UWG: five years from the grant and again from each use, and the three years of any proof besides.
    assert kept["phone"] == [("P36M", None), ("P3Y", "CONSENT"), ("P5Y", "CONSENT-TEL")]
    assert kept["email"] == [("P36M", None), ("P3Y", "CONSENT")]


def test_the_example_of_the_guide_has_no_property_that_we_lack(customer: Customer, shared_data: Any) -> None:
    example = json.loads((shared_data / "formats" / "dpv27560_largest_example.jsonld").read_text(encoding="utf-8"))
    wanted = set(example["dpv:hasRecordOfActivity"]) - {"dpv:hasDataProcessor"}  # there is none
    assert wanted <= set(graph(files_of(build(customer, "access")))[0])


def values_of(node: Any, context: dict[str, Any], name: str = "") -> Iterator[tuple[str, str, Any]]:
    """Property, value and how the context has it read, of every plain value in a document."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from values_of(value, context, key)
    elif isinstance(node, list):
        for value in node:
            yield from values_of(value, context, name)
    elif isinstance(node, str) and not name.startswith("@"):
        told = context.get(name)
        yield name, node, told.get("@type") if isinstance(told, dict) else None


def test_terms_of_the_vocabulary_are_terms_to_a_machine_and_times_are_times(customer: Customer) -> None:
    """In JSON-LD a value is words, not the term that it names, unless the context says so (JSON-LD 1.1, 4.2)."""
    document = json.loads(files_of(build(customer, "access"))["data/consents.jsonld"])
    context = document["@context"]
    prefixes = {name for name, value in context.items() if isinstance(value, str)}
    found = list(values_of(document["@graph"], context))
    terms = {name for name, value, _how in found if value.partition(":")[0] in prefixes}
    assert terms >= {
        "dpv:hasPurpose",
        "dpv:hasLegalBasis",
        "dpv:hasPersonalData",
        "dpv:isIndicatedBy",
        "dpv:hasJurisdiction",
    }
    read = {name: how for name, _value, how in found}
    assert {read[name] for name in terms} == {"@id"}
    assert all(value.partition(":")[0] in prefixes | {"https"} for _name, value, how in found if how == "@id")
    assert (read["dpv:isIndicatedAtTime"], read["dct:date"], read["dpv:hasDuration"]) == (
        "xsd:dateTime", "xsd:date", "xsd:duration"
    )  # fmt: skip


def test_each_record_has_what_the_standard_demands(customer: Customer) -> None:
    """ISO/IEC TS 27560 as mapped by the guide of the DPV: storage locations, and of the controller id, name, address,
    contact."""
    for record in graph(files_of(build(customer, "access"))):
        for process in record["dpv:hasProcess"]:
            places = [
                one["dpv:hasLocation"]
                for one in process["dpv:hasStorageCondition"]
                if one["@type"] == "dpv:StorageLocation"
            ]
            assert places == [["loc:DE"]]
        who = record["dpv:hasDataController"]
        assert who["@id"].startswith("http")
        assert who["dpv:hasName"] == "Laden am Deich GmbH"
        assert who["dpv:hasAddress"] and who["dpv:hasContact"]


def test_its_receipts_prove_themselves(customer: Customer) -> None:
    text = files_of(build(customer, "access"))["data/consent_receipts.txt"]
    parts = text.split(b"-----BEGIN OBHUT CONSENT RECEIPT-----")[1:]
    assert len(parts) == 5
    for part in parts:
        block = b"-----BEGIN OBHUT CONSENT RECEIPT-----" + part
        proved = verify(unarmored(block, RECEIPT), unarmored(block, CHECKPOINT).decode(), checkpoints.verifying_key())
        assert proved.purpose in ("newsletter", "post", "feedback")


def test_consents_are_no_part_of_what_is_portable_and_nobody_elses_are_in_it(customer: Customer) -> None:
    assert not [name for name in files_of(build(customer, "portability")) if "consent" in name]
    assert "andere@laden.example" not in everything(files_of(build(customer, "access")))


def test_two_copies_are_the_same(customer: Customer) -> None:
    one, other = (files_of(build(customer, "access")) for _ in range(2))
    assert [name for name in one if one[name] != other[name]] == ["manifest.json"]


def test_who_was_erased_and_asks_again_is_told_of_the_blocked_proof(customer: Customer) -> None:
    erasure = run_erasure(ask_erasure(customer).pk)
    assert erasure.state == "done", erasure.holds
    assert not Record.objects.filter(customer=customer.pk).exists()
    (mark,) = marks_of_erased(email="ALMA4711@laden.example")
    assert mark == erasure.subject_ref
    records = graph(files_of(build(mark, "access")))
    newsletter = next(one for one in records if one["dpv:hasProcess"][0]["dct:identifier"] == "newsletter")
    assert len(newsletter["dpv:hasConsentStatus"]) == 3


def test_a_receipt_whose_record_is_blackened_is_left_out(customer: Customer) -> None:
    """Art. 15(4) GDPR: the colleague is somebody else. What is blackened proves nothing any more, what is left does."""
    make_colleague("Martin Meier")
    noted = say(customer, purpose="birthday", source="phone_call", evidence={"note": "am Telefon mit Martin Meier"})
    seal_pending()
    sign_checkpoint()
    files = files_of(build(customer, "access"))
    assert "Meier" not in everything(files)
    receipts = files["data/consent_receipts.txt"].decode()
    uuids = {one.pk: str(one.entry.uuid) for one in Record.objects.filter(customer=customer).select_related("entry")}
    assert {pk for pk, uuid in uuids.items() if uuid in receipts} == set(uuids) - {noted}
    # The record itself is in the copy, without the name and without a payload that would be said to prove it.
    found = next(one for one in graph(files) if one["dpv:hasProcess"][0]["dct:identifier"] == "birthday")
    (status,) = found["dpv:hasConsentStatus"]
    assert "am Telefon mit [geschwärzt]" in status["obhut:payload"]


def test_the_copy_names_what_a_purpose_rested_on_when_each_event_was_recorded() -> None:
    make_shop()
    person, purpose = make_person("4711"), Purpose.objects.get(key="post")
    say(person, "given", "post", channel="post", endpoint="")
    purpose.basis, purpose.stale_months = "consent", 12
    save_purpose(purpose)
    say(person, "renewed", "post", channel="post", endpoint="")
    purpose.basis, purpose.stale_months = "contract", 6
    save_purpose(purpose)
    (record,) = graph(files_of(build(person, "access")))
    # Legitimate interests when it was given, consent when it was renewed; of the contract since nothing was recorded.
    assert [one["dpv:hasLegalBasis"] for one in record["dpv:hasProcess"]] == [["eu-gdpr:A6-1-f"], ["eu-gdpr:A6-1-a"]]
    fresh = [one["dpv:hasStorageCondition"][0]["dpv:hasDuration"] for one in record["dpv:hasProcess"]]
    assert fresh == ["P3Y", "P12M"]
    said = [one["obhut:purposeVersion"] for one in record["dpv:hasConsentStatus"]]
    assert said == [one["obhut:purposeVersion"] for one in record["dpv:hasProcess"]]
