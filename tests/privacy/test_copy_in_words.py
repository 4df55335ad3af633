"""The copy for people says everything in words, on the page and in the PDF: no key, no JSON, no code (Art. 12(1))."""

from __future__ import annotations

import html
import io
import json
import re

import pypdf
import pytest
from django.utils import timezone

from consents.sealing import seal_pending
from consents.withdrawing import withdraw
from customers.models import Customer
from customers.suppression import suppress
from datamap import accesslog
from orders.models import OrderLine, Return
from privacy import identifying, rectifying
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Request
from privacy.packages.building import build
from privacy.packages.knowing import asker_of
from tests.consents.making import moment, say
from tests.consents.publishing import make_text, make_version
from tests.privacy.making import make_order, make_paper, make_person, take
from tests.privacy.packaging import files_of, make_colleague, make_shop

pytestmark = pytest.mark.django_db

EVIDENCE = {
    "form": {"at": "2026-01-02T09:00:00.000000Z", "page": "/newsletter", "by": "self", "source": "web_form",
             "ip": "203.0.113.9", "agent": "Mozilla/5.0"},
    "mail": {"subject": "Bitte bestätigen", "text": "Ein Klick genügt.", "at": "2026-01-02T09:00:05.000000Z"},
    "confirmation": {"at": "2026-01-02T10:00:00.000000Z", "ip": "203.0.113.10"},
    "token": "ab" * 32,
    "age_check": {"limit": 16, "passed": True, "jurisdiction": "DE"},
}  # fmt: skip


@pytest.fixture
def customer(privacy) -> Customer:
    make_shop()
    person = make_person("4711")
    make_version(make_text("newsletter"))
    say(person, confirmed=True, source="double_opt_in", at=moment("2026-01-02T11:00:00+01:00"), evidence=EVIDENCE)
    withdraw(person, "newsletter", "email", source="rfc8058", at=moment("2026-03-01T09:00:00+01:00"))
    seal_pending()
    suppress("email", "alma4711@laden.example", reason="objection")
    order = make_order(person, "2026-05-04")
    OrderLine.objects.filter(order=order).update(quantity=3, tax_rate=19)
    at = order.delivered_at
    Return.objects.create(order=order, customer=person, state="refunded", requested_at=at, refunded_at=at)
    make_paper(order, "invoice", "2026-05-04")
    accesslog.record(make_colleague().pk, person.number, "privacy:erase")
    case = take(privacy, kind="rectification", customer=person, channel="phone")
    rectifying.stage(case, "customer:last_name", "Zeisig", "", by=privacy)
    return person


def read(files: dict[str, bytes]) -> str:
    """The page as a reader sees it, a line for each label and value."""
    text = re.sub(r"<style>.*?</style>", "", files["index.html"].decode(), flags=re.S)
    text = re.sub(r"</(?:dt|h\d|th|td|p|li|dd|summary)>|<br>", "\n", text)
    lines = (" ".join(line.split()) for line in html.unescape(re.sub(r"<[^>]+>", " ", text)).split("\n"))
    return "\n".join(line for line in lines if line)


def test_the_proof_of_a_consent_reads_as_lines_with_german_labels(customer: Customer) -> None:
    page = read(files_of(build(customer, "access")))
    for line in (
        "Wortlaut: Newsletter, Fassung 1, Deutsch",
        "Formular: am: 02.01.2026 10:00",
        "Formular: Seite: /newsletter",
        "Formular: von: die Person",
        "Formular: Weg: Formular auf einer Webseite",
        "Mail: Betreff: Bitte bestätigen",
        "Bestätigung: am: 02.01.2026 11:00",
        "Bestätigung: Internetadresse: 203.0.113.10",
        "Altersprüfung: erreicht: ja",
    ):
        assert line in page, line
    assert not re.search(r'[{}\[\]]|":', page)
    assert not re.search(r"\b(double_opt_in|rfc8058|web_form|newsletter:1|evidence|agent)\b", page)


def test_the_pdf_says_the_same(customer: Customer) -> None:
    pages = pypdf.PdfReader(io.BytesIO(files_of(build(customer, "access"))["ihre-daten.pdf"])).pages
    pdf = " ".join("".join(page.extract_text() for page in pages).split())
    assert "Wortlaut: Newsletter, Fassung 1, Deutsch" in pdf and "Bestätigung: am: 02.01.2026 11:00" in pdf
    assert '"evidence"' not in pdf and "{" not in pdf


def test_the_files_keep_the_proof_as_it_was_sealed(customer: Customer) -> None:
    (row, *_more) = [
        one for one in json.loads(files_of(build(customer, "access"))["data/consents.Record.json"])
        if one["kind"] == "given"
    ]  # fmt: skip
    assert json.loads(row["proof"][64:])["evidence"] == EVIDENCE


def test_purposes_channels_pages_and_fields_have_names(customer: Customer) -> None:
    page = read(files_of(build(customer, "access")))
    assert "Zweck\nNewsletter" in page
    assert "Umfang\nWerbung" in page and "Kanal\nE-Mail" in page
    assert "Löschung prüfen" in page and "privacy:erase" not in page
    assert "customer:last_name" not in page and "Nachname" in page
    assert "so lange wie ACCOUNT" not in page and "wie das Konto" in page


def test_what_is_no_amount_is_not_shown_as_one(customer: Customer) -> None:
    page = read(files_of(build(customer, "access")))
    assert "3,00 €" not in page and "19,00 €" not in page
    assert "19\xa0%" in files_of(build(customer, "access"))["index.html"].decode()
    assert "Zu erstattender Betrag\n0,00" in page


def test_the_receipt_of_an_erasure_reads_as_sentences(customer: Customer, privacy) -> None:
    Request.objects.update(state="closed", closed_at=timezone.now())
    assert run_erasure(ask_erasure(customer).pk).state == "done"
    again = take(privacy, email="alma4711@laden.example", name="Alma Kanarienvogel")
    identifying.settle(again, "known_facts", version=None, by=privacy)
    files = files_of(build(asker_of(again), "access", request=again))
    page = read(files)
    assert "Gelöscht: " in page and "Gesperrt: Belege (1), AO § 147" in page
    assert "Zeilen der Datenbank und ihr Verlauf" in page
    assert not re.search(r"orders\.Document|\bwhy:|\bcount:|needless", page)


def test_the_law_behind_a_period_is_called_by_its_name_and_the_day_is_reckoned_up(customer: Customer) -> None:
    page = read(files_of(build(customer, "access")))
    assert "AO § 147(3),(4); HGB § 257(4); UStG § 14b (Abgabenordnung, Handelsgesetzbuch, Umsatzsteuergesetz)" in page
    assert "Zählt ab 04.05.2026 (Ausstellungsdatum)." in page
    assert "DSGVO Art. 7(1), 17(3)(e); BGB § 195 (Datenschutz-Grundverordnung, Bürgerliches Gesetzbuch)" in page
