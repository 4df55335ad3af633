"""What the desk does with a request of who speaks for a company acts on them alone, whoever it was taken for first."""

from __future__ import annotations

import json
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers import indexing, tombstones
from customers.duplicates import likely_duplicates
from customers.models import ContactPerson, ContactPoint, Customer, Tombstone
from customers.searching import matching_ids
from customers.suppression import suppressed
from datamap import holds, journal
from datamap.diagnosis import Options
from privacy import identifying, receiving, rectifying, restricting
from privacy.erasing import run_erasure
from privacy.erasing_contacts import ask_contact_erasure
from privacy.invariants import check_erased
from privacy.models import Notice, Request, Restriction
from privacy.packages import reviewing
from privacy.packages.building import build, work_on
from privacy.steps import StepRefused
from privacy.toldwords import in_words
from tests.privacy.making import days_ago, make_person, take
from tests.privacy.noting import disclose, make_recipient
from tests.privacy.packaging import everything, files_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

BERTA = "berta.buchhalter@firma.example"
PHONE = "+494055501420"
SHARED = "einkauf@firma.example"


@pytest.fixture
def company(db: None) -> Customer:
    return make_person("F-1", kind="company", company="Kaffeekontor GmbH", first_name="", last_name="")


@pytest.fixture
def berta(company: Customer) -> ContactPerson:
    return ContactPerson.objects.create(
        customer=company, first_name="Berta", last_name="Buchhalter", email=BERTA, phone=PHONE
    )


def stopped() -> bool:
    return Customer.objects.filter(summary__advertising_stopped_at__isnull=False).exists()


def test_an_objection_goes_with_who_is_said_to_object(company, berta, officer) -> None:
    """By phone nobody knows at first; what it stopped for the company is taken back, hers is stopped (Art. 21(3))."""
    case = take(officer, kind="objection", objects_to="advertising", customer=company, channel="phone")
    assert stopped() and not suppressed("email", BERTA)
    receiving.say_who(case, berta, version=None, by=officer)
    assert suppressed("email", BERTA) and suppressed("phone", PHONE)
    assert not stopped() and not suppressed("email", "almaF-1@laden.example")
    receiving.say_who(case, None, version=None, by=officer)
    assert stopped() and suppressed("email", "almaF-1@laden.example")
    assert not suppressed("email", BERTA)


def test_a_second_objection_of_hers_keeps_her_stopped(company, berta, officer) -> None:
    said = {"kind": "objection", "objects_to": "advertising", "customer": company, "email": BERTA}
    first = take(officer, **said, received_at=days_ago(2))
    take(officer, **said)
    receiving.say_who(first, None, version=None, by=officer)
    assert suppressed("email", BERTA) and stopped()


def test_the_address_she_writes_from_is_stopped_though_the_company_has_it_too(company, berta, officer) -> None:
    ContactPoint.objects.create(customer=company, kind="email", value=BERTA)
    case = take(officer, kind="objection", objects_to="advertising", customer=company, email=BERTA)
    assert case.contact_person is None and stopped()
    receiving.say_who(case, berta, version=None, by=officer)
    assert suppressed("email", BERTA) and not stopped()


def test_how_the_company_was_known_proves_nothing_of_her(company, berta, officer) -> None:
    company.contact_points.filter(kind="email").update(verified_at=timezone.now())
    case = take(officer, customer=company, email="almaF-1@laden.example")
    assert identifying.is_settled(case)
    receiving.say_who(case, berta, version=None, by=officer)
    assert not identifying.is_settled(case)


def test_an_address_of_two_contact_persons_is_neither_ones_own(company, berta, officer) -> None:
    for name in ("Anna", "Carl"):
        ContactPerson.objects.create(customer=company, first_name=name, last_name="Einkauf", email=SHARED)
    run_erasure(ask_contact_erasure(ContactPerson.objects.get(first_name="Anna"), suppress=True).pk)
    assert not suppressed("email", SHARED)
    assert not Tombstone.objects.filter(kind="email").exists()


def test_nobody_elses_address_stands_in_the_words_of_her_request(company, berta, officer) -> None:
    """Art. 15(4): the words of others are looked through here as in every copy, and wait for a person."""
    ContactPerson.objects.create(customer=company, first_name="Carl", last_name="Vorgesetzter", email="c@firma.example")
    text = "Mein Chef Carl Vorgesetzter (c@firma.example) weiß davon, ich bin Berta Buchhalter, " + BERTA
    case = take(officer, customer=company, email=BERTA, text=text)
    package = build(berta, "access", request=case, user_id=officer.pk)
    assert package.state == "review"
    read = everything(files_of(package))
    assert "c@firma.example" not in read and "Vorgesetzter" not in read
    assert "Buchhalter" in read and BERTA in read
    reviewing.decide(package, dict.fromkeys(package.redactions.values_list("pk", flat=True), "redact"), officer.pk)
    reviewing.finish(package, officer.pk)
    work_on(package.pk)
    package.refresh_from_db()
    assert package.state == "ready" and "c@firma.example" not in everything(files_of(package))


def test_the_companys_copy_tells_nothing_of_what_its_contact_persons_ask(company, berta, officer) -> None:
    hers = take(officer, customer=company, email=BERTA, text="Nur meine Sache")
    own = take(officer, customer=company, channel="letter", text="Sache der Firma")
    files = files_of(build(company, "access", user_id=officer.pk))
    read = everything(files)
    assert "Sache der Firma" in read and str(own.ref) in read
    assert "Nur meine Sache" not in read and str(hers.ref) not in read
    assert "contact_person" not in json.loads(files["data/privacy.Request.json"])[0]
    assert {row["request"] for row in json.loads(files["data/privacy.RequestEvent.json"])} == {own.pk}


def test_a_former_address_is_known_again_after_her_erasure(company, berta, officer) -> None:
    berta.email = "neu@firma.example"
    berta.save()
    erasure = run_erasure(ask_contact_erasure(berta, suppress=True, user=officer).pk)
    assert Tombstone.objects.filter(kind="email", subject_ref=erasure.subject_ref).count() == 2
    assert suppressed("email", "neu@firma.example") and not suppressed("email", BERTA)


def test_a_former_address_that_is_a_colleagues_now_marks_nobody(company, berta, officer) -> None:
    berta.email = "neu@firma.example"
    berta.save()
    ContactPerson.objects.create(customer=company, last_name="Nachfolger", email=BERTA)
    run_erasure(ask_contact_erasure(berta, suppress=True, user=officer).pk)
    assert Tombstone.objects.filter(kind="email").count() == 1


# --- Rectification (Art. 16) ------------------------------------------------------------------------------------------


@pytest.fixture
def hers(company, berta, officer) -> Request:
    """A request of hers, of any right; tests choose which."""
    case = take(officer, kind="rectification", customer=company, email=BERTA, language="en")
    identifying.settle(case, "known_facts", version=None, by=officer)
    return case


def test_a_correction_of_hers_is_of_her_row_and_recipients_learn_whose(hers, company, berta, officer, fresh) -> None:
    disclose(make_recipient("Nordpost"), company, "2026-05-22")
    desk = fresh(officer)
    where = reverse("privacy:request_rectify", args=[hers.pk])
    shown = desk.get(where).text
    assert f"person:{berta.pk}:last_name" in shown and "customer:company" not in shown
    assert desk.post(where, {"field": "customer:company", "after": "Andere AG"}).status_code == 422
    field = f"person:{berta.pk}:last_name"
    assert desk.post(where, {"field": field, "after": "Buchhalter-Groß", "evidence": "Ausweis"}).status_code == 302
    (change,) = hers.rectifications.all()
    assert (change.before, change.after) == ("Buchhalter", "Buchhalter-Groß")
    assert "Contact person: last name" in desk.get(reverse("privacy:request", args=[hers.pk])).text
    rectifying.apply_all(hers, [change.pk], by=officer)
    berta.refresh_from_db()
    assert berta.last_name == "Buchhalter-Groß"
    assert ContactPerson.history.filter(id=berta.pk).first().history_change_reason == "Rectification (Art. 16)"
    assert "Contact person: last name: Buchhalter-Groß" in in_words(Notice.archive.get().details)


def test_a_correction_that_is_no_address_is_refused(hers, berta, officer) -> None:
    change = rectifying.stage(hers, f"person:{berta.pk}:email", "kein Postfach", "", by=officer)
    with pytest.raises(StepRefused):
        rectifying.apply_all(hers, [change.pk], by=officer)
    berta.refresh_from_db()
    assert berta.email == BERTA


def test_who_is_erased_cannot_be_corrected(hers, berta, officer, fresh) -> None:
    run_erasure(ask_contact_erasure(berta, suppress=False, user=officer).pk)
    assert fresh(officer).get(reverse("privacy:request_rectify", args=[hers.pk])).status_code == 422


# --- Restriction and reasoned objection (Art. 18, 21(1)) --------------------------------------------------------------


def seen_by(client: Client, company: Customer) -> dict[str, str]:
    """Where daily work shows who speaks for a company."""
    number = [company.number]
    return {
        "page": client.get(reverse("portal:customer_detail", args=number)).text,
        "sheet": client.get(reverse("customers:edit", args=number)).text,
        "history": client.get(reverse("portal:customer_history", args=number)).text,
    }


def test_her_restriction_takes_her_out_of_daily_work_and_leaves_the_company(
    hers, company, berta, officer, fresh, agent, agent_client
) -> None:
    Request.objects.filter(pk=hers.pk).update(kind="restriction")
    desk = fresh(officer)
    where = reverse("privacy:contact_restrict", args=["F-1", berta.pk])
    assert where in desk.get(reverse("privacy:request", args=[hers.pk])).text
    before = seen_by(agent_client, company)
    assert all("Buchhalter" in text for text in (before["page"], before["sheet"], before["history"]))
    assert likely_duplicates(user=agent, email=BERTA).candidates
    assert desk.get(where).status_code == 200
    answer = desk.post(where, {"case": "a", "reason": "Name strittig", "request": hers.pk})
    standing = Restriction.objects.get()
    assert answer["Location"] == reverse("privacy:restriction", args=[standing.pk])
    assert (standing.customer, standing.contact_person, standing.request) == (company, berta.pk, hers)
    company.refresh_from_db()
    berta.refresh_from_db()
    assert company.restricted_at is None and berta.restricted_at == standing.since
    after = seen_by(agent_client, company)
    assert all("Buchhalter" not in text and "Berta" not in text for text in after.values())
    likely = likely_duplicates(user=agent, email=BERTA)
    assert (likely.candidates, likely.protected) == ([], True)
    assert "stop" in desk.get(reverse("privacy:contact", args=["F-1", berta.pk])).text
    assert desk.get(reverse("privacy:restriction", args=[standing.pk])).status_code == 200


def test_nobody_finds_the_company_by_who_is_restricted(company, berta, officer, agent_client) -> None:
    indexing.refresh([company.pk])
    for words in (BERTA, PHONE, "Buchhalter"):
        assert matching_ids(words) == [company.pk], words
    restricting.restrict(company, "a", ["all"], "Streit", by=officer, speaker=berta)
    for words in (BERTA, PHONE, "Buchhalter"):
        assert matching_ids(words) == [], words
    answer = agent_client.post(reverse("portal:search"), {"q": BERTA})
    assert "F-1" not in answer.get("Location", "") and "Kaffeekontor" not in answer.text


def test_the_lifting_is_announced_and_brings_her_back(hers, company, berta, officer, fresh) -> None:
    disclose(make_recipient("Nordpost"), company, "2026-05-22")
    one = restricting.restrict(company, "a", ["all"], "Streit", by=officer, request=hers, speaker=berta)
    with pytest.raises(restricting.LiftRefused):
        restricting.lift(one, by=officer)
    restricting.announce_lifting(one, "geprüft", by=officer)
    restricting.lift(one, by=officer)
    berta.refresh_from_db()
    assert berta.restricted_at is None
    told = [(notice.kind, in_words(notice.details)) for notice in Notice.archive.order_by("pk")]
    assert [kind for kind, _words in told] == ["restriction", "lifting"]
    assert all("Contact person: Berta Buchhalter" in words for _kind, words in told)
    assert ContactPerson.history.filter(id=berta.pk).count() == 3


def test_the_companys_and_her_restriction_are_two(company, berta, officer) -> None:
    hers = restricting.restrict(company, "a", ["all"], "sie", by=officer, speaker=berta)
    its = restricting.restrict(company, "a", ["all"], "die Firma", by=officer)
    company.refresh_from_db()
    assert hers.pk != its.pk and company.restricted_at == its.since
    assert restricting.standing_of(company) == [its] and restricting.standing_of_speaker(berta) == [hers]
    restricting.announce_lifting(its, "geprüft", by=officer)
    restricting.lift(its, by=officer)
    company.refresh_from_db()
    berta.refresh_from_db()
    assert company.restricted_at is None and berta.restricted_at is not None


def test_a_reasoned_objection_of_hers_restricts_her_alone_and_goes_with_who_asks(company, berta, officer) -> None:
    case = take(officer, kind="objection", objects_to="reasons", customer=company, email=BERTA, text="Ich bin raus")
    company.refresh_from_db()
    berta.refresh_from_db()
    assert company.restricted_at is None and berta.restricted_at == case.received_at
    receiving.say_who(case, None, version=None, by=officer)
    company.refresh_from_db()
    berta.refresh_from_db()
    assert company.restricted_at is not None and berta.restricted_at is None


def test_while_it_stands_the_night_deletes_nothing_of_the_company(company, berta, officer) -> None:
    restricting.restrict(company, "a", ["all"], "Streit", by=officer, speaker=berta)
    assert {case.kind for case in holds.standing([company.pk], date(2026, 11, 1), night=True)} >= {"art18_hold"}


def test_her_erasure_ends_her_restriction(company, berta, officer) -> None:
    """Who asks for erasure no longer wishes it (Art. 18(1)(b)); left standing it would hold the company for ever."""
    one = restricting.restrict(company, "b", ["all"], "unrecht", by=officer, speaker=berta)
    assert run_erasure(ask_contact_erasure(berta, suppress=False, user=officer).pk).state == "done"
    one.refresh_from_db()
    assert one.lifted_at is not None
    assert "art18_hold" not in {case.kind for case in holds.standing([company.pk], date(2026, 11, 1), night=True)}


def test_her_restriction_is_set_again_after_a_restore(company, berta, officer) -> None:
    restricting.restrict(company, "a", ["all"], "Streit", by=officer, speaker=berta)
    (entry,) = [dict(one.payload) for one in journal.entries() if one.kind == "restriction_set"]
    Restriction.objects.all().delete()
    ContactPerson.objects.filter(pk=berta.pk).update(restricted_at=None)
    assert restricting.replay_set(entry) == "replayed"
    berta.refresh_from_db()
    company.refresh_from_db()
    assert berta.restricted_at is not None and company.restricted_at is None
    assert Restriction.objects.get().contact_person == berta.pk


def test_her_copy_tells_of_her_restriction_and_the_companys_does_not(company, berta, officer) -> None:
    restricting.restrict(company, "a", ["all"], "Name strittig", by=officer, speaker=berta)
    hers = files_of(build(ContactPerson.objects.get(pk=berta.pk), "access", user_id=officer.pk))
    (row,) = json.loads(hers["data/privacy.Restriction.json"])
    assert (row["reason"], row["parts"], row["request"]) == ("Name strittig", ["all"], Request.objects.get().pk)
    page = hers["index.html"].decode()
    assert "<dd>alles</dd>" in page and "Request " not in page
    # Each kind of data says why it is kept; figures are made up about customers only (Art. 15(1)).
    kinds = {line["rule"]: line for line in json.loads(hers["meta/processing.json"])["data"]}
    assert kinds["REQUEST"]["held"] == {
        "Datenschutzanfrage": 1, "Schritte von Anfragen": 2, "Einschränkung": 1,
    }  # fmt: skip
    assert "OWiG" in kinds["REQUEST"]["statute"] and kinds["REQUEST"]["last_day"] is None
    assert "Ihren nicht stornierten Bestellungen" not in page
    its = build(Customer.objects.get(pk=company.pk), "access", user_id=officer.pk)
    assert "Name strittig" not in everything(files_of(its))


def test_the_rights_of_the_company_say_whose_request_it_is(hers, company, officer, fresh) -> None:
    assert "of a contact person" in fresh(officer).get(reverse("privacy:customer", args=["F-1"])).text


def test_a_row_that_staff_removed_before_the_run_leaves_no_history_behind(company, berta, officer) -> None:
    """In the undo window somebody takes her off the sheet; what was promised to her holds all the same."""
    berta.position = "Leitung"
    berta.save()
    waiting = ask_contact_erasure(berta, suppress=True, user=officer)
    ContactPerson.objects.get(pk=berta.pk).delete()
    assert ContactPerson.history.filter(id=berta.pk).count() == 3
    done = run_erasure(waiting.pk)
    assert (done.state, done.needles) == ("done", None)
    assert not ContactPerson.history.filter(id=berta.pk).exists()
    assert [(item["model"], item["count"]) for item in done.items] == [("customers.HistoricalContactPerson", 3)]
    assert suppressed("email", BERTA) and tombstones.erased(email=BERTA)[1] == done.subject_ref
    assert check_erased(Options()).ok
