"""Hostile files through the whole import: every refusal names its line, the rest comes in, nobody falls over."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError
from openpyxl import Workbook

from customers.models import Address, ContactPoint, Customer
from intake.exporting import problem_lines
from intake.models import Batch, BatchProblem
from orders.models import Order
from tests.intake.conftest import HEADER, MAPPING, customers_csv
from tests.intake.importing import import_file, write_csv

pytestmark = pytest.mark.django_db


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.json"
    path.write_text(json.dumps(MAPPING))
    return path


def naughty(shared_data: Path) -> list[str]:
    return json.loads((shared_data / "sets" / "blns.json").read_text())


def test_naughty_strings_in_every_text_field_of_customers(shared_data: Path, tmp_path: Path, mapping: Path) -> None:
    strings = naughty(shared_data)
    names = HEADER.split(",")
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    count = 0
    for column in range(1, len(names)):
        for text in strings:
            row = [""] * len(names)
            row[0], row[column] = f"N{count}", text
            writer.writerow(row)
            count += 1
    path = tmp_path / "naughty.csv"
    path.write_bytes(out.getvalue().encode("utf-8", "surrogatepass"))
    found = import_file("customers", path, mapping=mapping)
    assert found["rows"] == count
    assert found["created"] + found["error_count"] == count
    # Only what is too long for its field costs the row.
    assert found["error_count"] <= 8 * len([text for text in strings if len(text) > 20])
    assert {len(error["message"]) > 0 and error["line"] > 1 for error in found["errors"]} <= {True}
    again = import_file("customers", path, mapping=mapping)
    assert (again["created"], again["updated"]) == (0, 0)


def test_naughty_strings_as_keys_and_in_every_field_of_orders(shared_data: Path, tmp_path: Path) -> None:
    columns = ["external_id", "customer_external_id", "email", "placed_at", "total", "currency", "shipping_city"]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    count = 0
    for place in range(len(columns)):
        for text in naughty(shared_data):
            row = [f"B{count}", "", "", "2026-01-02", "5.00", "EUR", ""]
            row[place] = text
            writer.writerow(row)
            count += 1
    path = tmp_path / "naughty.csv"
    path.write_bytes(out.getvalue().encode("utf-8", "surrogatepass"))
    file = tmp_path / "orders.json"
    file.write_text(json.dumps({name: name for name in columns}))
    found = import_file("orders", path, mapping=file)
    assert found["rows"] == count
    assert found["created"] + found["updated"] + found["unchanged"] + found["error_count"] == count
    assert found["error_count"] > 0
    assert all(error["line"] > 1 and error["message"] for error in found["errors"])
    assert Order.objects.count() == found["created"]
    again = import_file("orders", path, mapping=file)
    assert again["created"] == 0


def test_formulas_are_stored_as_they_came(shared_data: Path, tmp_path: Path, mapping: Path) -> None:
    cases = json.loads((shared_data / "sets" / "security" / "csv_injection_owasp_prefixes.json").read_text())["cases"]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER.split(","))
    for n, text in enumerate(cases):
        writer.writerow([f"F{n}", "Vor", f"x{text}", "", text, "", "", "", ""])
    path = write_csv(tmp_path, out.getvalue())
    assert import_file("customers", path, mapping=mapping)["created"] == len(cases)
    assert "=1+1" in {address.street for address in Address.objects.all()}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_umlauts_come_in_from_every_encoding(tmp_path: Path, mapping: Path, encoding: str) -> None:
    text = f"{HEADER}\nU1,Jürgen,Müller,u1@example.com,Straße 1,50667,Köln,DE,\n"
    assert import_file("customers", write_csv(tmp_path, text, encoding=encoding), mapping=mapping)["created"] == 1
    assert Customer.objects.get().last_name == "Müller"


def test_broken_rows_between_good_ones(tmp_path: Path, mapping: Path) -> None:
    good = customers_csv(6).encode().splitlines(keepends=True)
    good[2] = good[2].replace(b"Nach2", b"Na\x00ch")
    good[3] = good[3].replace(b"Vor3", b'"Vor3')
    good[4] = good[4].replace("Köln".encode(), b"K\xf6ln")
    good[5] = b"K5," + b"x" * 2_000_000 + b"\n"
    path = tmp_path / "file.csv"
    path.write_bytes(b"".join(good) + b"K7,cut,off")
    found = import_file("customers", path, mapping=mapping)
    assert [error["line"] for error in found["errors"]] == [3, 4, 5, 6, 8]
    assert found["created"] == 2
    assert all("Nach" not in error["message"] for error in found["errors"])


@pytest.mark.parametrize(
    "text", ["", "\n", f"{HEADER},E-Mail\n1,2,3,4,5,6,7,8,9,10\n", "Vorname,Nachname\nJürgen,Müller\n"]
)
def test_files_without_usable_columns_are_refused_whole(tmp_path: Path, mapping: Path, text: str) -> None:
    with pytest.raises(CommandError) as refused:
        import_file("customers", write_csv(tmp_path, text), mapping=mapping)
    assert refused.value.returncode in (1, 2)
    assert Customer.objects.count() == 0


def test_a_spreadsheet_with_a_formula_loses_that_row_and_pads_german_postcodes(tmp_path: Path, mapping: Path) -> None:
    book = Workbook()
    for row in (
        HEADER.split(","),
        ["X1", "Jürgen", "Müller", "x1@example.com", "Weg 1", 1067, "Dresden", "DE", ""],
        ["X2", "=A1", "Groß", "x2@example.com", "Weg 1", 1067, "Dresden", "DE", ""],
        ["X3", "Urs", "Meier", "x3@example.com", "Weg 1", 8001, "Zürich", "CH", ""],
    ):
        book.active.append(row)
    path = tmp_path / "book.xlsx"
    book.save(path)
    found = import_file("customers", path, mapping=mapping)
    assert [error["line"] for error in found["errors"]] == [3]
    assert set(Address.objects.values_list("city", "postcode")) == {("Dresden", "01067"), ("Zürich", "8001")}
    assert found["warning_count"] >= 1


def test_a_time_in_a_zone_of_no_place_costs_its_own_row_alone(tmp_path: Path) -> None:
    text = "order_id,customer_id,date,total\n1,7,2026-11-30T10:00:00+23:59,5.00\n2,7,2026-11-30T10:00:00+14:00,5.00\n"
    targets = {"external_id": "order_id", "customer_external_id": "customer_id", "placed_at": "date", "total": "total"}
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps(targets), encoding="utf-8")
    done = import_file("orders", write_csv(tmp_path, text), mapping=str(mapping))
    assert (done["created"], done["error_count"]) == (1, 1)
    assert [error["line"] for error in done["errors"]] == [2]


def test_an_unreadable_phone_is_kept_as_typed_and_a_wrong_key_rejects_the_row(tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    file.write_text(json.dumps({"external_id": "id", "phone": "tel"}))
    path = write_csv(tmp_path, "id,tel\n1,(5) 555-4729\n,030 1234567\n")
    found = import_file("customers", path, mapping=file)
    assert (found["created"], found["warning_count"], [e["line"] for e in found["errors"]]) == (1, 1, [3])
    (phone,) = ContactPoint.objects.filter(kind="phone")
    assert (phone.value, phone.whole_index) == ("(5) 555-4729", None)


RISKY = ['=HYPERLINK("x")', "@SUM(1,1)", " =1", "\u200b=1", "\u2060+1", "＝1+1", "-2+cmd|' /C calc'!A0", "\t1"]


@pytest.mark.parametrize("text", RISKY)
def test_the_error_file_is_safe_to_open_and_holds_no_values(text: str) -> None:
    batch = Batch.objects.create(kind="customers")
    BatchProblem.objects.create(batch=batch, severity="error", line=7, field=text, message=text)
    written = "".join(problem_lines(batch, dry_run=False))
    cells = list(csv.reader(io.StringIO(written.lstrip("\ufeff"), newline=""), delimiter=";"))[1]
    assert cells[0] == "7"
    assert (cells[2], cells[4]) == (f"'{text}", f"'{text}")
