"""Requests of each kind carried through over the pages, from receipt to closing, with what the person is told."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers.models import Address, Customer
from customers.postal import POST, postal_key, stopped_by_post
from customers.suppression import suppressed
from privacy import letters
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Erasure, Hold, Notice, Package, Request, Restriction
from privacy.tasks import retry_erasures
from staff.models import User
from tests.privacy.making import person
from tests.privacy.noting import disclose, make_recipient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

MAIL = "zoe@laden.example"


@pytest.fixture
def customer(db: None) -> Customer:
    return person(email=MAIL)


@pytest.fixture
def desk(fresh, officer: User) -> Desk:
    return Desk(fresh(officer))


class Desk:
    """Somebody at the desk who fills in the forms of one case."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.case = Request()

    def take(self, kind: str, **given: str) -> None:
        now = timezone.localtime().strftime("%Y-%m-%dT%H:%M")
        said = {
            "kind": kind, "channel": "letter", "received_at": now, "language": "en", "name": "Zoë Groß", "email": MAIL,
            "address": "Gasse 1\n20457 Hamburg", "token": str(uuid.uuid4()), **given,
        }  # fmt: skip
        answer = self.client.post(reverse("privacy:request_new"), said)
        assert answer.status_code == 302, answer.context["form"].errors
        self.case = Request.objects.latest("pk")

    def post(self, step: str, *, status: int = 302, **given: object) -> str:
        self.case = Request.on_desk().get(pk=self.case.pk)
        data = {"version": self.case.version, **given}
        answer = self.client.post(reverse(f"privacy:request_{step}", args=[self.case.pk]), data)
        assert answer.status_code == status, answer.text
        return answer.text

    def answer(self, decision: str = "", *, status: int = 302, way: str = "mail") -> str:
        """Answers; says what stands in the letter, or on the page where it is refused."""
        page = self.post("answer", status=status, decision=decision, way=way)
        return page if status != 302 else self.case.letters.get(kind="answer").body

    def close(self) -> None:
        self.post("close")
        self.case = Request.archive.get(pk=self.case.pk)
        assert (self.case.state, self.case.closed_at is not None) == ("closed", True)


def test_rectification(desk: Desk, customer: Customer) -> None:
    desk.take("rectification", number=customer.number)
    desk.post("receipt", way="post")
    desk.post("settle", method="known_facts")
    assert "Stage the corrections" in desk.answer(status=422)
    desk.post("rectify", field="customer:last_name", after="Großmann", evidence="Personalausweis gesehen")
    desk.post("rectify", field="customer:first_name", after="Zoe")
    name, first = desk.case.rectifications.order_by("pk")
    desk.post("changes", change=name.pk, apply="1")
    desk.post("changes", change=first.pk, reject="1", reason="So steht es im Ausweis.")
    told = desk.answer()
    assert "last name: corrected to “Großmann”." in told and "first name: not changed. So steht es im Ausweis." in told
    customer.refresh_from_db()
    assert (customer.first_name, customer.last_name) == ("Zoë", "Großmann")
    desk.close()


def test_rectification_told_in_words_alone(desk: Desk, customer: Customer) -> None:
    desk.take("rectification", number=customer.number)
    desk.post("settle", method="known_facts")
    assert "Die Rechnung trägt einen Vermerk." in desk.answer("Die Rechnung trägt einen Vermerk.")
    desk.close()


def test_restriction(desk: Desk, customer: Customer) -> None:
    """The letter says that it is done: so it must be."""
    desk.take("restriction", number=customer.number)
    desk.post("settle", method="known_facts")
    for way in ("mail", "told"):
        assert "Restrict the data first" in desk.answer(way=way, status=422)
    where = reverse("privacy:restrict", args=[customer.number])
    said = {"case": "a", "parts": ["address"], "reason": "Die Anschrift sei falsch.", "request": desk.case.pk}
    assert desk.client.post(where, said).status_code == 302
    assert "We have done so." in desk.answer()
    desk.close()

    standing = Restriction.objects.get()
    steps = [reverse(f"privacy:restriction_{step}", args=[standing.pk]) for step in ("lift", "announce", "lift")]
    told = {"decision": "Die Anschrift stimmt.", "way": "mail"}
    answers = []
    for step in steps:
        standing.refresh_from_db()
        answers.append(desk.client.post(step, {"version": standing.version, **told}).status_code)
    standing.refresh_from_db()
    assert answers == [409, 302, 302] and standing.notice_sent_at <= standing.lifted_at
    assert "Die Anschrift stimmt." in standing.request.letters.get(kind="lifting").body


def test_portability(desk: Desk, customer: Customer, eager: None, django_capture_on_commit_callbacks) -> None:
    desk.take("portability", number=customer.number)
    desk.post("settle", method="known_facts")
    assert "data package" in desk.answer(status=422)
    with django_capture_on_commit_callbacks(execute=True):
        assert desk.client.post(reverse("privacy:package_for_case", args=[desk.case.pk])).status_code == 302
    copy = Package.objects.get()
    assert (copy.kind, copy.state, copy.released_at is not None) == ("portability", "ready", True)
    told = desk.answer()
    assert "JSON and CSV" in told and "which opens it once" in told
    assert Customer.objects.filter(pk=customer.pk).exists()
    desk.close()


def test_objection_with_reasons(desk: Desk, customer: Customer) -> None:
    desk.take("objection", objects_to="reasons", number=customer.number, text="Meine Lage ist besonders.")
    standing = Restriction.objects.get()
    assert (standing.case, standing.since) == ("d", desk.case.received_at)
    desk.post("settle", method="known_facts")
    desk.answer("", status=422)
    assert "Ihre Gründe wiegen schwerer." in desk.answer("Ihre Gründe wiegen schwerer.")
    assert "still restricted" in desk.post("close", status=409)
    where = reverse("privacy:restriction_announce", args=[standing.pk])
    said = {"version": standing.version, "decision": "Wir verwenden sie nicht mehr.", "way": "mail"}
    assert desk.client.post(where, said).status_code == 302
    standing.refresh_from_db()
    lifted = desk.client.post(reverse("privacy:restriction_lift", args=[standing.pk]), {"version": standing.version})
    assert lifted.status_code == 302
    desk.close()


def test_objection_to_advertising(desk: Desk, customer: Customer) -> None:
    desk.take("objection", objects_to="advertising", number=customer.number)
    assert suppressed("email", MAIL)
    desk.post("settle", method="not_needed")
    assert "It is stopped" in desk.answer()
    desk.close()


def test_withdrawal(desk: Desk, customer: Customer) -> None:
    """Of the proof it is told how long it is kept, also of a consent to calls (§ 7a UWG)."""
    desk.take("withdrawal", number=customer.number)
    desk.post("settle", method="known_facts")
    told = desk.answer()
    assert "The withdrawal has taken effect" in told
    assert "three years to the end of the year" in told and "five years" in told and "7a UWG" in told
    desk.close()


@pytest.mark.parametrize("kind", ["rectification", "restriction", "withdrawal"])
def test_somebody_unknown_is_not_told_that_it_was_done(desk: Desk, kind: str) -> None:
    desk.take(kind, email="fremd@laden.example", name="Frida Fremd")
    desk.post("settle", method="not_needed")
    told = desk.answer()
    assert "we have found none under your name" in told and "Art. 77" in told
    assert "We have done so" not in told and "has taken effect" not in told and "stands below" not in told
    desk.close()


def test_erasure_with_a_hold_that_is_released(
    desk: Desk, customer: Customer, officer: User, eager: None, django_capture_on_commit_callbacks
) -> None:
    """The answer says what stays; once the hold is released the rest goes, and closing waits for the recipients
    (Art. 17(3), 19)."""
    disclose(make_recipient("Nordpost"), customer, "2026-05-22")
    desk.take("erasure", number=customer.number)
    desk.post("settle", method="known_facts")
    review = timezone.localdate() + timedelta(days=90)
    said = {"kind": "claim", "customer": customer.number, "reason": "Streit", "owner": officer.pk, "review_on": review}
    assert desk.client.post(reverse("privacy:hold_customer", args=[customer.number]), said).status_code == 302
    assert "Carry out the erasure first" in desk.answer(status=422)
    with django_capture_on_commit_callbacks(execute=True):
        assert desk.client.post(reverse("privacy:erase", args=[customer.number])).status_code == 302
    done = Erasure.objects.get()
    assert (done.state, done.request) == ("held", desk.case)
    told = desk.answer()
    assert "Not erased yet" in told and "that we need not keep" in told and "received the data from us is told" in told
    desk.post("close", status=409)

    release = reverse("privacy:hold_release", args=[Hold.objects.get().pk])
    assert desk.client.post(release, {"reason": ""}).status_code == 422
    assert desk.client.post(release, {"reason": "verglichen"}).status_code == 302
    retry_erasures()
    done.refresh_from_db()
    assert (done.state, Customer.objects.exists()) == ("done", False)
    assert "Nordpost has not been told yet" in desk.post("close", status=409)
    told_them = reverse("privacy:notice_settle", args=[Notice.archive.get().pk, "told"])
    assert desk.client.post(told_them, {"reason": "am Telefon gesagt"}).status_code == 302
    desk.close()


@pytest.mark.parametrize(("hour", "late"), [("08:59", False), ("09:30", True)])
def test_a_breach_across_the_end_of_summer_time(officer_client: Client, hour: str, late: bool) -> None:
    """Art. 33(1): after 72 elapsed hours, though four days by the calendar, the notification carries reasons."""
    known = {"title": "Fehlversand", "aware_at": "2025-10-25T10:00", "facts": "Falsche Liste.", "risk": "risk"}
    where = officer_client.post(reverse("privacy:breach_new"), known)["Location"]
    page = officer_client.get(where).text
    assert "28/10/2025 09:00" in page
    said = {"notified_at": f"2025-10-28T{hour}", "late_reasons": ""}
    assert officer_client.post(f"{where}notify/", said).status_code == 422  # not decided yet
    for decision, reasons, status in (("not", "Ach was.", 422), ("notify", "", 422), ("notify", "Adressen.", 302)):
        answer = officer_client.post(f"{where}decide/", {"decision": decision, "reasons": reasons})
        assert answer.status_code == status
    answer = officer_client.post(f"{where}notify/", said)
    assert answer.status_code == (422 if late else 302)
    if late:
        assert "later than 72 hours" in answer.text
        assert officer_client.post(f"{where}notify/", said | {"late_reasons": "Formular gestört."}).status_code == 302
        assert "told late" in officer_client.get(where).text
    assert officer_client.post(f"{where}close/").status_code == 302
    page = officer_client.get(where).text
    assert ("Formular gestört." in page) == late


@pytest.mark.parametrize(
    ("told", "noted", "missing"),
    [
        ({}, "your e-mail address, your postal address", "phone number"),
        ({"email": "", "phone": "040 5550199"}, "your phone number, your postal address", "e-mail address"),
        ({"address": "Lieber nicht\nirgendwo"}, "your e-mail address", "postal address"),
    ],
)
def test_whom_the_shop_does_not_know_is_told_what_was_noted(desk: Desk, told: dict, noted: str, missing: str) -> None:
    """Art. 12(1), 21(3) GDPR: nothing was stopped where nothing ran; what was told is noted, and only that."""
    desk.take("objection", objects_to="advertising", **{"name": "Frida Fremd", "email": "fremd@laden.example"} | told)
    desk.post("settle", method="not_needed")
    answer = desk.answer(way="post")
    assert "It is stopped" not in answer and "Letters about your orders" not in answer
    assert "no data that we can tell to be yours" in answer
    assert f"on a list: {noted}." in answer and f"your {missing}" not in answer
    desk.close()


def test_whoever_tells_only_a_name_is_told_that_nothing_could_be_noted(desk: Desk) -> None:
    desk.take("objection", objects_to="advertising", name="Frida Fremd", email="", address="")
    desk.post("settle", method="not_needed")
    answer = letters.compose(desk.case, "answer").body
    assert "on a list:" not in answer and "It is stopped" not in answer
    assert "we could note nothing" in answer


def test_a_postal_address_told_by_somebody_unknown_keeps_advertising_away(desk: Desk) -> None:
    """The objection holds for every channel (domain.md 1.10): who comes in at this address later gets none."""
    address = "c/o Meier\nGasse 1\nD-20457 Hamburg\nDeutschland"
    desk.take("objection", objects_to="advertising", name="Frida Fremd", email="", address=address)
    assert suppressed(POST, postal_key("Gasse 1", "20457"))
    new = person("10002", first_name="Frida", last_name="Fremd", email="neu@laden.example")
    assert not stopped_by_post([new.pk])
    Address.objects.create(customer=new, kind="billing", street="Gasse 1", postcode="20457", city="Hamburg")
    assert set(stopped_by_post([new.pk])) == {new.pk}


def test_who_was_known_and_erased_meanwhile_is_told_that_it_is_stopped(desk: Desk, customer: Customer) -> None:
    desk.take("objection", objects_to="advertising", number=customer.number)
    run_erasure(ask_erasure(customer).pk, now=True)
    desk.post("settle", method="known_facts")
    assert "It is stopped" in desk.answer(way="post")
