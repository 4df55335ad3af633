"""Each sentence of a letter is true at the moment it is written (Art. 5(1)(a), 12(1), (4) GDPR)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from datamap.versioning import add_version, newest, successor
from interactions.models import Attachment
from privacy import erasing, handling, identifying, letters, rectifying, restricting
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Erasure, Request, RequestLetter
from privacy.steps import StepRefused
from tests.privacy.making import make_contact, make_order, make_paper, make_person, person, take

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 28)
ALL_ERASED = "Wir haben alles gelöscht, was wir nicht behalten müssen"
RECIPIENTS = "Wer die alten Daten von uns erhalten hat, wird unterrichtet."


def _asks(by, kind, customer, **given) -> Request:
    case = take(by, kind=kind, customer=customer, name="Alma Kanarienvogel", email="alma4711@laden.example", **given)
    identifying.settle(case, "known_facts", version=None, by=by)
    return case


def _answer(case: Request, by, decision: str = "") -> str:
    handling.answer(case, decision, way="mail", partly=False, version=None, by=by)
    return case.letters.get(kind="answer").body


def test_nobody_is_told_of_an_erasure_whose_rows_are_all_still_here(privacy, privacy_client, monkeypatch) -> None:
    """The worker died between the marks and the rows: begun is not done (Art. 17)."""
    customer = make_person("4711")
    case = _asks(privacy, "erasure", customer)
    erasure = ask_erasure(customer, request=case, as_of=DAY)

    def dies(_erasure: Erasure) -> None:
        raise MemoryError

    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setitem(erasing.STEPS, "rows", dies)
        run_erasure(erasure.pk)
    case.refresh_from_db()
    sent = {"decision": "", "way": "mail", "version": case.version}
    shown = privacy_client.post(reverse("privacy:request_answer", args=[case.pk]), sent)
    assert shown.status_code == 422
    assert not RequestLetter.objects.exists()
    run_erasure(erasure.pk)
    case.refresh_from_db()
    assert "Gelöscht: " in _answer(case, privacy)


def test_who_is_told_of_an_erasure_hears_of_the_store_that_has_not_confirmed(privacy) -> None:
    customer = make_person("4711")
    contact = make_contact(customer, "2026-01-10")
    photo = Attachment(interaction=contact, name="foto.jpg", content_type="image/jpeg", size=3)
    photo.file.save("foto", ContentFile(b"abc"))
    path = Path(photo.file.path)
    path.unlink()
    path.mkdir()  # as a disk that gives errors
    case = _asks(privacy, "erasure", customer)
    assert run_erasure(ask_erasure(customer, request=case, as_of=DAY).pk).state == Erasure.State.OPEN_STORES
    case.refresh_from_db()
    body = _answer(case, privacy)
    path.rmdir()
    assert ALL_ERASED not in body
    assert "Noch nicht bestätigt: Dateien" in body


@pytest.mark.parametrize("invoice", [False, True])
def test_who_was_erased_is_told_of_the_marks_that_stay(privacy, invoice: bool) -> None:
    """Suppression list and tombstone hold keyed fingerprints of the person: personal data, kept for a purpose and a
    period (domain.md 1.7: the answer names each kept category)."""
    customer = make_person("4711")
    if invoice:
        make_paper(make_order(customer, "2024-03-01"), "invoice", "2024-03-01")
    case = _asks(privacy, "erasure", customer)
    run_erasure(ask_erasure(customer, request=case, as_of=DAY).pk)
    case.refresh_from_db()
    body = _answer(case, privacy)
    assert ALL_ERASED in body
    assert "verschlüsselte Prüfwerte" in body
    assert "3 Jahre ab Jahresende" in body  # TOMB
    assert "Werbung" in body


def test_nobody_is_said_to_be_told_of_a_correction_that_was_not_made(privacy) -> None:
    """Art. 19 speaks of rectifications that were carried out."""
    customer = person()
    case = take(privacy, kind="rectification", customer=customer)
    identifying.settle(case, "known_facts", version=None, by=privacy)
    change = rectifying.stage(case, "customer:last_name", "Gross", "so sagt sie", by=privacy)
    rectifying.reject(case, [change.pk], "Der Ausweis sagt Groß.", by=privacy)
    assert RECIPIENTS not in _answer(case, privacy)


def test_who_has_a_correction_is_told_that_the_recipients_hear_of_it(privacy) -> None:
    customer = person()
    case = take(privacy, kind="rectification", customer=customer)
    identifying.settle(case, "known_facts", version=None, by=privacy)
    changes = [
        rectifying.stage(case, f"customer:{name}", "Anders", "Ausweis", by=privacy)
        for name in ("first_name", "last_name")
    ]
    rectifying.apply_all(case, [changes[0].pk], by=privacy)
    rectifying.reject(case, [changes[1].pk], "Nicht belegt.", by=privacy)
    assert RECIPIENTS in _answer(case, privacy)


def test_the_end_of_one_of_two_restrictions_is_not_told_as_the_end_of_both(privacy, privacy_client) -> None:
    customer = person()
    case = take(privacy, kind="restriction", customer=customer)
    restricting.restrict(customer, "c", ["all"], "Sie braucht sie vor Gericht.", by=privacy)
    contested = restricting.restrict(customer, "a", ["address"], "Adresse strittig", by=privacy, request=case)
    sent = {"decision": "Die Adresse stimmt.", "way": "mail", "version": contested.version}
    url = reverse("privacy:restriction_announce", args=[contested.pk])
    assert privacy_client.post(url, sent).status_code == 302
    body = case.letters.get(kind="lifting").body
    assert "wie zuvor genutzt" not in body and "weiter eingeschränkt" in body


@pytest.mark.parametrize("step", ["propose", "approve"])
def test_of_two_requests_none_is_refused_while_the_erasure_of_the_other_is_on_its_way(privacy, second, step) -> None:
    """The letter would say that nothing is erased, and the same person is."""
    customer = make_person("4711")
    first, again = (_asks(privacy, "erasure", customer) for _ in range(2))
    said = {"reason": "Doppelt.", "evidence": "Zweite Mail", "way": "mail", "version": None, "by": privacy}
    if step == "approve":
        handling.propose_refusal(again, "excessive", **said)
    ask_erasure(customer, request=first, as_of=DAY)
    with pytest.raises(StepRefused):
        if step == "propose":
            handling.propose_refusal(again, "excessive", **said)
        else:
            handling.approve_refusal(again, way="mail", version=None, by=second)
    assert not again.letters.exists()
    other = take(privacy, kind="access", customer=customer)
    handling.propose_refusal(other, "excessive", **said)  # another right is not in the way of an erasure


def test_who_has_not_shown_who_they_are_is_refused_whatever_else_runs(privacy, second) -> None:
    customer = make_person("4711")
    first = _asks(privacy, "erasure", customer)
    stranger = take(privacy, kind="erasure", customer=customer, email="fremd@laden.example")
    ask_erasure(customer, request=first, as_of=DAY)
    said = {"reason": "Nicht gezeigt.", "evidence": "Keine Antwort", "way": "mail", "version": None, "by": privacy}
    handling.propose_refusal(stranger, "unidentifiable", **said)
    handling.approve_refusal(stranger, way="mail", version=None, by=second)
    stranger.refresh_from_db()
    assert stranger.state == "refused"


@pytest.mark.parametrize(("years", "said"), [(3, "drei Jahre bis zum Jahresende"), (5, "5 Jahre ab Jahresende")])
def test_who_withdraws_is_told_the_period_of_the_rule_of_today(privacy, years: int, said: str) -> None:
    if years != 3:
        rule = successor(newest("CONSENT"))
        rule.number, rule.valid_from, rule.reason = years, date(2026, 1, 1), "longer"
        add_version(rule, user_id=None)
    case = take(privacy, kind="withdrawal", customer=person(), name="Zoë Groß")
    body = letters.compose(case, RequestLetter.Kind.ANSWER).body
    assert said in body
    assert "fünf Jahre ab der Einwilligung" in body  # UWG § 7a
