"""What somebody is told who was erased and asks again, or asked twice: the truth, in the language they write."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import translation

from customers.models import Customer, ExternalId
from datamap.diagnosis import Options
from privacy import closing, handling, identifying, letters
from privacy.erasing import ask_erasure, run_erasure
from privacy.invariants import check_erased
from privacy.models import Erasure, Request
from privacy.packages.knowing import holds_copy
from privacy.purging import plan_run, work
from staff.models import User
from tests.privacy.making import make_contact, make_copy, make_order, make_paper, make_person, take
from tests.privacy.packaging import everything, files_of

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 28)
MAIL = "alma4711@laden.example"
FOUND_NONE = "Außer dieser Anfrage und unserer Antwort haben wir keine gefunden"


def _with_invoice(**given: str) -> Customer:
    customer = make_person("4711", **given)
    make_paper(make_order(customer, "2024-03-01"), "invoice", "2024-03-01")
    return customer


def _asks(by: User, kind: str, **given: object) -> Request:
    case = take(by, kind=kind, name="Alma Kanarienvogel", email=MAIL, **given)
    identifying.settle(case, "known_facts", version=None, by=by)
    return case


def _answered(case: Request, by: User) -> str:
    found = Request.on_desk().get(pk=case.pk)
    if holds_copy(found):
        make_copy(found, by)
    handling.answer(found, "", way="mail", partly=False, version=None, by=by)
    return found.letters.get(kind="answer").body


def test_of_two_requests_for_one_erasure_each_gets_the_same_true_answer(privacy: User) -> None:
    customer = _with_invoice()
    cases = [_asks(privacy, "erasure", customer=customer) for _ in range(2)]
    assert run_erasure(ask_erasure(customer, as_of=DAY).pk, now=True).state == "done"
    for case in cases:
        body = _answered(case, privacy)
        assert FOUND_NONE not in body
        assert "Gesperrt: Belege (1)" in body and "1. Januar 2033" in body


def test_what_was_erased_is_told_in_words_of_everyday(privacy: User) -> None:
    """Art. 12(1) GDPR: in plain language, also in the receipt that a later copy holds; tables that only repeat others
    go without saying."""
    customer = _with_invoice()
    make_contact(customer, "2026-05-20")
    ExternalId.objects.create(customer=customer, platform="shopify", value="1")
    case = _asks(privacy, "erasure", customer=customer)
    run_erasure(ask_erasure(customer, as_of=DAY).pk, now=True)
    told = (
        "Gelöscht: Anrufe, E-Mails und andere Kontakte, E-Mail-Adressen und Telefonnummern, Name und Stammdaten, "
        "Nummern in anderen Systemen."
    )
    assert told in _answered(case, privacy)
    closing.close(case, version=None, by=privacy)
    copy = files_of(make_copy(_asks(privacy, "access"), privacy))
    page = copy["index.html"].decode()
    assert told in page
    assert "Quittung" in page and "Eingang" not in page


def test_neither_of_two_requests_closes_while_an_order_holds_the_erasure(privacy: User) -> None:
    customer = make_person("4711")
    make_order(customer, "2026-11-20", delivered_at=None, status="processing")
    cases = [_asks(privacy, "erasure", customer=customer) for _ in range(2)]
    assert run_erasure(ask_erasure(customer, as_of=DAY).pk, now=True).state == "held"
    for case in cases:
        assert "Noch nicht gelöscht (Bestellung" in _answered(case, privacy)
        with pytest.raises(closing.StillOpen):
            closing.close(case, version=None, by=privacy)


@pytest.mark.parametrize("night", [False, True])
@pytest.mark.parametrize("kind", ["access", "erasure"])
def test_who_was_erased_and_asks_again_is_not_told_that_nothing_was_found(
    privacy: User, kind: str, night: bool
) -> None:
    customer = _with_invoice()
    if night:
        work(plan_run(date(2029, 1, 2)).pk)
        assert not Customer.objects.exists() and not Erasure.objects.exists()
    else:
        run_erasure(ask_erasure(customer, as_of=DAY).pk, now=True)
    body = _answered(_asks(privacy, kind), privacy)
    assert FOUND_NONE not in body
    if kind == "erasure":
        assert "Gesperrt: " in body and "1. Januar 2033" in body
    else:
        assert "Wir haben Daten über Sie gespeichert" in body


def test_a_stranger_is_told_that_nothing_was_found(privacy: User) -> None:
    run_erasure(ask_erasure(_with_invoice(), as_of=DAY).pk, now=True)
    for kind in ("access", "erasure"):
        case = take(privacy, kind=kind, name="Fremd", email="fremd@laden.example")
        identifying.settle(case, "known_facts", version=None, by=privacy)
        assert FOUND_NONE in _answered(case, privacy)


def test_a_stranger_who_asks_again_is_told_of_the_file_of_the_first_time(privacy: User) -> None:
    """The request and its answer are kept for three years (REQUEST): that is something that is held about them."""
    for number in range(3):
        case = take(privacy, name="Fremd", email="Fremd@laden.example", text=f"Zeisig {number}")
        identifying.settle(case, "known_facts", version=None, by=privacy)
        found = Request.on_desk().get(pk=case.pk)
        assert holds_copy(found) == (number > 0)
        if number:
            read = everything(files_of(make_copy(found, privacy)))
            assert all(f"Zeisig {before}" in read for before in range(number)) and "Fremd@laden.example" in read
            assert "data/privacy.RequestLetter.json" in files_of(found.packages.get())
        handling.answer(found, "", way="mail", partly=False, version=None, by=privacy)
        assert (FOUND_NONE in found.letters.get(kind="answer").body) == (number == 0)
        closing.close(found, version=None, by=privacy)
    other = take(privacy, name="Fremd", email="anders@laden.example")
    identifying.settle(other, "known_facts", version=None, by=privacy)
    assert not holds_copy(other)
    assert check_erased(Options()).ok


def test_an_english_letter_says_in_english_what_is_in_the_way(privacy: User) -> None:
    customer = make_person("4711", language="en")
    order = make_order(customer, "2026-11-20", delivered_at=None, status="processing")
    case = _asks(privacy, "erasure", customer=customer, language="en")
    with translation.override("de"):  # as a worker runs
        assert run_erasure(ask_erasure(customer, as_of=DAY).pk, now=True).state == "held"
        body = letters.compose(case, "answer").body
    assert f"Not erased yet (order {order.number}): The order is not finished" in body
    assert "Bestellung" not in body
