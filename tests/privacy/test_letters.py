"""Letters about requests: worded per right and language, complete, readable for machines and screen readers."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import pypdf
import pytest
from django.urls import reverse

from datamap.models import Controller
from mail.models import Message
from privacy import identifying, letters, restricting
from privacy.models import Request, RequestLetter
from privacy.steps import StepRefused
from tests.privacy.making import person, take

pytestmark = pytest.mark.django_db

Kind = RequestLetter.Kind
RIGHTS = [
    *[(kind, "") for kind in Request.Kind.values if kind != "objection"],
    ("objection", "advertising"),
    ("objection", "reasons"),
]


@pytest.fixture(autouse=True)
def shop(db):
    who = Controller(
        name="Röstwerk GmbH", street="Speicher 1", postcode="20457", city="Hamburg", officer_name="Dana Schutz",
        officer_email="schutz@roestwerk.example", authority_name="Der Hamburgische Beauftragte",
        authority_contact="Ludwig-Erhard-Str. 22\n20459 Hamburg",
    )  # fmt: skip
    who.save()
    return who


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize(("kind", "objects_to"), RIGHTS)
def test_every_right_has_its_answer_in_both_languages(kind, objects_to, language, privacy):
    case = take(privacy, customer=person(), kind=kind, objects_to=objects_to, language=language)
    draft = letters.compose(case, Kind.ANSWER, reason="Weil es so ist.")
    assert case.code in draft.subject
    assert "Zoë Groß" in draft.body
    assert "Weil es so ist." in draft.body
    assert "{" not in draft.body
    assert ("Guten Tag" in draft.body) == (language == "de")
    if objects_to != "advertising":
        assert "Art. 77" in draft.body


@pytest.mark.parametrize("kind", [kind for kind in Kind.values if kind != "answer"])
@pytest.mark.parametrize("language", ["de", "en"])
def test_every_other_letter_is_there_in_both_languages(kind, language, privacy):
    case = take(privacy, customer=person(), language=language)
    draft = letters.compose(case, kind, reason="Weil es so ist.")
    assert draft.subject
    assert "Dana Schutz" in draft.body
    if kind in ("refusal", "extension"):
        assert "Weil es so ist." in draft.body
        assert "Der Hamburgische Beauftragte, Ludwig-Erhard-Str. 22, 20459 Hamburg" in draft.body
        assert "Art. 79" in draft.body


def test_whom_we_do_not_know_is_told_so(privacy):
    case = take(privacy, name="Frida Fremd", email="fremd@laden.example")
    assert "keine" in letters.compose(case, Kind.ANSWER).body
    assert letters.recipient_lines(case) == ["Frida Fremd"]


def test_the_pdf_is_archival_accessible_and_the_same_each_time(privacy):
    case = take(privacy, customer=person())
    letter = letters.write(case, Kind.RECEIPT, way="post", by=privacy)
    one, other = letters.pdf_of(letter), letters.pdf_of(letter)
    assert one == other
    reader = pypdf.PdfReader(BytesIO(one))
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "de"
    assert root["/MarkInfo"]["/Marked"]
    metadata = root["/Metadata"].get_data().decode()
    assert "pdfaid" in metadata
    assert "pdfuaid" in metadata
    text = reader.pages[0].extract_text()
    assert "Zoë Groß" in text
    assert "Elbchaussee 12" in text
    assert case.code in text
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            assert {"/FontFile2", "/FontFile3"} & set(inner)


@pytest.mark.parametrize(
    ("zone", "day"), [("Europe/Berlin", "31. Dezember 2026"), ("Europe/Helsinki", "1. Januar 2027")]
)
def test_a_letter_bears_the_day_of_the_place_it_is_written_at(privacy, zone, day):
    """C1: half past ten at night in Greenwich is the old year in Hamburg and the new one in Helsinki."""
    Controller(zone=zone, city="Sitz").save()
    case = take(privacy, name="Zoë Groß", address="Weg 1\n20095 Hamburg")
    letter = letters.write(case, Kind.RECEIPT, way="post", by=privacy)
    letter.written_at = datetime(2026, 12, 31, 22, 30, tzinfo=UTC)
    text = pypdf.PdfReader(BytesIO(letters.pdf_of(letter))).pages[0].extract_text()
    assert f"Sitz, {day}" in text


def test_what_was_told_is_text_and_never_markup(privacy):
    case = take(privacy, name='#read("/etc/passwd") $x$ *f* <a>', address="Weg 1\n20095 Hamburg")
    letter = letters.write(case, Kind.RECEIPT, way="post", by=privacy)
    text = pypdf.PdfReader(BytesIO(letters.pdf_of(letter))).pages[0].extract_text()
    assert '#read("/etc/passwd") $x$ *f* <a>' in text
    assert "root:" not in text


def test_signs_that_turn_the_writing_are_left_out(privacy):
    case = take(privacy, name="An\u202ena\u0007 \u2066B", address="Weg 1\n20095 Hamburg")
    letter = letters.write(case, Kind.RECEIPT, way="post", by=privacy)
    assert "Anna B" in letter.body
    assert not {"\u202e", "\u2066", "\u0007"} & set(letter.body + letter.recipient)
    assert letters.pdf_of(letter)


def test_html_in_a_reason_is_not_changed_and_not_run(privacy):
    case = take(privacy, customer=person())
    assert "<b>Müller & Söhne</b>" in letters.compose(case, Kind.REFUSAL, reason="<b>Müller & Söhne</b>").body


def test_ways_that_lead_nowhere_are_not_taken(privacy):
    case = take(privacy, name="Nur Name")
    assert letters.ways_for(case) == []
    for way in ("mail", "post"):
        with pytest.raises(StepRefused):
            letters.write(case, Kind.RECEIPT, way=way, by=privacy)
    assert not Message.objects.exists()


def test_an_answer_goes_to_the_address_on_file_not_to_the_one_told(privacy):
    case = take(privacy, customer=person(), email="jemand.anders@laden.example")
    letters.write(case, Kind.ANSWER, way="mail", by=privacy)
    message = Message.objects.get()
    assert message.customer == case.customer
    assert message.recipient is None


def test_a_restricted_customer_gets_answers(privacy):
    case = take(privacy, customer=person())
    restricting.restrict(case.customer, "a", ["all"], "bestritten", by=privacy)
    letters.write(case, Kind.ANSWER, way="mail", by=privacy)
    assert Message.objects.get().message_class == "letter"


def test_apps_add_paragraphs_and_files_to_the_answer(privacy, monkeypatch):
    monkeypatch.setattr(letters, "_paragraphs", {})
    monkeypatch.setattr(letters, "_enclosures", {})
    letters.register_paragraphs("probe", lambda request: ["Rechnungen bleiben bis 2034 gesperrt."])
    letters.register_enclosures("probe", lambda request: [("daten.zip", b"PK", "application/zip")])
    case = take(privacy, customer=person(), kind="erasure")
    identifying.settle(case, "call_back", version=None, by=privacy)
    letter = letters.write(case, Kind.ANSWER, way="mail", by=privacy)
    assert "Rechnungen bleiben bis 2034 gesperrt." in letter.body
    assert {one.name for one in Message.objects.get().letter.enclosures.all()} == {f"{case.code}.pdf", "daten.zip"}


def test_the_desk_shows_a_letter_as_pdf(privacy_client, agent_client, privacy):
    case = take(privacy, customer=person())
    letter = letters.write(case, Kind.RECEIPT, way="post", by=privacy)
    answer = privacy_client.get(reverse("privacy:letter", args=[letter.pk]))
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert agent_client.get(reverse("privacy:letter", args=[letter.pk])).status_code == 403
