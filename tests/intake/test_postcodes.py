"""Four figures as a postcode: a German one that lost its zero, or the whole one of a neighbour."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from customers.models import Address, Customer
from datamap.models import Controller
from tests.intake.importing import import_file, write_csv

pytestmark = pytest.mark.django_db

HEADER = "id,name,mail,tel,vat,street,plz,ort,land"
MAPPING = {
    "external_id": "id", "last_name": "name", "email": "mail", "phone": "tel", "vat_id": "vat", "street": "street",
    "postcode": "plz", "city": "ort", "country": "land",
}  # fmt: skip


def imported(folder: Path, *rows: str, **options: Any) -> dict[str, Any]:
    mapping = folder / "mapping.json"
    mapping.write_text(json.dumps(MAPPING))
    return import_file("customers", write_csv(folder, "\n".join([HEADER, *rows, ""])), mapping=mapping, **options)


@pytest.mark.parametrize(
    ("row", "postcode"),
    [
        ("1,A,,,,Weg 1,1067,Dresden,DE", "01067"),
        ("1,A,,,,Weg 1,1067,Dresden,Deutschland", "01067"),
        # Nothing speaks of another country, and the shop is a German one.
        ("1,A,,,,Weg 1,1067,Dresden,", "01067"),
        ("1,A,a@x.de,0351 4567890,DE136695976,Weg 1,1067,Dresden,", "01067"),
        ("1,A,,,,Weg 1,1010,Wien,AT", "1010"),
        ("1,A,,,,Weg 1,1010,Wien,", "1010"),
        ("1,A,,,,Weg 1,8001,zürich,", "8001"),
        ("1,A,,+43 1 5324000,,Weg 1,1010,,", "1010"),
        ("1,A,,0043 1 5324000,,Weg 1,1010,,", "1010"),
        ("1,A,,,ATU13585627,Weg 1,1010,,", "1010"),
        ("1,A,a@firma.at,,,Weg 1,1010,,", "1010"),
        ("1,A,,,,Weg 1,1010,,Absurdistan", "1010"),
    ],
)
def test_a_zero_is_put_back_where_the_postcode_is_german(tmp_path: Path, row: str, postcode: str) -> None:
    found = imported(tmp_path, row)
    assert Address.objects.get().postcode == postcode
    assert [w["field"] for w in found["warnings"] if w["field"] == "plz"] == ["plz"] * (len(postcode) - 4)


def test_a_file_whose_other_postcodes_keep_their_zero_has_lost_none(tmp_path: Path) -> None:
    imported(tmp_path, "1,A,,,,Weg 1,1010,Irgendwo,", "2,B,,,,Weg 1,01067,Dresden,")
    assert set(Address.objects.values_list("postcode", flat=True)) == {"1010", "01067"}


def test_in_a_shop_elsewhere_four_figures_are_whole(tmp_path: Path) -> None:
    Controller.objects.update_or_create(pk=1, defaults={"country": "AT"})
    imported(tmp_path, "1,A,,,,Weg 1,1010,Irgendwo,", "2,B,,,,Weg 1,1067,Dresden,DE")
    assert set(Address.objects.values_list("postcode", flat=True)) == {"1010", "01067"}


def test_what_is_known_of_a_customer_speaks_too(tmp_path: Path) -> None:
    imported(tmp_path, "1,A,,,,Weg 1,1010,Irgendwo,AT", "2,B,,,,Weg 1,1067,Dresden,")
    for dry_run in (True, False):
        again = imported(tmp_path, "1,A,,,,Weg 1,1010,Irgendwo,", "2,B,,,,Weg 1,1067,Dresden,", dry_run=dry_run)
        assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 2)
    imported(tmp_path, "1,A,,,,Weg 1,1020,Irgendwo,")
    assert set(Address.objects.values_list("postcode", flat=True)) == {"1020", "01067"}
    assert Customer.objects.count() == 2


def test_a_zero_put_back_is_no_news_about_somebody_restricted(tmp_path: Path) -> None:
    imported(tmp_path, "1,A,,,,Weg 1,1067,Dresden,")
    Customer.objects.update(restricted_at=timezone.now())
    for dry_run in (True, False):
        again = imported(tmp_path, "1,A,,,,Weg 1,1067,Dresden,", dry_run=dry_run)
        assert (again["held"], again["unchanged"]) == (0, 1)
    assert imported(tmp_path, "1,A,,,,Weg 2,1067,Dresden,")["held"] == 1
    assert Address.objects.get().postcode == "01067"
