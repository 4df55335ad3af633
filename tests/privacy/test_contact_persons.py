"""Who speaks for a company is a person of their own: their copy, their erasure, and the company stays (Art. 15, 17)."""

from __future__ import annotations

import json
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers import tombstones
from customers.models import ContactPerson, ContactPoint, Customer, Tombstone
from customers.suppression import suppressed
from datamap import journal
from datamap.models import AccessLog
from orders.models import Order
from privacy import reapplying
from privacy.erasing import approve_erasure, cancel_erasure, run_erasure
from privacy.erasing_contacts import ask_contact_erasure
from privacy.models import DeletionLog, Erasure, Hold, Notice, Policy
from tests.privacy.making import make_order, make_person, take
from tests.privacy.noting import disclose, make_recipient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

BERTA = "berta.buchhalter@firma.example"
PHONE = "+494055501420"


@pytest.fixture
def company(db: None) -> Customer:
    found = make_person("F-1", kind="company", company="Kaffeekontor GmbH", first_name="", last_name="")
    order = make_order(found, "2026-05-20")
    Order.objects.filter(pk=order.pk).update(billing={"name": "Kaffeekontor GmbH, Berta Buchhalter"})
    return found


@pytest.fixture
def berta(company: Customer) -> ContactPerson:
    """Somebody whose name was changed once, beside a colleague."""
    ContactPerson.objects.create(customer=company, first_name="Carl", last_name="Chef", email="chef@firma.example")
    found = ContactPerson.objects.create(
        customer=company, first_name="Berta", last_name="Buch", position="Buchhaltung", email=BERTA, phone=PHONE
    )
    found.last_name = "Buchhalter"
    found.save()
    return found


def page(name: str, person: ContactPerson) -> str:
    return reverse(f"privacy:{name}", args=[person.customer.number, person.pk])


@pytest.fixture
def desk(fresh, privacy) -> Client:
    return fresh(privacy)


def test_the_plan_is_the_receipt_and_the_company_stays(desk, company, berta, eager, django_capture_on_commit_callbacks):
    planned = desk.get(page("contact_erase", berta))
    assert planned.context["sums"] == {"delete": 3, "anonymize": 0, "block": 0, "keep": 0}
    assert ContactPerson.objects.count() == 2
    with django_capture_on_commit_callbacks(execute=True):
        answer = desk.post(page("contact_erase", berta), {"suppress": "on"})
    done = Erasure.objects.get()
    assert answer["Location"] == reverse("privacy:erasure", args=[done.pk])
    assert (done.state, done.customer, done.needles) == ("done", None, None)
    assert {(item["model"], item["action"], item["count"]) for item in done.items} == {
        ("customers.ContactPerson", "delete", 1), ("customers.HistoricalContactPerson", "delete", 2),
    }  # fmt: skip
    assert set(DeletionLog.objects.values_list("erasure", "model", "count")) == {
        (done.pk, "customers.ContactPerson", 1), (done.pk, "customers.HistoricalContactPerson", 2),
    }  # fmt: skip
    assert [one.last_name for one in ContactPerson.objects.all()] == ["Chef"]
    assert not ContactPerson.history.filter(id=berta.pk).exists()
    assert Customer.objects.get() == company and company.contact_points.count() == 2
    assert "Berta" in Order.objects.get().billing["name"]  # a paper of the company, by its own rule
    assert suppressed("email", BERTA) and suppressed("phone", PHONE)
    assert tombstones.erased(email=BERTA)[1] == done.subject_ref
    receipt = desk.get(reverse("privacy:erasure", args=[done.pk]))
    assert receipt.status_code == 200 and BERTA not in receipt.text
    assert desk.get(page("contact", berta)).status_code == 404


def test_without_the_wish_nothing_is_suppressed(berta, privacy):
    run_erasure(ask_contact_erasure(berta, suppress=False, user=privacy).pk)
    assert not suppressed("email", BERTA)
    assert Tombstone.objects.filter(kind="email").count() == 1


def test_an_address_that_is_the_companys_too_stays_the_companys(company, berta, privacy):
    ContactPoint.objects.create(customer=company, kind="email", value=BERTA.upper())
    run_erasure(ask_contact_erasure(berta, suppress=True, user=privacy).pk)
    assert not suppressed("email", BERTA) and suppressed("phone", PHONE)
    assert tombstones.erased(email=BERTA) is None
    assert company.contact_points.filter(whole_index=BERTA).exists()


def test_a_second_person_and_the_undo_window_count_here_too(berta, privacy, second):
    Policy(erasure_needs_second=True).save()
    first = ask_contact_erasure(berta, suppress=True, user=privacy)
    assert ask_contact_erasure(berta, suppress=True, user=privacy) == first
    assert first.state == "waiting"
    cancel_erasure(first)
    first.refresh_from_db()
    assert first.needles is None and ContactPerson.objects.filter(pk=berta.pk).exists()
    again = approve_erasure(ask_contact_erasure(berta, suppress=True, user=privacy), second)
    assert run_erasure(again.pk).state == "done"


def test_a_dispute_with_the_company_keeps_the_person_until_it_is_over(company, berta, privacy):
    said = {"customer": company, "kind": "claim", "reason": "Streit", "review_on": date(2027, 6, 1), "owner": privacy}
    of_one_order = Hold.objects.create(**said, order_number=Order.objects.get().number)
    whole = Hold.objects.create(**said)
    erasure = run_erasure(ask_contact_erasure(berta, suppress=False).pk)
    assert (erasure.state, [hold["kind"] for hold in erasure.holds]) == ("held", ["claim_hold"])
    assert ContactPerson.objects.filter(pk=berta.pk).exists()
    Hold.objects.filter(pk=whole.pk).update(released_at=timezone.now())
    assert run_erasure(erasure.pk).state == "done"
    assert Hold.objects.filter(pk=of_one_order.pk, customer=company).exists()


def test_who_received_the_companys_data_is_told_once(company, berta, privacy):
    carrier = make_recipient("Nordpost")
    disclose(carrier, company, "2026-05-22")
    case = take(privacy, kind="erasure", customer=company, email=BERTA)
    erasure = run_erasure(ask_contact_erasure(berta, suppress=False, user=privacy).pk)
    assert erasure.request == case
    notice = Notice.archive.get()
    assert (notice.recipient, notice.kind, notice.customer, notice.subject_ref) == (
        carrier, "erasure", None, erasure.subject_ref,
    )  # fmt: skip
    assert "Berta Buchhalter" in notice.details and "F-1" in notice.details


def test_the_journal_ends_the_person_again_after_a_restore(company, berta):
    erasure = run_erasure(ask_contact_erasure(berta, suppress=True).pk)
    (entry,) = [dict(one.payload) for one in journal.entries() if one.kind == "contact_erasure"]
    assert reapplying.replay_contact(entry) == "already"
    Erasure.objects.all().delete()
    ContactPerson.objects.create(pk=berta.pk, customer=company, last_name="Buchhalter", email=BERTA)
    with journal.replaying(1):
        assert reapplying.replay_contact(entry) == "replayed"
    assert not ContactPerson.objects.filter(pk=berta.pk).exists()
    again = Erasure.objects.get()
    assert (again.receipt, again.subject_ref, again.state) == (erasure.receipt, erasure.subject_ref, "done")
    assert company.contact_points.exists()


def test_the_copy_is_the_persons_own_row_with_its_history(desk, company, berta):
    rights = desk.get(reverse("privacy:customer", args=["F-1"]))
    assert page("contact", berta) in rights.text
    assert page("contact_copy", berta) in desk.get(page("contact", berta)).text
    answer = desk.get(page("contact_copy", berta))
    said = json.loads(answer.content)
    assert (said["data"]["last_name"], said["data"]["email"], said["speaks_for"]) == (
        "Buchhalter", BERTA, "Kaffeekontor GmbH",
    )  # fmt: skip
    assert [row["last_name"] for row in said["history"]] == ["Buch", "Buchhalter"]
    assert said["basis"] == ["6(1)(f)"] and said["purpose"] and said["deletable_from"]
    for others in ("chef@firma.example", "alma", "Espressobohnen", "F-1"):
        assert others not in answer.content.decode()
    assert "F-1" not in answer["Content-Disposition"]
    assert AccessLog.objects.filter(customer_number="F-1", page="privacy:contact_copy").exists()


def test_nobody_gets_at_a_contact_person_through_another_company(desk, agent_client, berta):
    other = make_person("F-2", kind="company", company="Andere AG")
    for name in ("contact", "contact_copy", "contact_erase"):
        assert desk.get(reverse(f"privacy:{name}", args=[other.number, berta.pk])).status_code == 404
        assert agent_client.get(page(name, berta)).status_code == 403
