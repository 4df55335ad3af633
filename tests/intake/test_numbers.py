"""Files whose only key is a number: the portal's own export updates, and the numbers of another system are its ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from customers.models import Customer
from intake.profiles.plain import OWN_NUMBER
from portal.exporting import heads
from staff.models import User
from tests.intake.importing import import_file, write_csv
from tests.portal.factories import make_customer

pytestmark = pytest.mark.django_db

OURS = {
    "number": "Nummer", "last_name": "Nachname", "first_name": "Vorname", "company": "Firma", "postcode": "PLZ",
    "city": "Ort",
}  # fmt: skip
NAMES = {"number": "Kundennummer", "last_name": "Nachname", "first_name": "Vorname"}


def mapped(folder: Path, mapping: dict[str, str]) -> Path:
    path = folder / "mapping.json"
    path.write_text(json.dumps(mapping))
    return path


def counts(found: dict[str, Any]) -> tuple[int, int, int, int, int]:
    return found["created"], found["updated"], found["unchanged"], found["error_count"], found["warning_count"]


def names() -> list[tuple[str, str, str]]:
    return list(Customer.objects.order_by("number").values_list("number", "first_name", "last_name"))


def exported(client: Client) -> str:
    answer = client.post("/customers/export/", {"file_format": "csv"})
    return b"".join(answer.streaming_content).decode("utf-8-sig")


def test_the_own_export_updates_whom_it_names(manager: User, manager_client: Client, tmp_path: Path) -> None:
    make_customer("10001", first_name="Anna", last_name="Beispiel", status="guest")
    make_customer("10002", first_name="Berta", last_name="Muster")
    text, mapping = exported(manager_client), mapped(tmp_path, OURS)
    assert counts(import_file("customers", write_csv(tmp_path, text), mapping=mapping)) == (0, 0, 2, 0, 0)

    path = write_csv(tmp_path, text.replace("Muster", "Mustermann"))
    assert counts(import_file("customers", path, mapping=mapping, dry_run=True)) == (0, 1, 1, 0, 0)
    assert counts(import_file("customers", path, mapping=mapping)) == (0, 1, 1, 0, 0)
    assert names() == [("10001", "Anna", "Beispiel"), ("10002", "Berta", "Mustermann")]
    assert Customer.objects.get(number="10001").status == "guest"
    assert counts(import_file("customers", path, mapping=mapping)) == (0, 0, 2, 0, 0)


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_export_names_the_number_as_the_import_expects(language: str) -> None:
    with translation.override(language):
        assert str(heads(["number"], contacts=False)[0]).casefold() in OWN_NUMBER


def test_a_number_that_belongs_to_somebody_of_another_name_changes_nobody(tmp_path: Path) -> None:
    make_customer("10001", first_name="Anna", last_name="Beispiel")
    path = write_csv(tmp_path, "Nummer;Nachname;Vorname;Firma;PLZ;Ort\n10001;Fremd;Otto;;;\n10077;Neu;Nora;;;\n")
    found = import_file("customers", path, mapping=mapped(tmp_path, OURS))
    assert counts(found) == (1, 0, 0, 1, 0)
    assert [(error["line"], error["field"]) for error in found["errors"]] == [(2, "Nummer")]
    assert names() == [("10001", "Anna", "Beispiel"), ("10077", "Nora", "Neu")]


def test_a_mapping_says_whose_numbers_they_are(tmp_path: Path) -> None:
    make_customer("10001", first_name="Anna", last_name="Beispiel")
    path = write_csv(tmp_path, "Kundennummer,Vorname,Nachname\n10001,Anna,Neumann\n")
    assert counts(import_file("customers", path, mapping=mapped(tmp_path, NAMES | {"numbers": "own"})))[:2] == (0, 1)
    assert names() == [("10001", "Anna", "Neumann")]
    path = write_csv(tmp_path, "Nummer,Vorname,Nachname\n10001,Anna,Altmann\n")
    mapping = NAMES | {"number": "Nummer", "numbers": "foreign"}
    assert counts(import_file("customers", path, mapping=mapped(tmp_path, mapping)))[:2] == (1, 0)
    assert Customer.objects.get(number="10001").last_name == "Neumann"


def test_a_changed_row_of_another_system_is_the_same_customer(tmp_path: Path) -> None:
    mapping = mapped(tmp_path, NAMES)
    text = "Kundennummer,Vorname,Nachname\nK-1,Anna,Beispiel\nK-2,Berta,Muster\n"
    assert counts(import_file("customers", write_csv(tmp_path, text), mapping=mapping)) == (2, 0, 0, 0, 0)
    path = write_csv(tmp_path, text.replace("Muster", "Mustermann"))
    assert counts(import_file("customers", path, mapping=mapping)) == (0, 1, 1, 0, 0)
    assert names() == [("K-1", "Anna", "Beispiel"), ("K-2", "Berta", "Mustermann")]
