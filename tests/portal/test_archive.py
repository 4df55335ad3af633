"""The archive door: who opens it, what it asks, what it shows, and the line that it leaves (domain.md 4.1)."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from consents.events import Wording
from datamap.models import AccessLog
from interactions.models import Attachment, Complaint, Interaction
from orders.documents import issue_credit_note, issue_document
from orders.models import Document, Return
from orders.returning import announce_return
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Request
from staff.models import User
from tests.consents.making import say
from tests.consents.publishing import make_version
from tests.interactions.factories import make_contact
from tests.orders.factories import make_customer, make_order
from tests.privacy.making import make_person, take

pytestmark = pytest.mark.django_db

SEARCH, OPEN, FILE = "portal:archive", "portal:archive_open", "portal:archive_file"


def block(table: str, pk: int, ref: UUID, cut: str = "") -> None:
    """What an erasure does to a row that has to be kept."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL obhut.erasing = 'on'")
        cursor.execute(
            f"UPDATE {table} SET customer_id = NULL, subject_ref = %s, blocked_at = now() {cut} WHERE id = %s",
            [ref, pk],
        )


@pytest.fixture
def privacy_user(db: None) -> User:
    return User.objects.create_user("privacy@obhut.example", name="Petra Privat", roles=["privacy"])


@pytest.fixture
def paper() -> Document:
    """An invoice of an erased person, cut from the order."""
    order = make_order(number="B-4711")
    order.billing |= {"email": "anna@post.example", "phone": "+49 431 12345"}
    order.save()
    issued = issue_document(order.pk, "invoice", at=datetime(2026, 11, 27, 9, tzinfo=UTC))
    block("orders_document", issued.pk, uuid4(), ", order_id = NULL")
    order.number, order.customer, order.billing = "", None, None
    order.save()
    return Document.archive.get(pk=issued.pk)


def test_whoever_has_opened_one_paper_goes_back_to_all_that_were_found(signed_in, paper):
    """One by one through a year, as in a tax audit: nobody types days and purpose anew for each paper."""
    client = tax_client(signed_in)
    wanted = {"begin": "2026-11-01", "end": "2026-11-30", "purpose": "Betriebsprüfung 2026"}
    (row,) = client.post(reverse(SEARCH), wanted).context["found"]
    page = client.post(reverse(OPEN), wanted | {"key": row.key})
    back = dict(re.findall(r'<input type="hidden" name="(begin|end|number|mark|purpose)" value="([^"]*)"', page.text))
    assert {name: html.unescape(value) for name, value in back.items() if value} == wanted
    again = client.post(reverse(SEARCH), back | {"purpose": wanted["purpose"]})
    assert [one.label for one in again.context["found"]] == [row.label]


def test_days_the_wrong_way_round_are_no_empty_archive(signed_in, paper):
    page = tax_client(signed_in).post(
        reverse(SEARCH), {"begin": "2026-12-31", "end": "2026-01-01", "purpose": "Betriebsprüfung 2026"}
    )
    assert page.status_code == 422 and page.context["found"] is None


def test_a_request_in_the_archive_bears_the_sign_of_its_letters(signed_in, privacy_user):
    customer = make_person("4711")
    case = take(privacy_user, kind="erasure", customer=customer)
    erasure = run_erasure(ask_erasure(customer, user=privacy_user).pk)
    wanted = {"mark": str(erasure.subject_ref), "purpose": "Nachfrage der Aufsicht"}
    found = signed_in(privacy_user).post(reverse(SEARCH), wanted).context["found"]
    assert [row.label for row in found if case.code in row.label]


def tax_client(signed_in, role: str = "tax") -> Client:
    user = User.objects.create_user(f"{role}@obhut.example", name="Tanja", roles=[role])
    client = signed_in(user)
    client.user = user
    return client


def found(client: Client, **wanted: str) -> list:
    answer = client.post(reverse(SEARCH), {"purpose": "tax audit 2026"} | wanted)
    assert answer.status_code == 200
    return answer.context["found"]


def opened(client: Client, key: str, purpose: str = "tax audit 2026"):
    return client.post(reverse(OPEN), {"key": key, "purpose": purpose})


@pytest.mark.parametrize("role", ["tax", "privacy"])
def test_a_blocked_paper_is_found_by_its_number_and_shown_as_it_was_issued(signed_in, paper, role):
    client = tax_client(signed_in, role)

    (row,) = found(client, number=paper.number)
    page = opened(client, row.key).content.decode()

    assert paper.number in page
    # The order has lost its number; the paper has not.
    assert "B-4711" in page
    assert "Am Deich 4" in page
    assert "23,80" in page
    assert "anna@post.example" not in page
    assert "12345" not in page.replace(paper.number, "")


def test_each_reading_is_noted_with_its_purpose_under_the_mark(signed_in, paper):
    client = tax_client(signed_in)

    opened(client, found(client, number=paper.number)[0].key)

    line = AccessLog.objects.get()
    assert (line.customer_number, line.user_id, line.purpose) == (
        str(paper.subject_ref),
        client.user.pk,
        "tax audit 2026",
    )


def test_without_a_purpose_nothing_is_shown(signed_in, paper):
    client = tax_client(signed_in)
    key = found(client, number=paper.number)[0].key

    assert client.post(reverse(SEARCH), {"number": paper.number}).status_code == 422
    refused = opened(client, key, purpose="")

    assert refused.status_code == 422
    assert "Am Deich" not in refused.content.decode()
    assert not AccessLog.objects.exists()


def test_the_whole_archive_is_not_asked_for(signed_in):
    assert tax_client(signed_in).post(reverse(SEARCH), {"purpose": "tax audit"}).status_code == 422


def test_papers_are_found_by_the_days_of_their_issue(signed_in, paper):
    client = tax_client(signed_in)

    assert [row.label for row in found(client, begin="2026-11-27", end="2026-11-27")] == [f"Rechnung {paper.number}"]
    assert found(client, begin="2026-11-28") == []


def test_a_paper_of_somebody_who_was_not_erased_is_not_in_the_archive(signed_in):
    issued = issue_document(make_order().pk, "invoice")

    assert found(tax_client(signed_in), number=issued.number) == []


def test_a_blocked_paper_is_on_no_page_of_daily_work(manager_client, paper):
    assert manager_client.get(reverse("orders:document", args=[paper.pk])).status_code == 404
    assert not Document.objects.filter(pk=paper.pk).exists()


def test_a_credit_note_still_names_its_invoice(signed_in):
    order = make_order()
    invoice = issue_document(order.pk, "invoice")
    credit = issue_credit_note(invoice.pk, invoice.gross)
    ref = uuid4()
    for row in (invoice, credit):
        block("orders_document", row.pk, ref, ", order_id = NULL")
    client = tax_client(signed_in)

    page = opened(client, found(client, number=credit.number)[0].key).content.decode()

    assert invoice.number in page
    assert reverse("orders:document", args=[invoice.pk]) not in page


def test_by_the_mark_everything_that_was_kept_is_found(signed_in, agent, settings, tmp_path):
    ref, order = uuid4(), make_order(number="B-12")
    customer = order.customer
    back = announce_return(order.pk, {order.lines.first().pk: 1}, note="too blue")
    letter = make_contact(customer, agent, kind="letter", content="I withdraw", record_class="letter")
    Attachment.objects.create(
        interaction=letter,
        name="widerruf.txt",
        content_type="text/plain",
        size=5,
        file=SimpleUploadedFile("widerruf.txt", b"hello"),
    )
    complaint = Complaint.objects.create(customer=customer, subject="broken cup", closed_at=datetime.now(UTC))
    block("orders_return", back.pk, ref, ", order_id = NULL")
    back.lines.update(line=None)
    block("interactions_interaction", letter.pk, ref)
    block("interactions_complaint", complaint.pk, ref)
    client = tax_client(signed_in, "privacy")

    rows = found(client, mark=str(ref))
    pages = [opened(client, row.key) for row in rows]
    text = " ".join(page.content.decode() for page in pages)

    assert len(rows) == 3
    for kept in ("B-12", "too blue", "Artikel 1", "I withdraw", "widerruf.txt", "broken cup"):
        assert kept in text
    # The list by mark itself, then each row.
    assert set(AccessLog.objects.values_list("customer_number", flat=True)) == {str(ref)}
    assert AccessLog.objects.count() == 4
    (file,) = [part.file for page in pages for part in page.context["shown"].parts if part.file]
    answer = client.post(reverse(FILE), {"key": file, "purpose": "request for access"})
    assert b"".join(answer.streaming_content) == b"hello"
    assert answer["Content-Disposition"].startswith("attachment")


def test_a_file_of_a_contact_that_is_not_blocked_does_not_come_through_this_door(signed_in, agent):
    contact = make_contact(make_customer(), agent)
    attached = Attachment.objects.create(
        interaction=contact, name="a.txt", content_type="text/plain", size=1, file=SimpleUploadedFile("a.txt", b"x")
    )
    client = tax_client(signed_in)

    for key in (f"interactions.Attachment:{attached.pk}", "interactions.Attachment:1:forged", ""):
        assert client.post(reverse(FILE), {"key": key, "purpose": "curiosity"}).status_code == 404
        assert opened(client, key, "curiosity").status_code == 404


def test_the_proof_of_a_consent_is_told_in_words(signed_in):
    person, wording = make_person("4712"), make_version(title_de="Newsletter abonnieren")
    evidence = {"form": {"page": "/anmelden", "at": "2026-05-01T10:00:00+02:00"}, "note": "Ordner 4."}
    shown = Wording(wording.sha256_de, f"{wording.text.key}:{wording.number}", "de")
    say(person, wording=shown, evidence=evidence)
    erasure = run_erasure(ask_erasure(person).pk)
    client = tax_client(signed_in, "privacy")

    pages = [opened(client, row.key) for row in found(client, mark=str(erasure.subject_ref))]
    text = " ".join(html.unescape(page.content.decode()) for page in pages)

    for told in (
        f"Wortlaut: Newsletter abonnieren, Fassung {wording.number}, Deutsch", "Formular: Seite: /anmelden",
        "Formular: am: 01.05.2026 10:00", "Was gesagt wurde: Ordner 4.", "Newsletter", "E-Mail",
    ):  # fmt: skip
        assert told in text, told
    # Neither JSON nor the salt before it.
    assert '"evidence"' not in text
    assert not re.search("[0-9a-f]{64}", text)


def test_tax_people_do_not_read_requests_under_the_gdpr(signed_in):
    ref = uuid4()
    Request.archive.create(kind="access", subject_ref=ref, blocked_at=datetime.now(UTC))

    assert found(tax_client(signed_in), mark=str(ref)) == []
    assert len(found(tax_client(signed_in, "privacy"), mark=str(ref))) == 1


def test_who_may_not_open_the_archive_gets_403(agent_client, outsider_client):
    for client in (agent_client, outsider_client):
        assert client.get(reverse(SEARCH)).status_code == 403
        assert opened(client, "x").status_code == 403
    assert not Return.archive.exists()
    assert not Interaction.archive.exists()
