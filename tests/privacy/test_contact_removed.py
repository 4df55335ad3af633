"""A contact person whom staff removed, or who was erased, alone or with the company, is told the truth and erased whole
(Art. 12, 15, 17)."""

from __future__ import annotations

import json
from datetime import date

import pytest
from django.urls import reverse

from customers import tombstones
from customers.historying import changes_of
from customers.models import ContactPerson, Customer, Tombstone
from customers.suppression import suppressed
from datamap import journal
from datamap.diagnosis import Options
from privacy import closing, handling, identifying, receiving, rectifying, restricting
from privacy.erasing import ask_erasure, run_erasure
from privacy.erasing_contacts import ask_contact_erasure
from privacy.holding import release_hold, set_hold
from privacy.invariants import check_erased
from privacy.models import Erasure, Notice, Request, Restriction
from privacy.packages.building import build
from privacy.packages.knowing import asker_of
from privacy.purging import plan_run, work
from privacy.reapplying import replay_contact
from privacy.speaking import companies_left, removed_from, speaker_by_address
from privacy.steps import StepRefused
from privacy.tasks import retry_erasures
from staff.models import User
from tests.privacy.making import days_ago, make_copy, make_person, take
from tests.privacy.noting import disclose, make_recipient
from tests.privacy.packaging import everything, files_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

BERTA = "berta.buchhalter@firma.example"
BEFORE = "berta.buch@firma.example"
PHONE = "+494055501420"
FOUND_NONE = "we have found none"


@pytest.fixture
def company(db: None) -> Customer:
    return make_person("F-1", kind="company", company="Kaffeekontor GmbH", first_name="", last_name="")


@pytest.fixture
def berta(company: Customer) -> ContactPerson:
    """Somebody whose address was changed once."""
    found = ContactPerson.objects.create(
        customer=company, first_name="Berta", last_name="Buchhalter", email=BEFORE, phone=PHONE
    )
    found.email = BERTA
    found.save()
    return found


@pytest.fixture
def removed(berta: ContactPerson, company: Customer, manager: User, signed_in) -> int:
    """She is taken off the sheet by staff, as the page does it; answers the key her row had."""
    key = berta.pk
    ContactPerson.objects.get(pk=key).delete()
    assert ContactPerson.history.filter(id=key).count() == 3
    return key


def history_of(key: int) -> int:
    return ContactPerson.history.filter(id=key).count()


def asks(by: User, kind: str = "access", **given: object) -> Request:
    given = {"email": BERTA, "name": "Berta Buchhalter", "language": "en"} | given
    case = take(by, kind=kind, **given)
    identifying.settle(case, "known_facts", version=None, by=by)
    return case


def answered(case: Request, by: User, *, copy: bool = True) -> str:
    found = Request.on_desk().get(pk=case.pk)
    if copy:
        make_copy(found, by)
    handling.answer(found, "", way="mail", partly=False, version=None, by=by)
    return found.letters.get(kind="answer").body


# --- Removed by staff -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [BERTA, BEFORE])
def test_who_was_removed_is_known_by_every_address_their_history_knows(company, removed, officer, address) -> None:
    case = asks(officer, customer=company, email=address)
    assert case.contact_person == removed


def test_the_desk_finds_the_company_of_who_was_removed(company, removed, officer, fresh) -> None:
    """They write without saying for whom they worked."""
    case = asks(officer)
    assert case.customer is None
    shown = fresh(officer).get(reverse("privacy:request", args=[case.pk])).text
    assert 'value="F-1"' in shown
    receiving.assign(case, company, version=None, by=officer)
    case.refresh_from_db()
    assert case.contact_person == removed


def test_the_desk_can_say_that_somebody_asks_who_was_removed(company, removed, officer, fresh) -> None:
    case = take(officer, customer=company, channel="phone")
    desk, where = fresh(officer), reverse("privacy:request_speaker", args=[case.pk])
    assert "Berta Buchhalter" in desk.get(reverse("privacy:request", args=[case.pk])).text
    assert "Berta Buchhalter" in desk.get(reverse("privacy:customer", args=["F-1"])).text
    assert desk.post(where, {"speaker": removed, "version": case.version}).status_code == 302
    case.refresh_from_db()
    assert case.contact_person == removed


def test_many_who_were_removed_are_read_with_one_question(company, removed, officer, django_assert_max_num_queries):
    for number in range(30):
        ContactPerson.objects.create(
            customer=company, last_name=f"Weg {number}", email=f"w{number}@firma.example"
        ).delete()
    with django_assert_max_num_queries(1):
        found = removed_from(company)
    assert len(found) == 31 and {"Buchhalter", "Weg 29"} <= {person.last_name for person in found}
    with django_assert_max_num_queries(3):
        assert speaker_by_address(company, BEFORE) == removed
    with django_assert_max_num_queries(1):
        assert companies_left(email=BERTA, phone=None) == {company.pk}
        assert companies_left(email="", phone=None) == companies_left(email="?", phone="?") == set()


def test_their_copy_holds_what_is_left_of_them_and_says_until_when(company, removed, officer) -> None:
    case = asks(officer, customer=company)
    files = files_of(make_copy(case, officer))
    assert "data/customers.ContactPerson.json" not in files
    former = json.loads(files["data/customers.HistoricalContactPerson.json"])
    assert [(row["email"], row["history_type"]) for row in former] == [(BEFORE, "+"), (BERTA, "~"), (BERTA, "-")]
    (line,) = [one for one in json.loads(files["meta/processing.json"])["data"] if one["rule"] == "HISTORY"]
    assert line["held"] == {"former versions of contact persons": 3} and line["purposes"] and line["last_day"]
    assert "almaF-1" not in everything(files)
    assert FOUND_NONE not in answered(case, officer, copy=False)


def test_a_request_that_came_before_the_removal_is_answered_with_the_history(company, berta, officer) -> None:
    case = asks(officer, customer=company)
    ContactPerson.objects.get(pk=berta.pk).delete()
    body = answered(case, officer)
    assert FOUND_NONE not in body
    assert case.letters.get(kind="answer").recipient.startswith("Berta Buchhalter")


def test_their_erasure_reaches_the_history(company, removed, officer, fresh, eager, django_capture_on_commit_callbacks):
    case, desk = asks(officer, "erasure", customer=company), fresh(officer)
    where = reverse("privacy:contact_erase", args=["F-1", removed])
    assert where in desk.get(reverse("privacy:request", args=[case.pk])).text
    assert desk.get(reverse("privacy:contact", args=["F-1", removed])).status_code == 200
    planned = desk.get(where)
    assert planned.context["sums"]["delete"] == 3
    disclose(make_recipient("Nordpost"), company, "2026-05-22")
    with django_capture_on_commit_callbacks(execute=True):
        desk.post(where, {"suppress": "on"})
    done = Erasure.objects.get()
    assert (done.state, done.request, done.needles) == ("done", case, None)
    assert history_of(removed) == 0
    assert suppressed("email", BERTA) and tombstones.erased(email=BEFORE)[1] == done.subject_ref
    assert "Berta Buchhalter" in Notice.archive.get().details
    assert Customer.objects.get() == company
    assert FOUND_NONE not in answered(case, officer, copy=False)
    assert check_erased(Options()).ok
    assert desk.get(reverse("privacy:contact", args=["F-1", removed])).status_code == 404


def test_a_dispute_with_the_company_keeps_the_history_too(company, removed, officer) -> None:
    """What an authority wants preserved is preserved, whether the row still stands or not."""
    hold = set_hold(
        "authority", reason="Beschluss", owner=officer, review_on=days_ago(-90).date(), by=officer, customer=company
    )
    case = asks(officer, "erasure", customer=company)
    erasure = run_erasure(ask_contact_erasure(receiving.speaker_of(case), suppress=False, user=officer).pk)
    assert (erasure.state, history_of(removed)) == ("held", 3)
    release_hold(hold.pk, "erledigt", by=officer)
    assert run_erasure(erasure.pk).state == "done" and history_of(removed) == 0


def test_a_restore_brings_back_no_history_of_who_was_removed_before_the_backup(company, removed, officer) -> None:
    kept = list(ContactPerson.history.filter(id=removed))
    case = asks(officer, "erasure", customer=company)
    erasure = run_erasure(ask_contact_erasure(receiving.speaker_of(case), suppress=True).pk)
    (entry,) = [dict(one.payload) for one in journal.entries() if one.kind == "contact_erasure"]
    Erasure.objects.all().delete()
    ContactPerson.history.bulk_create(kept)
    with journal.replaying(1):
        assert replay_contact(entry) == "replayed"
    assert history_of(removed) == 0
    assert Erasure.objects.get().subject_ref == erasure.subject_ref


def test_what_was_removed_can_be_restricted_and_not_corrected(company, removed, officer) -> None:
    """Art. 18: nobody of daily work reads the history meanwhile, and the night leaves it."""
    assert [change.kind for change in changes_of(company) if change.what == "contact person"] == ["-", "~", "+"]
    case = asks(officer, "restriction", customer=company)
    one = restricting.restrict(
        company, "c", ["all"], "Prozess", by=officer, request=case, speaker=receiving.speaker_of(case)
    )
    assert not any(change.what == "contact person" for change in changes_of(company))
    with pytest.raises(StepRefused):
        rectifying.fields_of(case)
    restricting.announce_lifting(one, "erledigt", by=officer)
    restricting.lift(one, by=officer)
    assert any(change.what == "contact person" for change in changes_of(company))


# --- Erased, and asks again -------------------------------------------------------------------------------------------


@pytest.fixture
def erased(company: Customer, berta: ContactPerson, officer: User) -> Request:
    """She asked for erasure, was erased, answered, and the case is closed."""
    restricting.restrict(company, "b", ["all"], "unrecht", by=officer, speaker=berta)
    case = asks(officer, "erasure", customer=company, text="Bitte alles löschen, Vorgang Zeisig")
    run_erasure(ask_contact_erasure(berta, suppress=True, user=officer).pk)
    answered(case, officer, copy=False)
    case.refresh_from_db()
    assert closing.open_points(case) == []
    closing.close(case, version=None, by=officer)
    return Request.archive.get(pk=case.pk)


def test_the_file_of_who_was_erased_is_blocked_under_a_mark_of_their_own(erased, company, officer) -> None:
    done = Erasure.objects.get()
    assert (erased.customer, erased.subject_ref) == (None, done.subject_ref) and erased.blocked_at
    assert not Request.objects.exists() and not Restriction.objects.exists()
    blocked = {item["model"]: item["count"] for item in done.items if item["action"] == "block"}
    assert blocked["privacy.Request"] == 2 and blocked["privacy.Restriction"] == 1  # the freeze has a file of its own
    assert all("OWiG" in item["statute"] for item in done.items if item["action"] == "block")
    its = everything(files_of(build(company, "access", user_id=officer.pk)))
    assert "Zeisig" not in its and BERTA not in its


@pytest.mark.parametrize("told", [True, False], ids=["says for whom", "says nothing"])
def test_who_was_erased_and_asks_again_gets_the_file_of_their_request(erased, company, officer, told) -> None:
    again = asks(officer, customer=company if told else None)
    assert asker_of(again) == Erasure.objects.get().subject_ref
    files = files_of(make_copy(again, officer))
    read = everything(files)
    assert "Zeisig" in read and "almaF-1" not in read
    assert {"data/privacy.Erasure.json", "data/privacy.RequestLetter.json"} <= files.keys()
    body = answered(again, officer, copy=False)
    assert FOUND_NONE not in body


def test_who_was_erased_and_wants_it_again_is_told_what_is_kept(erased, company, officer) -> None:
    body = answered(asks(officer, "erasure", customer=company), officer, copy=False)
    assert "Blocked: privacy requests (2)" in body and "1 January 2030" in body


# --- Gone with the company --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("night", [False, True])
def test_her_file_outlives_the_company_under_a_mark_of_her_own(company, berta, officer, night) -> None:
    case = asks(officer, customer=company, text="Vorgang Zeisig")
    answered(case, officer)
    closing.close(case, version=None, by=officer)
    if night:
        work(plan_run(date(2029, 1, 2)).pk)
        assert not Customer.objects.exists()
    else:
        assert run_erasure(ask_erasure(company).pk).state == "done"
    kept = Request.archive.get(pk=case.pk)
    assert kept.customer is None and kept.subject_ref not in (None, tombstones.erasure_of_number("F-1")[1])
    again = asks(officer)
    assert asker_of(again) == kept.subject_ref
    read = everything(files_of(make_copy(again, officer)))
    assert "Zeisig" in read
    assert FOUND_NONE not in answered(again, officer, copy=False)


def test_files_that_share_the_mark_of_their_company_are_parted_afterwards(company, berta, officer) -> None:
    """So they were blocked before contact persons had marks of their own: whoever asked for the company got them."""
    case = asks(officer, customer=company, text="Vorgang Zeisig")
    answered(case, officer)
    closing.close(case, version=None, by=officer)
    frozen = restricting.restrict(company, "b", ["all"], "unrecht", by=officer, speaker=berta)
    restricting.announce_lifting(frozen, "erledigt", by=officer)
    restricting.lift(frozen, by=officer)
    run_erasure(ask_erasure(company).pk)
    of_company = tombstones.erasure_of_number("F-1")[1]
    own = Request.archive.get(pk=case.pk).subject_ref
    Tombstone.objects.filter(subject_ref=own).delete()
    for model in (Request, Restriction):
        model.archive.filter(subject_ref=own).update(subject_ref=of_company)

    for _again in range(2):
        retry_erasures()
        kept = Request.archive.get(pk=case.pk)
        assert kept.subject_ref not in (own, of_company)
        assert tombstones.erased(email=BERTA)[1] == kept.subject_ref == Restriction.archive.get().subject_ref
        assert Tombstone.objects.filter(subject_ref=kept.subject_ref).count() == 3  # mail, phone, key
    assert asker_of(asks(officer)) == kept.subject_ref
    assert check_erased(Options()).ok
    assert any(
        one.kind == "tombstone" and one.payload["subject_ref"] == str(kept.subject_ref) for one in journal.entries()
    )


def test_a_company_that_a_matter_keeps_parts_from_nobody(company, berta, officer) -> None:
    case = asks(officer, customer=company)
    answered(case, officer)
    closing.close(case, version=None, by=officer)
    set_hold("claim", reason="Streit", owner=officer, review_on=days_ago(-90).date(), by=officer, customer=company)
    assert run_erasure(ask_erasure(company).pk).state == "held"
    assert Request.archive.get(pk=case.pk).customer == company
    assert tombstones.erased(email=BERTA) is None


@pytest.mark.parametrize("whole", [False, True], ids=["alone", "with the company"])
def test_a_file_of_who_has_neither_address_nor_number_has_its_tombstone(company, officer, whole) -> None:
    """They asked by letter; `doctor` finds a tombstone for whatever is blocked."""
    carl = ContactPerson.objects.create(customer=company, first_name="Carl", last_name="Ohne")
    case = take(officer, customer=company, channel="letter", address="Gasse 1\n20457 Hamburg", name="Carl Ohne")
    receiving.say_who(case, carl, version=None, by=officer)
    case.refresh_from_db()
    identifying.settle(case, "known_facts", version=None, by=officer)
    make_copy(case, officer)
    handling.answer(case, "", way="post", partly=False, version=None, by=officer)
    closing.close(case, version=None, by=officer)
    erasure = ask_erasure(company) if whole else ask_contact_erasure(carl, suppress=True)
    assert run_erasure(erasure.pk).state == "done"
    kept = Request.archive.get(pk=case.pk)
    assert kept.blocked_at and Tombstone.objects.filter(subject_ref=kept.subject_ref).exists()
    found = check_erased(Options())
    assert found.ok, found.detail
