"""What this house exported comes in again: nobody who has not changed is written to, whatever their shape."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone, translation

from customers.indexing import refresh
from customers.models import Address, ContactPerson, ContactPoint, Customer, HeldIntake
from intake.mapping import suggestion
from portal.columns import COLUMNS
from portal.models import SavedView
from staff.models import Role, User
from tests.intake.importing import import_file, row_counts

pytestmark = pytest.mark.django_db
Fresh = Callable[[User], Client]


@pytest.fixture
def privacy(db: None) -> User:
    """Someone who may take restricted customers and contacts out of the house."""
    return User.objects.create_user("privacy@obhut.example", name="Privacy", roles=[Role.PRIVACY, Role.MANAGER])


def exported(client: Client, user: User, folder: Path, kind: str = "csv", columns: tuple[str, ...] = ()) -> Path:
    """The list of all customers with every column and the contacts, as a file."""
    SavedView.objects.update_or_create(owner=user, name="", defaults={"columns": [*(columns or COLUMNS)]})
    with translation.override(user.language):
        answer = client.post("/customers/export/", {"file_format": kind, "contacts": "on"})
        data = b"".join(answer.streaming_content)
    path = folder / f"export.{kind}"
    path.write_bytes(data)
    return path


def imported(path: Path, **options: Any) -> dict[str, Any]:
    """Import it with the columns that the page proposes."""
    text = path.with_suffix(".csv").read_bytes().decode("utf-8-sig")
    header = next(csv.reader(io.StringIO(text), delimiter=";"))
    mapping = suggestion("customers", header)
    assert {"number", "last_name", "first_name", "company", "postcode", "city", "email", "phone"} <= mapping.keys()
    file = path.parent / "mapping.json"
    file.write_text(json.dumps(mapping | {"kind": next(name for name in header if name in ("Art", "Kind"))}))
    return import_file("customers", path, mapping=file, **options)


def counts(found: dict[str, Any]) -> tuple[int, ...]:
    names = ("created", "updated", "error_count", "held", "warning_count")
    return tuple(found[name] for name in names)


def shape(number: str, *places: tuple[str, str, str, str], points: tuple[str, ...] = (), **fields: Any) -> Customer:
    customer = Customer.objects.create(number=number, **fields)
    for kind, postcode, city, country in places:
        Address.objects.create(customer=customer, kind=kind, street="Weg 1", postcode=postcode, city=city,
                               country=country, is_default=kind == "shipping")  # fmt: skip
    for value in points:
        ContactPoint.objects.create(customer=customer, kind="email" if "@" in value else "phone", value=value)
    refresh([customer.pk])
    return customer


def every_shape() -> None:
    """One customer of each kind that the house can hold."""
    now = timezone.now()
    home, away = ("billing", "01067", "Dresden", "DE"), ("shipping", "20095", "Hamburg", "DE")
    shape("1", away, last_name="Liefer", first_name="Lina")
    shape("2", home, away, last_name="Zwei", first_name="Zoë", points=("zoe@x.example", "z@y.example", "+49301234567"))
    shape("3", ("other", "10115", "Berlin", ""), ("other", "50667", "Köln", ""), last_name="Andere")
    firm = shape(
        "4", home, kind="company", company="Groß & Söhne; KG", vat_id="DE136695976", points=("i@firm.example",)
    )
    ContactPerson.objects.create(customer=firm, first_name="Ilse", last_name="Kontakt", email="ilse@firm.example")
    shape("5", kind="person", status="prospect")
    shape("6", ("billing", "1010", "Wien", "AT"), last_name="Öster", first_name="Otto")
    shape("7", ("billing", "1010", "Irgendwo", ""), last_name="Ohneland")
    shape("8", home, last_name="Fort", deactivated_at=now)
    shape("9", home, last_name="Gesperrt", points=("gesperrt@x.example",))
    shape("10", home, last_name="=1+1", first_name="'t", company="@Firma", points=("(5) 555-4729",))
    shape("11", last_name="Gast", first_name="Gerda", status="guest", points=("a@x.example; b@x.example", "+49 30=1"))
    shape("-12", ("billing", "", "", "CH"), last_name="Nur Land")


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_customers_of_every_shape_are_known_again(
    fresh: Fresh, privacy: User, tmp_path: Path, language: str, kind: str
) -> None:
    every_shape()
    User.objects.filter(pk=privacy.pk).update(language=language)
    privacy.refresh_from_db()
    client = fresh(privacy)
    exported(client, privacy, tmp_path)
    path = exported(client, privacy, tmp_path, kind)
    Customer.objects.filter(number="9").update(restricted_at=timezone.now())
    before = row_counts()
    for dry_run in (True, False):
        found = imported(path, dry_run=dry_run)
        assert (found["rows"], found["unchanged"]) == (12, 12), found["warnings"]
        assert counts(found)[:4] == (0, 0, 0, 0)
    assert row_counts() == before


def test_the_postcode_of_another_country_stays_where_the_export_names_none(
    fresh: Fresh, manager: User, tmp_path: Path
) -> None:
    shape("6", ("billing", "1010", "Irgendwo", "AT"), last_name="Öster", first_name="Otto")
    path = exported(fresh(manager), manager, tmp_path, columns=("number", "name", "place", "marks"))
    assert counts(imported(path)) == (0, 0, 0, 0, 0)


def test_an_edited_row_changes_the_address_it_showed(fresh: Fresh, manager: User, tmp_path: Path) -> None:
    shape("1", ("shipping", "20095", "Hamburg", "DE"), last_name="Liefer", first_name="Lina")
    path = exported(fresh(manager), manager, tmp_path)
    path.write_text(path.read_text(encoding="utf-8-sig").replace("20095;Hamburg", "28195;Bremen"), encoding="utf-8")
    assert counts(imported(path)) == (0, 1, 0, 0, 0)
    assert counts(imported(path)) == (0, 0, 0, 0, 0)
    address = Address.objects.get()
    assert (address.kind, address.postcode, address.city, address.street) == ("shipping", "28195", "Bremen", "Weg 1")


def test_somebody_without_an_address_gets_it_as_the_billing_address(
    fresh: Fresh, manager: User, tmp_path: Path
) -> None:
    shape("1", last_name="Ohne", first_name="Olga")
    path = exported(fresh(manager), manager, tmp_path)
    line = path.read_text(encoding="utf-8-sig")
    path.write_text(line.replace("1;Ohne;Olga;;;;", "1;Ohne;Olga;;28195;Bremen;Deutschland"), encoding="utf-8")
    for expected in ((0, 1, 0, 0, 0), (0, 0, 0, 0, 0)):
        assert counts(imported(path, dry_run=True)) == counts(imported(path)) == expected
    address = Address.objects.get()
    assert (address.kind, address.postcode, address.city, address.country) == ("billing", "28195", "Bremen", "DE")


def test_news_about_a_restricted_customer_waits_and_no_news_does_not(
    fresh: Fresh, privacy: User, tmp_path: Path
) -> None:
    shape("9", ("billing", "20095", "Hamburg", "DE"), last_name="Gesperrt")
    path = exported(fresh(privacy), privacy, tmp_path)
    Customer.objects.update(restricted_at=timezone.now())
    assert counts(imported(path)) == (0, 0, 0, 0, 0)
    path.write_text(path.read_text(encoding="utf-8-sig").replace("Hamburg", "Bremen"), encoding="utf-8")
    assert counts(imported(path)) == (0, 0, 0, 1, 0)
    assert HeldIntake.objects.get().reason == "restricted"
    assert Address.objects.get().city == "Hamburg"


def test_the_whole_demo_shop_is_known_again(fresh: Fresh, privacy: User, tmp_path: Path, settings: Any) -> None:
    settings.DEBUG = True
    call_command("demo", customers=300, seed=5, verbosity=0)
    path = exported(fresh(privacy), privacy, tmp_path)
    before = row_counts()
    found = imported(path)
    assert counts(found) == (0, 0, 0, 0, 0)
    # Those whose data are restricted stay in the house.
    assert found["unchanged"] == Customer.objects.filter(restricted_at=None).count()
    assert row_counts() == before
