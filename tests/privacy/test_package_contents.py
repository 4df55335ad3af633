"""What stands in a package and what does not: Art. 15(3), 15(4) and 20 GDPR on real rows."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import date, timedelta
from uuid import uuid4

import jsonschema
import pypdf
import pytest
import vobject
from django.apps import apps
from django.db import models
from django.utils import timezone
from django.utils.text import capfirst

from customers.models import Address, ContactPerson, ContactPoint, Customer, Note, Tombstone
from customers.tombstones import marks_of
from datamap.controlling import controller
from datamap.declarations import registry
from datamap.packages import cards, parts
from datamap.words import AREAS, column_label
from interactions.models import Interaction
from orders.documents import issue_document
from orders.models import Document, Order, OrderLine, OrderType
from privacy.models import Erasure, Hold, Package, Redaction
from privacy.packages.building import build
from privacy.packages.collecting import FIRST
from privacy.packages.fetching import Steps
from privacy.packages.knowing import marks_of_erased
from privacy.restricting import restrict
from staff.models import User
from tests.messages import APPS
from tests.orders.factories import make_customer, make_order
from tests.privacy.packaging import (
    AT,
    data_of,
    everything,
    files_of,
    make_colleague,
    make_papers,
    make_person,
    make_shop,
    talk,
)
from vault.fields import SealedTextField

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop(db: None) -> None:
    make_shop()


@pytest.fixture
def meier(db: None) -> User:
    return make_colleague("Martin Meier")


@pytest.fixture
def anna(meier: User) -> Customer:
    return make_person(meier)


@pytest.fixture
def copy(anna: Customer) -> dict[str, bytes]:
    return files_of(build(anna, "access"))


@pytest.fixture
def portable(anna: Customer) -> dict[str, bytes]:
    return files_of(build(anna, "portability"))


def test_the_copy_counts_invoices_and_credit_notes_together_as_their_file_does(anna: Customer) -> None:
    """One rule keeps both (INV): the copy says how many papers of it are there, not how many of the commoner kind."""
    given = {"customer": anna, "issued_at": AT, "currency": "EUR", "gross": 1}
    for number, kind in enumerate(["invoice", "credit_note", "credit_note", "confirmation"]):
        Document.objects.create(kind=kind, number=f"P-{number}", **given)
    files = files_of(build(anna, "access"))
    kinds = [one["kind"] for one in data_of(files, "data/orders.Document.json")]
    lines = {line["rule"]: line for line in data_of(files, "meta/processing.json")["data"]}
    assert kinds.count("invoice") + kinds.count("credit_note") == 4  # one invoice was there before
    assert lines["INV"]["held"] == {"Belege": 4}
    assert lines["LETTER"]["held"]["Beleg"] == 1


def test_p17_access_versus_portability(copy: dict[str, bytes], portable: dict[str, bytes], anna: Customer) -> None:
    note = data_of(copy, "data/notes.json")[0]
    assert note["text"] == "calls often, colleague [geschwärzt] handled"
    assert note["author"] == "Kundendienst"
    assert "Meier" not in everything(copy)
    assert data_of(copy, "data/customers.Flag.json")[0]["reason"] == "zwei Lastschriften geplatzt"
    assert data_of(copy, "data/orders.Document.json")[0]["gross"] == "23.80"
    kinds = {one["kind"] for one in data_of(copy, "data/derived.json")}
    assert kinds == {"summary", "total"}
    told = data_of(copy, "meta/processing.json")
    assert any("Paketdienst" in line["recipients"] for line in told["data"])
    assert all(line["source"] and line["purposes"] and line["legal_bases"] for line in told["data"])
    assert all(line["period"] for line in told["data"])
    assert told["automated_decisions"]["figures"][0]["logic"]
    # Art. 20: what the person typed or caused, not what was concluded or is kept for a law.
    assert data_of(portable, "data/person.json")["givenName"] == "Änne"
    assert data_of(portable, "data/orders.json")[0]["totalPaymentDue"]["value"] == "23.80"
    assert "data/orders.csv" in portable
    assert "data/order_lines.csv" in portable
    left_out = ("notes", "derived", "Flag", "Document", "Return", "communications", "Historical", "access_log")
    assert [name for name in portable if any(word in name for word in left_out)] == []
    text = everything(portable)
    assert not any(word in text for word in ("calls often", "Lastschriften"))
    assert Customer.objects.filter(pk=anna.pk).exists()
    assert anna.notes.count() == 1


def test_the_structure_is_the_promised_one(copy: dict[str, bytes]) -> None:
    promised = {
        "index.html", "manifest.json", "data/person.json", "data/person.vcf", "data/addresses.json", "data/orders.json",
        "data/orders.csv", "data/order_lines.csv", "data/communications.json", "data/notes.json", "data/derived.json",
        "meta/processing.json", "meta/access_log.csv", "datapackage.json", "data/customers.Flag.json",
        "data/customers.Flag.csv", "schemas/orders.schema.json", "schemas/customers.Flag.schema.json",
    }  # fmt: skip
    assert promised <= set(copy)
    assert any(name.startswith("attachments/interactions.Attachment/") for name in copy)


def test_every_file_stands_in_the_manifest_with_its_hash(copy: dict[str, bytes]) -> None:
    manifest = data_of(copy, "manifest.json")
    listed = {entry["path"]: entry for entry in manifest["files"]}
    assert set(listed) == set(copy) - {"manifest.json"}
    for path, entry in listed.items():
        assert entry["sha256"] == hashlib.sha256(copy[path]).hexdigest()
        assert entry["bytes"] == len(copy[path])
    assert listed["data/order_lines.csv"]["rows"] == 2
    assert listed["data/orders.json"]["legal_basis"]
    assert manifest["subject_request_type"] == "access"
    assert manifest["controller"]["name"] == "Laden am Deich GmbH"
    assert manifest["privacy_officer"]["name"] == "Dora Schutz"


@pytest.mark.parametrize("kind", ["access", "portability"])
def test_every_json_fits_its_own_schema(anna: Customer, kind: str) -> None:
    files = files_of(build(anna, kind))
    checked = 0
    for entry in data_of(files, "manifest.json")["files"]:
        if entry["path"].endswith(".json") and "schema" in entry:
            schema = data_of(files, entry["schema"])
            assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
            jsonschema.Draft202012Validator.check_schema(schema)
            checker = jsonschema.FormatChecker(["date"])
            jsonschema.Draft202012Validator(schema, format_checker=checker).validate(data_of(files, entry["path"]))
            checked += 1
    without = [n for n in files if n.startswith(("data/", "meta/")) and n.endswith(".json")]
    assert checked == len(without)


def test_the_tables_are_described_for_frictionless(copy: dict[str, bytes]) -> None:
    resources = data_of(copy, "datapackage.json")["resources"]
    assert {one["path"] for one in resources} == {name for name in copy if name.endswith(".csv")}
    names = [one["name"] for one in resources]
    assert len(set(names)) == len(names)
    for one in resources:
        header = next(csv.reader(io.StringIO(copy[one["path"]].decode(), newline="")))
        assert header == [field["name"] for field in one["schema"]["fields"]]


def test_the_vcard_is_read_by_an_outside_parser(copy: dict[str, bytes]) -> None:
    card = vobject.readOne(copy["data/person.vcf"].decode())
    assert card.version.value == "4.0"
    assert card.n.value.family == "Groß"
    assert card.fn.value == "Dr. Änne Groß"
    assert card.email.value == "anna.gross@example.org"
    assert card.tel.value == "+494012345678"
    assert card.adr.value.street == "Am Deich 4"
    assert card.bday.value == "--0309"
    assert all(len(line.encode()) <= 75 for line in copy["data/person.vcf"].decode().split("\r\n"))


def test_two_copies_of_one_state_differ_in_the_manifest_alone(anna: Customer, copy: dict[str, bytes]) -> None:
    again = files_of(build(anna, "access"))
    assert list(again) == list(copy)
    assert [name for name in copy if copy[name] != again[name]] == ["manifest.json"]


def test_every_declared_field_of_the_person_is_in_the_copy(anna: Customer, meier: User) -> None:
    """A canary in each free text: what the declarations say is theirs comes out, whatever file it stands in."""
    Hold.objects.create(customer=anna, kind="claim", reason="x", review_on=date(2027, 1, 1), owner=meier)
    planted = []
    for declaration in registry.declarations():
        model = apps.get_model(declaration.label)
        if declaration.label in ("privacy.Package", "privacy.Redaction"):
            continue
        for group in declaration.groups:
            if group.person != "customer" or group.subject_paths not in (("customer",), ("interaction__customer",)):
                continue
            rows = models.QuerySet(model).filter(**{group.subject_paths[0]: anna.pk})
            for name in group.fields:
                if not rows.exists() or name not in {field.name for field in model._meta.concrete_fields}:
                    continue
                field = model._meta.get_field(name)
                if isinstance(field, SealedTextField) and declaration.label != "customers.ContactPoint":
                    word = f"Kanarie{len(planted)}x"
                    row = rows.first()
                    setattr(row, name, word)
                    if declaration.label != "orders.Document":
                        row.save()
                        planted.append(word)
    assert len(planted) > 8
    text = everything(files_of(build(anna, "access")))
    assert [word for word in planted if word not in text] == []


def test_each_model_has_one_place() -> None:
    """Named files take rows out of the general ones; a model in two files would be told twice."""
    labels = [label for part in parts() for label in part.labels]
    assert len(set(labels)) == len(labels)
    assert all(registry.declaration_for(label) for label in labels)
    assert [card.path for card in cards()] == ["data/consent_receipts.txt", "data/consents.jsonld", "data/person.vcf"]


def test_names_addresses_and_numbers_of_others_stand_nowhere(meier: User) -> None:
    """Several customers share an address, one is recommended by another, staff write everybody's data into notes."""
    family = [make_person(meier, email="familie@example.org", phone="+494099999999") for _ in range(2)]
    others = [
        make_person(meier, email=f"fremd{n}@example.net", phone=f"+49170555100{n}", number=f"77010{n}")
        for n in range(4)
    ]
    for other in others:
        mail, phone = other.contact_points.order_by("pk").values_list("value", flat=True)
        Note.objects.create(customer=family[0], text=f"wohnt bei {mail}, Tel. {phone}, siehe {other.number}!")
        talk(family[0], meier, content=f"Frau Meier gab ihm {mail.upper()} und 0{phone[3:6]} / {phone[6:]}")
        make_order(family[0], billing={"name": "Änne Groß", "email": mail, "phone": phone})
    text = everything(files_of(build(family[0], "access"))) + everything(files_of(build(family[0], "portability")))
    for other in others:
        mail, phone = other.contact_points.order_by("pk").values_list("value", flat=True)
        assert mail.lower() not in text.lower()
        assert phone not in text
        assert phone[-6:] not in text
        assert other.number not in text
    assert "Meier" not in text
    assert "familie@example.org" in text
    assert "+494099999999" in text


def test_the_officer_whom_everybody_may_ask_is_no_third_person(meier: User) -> None:
    User.objects.create_user("officer@laden.example", name="Dora Schutz")
    person = make_person(meier)
    Note.objects.create(customer=person, text="Dora Schutz hat geantwortet.")
    package = build(person, "access")
    assert "Dora Schutz hat geantwortet." in everything(files_of(package))


def test_who_gets_a_present_is_told_to_nobody_but_themselves(meier: User) -> None:
    giver = make_person(meier)
    friends = [
        make_customer(first_name=name, last_name="Beschenkt", email=f"{name}@geschenk.example")
        for name in ("Ida", "Uwe")
    ]
    for friend in friends:
        place = {"name": f"{friend.first_name} Beschenkt", "street": f"{friend.first_name}weg 1", "city": "Kiel"}
        order = make_order(
            giver, gift_recipient=friend, shipping=place, gift_note=f"Für {friend.first_name}", deviating=True
        )
        Document.objects.create(
            order=order, customer=giver, gift_recipient=friend, kind="delivery_note", number=f"L-{friend.pk}",
            currency="EUR", delivery_snapshot=place, issued_at=AT,
        )  # fmt: skip
    package = build(giver, "access")
    text = everything(files_of(package))
    assert "Beschenkt" not in text
    assert "weg 1" not in text
    assert package.review_needed
    assert package.redactions.filter(why=Redaction.Why.RECORD).count() >= 4
    mine = everything(files_of(build(friends[0], "access")))
    assert "Idaweg 1" in mine
    assert "Für Ida" in mine
    for word in ("Uwe", "Groß", "Am Deich", "anna.gross", giver.number, "23.80"):
        assert word not in mine


def test_contact_persons_of_a_company_are_blackened_until_somebody_looks(meier: User) -> None:
    firm = make_person(meier, kind="company", company="Werft AG")
    ContactPerson.objects.create(customer=firm, first_name="Olaf", last_name="Schweißer", email="olaf@werft.example")
    Note.objects.create(customer=firm, text="Schweißer ruft zurück")
    text = everything(files_of(build(firm, "access")))
    assert not any(word in text for word in ("Schweißer", "Olaf", "olaf@werft"))


def test_blocked_rows_and_an_erased_person_are_answered_truly(anna: Customer) -> None:
    mark = uuid4()
    order = make_order(anna)
    paper = make_papers(order)
    assert paper.pk
    Order.archive.filter(pk=order.pk).update(subject_ref=mark, blocked_at=timezone.now(), customer=None)
    blind = marks_of(emails=["anna.gross@example.org"])
    Tombstone.objects.bulk_create(
        Tombstone(kind=k, mark=m, subject_ref=mark, erased_at=timezone.now()) for k, m in blind
    )
    assert marks_of_erased(email="Anna.Gross@example.org") == (mark,)
    package = build(mark, "access")
    files = files_of(package)
    assert package.customer is None
    assert [one["orderNumber"] for one in data_of(files, "data/orders.json")] == [order.number]
    assert len(data_of(files, "data/orders.json")[0]["orderedItem"]) == 2
    assert data_of(files, "data/customers.Tombstone.json")[0]["kind"] == "email"
    lines = data_of(files, "meta/processing.json")["data"]
    assert any(line["kept_under_a_block"] and line["last_day"] for line in lines)
    assert "data/person.json" not in files
    assert data_of(files, "manifest.json")["subject_identities"][0]["identity_value"] == str(mark)
    # The address may have been a relative's: the living customer's copy does not take the rows in by itself.
    own = {one["orderNumber"] for one in data_of(files_of(build(anna, "access")), "data/orders.json")}
    assert order.number not in own


def test_no_two_columns_of_an_order_are_called_the_same(anna: Customer) -> None:
    order = make_order(anna)
    order.type = OrderType.objects.create(name="Werkstatt", position=9)
    order.save()
    page = files_of(build(anna, "access"))["index.html"].decode()
    assert "Bestellart" in page and "Werkstatt" in page
    names = [str(column_label(field, field.name)).casefold() for field in Order._meta.concrete_fields]
    assert len(names) == len(set(names)), sorted(names)


def test_people_read_papers_in_words_and_the_files_keep_the_keys(anna: Customer) -> None:
    order = make_order(anna)
    OrderLine.objects.create(
        order=order, position=7, sku="K10-250G", name="Peru Bio", quantity=2, unit_price="1234.5000", tax_rate="7.00"
    )
    issue_document(order.pk, "invoice")
    files = files_of(build(anna, "access"))
    page = files["index.html"].decode()
    assert "Artikelnummer: K10-250G, Name: Peru Bio, Menge: 2, Einzelpreis: 1.234,50, " in page
    assert "USt.-Satz: 7\u00a0%" in page
    for key in ("unit_price", "tax_rate", "supplied_on", "vat_id"):
        assert f"{key}:" not in page
    assert "unit_price" in everything(files)  # machines read on


def test_every_part_of_the_house_has_a_name_that_people_read() -> None:
    places = {declaration.label for declaration in registry.declarations()} | {one.key for one in registry.stores()}
    parts = {capfirst(place.partition(".")[0]) for place in places}
    assert {capfirst(app) for app in APPS} & parts <= set(AREAS)


def test_what_is_blocked_under_an_own_mark_is_in_the_copy_and_not_portable(anna: Customer) -> None:
    mark = uuid4()
    Erasure.objects.create(customer=anna, subject_ref=mark, as_of=AT.date(), state=Erasure.State.HELD)
    order = make_order(anna)
    Order.archive.filter(pk=order.pk).update(subject_ref=mark, blocked_at=timezone.now(), customer=None)
    assert order.number in everything(files_of(build(anna, "access")))
    assert order.number not in everything(files_of(build(anna, "portability")))


def test_former_versions_are_part_of_the_copy(anna: Customer) -> None:
    anna.last_name = "Klein"
    anna.save()
    rows = data_of(files_of(build(anna, "access")), "data/customers.HistoricalCustomer.json")
    assert [row["last_name"] for row in rows] == ["Klein", "Groß"]


NAUGHTY = [
    "𝕿𝖍𝖊 quick", "田中さんにあげて", "مرحبا", "👩‍👩‍👧 zalgo Z̮̞̠͙͔ͅ", "</script><img src=x onerror=alert(1)>",
    "#set text(red) $x$ *b*",
    "=HYPERLINK(\"http://x\")", "+1+1", "@SUM(A1)", "\u202etxet", "a\rb\nc;d,e\"f", "\\u0000 \x07 \x1b[31m",
]  # fmt: skip


def test_any_text_survives_every_format(anna: Customer) -> None:
    for text in NAUGHTY:
        Note.objects.create(customer=anna, text=text)
        anna.preferences.create(kind="interest", value=text[:40], said_by="customer")
        Address.objects.create(customer=anna, recipient=text[:40], street=text, city=text[:20])
    files = files_of(build(anna, "access"))
    assert {note["text"] for note in data_of(files, "data/notes.json")} >= set(NAUGHTY)
    rows = list(csv.DictReader(io.StringIO(files["data/customers.Preference.csv"].decode(), newline="")))
    cells = {row["value"] for row in rows}
    assert {"'+1+1", "'@SUM(A1)", '\'=HYPERLINK("http://x")'} <= cells
    assert not any(cell[:1] in ("=", "+", "@") for cell in cells)
    page = files["index.html"].decode()
    assert "<script" not in page
    assert "<img" not in page
    assert vobject.readOne(files["data/person.vcf"].decode()).n.value.family == "Groß"
    assert pypdf.PdfReader(io.BytesIO(files["ihre-daten.pdf"])).pages


def test_a_long_list_is_whole_in_every_file_and_comes_last(anna: Customer) -> None:
    calls = 1_050
    Interaction.objects.bulk_create(
        Interaction(customer=anna, kind="call", content=f"Mahlgrad {n}", occurred_at=AT) for n in range(calls)
    )
    files = files_of(build(anna, "access"))
    told = [one["content"] for one in data_of(files, "data/communications.json") if one["medium"] == "call"]
    assert set(told) == {"Die Mühle klemmt.", *(f"Mahlgrad {n}" for n in range(calls))}
    listed = {one["path"]: one for one in data_of(files, "manifest.json")["files"]}
    assert listed["data/communications.json"]["rows"] == calls + 1 == len(told)
    assert [path for path in listed if path.startswith("data/") and path.endswith(".json")][-1] == (
        "data/communications.json"
    )
    pdf = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(files["ihre-daten.pdf"])).pages)
    assert "Kontakte (1.051)" in pdf
    assert "1.051" in files["index.html"].decode()


def test_long_letters_leave_the_pdf_as_many_rows_and_later_short_ones_are_read_in_few_steps(
    anna: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So few of the first ones fit in a step that the PDF has to wait for more of them."""
    Interaction.objects.bulk_create(
        Interaction(
            customer=anna, kind="call", content="Die Mühle mahlt. " * (3_000 if n < 100 else 1),
            occurred_at=AT + timedelta(days=1, hours=-n),
        )
        for n in range(1_200)
    )  # fmt: skip
    ordered: list[int] = []

    def order(steps: Steps, rows: int) -> None:
        ordered.append(rows)
        usual(steps, rows)

    usual = Steps.order
    monkeypatch.setattr(Steps, "order", order)
    files = files_of(build(anna, "access"))
    assert len(data_of(files, "data/communications.json")) >= 1_201
    assert len([rows for rows in ordered if rows != FIRST]) < 10
    pdf = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(files["ihre-daten.pdf"])).pages)
    assert "Die neuesten 20 von 1.201." in " ".join(pdf.split())


def test_whoever_is_named_in_words_that_named_nobody_so_far_is_blackened_all_the_same(anna: Customer) -> None:
    other = make_customer()
    harmless = ["Kundin nannte 0151 und sonst nichts", "Beleg 2345678 liegt vor", f"Vorgang {other.number}x"]
    # In later steps of reading; each word but the number itself came before.
    named = ["Kundin nannte 0151 2345678", f"Vorgang {other.number}"]
    Interaction.objects.bulk_create(
        Interaction(customer=anna, kind="call", content=content, occurred_at=AT)
        for content in [*named, *harmless * 400]
    )
    rows = data_of(files_of(build(anna, "access")), "data/communications.json")
    said = [row["content"] for row in rows if "medium" in row]
    assert {"Kundin nannte [geschwärzt]", "Vorgang [geschwärzt]"} <= set(said)
    assert sum("geschwärzt" in text for text in said) == 2
    assert all(said.count(text) == 400 for text in harmless)


def test_a_number_that_was_met_before_is_known_however_many_came_since(anna: Customer) -> None:
    """More numbers than are remembered at once; what is read first was written last."""
    other = make_customer()
    many = " ".join(map(str, range(700_000, 705_100)))
    written = [f"{other.number} und 4712", "4711 und 4713", *["ohne Nummer"] * 600, f"{many} 4711 {other.number}"]
    Interaction.objects.bulk_create(
        Interaction(customer=anna, kind="call", content=content, occurred_at=AT) for content in written
    )
    rows = data_of(files_of(build(anna, "access")), "data/communications.json")
    said = [row["content"] for row in rows if "medium" in row]
    assert said[:1] == [f"{many} 4711 [geschwärzt]"]
    assert said[601:603] == ["4711 und 4713", "[geschwärzt] und 4712"]


def test_a_number_in_figures_of_another_script_hides_none_that_lies_below_it(anna: Customer) -> None:
    """In the order of the database it stands above 999, whatever it counts."""
    for number in ("\uff11\uff10\uff10", "950"):
        make_customer(number=number)
    written = ["Vorgang 1200"] * 150 + ["Vorgang 950"]
    Interaction.objects.bulk_create(
        Interaction(customer=anna, kind="call", content=content, occurred_at=AT - timedelta(hours=n))
        for n, content in enumerate(written)
    )
    rows = data_of(files_of(build(anna, "access")), "data/communications.json")
    said = [row["content"] for row in rows if "medium" in row]
    assert said.count("Vorgang 1200") == 150
    assert said[-1] == "Vorgang [geschwärzt]"


def test_figures_beside_those_of_customers_name_nobody_and_theirs_do(anna: Customer) -> None:
    """Below, between and above the numbers of customers, in many steps of reading."""
    others = [make_customer(number=number) for number in ("500100", "500900", "K-7001")]
    nobody = [*range(100, 800), *range(500_101, 500_800), *range(7_000_000, 7_000_700)]
    named = [other.number for other in others]
    written = [f"Vorgang {figure} erledigt" for figure in nobody]
    for place, number in enumerate(["500100", *named, "12", "1234567890123456789"]):
        written.insert(350 + place * 290, f"siehe {number}")
    Interaction.objects.bulk_create(
        Interaction(customer=anna, kind="call", content=content, occurred_at=AT) for content in written
    )
    rows = data_of(files_of(build(anna, "access")), "data/communications.json")
    said = {row["content"] for row in rows if "medium" in row}
    assert {f"Vorgang {figure} erledigt" for figure in nobody} <= said
    assert {"siehe 12", "siehe 1234567890123456789"} <= said
    assert {text for text in said if "geschwärzt" in text} == {"siehe [geschwärzt]"}
    assert not any(number in text for text in said for number in named)


def test_figures_of_any_size_and_halves_of_characters_are_written(anna: Customer) -> None:
    Order.objects.update(billing={"name": "Änne \ud83d", "figure": 2**70})
    address = data_of(files_of(build(anna, "access")), "data/orders.json")[0]["billingAddress"]
    assert address == {"@type": "PostalAddress", "name": "Änne ?", "figure": 2**70}


def test_of_two_equal_addresses_each_is_decided_for_itself(anna: Customer) -> None:
    make_customer(number="K-77", email="nachbar@example.org")
    address = {"name": "Änne Groß", "street": "Am Deich 4", "city": "bei nachbar@example.org"}
    shown, hidden = (make_order(anna, billing=address) for _ in range(2))
    package = build(anna, "access")
    found = package.redactions.filter(model="orders.Order", field="billing")
    assert set(found.values_list("row", flat=True)) == {str(shown.pk), str(hidden.pk)}
    found.filter(row=str(shown.pk)).update(decision="release")
    found.filter(row=str(hidden.pk)).update(decision="redact")
    files = files_of(build(anna, "access"))
    cities = {one["orderNumber"]: one["billingAddress"].get("addressLocality")
              for one in data_of(files, "data/orders.json")}  # fmt: skip
    assert cities[shown.number] == "bei nachbar@example.org"
    assert "nachbar@" not in cities[hidden.number]
    rows = csv.DictReader(io.StringIO(files["data/orders.csv"].decode(), newline=""))
    told = {row["number"]: "nachbar@" in row["billing"] for row in rows}
    assert (told[shown.number], told[hidden.number]) == (True, False)


def test_the_pdf_keeps_what_a_value_is_called_apart_from_it(copy: dict[str, bytes], anna: Customer) -> None:
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(copy["ihre-daten.pdf"])).pages)
    assert f"Kundennummer {anna.number}" in " ".join(text.split())


def test_the_page_and_the_pdf_say_why_and_until_when(copy: dict[str, bytes], portable: dict[str, bytes]) -> None:
    page = copy["index.html"].decode()
    assert '<html lang="de">' in page
    assert "1. Januar 2035" in page  # an invoice of 2026: eight years from the end of the year (AO § 147)
    assert "AO § 147" in page
    assert "Der Hamburgische Beauftragte" in page
    pdf = pypdf.PdfReader(io.BytesIO(copy["ihre-daten.pdf"]))
    text = "\n".join(one.extract_text() for one in pdf.pages)
    assert "1. Januar 2035" in text
    assert "Änne Groß" in text
    metadata = pdf.xmp_metadata.stream.get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in metadata
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
    assert pdf.trailer["/Root"]["/Lang"] == "de"
    assert "Meier" not in text
    assert "Lastschriften" not in "".join(
        p.extract_text() for p in pypdf.PdfReader(io.BytesIO(portable["ihre-daten.pdf"])).pages
    )


def test_the_language_is_that_of_the_person(meier: User) -> None:
    files = files_of(build(make_person(meier, language="en"), "access"))
    assert '<html lang="en">' in files["index.html"].decode()
    assert "your-data.pdf" in files
    assert data_of(files, "data/notes.json")[0]["text"] == "calls often, colleague [redacted] handled"


def test_the_access_log_names_roles_and_nobody(copy: dict[str, bytes]) -> None:
    rows = list(csv.DictReader(io.StringIO(copy["meta/access_log.csv"].decode(), newline="")))
    assert [(row["user_id"], row["page"]) for row in rows] == [("Kundendienst", "customer_detail")]


def test_money_is_text_and_instants_have_an_offset(copy: dict[str, bytes]) -> None:
    order = data_of(copy, "data/orders.json")[0]
    assert order["totalPaymentDue"] == {"@type": "MonetaryAmount", "value": "23.80", "currency": "EUR"}
    assert order["orderDate"] == "2026-03-02T10:00:00+00:00"
    assert json.loads(copy["data/orders.json"]) == [order]


def test_an_own_number_of_former_days_is_the_persons_own(anna: Customer) -> None:
    point = anna.contact_points.get(kind="phone")
    point.value = "+4940555000"
    point.save()
    Note.objects.create(customer=anna, text="alte Nummer 040 12345678, neue +49 40 555000")
    text = {note["text"] for note in data_of(files_of(build(anna, "access")), "data/notes.json")}
    assert "alte Nummer 040 12345678, neue +49 40 555000" in text
    assert ContactPoint.objects.filter(customer=anna).count() == 2
    assert Package.objects.count() == 1


def test_a_copy_explains_no_birthday_that_was_never_told(anna: Customer) -> None:
    greeting = "Gruß zum Geburtstag"
    assert greeting in everything(files_of(build(anna, "access")))
    Customer.objects.filter(pk=anna.pk).update(birthday_day=None, birthday_month=None)
    assert greeting not in everything(files_of(build(anna, "access")))


@pytest.mark.parametrize("case", ["a", "b", "c", "d"])
def test_somebody_whose_data_are_restricted_gets_their_copy(anna: Customer, meier: User, case: str) -> None:
    restrict(anna, case, ["address", "contact"], "bestritten", by=meier)
    package = build(anna, "access")
    assert package.state in ("ready", "review")
    files = files_of(package)
    (told,) = data_of(files, "data/privacy.Restriction.json")
    assert (told["case"], told["parts"]) == (case, ["address", "contact"])
    (line,) = csv.DictReader(io.StringIO(files["data/privacy.Restriction.csv"].decode("utf-8-sig")))
    assert "address" in line["parts"] and "contact" in line["parts"]
    assert build(anna, "portability").state == "ready"


def test_texts_that_look_like_json_stand_in_the_file_as_they_were_written(anna: Customer) -> None:
    texts = ["ends like an object },{", '},{"medium":"mail"},{', "},{", '"},{"', "[{},{\\", "},{'x'"]
    Interaction.objects.bulk_create(
        Interaction(customer=anna, kind="call", content=text, occurred_at=AT) for text in texts
    )
    rows = data_of(files_of(build(anna, "access")), "data/communications.json")
    assert [row["content"] for row in rows if "medium" in row][: len(texts)] == texts[::-1]


def test_the_copy_of_a_supervised_shop_says_the_period_that_its_day_comes_from(anna: Customer) -> None:
    """HGB § 257(4) s. 2: ten years; the period in words and the last day are of one rule."""
    who = controller()
    who.supervised_financial = True
    who.save()
    told = data_of(files_of(build(anna, "access")), "meta/processing.json")["data"]
    (papers,) = [line for line in told if line["rule"] == "INV"]
    assert papers["period"].startswith("10 Jahre ab Jahresende") and "§ 257" in papers["statute"]


def test_what_happened_last_stands_first_also_where_it_was_noted_before(anna: Customer, meier: User) -> None:
    """An import brings older orders later, some of one instant; each keeps its own lines, and so do calls told late."""
    told = {"O-24": (2024, 3), "O-25": (2025, 1), "O-23": (2023, 2), "P-24": (2024, 2)}
    for number, (year, lines) in told.items():
        make_order(anna, lines, number=number, placed_at=AT.replace(year=year))
    for year in (2019, 2021, 2020):
        Interaction.objects.create(
            customer=anna, kind="call", content=f"Anruf {year}", staff=meier, occurred_at=AT.replace(year=year)
        )
    found = files_of(build(anna, "access"))
    orders = [(row["orderNumber"], len(row["orderedItem"])) for row in data_of(found, "data/orders.json")]
    assert orders[1:] == [("O-25", 1), ("P-24", 2), ("O-24", 3), ("O-23", 2)]
    rows = list(csv.DictReader(io.StringIO(found["data/orders.csv"].decode(), newline="")))
    assert [row["number"] for row in rows][1:] == ["O-25", "P-24", "O-24", "O-23"]
    calls = [row["content"] for row in data_of(found, "data/communications.json") if "medium" in row]
    assert calls[1:] == ["Anruf 2021", "Anruf 2020", "Anruf 2019"]
    page = found["index.html"].decode()
    assert [*sorted(told, key=page.index)] == ["O-25", "P-24", "O-24", "O-23"]
