"""Who speaks for a company is a person of their own: their copy, their erasure, and the company stays (Art. 15, 17)."""

from __future__ import annotations

import json
from datetime import date
from hashlib import sha256
from importlib import import_module

import pytest
from django.apps import apps
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from jsonschema import Draft202012Validator

from customers import tombstones
from customers.models import ContactPerson, ContactPoint, Customer, Tombstone
from customers.suppression import suppressed
from datamap import journal
from datamap.diagnosis import Options
from datamap.models import AccessLog
from mail.delivering import deliver_due
from orders.models import Order
from privacy import closing, copies, handling, identifying, reapplying, receiving
from privacy.erasing import approve_erasure, ask_erasure, cancel_erasure, run_erasure
from privacy.erasing_contacts import ask_contact_erasure
from privacy.invariants import check_erased
from privacy.models import DeletionLog, Erasure, Hold, Notice, Package, Policy, Request
from privacy.packages.building import build, work_on
from privacy.steps import StepRefused
from tests.privacy.making import days_ago, make_copy, make_order, make_person, take
from tests.privacy.noting import disclose, make_recipient
from tests.privacy.packaging import everything, files_of

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


def test_the_wish_of_an_erasure_that_waits_moves_into_its_column(berta, privacy):
    """It stood among what is searched for, where it said the person's wish in the place of another thing."""
    Policy(erasure_needs_second=True).save()
    waiting = ask_contact_erasure(berta, suppress=False, user=privacy)
    Erasure.objects.filter(pk=waiting.pk).update(needles={"suppress": True})
    begun = Erasure.objects.create(
        contact_person=0, as_of="2026-11-01", state="running", started_at=timezone.now(), needles={"emails": [BERTA]}
    )
    migration = import_module("privacy.migrations.0013_contact_persons_and_questions")
    migration.take_the_wish_out(apps, None)
    waiting.refresh_from_db()
    begun.refresh_from_db()
    assert (waiting.suppress, waiting.needles) == (True, None)
    assert (begun.suppress, begun.needles) == (False, {"emails": [BERTA]})


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


def copy_for(desk: Client, berta: ContactPerson, capture) -> dict[str, bytes]:
    """What the button on the page of a contact person has made."""
    with capture(execute=True):
        answer = desk.post(page("contact_copy", berta))
    package = Package.objects.get()
    assert answer["Location"] == reverse("privacy:package", args=[package.uuid])
    assert (package.state, package.contact_person) == ("ready", berta.pk)
    return files_of(package)


def test_the_copy_is_the_persons_own_row_with_its_history(
    desk, company, berta, eager, django_capture_on_commit_callbacks
):
    rights = desk.get(reverse("privacy:customer", args=["F-1"]))
    assert page("contact", berta) in rights.text
    assert page("contact_copy", berta) in desk.get(page("contact", berta)).text
    disclose(make_recipient("Nordpost"), company, "2026-05-22")
    files = copy_for(desk, berta, django_capture_on_commit_callbacks)
    (row,) = json.loads(files["data/customers.ContactPerson.json"])
    assert (row["last_name"], row["email"]) == ("Buchhalter", BERTA)
    former = json.loads(files["data/customers.HistoricalContactPerson.json"])
    assert [version["last_name"] for version in former] == ["Buch", "Buchhalter"]
    told = json.loads(files["meta/processing.json"])
    assert told["recipients"][0]["name"] == "Nordpost" and "6(1)(f)" in json.dumps(told)
    listed = json.loads(files["manifest.json"])["files"]
    assert {one["path"] for one in listed} == files.keys() - {"manifest.json"}
    assert all(sha256(files[one["path"]]).hexdigest() == one["sha256"] for one in listed)
    for path, content in files.items():
        if path.startswith("data/"):
            Draft202012Validator(json.loads(files[f"schemas/{path[5:-5]}.schema.json"])).validate(json.loads(content))
    for others in ("chef@firma.example", "alma", "Espressobohnen", "F-1"):
        assert others not in everything(files)
    assert AccessLog.objects.filter(customer_number="F-1", page="privacy:contact_copy").exists()


def test_the_copy_is_there_for_people_too(desk, company, berta, eager, django_capture_on_commit_callbacks):
    """Art. 12(1): a page that can be read, and the same as a PDF that is archival and accessible."""
    Customer.objects.filter(pk=company.pk).update(language="de")
    files = copy_for(desk, berta, django_capture_on_commit_callbacks)
    read = files["index.html"].decode()
    assert 'lang="de"' in read and "Berta Buchhalter" in read and BERTA in read
    assert "Letzter Tag" in read and "Frühere Fassungen" in read and "<script" not in read
    pdf = next(content for path, content in files.items() if path.endswith(".pdf"))
    assert pdf.startswith(b"%PDF")


@pytest.fixture
def asked(company, berta, officer) -> Request:
    """She writes from her own address; the desk finds the company by it."""
    company.addresses.create(kind="billing", street="Kontorgasse 4", postcode="20457", city="Hamburg", is_default=True)
    case = take(officer, channel="mail", email=BERTA.upper(), language="en")
    receiving.assign(case, company, version=None, by=officer)
    identifying.settle(case, "known_facts", version=None, by=officer)
    return case


def test_her_request_never_leads_to_the_companys_package(asked, company, berta, officer, fresh, eager) -> None:
    assert asked.contact_person == berta.pk
    companys = build(company, "access", user_id=officer.pk)
    Package.objects.filter(pk=companys.pk).update(state="ready", released_at=timezone.now())
    with pytest.raises(StepRefused):
        handling.answer(asked, "", way="mail", partly=False, version=None, by=officer)
    desk = fresh(officer)
    shown = desk.get(reverse("privacy:request", args=[asked.pk])).text
    assert "Berta Buchhalter" in shown and page("contact", berta) in shown
    desk.post(reverse("privacy:package_for_case", args=[asked.pk]))
    made = Package.objects.exclude(pk=companys.pk).get()
    assert (made.contact_person, made.request) == (berta.pk, asked)
    work_on(made.pk)
    assert copies.copy_of(asked) == Package.objects.get(pk=made.pk)
    own = take(officer, customer=company, channel="letter", received_at=days_ago(1))
    assert (own.contact_person, copies.copy_of(own)) == (None, companys)


def test_the_answer_goes_to_her_and_not_to_the_company(asked, berta, officer) -> None:
    make_copy(asked, officer)
    handling.answer(asked, "", way="mail", partly=False, version=None, by=officer)
    letter = asked.letters.get(kind="answer")
    assert letter.recipient.splitlines() == ["Berta Buchhalter", "Kaffeekontor GmbH", "Kontorgasse 4", "20457 Hamburg"]
    assert (letter.address.casefold(), "Berta Buchhalter" in letter.body) == (BERTA, True)
    deliver_due(10)
    assert [[to.casefold() for to in one.to] for one in mail.outbox] == [[BERTA]]


def test_a_request_for_portability_of_hers_hands_nothing_of_the_company_out(asked, officer, fresh) -> None:
    """Her row is held under legitimate interests: Art. 20 is about consent and contract."""
    Request.objects.filter(pk=asked.pk).update(kind="portability")
    asked.refresh_from_db()
    handling.answer(asked, "", way="mail", partly=False, version=None, by=officer)
    assert "We hold none that this right is about" in asked.letters.get(kind="answer").body


def test_her_request_for_erasure_erases_her_and_is_answered_afterwards(asked, company, berta, officer, fresh) -> None:
    Request.objects.filter(pk=asked.pk).update(kind="erasure")
    desk = fresh(officer)
    shown = desk.get(reverse("privacy:request", args=[asked.pk])).text
    assert page("contact_erase", berta) in shown and reverse("privacy:erase", args=["F-1"]) not in shown
    of_company = ask_erasure(company)
    assert of_company.request is None
    cancel_erasure(of_company)
    own = take(officer, kind="erasure", customer=company, channel="letter")
    done = run_erasure(ask_contact_erasure(berta, suppress=True, user=officer).pk)
    assert (done.state, done.request) == ("done", asked)
    asked.refresh_from_db()
    assert [erasure.pk for erasure in reapplying.erasures_of(asked)] == [done.pk]
    assert reapplying.erasures_of(own) == []
    handling.answer(asked, "", way="mail", partly=False, version=None, by=officer)
    letter = asked.letters.get(kind="answer")
    assert letter.address.casefold() == BERTA
    assert letter.recipient.startswith("Berta Buchhalter")
    assert "Erased: contact persons." in letter.body
    assert desk.get(reverse("privacy:request", args=[asked.pk])).status_code == 200
    assert closing.open_points(asked) == []


def test_what_she_objects_to_stops_what_is_hers_alone(company, berta, officer) -> None:
    case = take(officer, kind="objection", objects_to="advertising", customer=company, email=BERTA)
    assert case.contact_person == berta.pk
    assert suppressed("email", BERTA) and suppressed("phone", PHONE)
    assert not suppressed("email", "almaF-1@laden.example")
    assert not Customer.objects.filter(summary__advertising_stopped_at__isnull=False).exists()


def test_the_desk_says_who_asks_where_the_address_does_not(company, berta, officer, fresh) -> None:
    case = take(officer, customer=company, channel="phone")
    assert case.contact_person is None
    desk, where = fresh(officer), reverse("privacy:request_speaker", args=[case.pk])
    stranger = ContactPerson.objects.create(
        customer=make_person("F-2", kind="company", company="Andere AG"), last_name="Fremd"
    )
    for wrong in (str(stranger.pk), "x"):
        assert desk.post(where, {"speaker": wrong, "version": case.version}).status_code == 422
    assert desk.post(where, {"speaker": berta.pk, "version": case.version}).status_code == 302
    case.refresh_from_db()
    assert case.contact_person == berta.pk
    assert desk.post(where, {"speaker": "", "version": case.version - 1}).status_code == 409
    assert desk.post(where, {"speaker": "", "version": case.version}).status_code == 302
    case.refresh_from_db()
    assert case.contact_person is None


def test_a_copy_that_lies_ready_goes_with_her(berta, officer) -> None:
    package = build(berta, "access", user_id=officer.pk)
    name = package.file.name
    done = run_erasure(ask_contact_erasure(berta, suppress=False).pk)
    assert {item["model"] for item in done.items} >= {"privacy.Package"}
    assert not Package.objects.exists() and not package.file.storage.exists(name)


def test_doctor_sees_a_contact_person_who_came_back(company, berta) -> None:
    """By a restore without replay, or by hand: the journal and the receipt say who was erased."""
    erasure = run_erasure(ask_contact_erasure(berta, suppress=False).pk)
    assert check_erased(Options()).ok
    back = ContactPerson(pk=berta.pk, customer=company, last_name="Buchhalter", created_at=berta.created_at)
    ContactPerson.objects.bulk_create([back])
    found = check_erased(Options())
    assert not found.ok
    assert "contact persons are there whom the journal says were erased" in found.detail
    assert "erasures are done and their contact person is there" in found.detail
    Erasure.objects.filter(pk=erasure.pk).update(state="running", contact_person=berta.pk)
    assert check_erased(Options()).ok  # it is on its way


def test_nobody_gets_at_a_contact_person_through_another_company(desk, agent_client, berta):
    other = make_person("F-2", kind="company", company="Andere AG")
    for name in ("contact", "contact_erase"):
        assert desk.get(reverse(f"privacy:{name}", args=[other.number, berta.pk])).status_code == 404
        assert agent_client.get(page(name, berta)).status_code == 403
    assert desk.post(reverse("privacy:contact_copy", args=[other.number, berta.pk])).status_code == 404
    assert agent_client.post(page("contact_copy", berta)).status_code == 403
    assert not Package.objects.exists()
