"""A recipient that is entered late learns what changed since it got the data, and nothing else (Art. 19 GDPR)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from customers.models import Customer, Summary
from customers.tombstones import erasure_of_number
from datamap.models import AccessLog
from privacy import rectifying, restricting
from privacy.disclosing import note_disclosure
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Disclosure, Erasure, Notice, Recipient, Restriction
from privacy.purging import plan_run, work
from privacy.recipients import recipients_of_ref
from privacy.toldwords import in_words
from staff.models import User
from tests.privacy.making import make_order, person, take
from tests.privacy.noting import disclose, make_recipient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@pytest.fixture
def zoe(db: None) -> Customer:
    return person()


def correct(customer: Customer, after: str, by: User, field: str = "customer:last_name") -> None:
    case = take(by, kind="rectification", customer=Customer.objects.get(pk=customer.pk))
    staged = rectifying.stage(case, field, after, "Ausweis", by=by)
    rectifying.apply_all(case, [staged.pk], by=by)


def restrict(customer: Customer, by: User) -> Restriction:
    return restricting.restrict(customer, "a", ["address"], "Adresse bestritten", by=by)


def late(customer: Customer, recipient: Recipient, days: float) -> None:
    """Enter today that the recipient got data so many days ago."""
    said = {"data": "Name", "purpose": "Lieferung", "basis": "6(1)(b)"}
    note_disclosure(recipient, [customer], at=timezone.now() - timedelta(days=days), **said)


def told(recipient: Recipient) -> list[tuple[str, str]]:
    rows = Notice.archive.filter(recipient=recipient).order_by("pk")
    with translation.override("en"):
        return [(row.kind, in_words(row.details).splitlines()[-1]) for row in rows]


def test_who_had_the_data_before_the_correction_is_told_what_stands_there_now(zoe, privacy) -> None:
    before, after = make_recipient("Nordpost"), make_recipient("Südpost")
    correct(zoe, "Gross", privacy)
    correct(zoe, "Grosz", privacy)
    late(zoe, before, 3)
    late(zoe, after, 0)
    assert told(before) == [("rectification", "last name: Grosz")]
    assert told(after) == []
    late(zoe, before, 2)  # noted once more: it knows already
    assert len(told(before)) == 1
    correct(zoe, "Groß", privacy)
    assert told(before)[1:] == told(after) == [("rectification", "last name: Groß")]


def test_who_was_told_at_the_time_is_told_nothing_again(zoe, privacy) -> None:
    known = make_recipient("Nordpost")
    disclose(known, zoe, "2026-01-15")
    correct(zoe, "Gross", privacy)
    restrict(zoe, privacy)
    assert len(told(known)) == 2
    late(zoe, known, 30)
    assert len(told(known)) == 2


def test_a_standing_restriction_is_told_and_one_that_ended_is_not(zoe, privacy) -> None:
    before, after = make_recipient("Nordpost"), make_recipient("Südpost")
    restriction = restrict(zoe, privacy)
    late(zoe, before, 3)
    late(zoe, after, 0)
    assert told(before) == [("restriction", "addresses")]
    assert told(after) == []
    restricting.announce_lifting(restriction, "Die Adresse stimmt.", by=privacy)
    restricting.lift(restriction, by=privacy)
    third = make_recipient("Ostpost")
    late(zoe, third, 3)
    assert told(third) == []


def test_an_authority_with_a_particular_inquiry_is_told_nothing(zoe, privacy) -> None:
    office = make_recipient("Finanzamt", "tax_office", "authority")
    correct(zoe, "Gross", privacy)
    late(zoe, office, 3)
    assert told(office) == []


def form(kind: str = "parcel", **given: Any) -> dict[str, Any]:
    return {
        "name": "Nordpost", "kind": kind, "role": "controller", "email": "", "contact": "", "language": "de",
        "country": "DE", "safeguard": "", "purposes": "", "data": "", "contract": "", "since": "", "until": "", **given,
    }  # fmt: skip


def test_a_carrier_that_is_entered_late_is_told_of_those_it_delivered_to_before(zoe, privacy, privacy_client) -> None:
    served_after = person("10002", email="b@laden.example", phone="")
    untouched = person("10003", email="c@laden.example", phone="")
    for one in (zoe, untouched):
        make_order(one, "2026-03-02")
    correct(zoe, "Gross", privacy)
    correct(served_after, "Klein", privacy)
    make_order(served_after, timezone.localdate().isoformat(), delivered_at=timezone.now())
    assert privacy_client.post(reverse("privacy:recipient_new"), form()).status_code == 302
    carrier = Recipient.objects.get()
    assert [(row.customer_id, row.kind) for row in Notice.archive.filter(recipient=carrier)] == [
        (zoe.pk, "rectification")
    ]
    page = reverse("privacy:recipient", args=[carrier.pk])
    assert privacy_client.post(page, form(contact="Lager", version=carrier.version)).status_code == 302
    assert Notice.archive.filter(recipient=carrier).count() == 1


@pytest.fixture
def erased(zoe: Customer) -> Erasure:
    return run_erasure(ask_erasure(zoe).pk)


def note(client: Client, gone: Erasure | str, recipient: Recipient, days: float) -> int:
    """Note that a recipient had data so many days ago; of whom the night ended at the address of their page."""
    at = timezone.localtime(timezone.now() - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")
    sent = {
        "recipient": recipient.pk, "at": at, "data": "Name", "purpose": "Lieferung", "basis": "6(1)(b)", "note": "",
        "known_by": "Sendung 0815",
    }  # fmt: skip
    page = gone if isinstance(gone, str) else reverse("privacy:erasure_disclosure", args=[gone.pk])
    return client.post(page, sent).status_code


def test_who_had_data_of_somebody_erased_is_told_of_the_erasure(erased, privacy_client) -> None:
    carrier = make_recipient("Nordpost")
    page = reverse("privacy:erasure_disclosure", args=[erased.pk])
    assert page in privacy_client.get(reverse("privacy:erasure", args=[erased.pk])).text
    assert privacy_client.get(page).status_code == 200
    assert note(privacy_client, erased, carrier, 3) == 302
    assert told(carrier) == [("erasure", "Sendung 0815")]
    assert [one.recipient for one in recipients_of_ref(erased.subject_ref)] == [carrier]
    assert note(privacy_client, erased, carrier, 2) == 302
    assert len(told(carrier)) == 1


def test_nothing_is_noted_of_somebody_erased_for_a_time_after_it(erased, privacy_client) -> None:
    Erasure.objects.filter(pk=erased.pk).update(started_at=timezone.now() - timedelta(days=5))
    carrier = make_recipient("Nordpost")
    assert note(privacy_client, erased, carrier, 3) == 422
    assert not Disclosure.archive.exists() and not Notice.archive.exists()


def test_there_is_no_such_page_while_the_person_is_there(zoe, privacy_client, agent_client, erased) -> None:
    open_one = ask_erasure(person("10002", email="b@laden.example", phone=""))
    assert privacy_client.get(reverse("privacy:erasure_disclosure", args=[open_one.pk])).status_code == 404
    assert agent_client.get(reverse("privacy:erasure_disclosure", args=[erased.pk])).status_code == 403


@pytest.fixture
def ended(zoe: Customer) -> UUID:
    """The mark of somebody whom the night ended: an account of which nobody had heard for ages."""
    long_ago = timezone.now() - timedelta(days=4_000)
    Customer.objects.filter(pk=zoe.pk).update(registered_at=long_ago, created_at=long_ago)
    Summary.objects.update_or_create(customer=zoe, defaults={"last_activity": long_ago})
    work(plan_run(timezone.localdate(), only="ACCOUNT").pk)
    assert not Customer.objects.exists() and not Erasure.objects.exists()
    gone = erasure_of_number("10001")
    assert gone is not None
    return gone[1]


def test_a_late_recipient_of_somebody_whom_the_night_ended_is_noted_and_told(ended, privacy_client) -> None:
    """Art. 19 asks who had the data, not why they went; without a receipt the former number leads to the page."""
    carrier = make_recipient("Nordpost")
    page, form = (reverse(f"privacy:{name}", args=[ended]) for name in ("ended", "ended_disclosure"))
    found = privacy_client.post(reverse("privacy:erased_find"), {"number": " 10001 "})
    assert found["Location"] == page
    shown = privacy_client.get(page).text
    assert form in shown and "am heute" not in shown and " on today" not in shown
    assert privacy_client.get(form).status_code == 200
    for days in (3, 2):
        assert note(privacy_client, form, carrier, days) == 302
        Notice.archive.update(state="done", details="")  # told by telephone
    notice = Notice.archive.get()
    assert (notice.recipient, notice.kind, notice.subject_ref, notice.erasure) == (carrier, "erasure", ended, None)
    assert "Nordpost" in privacy_client.get(page).text
    assert AccessLog.objects.filter(customer_number=str(ended), page="privacy:ended_disclosure").exists()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_tombstone SET erased_at = now() - interval '5 days'")
    assert note(privacy_client, form, carrier, 3) == 422
    assert Disclosure.archive.count() == 2


def test_only_who_was_ended_by_night_has_that_page(erased, privacy_client, agent_client, outsider) -> None:
    nobody = uuid4()
    for name in ("ended", "ended_disclosure"):
        for mark in (nobody, erased.subject_ref):
            assert privacy_client.get(reverse(f"privacy:{name}", args=[mark])).status_code == 404
        assert agent_client.get(reverse(f"privacy:{name}", args=[nobody])).status_code == 403
    found = privacy_client.post(reverse("privacy:erased_find"), {"number": "10001"})
    assert found["Location"] == reverse("privacy:erasure", args=[erased.pk])
    person("10002", email="b@laden.example", phone="")
    for number in ("10002", "", "99999"):
        found = privacy_client.post(reverse("privacy:erased_find"), {"number": number})
        assert found["Location"] == reverse("privacy:erasures")
    assert agent_client.post(reverse("privacy:erased_find"), {"number": "10001"}).status_code == 403
