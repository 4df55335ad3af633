"""`import_customers`, `import_orders` and `undo_import` as commands.md says, on real exports."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Sum

from customers.models import ContactPoint, Customer, ExternalId, OptInClaim, Origin, Suppression
from intake.models import Batch
from orders.models import CustomerTotal, Order, OrderLine
from tests.intake.conftest import MAPPING, customers_csv
from tests.intake.importing import import_file, row_counts, undo_import, write_csv

pytestmark = pytest.mark.django_db

KEYS = {
    "batch", "profile", "rows", "created", "updated", "unchanged", "skipped", "held", "error_count", "warning_count",
    "errors", "customers_created", "lines", "overdue", "seconds",
}  # fmt: skip
NORTHWIND_CUSTOMERS = {
    "external_id": "CustomerID", "company": "CompanyName", "full_name": "ContactName", "street": "Address",
    "city": "City", "postcode": "PostalCode", "country": "Country", "phone": "Phone",
}  # fmt: skip
NORTHWIND_ORDERS: dict[str, Any] = {
    "external_id": "OrderID", "customer_external_id": "CustomerID", "placed_at": "OrderDate",
    "delivered_at": "ShippedDate", "shipping_full_name": "ShipName", "shipping_street": "ShipAddress",
    "shipping_city": "ShipCity", "shipping_postcode": "ShipPostalCode", "shipping_country": "ShipCountry",
    "lines": {
        "order_external_id": "OrderID", "sku": "ProductID", "quantity": "Quantity", "unit_price": "UnitPrice",
        "discount": "Discount",
    },
}  # fmt: skip


def mapping_file(folder: Path, mapping: dict[str, Any], name: str = "mapping.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(mapping))
    return path


def kind_of(path: Path) -> str:
    return "orders" if "order" in path.name else "customers"


def test_every_sample_export_comes_in_whole_and_a_second_time_writes_no_row(shared_data: Path) -> None:
    for path in sorted((shared_data / "csv").glob("*.csv")):
        first = import_file(kind_of(path), path)
        assert (first["error_count"], first["held"], first["errors"]) == (0, 0, []), path.name
        roots = 6
        assert first["created"] + first["updated"] + first["unchanged"] == roots, path.name
        before = row_counts()
        again = import_file(kind_of(path), path)
        assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, roots), path.name
        assert row_counts() == before, path.name


def test_an_account_of_a_second_platform_joins_by_its_mail(shared_data: Path) -> None:
    import_file("customers", shared_data / "csv" / "shopify_customers_export.v2023plus.csv")
    found = import_file("customers", shared_data / "csv" / "hubspot_contacts_export.csv")
    assert (found["created"], found["updated"]) == (0, 6)
    assert Customer.objects.count() == 6
    assert set(ExternalId.objects.values_list("platform").annotate(n=Count("id"))) == {("shopify", 6), ("hubspot", 6)}


def test_an_unsubscribed_list_makes_suppression_entries_and_no_customers(shared_data: Path) -> None:
    found = import_file("customers", shared_data / "csv" / "mailchimp_unsubscribed_export.csv")
    assert (found["created"], found["customers_created"]) == (6, 0)
    assert (Suppression.objects.count(), Customer.objects.count()) == (6, 0)
    # What an audience file asserts about them afterwards is refused.
    import_file("customers", shared_data / "csv" / "mailchimp_audience_export.csv")
    assert OptInClaim.objects.count() == 0


def test_the_transaction_file_gives_the_known_totals(shared_data: Path) -> None:
    path = shared_data / "sets" / "CDNOW_master.txt"
    found = import_file("orders", path)
    assert (found["profile"], found["rows"], found["created"]) == ("cdnow", 69_659, 69_659)
    assert (found["customers_created"], found["error_count"], found["skipped"]) == (23_570, 0, 0)
    paid = sum(Decimal(line.split()[3]) for line in path.read_text().splitlines()[1:])
    assert Order.objects.aggregate(sum=Sum("total"))["sum"] == paid == Decimal("2500315.63")
    totals = CustomerTotal.objects.filter(currency="USD").aggregate(orders=Sum("orders"), sum=Sum("sum"))
    assert totals == {"orders": 69_659, "sum": paid}
    assert set(Customer.objects.values_list("status", flat=True)) == {"prospect"}
    before = row_counts()
    again = import_file("orders", path)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 69_659)
    assert row_counts() == before


def test_northwind_comes_in_whole_with_the_lines_of_its_second_file(shared_data: Path, tmp_path: Path) -> None:
    sets = shared_data / "sets"
    people = mapping_file(tmp_path, NORTHWIND_CUSTOMERS)
    found = import_file("customers", sets / "northwind_customers.csv", mapping=people)
    assert (found["rows"], found["created"], found["error_count"]) == (93, 93, 0)
    # "(5) 555-4729" is no number anybody could dial: kept as typed and warned about.
    assert found["warning_count"] > 0
    orders = mapping_file(tmp_path, NORTHWIND_ORDERS, "orders.json")
    options = {"mapping": orders, "lines": sets / "northwind_order_details.csv"}
    found = import_file("orders", sets / "northwind_orders.csv", **options)
    assert (found["created"], found["lines"], found["error_count"]) == (830, 2155, 0)
    assert (found["customers_created"], found["overdue"]) == (0, 830)
    assert (Order.objects.count(), OrderLine.objects.count()) == (830, 2155)
    assert not Order.objects.filter(customer=None).exists()
    # 14 * 12 + 9.8 * 10 + 34.8 * 5; discounts of this file are shares of the price.
    assert Order.objects.get(external_id="10248").total == Decimal("440.00")
    # 7.7 * 10 + 42.4 * 35 * 0.85 + 16.8 * 15 * 0.85
    assert Order.objects.get(external_id="10250").total == Decimal("1552.60")
    before = row_counts()
    again = import_file("orders", sets / "northwind_orders.csv", **options)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 830)
    assert row_counts() == before


def test_the_output_has_the_keys_of_the_contract(tmp_path: Path) -> None:
    path = write_csv(tmp_path, customers_csv(3))
    found = import_file("customers", path, mapping=mapping_file(tmp_path, MAPPING))
    assert found.keys() >= KEYS
    assert isinstance(found["seconds"], float)
    assert all(type(found[key]) is int for key in KEYS - {"batch", "profile", "errors", "seconds"})
    assert Batch.objects.get(pk=found["batch"]).state == Batch.State.DONE


def test_a_dry_run_counts_the_same_and_writes_nothing(shared_data: Path) -> None:
    path = shared_data / "csv" / "shopify_customers_export.v2023plus.csv"
    before = row_counts()
    tried = import_file("customers", path, dry_run=True)
    assert row_counts() == before
    assert Batch.objects.count() == 0
    done = import_file("customers", path)
    for key in KEYS - {"batch", "seconds"}:
        assert tried[key] == done[key], key


def test_rejected_rows_are_named_by_physical_line_and_good_ones_come_in(tmp_path: Path) -> None:
    text = customers_csv(3).replace("K2,", ",").replace("kunde2@example.com", "")
    path = write_csv(tmp_path, text + 'K9,"Vor\nname",Nach,k9@example.com,,,,,\nK10,cut')
    found = import_file("customers", path, mapping=mapping_file(tmp_path, MAPPING))
    assert [(error["file"], error["line"]) for error in found["errors"]] == [("file.csv", 3), ("file.csv", 7)]
    assert (found["rows"], found["created"], found["error_count"], found["skipped"]) == (5, 3, 2, 2)


def test_orders_past_their_last_day_are_counted_as_of_a_day(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "Nr,Datum,Summe\n1,2020-05-01,5\n2,2025-05-01,5\n")
    mapping = mapping_file(tmp_path, {"external_id": "Nr", "placed_at": "Datum", "total": "Summe"})
    # ORDER: three years from the end of the year of delivery, else of the order (BGB 195, 199).
    assert import_file("orders", path, mapping=mapping, dry_run=True, as_of="2023-12-31")["overdue"] == 0
    assert import_file("orders", path, mapping=mapping, dry_run=True, as_of="2024-01-01")["overdue"] == 1


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"profile": "nothing"}, 2),
        ({"profile": "shopify_customers"}, 1),
        ({}, 2),
        ({"mapping": Path("/nowhere.json")}, 2),
    ],
)
def test_what_cannot_begin_says_so_with_the_right_exit_code(tmp_path: Path, options: Any, code: int) -> None:
    path = write_csv(tmp_path, "a,b\n1,2\n")
    with pytest.raises(CommandError) as refused:
        import_file("customers", path, **options)
    assert refused.value.returncode == code
    assert str(refused.value)
    assert Batch.objects.count() == 0


def test_a_mapping_that_names_a_target_twice_is_a_bad_argument(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "a,b\n1,2\n")
    twice = tmp_path / "twice.json"
    twice.write_text('{"external_id": "a", "external_id": "b"}')
    with pytest.raises(CommandError) as refused:
        import_file("customers", path, mapping=twice)
    assert refused.value.returncode == 2
    assert "external_id" in str(refused.value)


def test_a_missing_file_is_a_bad_argument(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refused:
        import_file("customers", tmp_path / "none.csv")
    assert refused.value.returncode == 2


def test_an_order_whose_line_cannot_be_read_stays_out_and_lines_without_order_are_named(tmp_path: Path) -> None:
    orders = write_csv(tmp_path, "Nr,Datum\n1,2026-01-01\n2,2026-01-02\n4,2026-01-02\n", "orders.csv")
    text = "Bestellung,Art,Preis\n2,b,x\n1,a,5\n1,c,2.50\n3,d,1\n4,e,1.234\n"  # a thousand, or one and a quarter
    lines = write_csv(tmp_path, text, "lines.csv")
    mapping = {
        "external_id": "Nr", "placed_at": "Datum",
        "lines": {"order_external_id": "Bestellung", "sku": "Art", "unit_price": "Preis"},
    }  # fmt: skip
    found = import_file("orders", orders, mapping=mapping_file(tmp_path, mapping), lines=lines)
    assert found["created"] == 1
    assert Order.objects.get().total == Decimal("7.50")
    assert {(error["file"], error["line"]) for error in found["errors"]} == {
        ("lines.csv", 2), ("orders.csv", 3), ("lines.csv", 5), ("lines.csv", 6), ("orders.csv", 4),
    }  # fmt: skip


# --- Undo ---------------------------------------------------------------------------------------------------------


def test_an_undo_removes_what_the_import_made(shared_data: Path) -> None:
    before = row_counts()
    found = import_file("orders", shared_data / "csv" / "woocommerce_advanced_order_export.csv")
    undone = undo_import(found["batch"])
    assert (undone["batch"], undone["removed"], undone["restored"], undone["left"]) == (found["batch"], 6, 0, [])
    after = row_counts()
    assert {label for label in after if after[label] != before[label]} <= {
        "customers.Origin", "customers.NumberRange", "orders.NumberRange", "customers.SearchWord",
    }  # fmt: skip
    with pytest.raises(CommandError):
        undo_import(found["batch"])


def test_an_undo_restores_what_the_import_changed_and_leaves_what_was_edited_since(tmp_path: Path) -> None:
    mapping = mapping_file(tmp_path, MAPPING)
    import_file("customers", write_csv(tmp_path, customers_csv(3)), mapping=mapping)
    changed = customers_csv(4).replace(",Nach", ",Neu").replace(",Neuname", ",Nachname")
    found = import_file("customers", write_csv(tmp_path, changed), mapping=mapping)
    assert (found["created"], found["updated"]) == (1, 3)
    edited = Customer.objects.get(external_ids__value="K2")
    edited.first_name = "Edited"
    edited.save()
    tried = undo_import(found["batch"], dry_run=True)
    undone = undo_import(found["batch"])
    assert {**tried, "exact": None} == {**undone, "exact": None}
    assert (undone["removed"], undone["restored"]) == (1, 2)
    assert [(row["model"], row["id"]) for row in undone["left"]] == [("customers.Customer", edited.number)]
    assert all(row["why"] for row in undone["left"])
    names = dict(Customer.objects.values_list("external_ids__value", "last_name"))
    assert names == {"K1": "Nach1", "K2": "Neu2", "K3": "Nach3"}


def test_no_undo_ends_a_suppression_entry_that_a_later_list_may_name_too(shared_data: Path) -> None:
    path = shared_data / "csv" / "mailchimp_unsubscribed_export.csv"
    first, again = import_file("customers", path), import_file("customers", path)
    assert (first["created"], again["unchanged"]) == (6, 6)

    kept = undo_import(first["batch"])

    assert (kept["removed"], kept["left_count"], {row["model"] for row in kept["left"]}) == (
        0, 6, {"customers.Suppression"},
    )  # fmt: skip
    assert Suppression.objects.count() == 6  # Art. 21(3) GDPR: in doubt nothing is sent


def test_an_undo_of_an_unknown_import_is_a_bad_argument() -> None:
    with pytest.raises(CommandError) as refused:
        call_command("undo_import", "00000000-0000-4000-8000-000000000000")
    assert refused.value.returncode == 2


def test_the_origin_tells_where_a_customer_came_from(shared_data: Path) -> None:
    found = import_file("customers", shared_data / "csv" / "hubspot_contacts_export.csv")
    origin = Origin.objects.get(batch=found["batch"])
    assert (origin.kind, origin.platform, origin.label) == (Origin.Kind.FILE, "hubspot", "hubspot")
    assert Customer.objects.filter(origin=origin).count() == 6


def test_the_country_alone_says_how_a_phone_number_is_read(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "Nr,Land,Telefon\n1,Frankreich,01 42 68 53 00\n2,,030 12345678\n")
    mapping = mapping_file(tmp_path, {"external_id": "Nr", "country": "Land", "phone": "Telefon"})
    assert import_file("customers", path, mapping=mapping)["warning_count"] == 0
    points = {point.value for point in ContactPoint.objects.all()}
    assert points == {"+33142685300", "+493012345678"}


def test_a_company_is_one_by_its_form_of_address(tmp_path: Path) -> None:
    mapping = {"external_id": "Id", "salutation": "Anrede", "last_name": "Nachname", "company": "Firma"}
    text = "Id,Anrede,Nachname,Firma\n1,Firma,Groß,Groß GmbH\n2,Herr,Klein,Klein GmbH\n3,Firma,Mittel,\n"
    found = import_file("customers", write_csv(tmp_path, text), mapping=mapping_file(tmp_path, mapping))
    assert [(w["line"], w["field"]) for w in found["warnings"]] == [(4, "Anrede")]
    kinds = Customer.objects.order_by("last_name").values_list("last_name", "kind", "salutation")
    assert list(kinds) == [("Groß", "company", ""), ("Klein", "person", "mr"), ("Mittel", "person", "")]


SHOPIFY_HEADER = (
    "Name,Email,Financial Status,Created at,Currency,Total,Lineitem quantity,Lineitem name,Lineitem price,"
    "Billing Name,Billing Street,Billing Zip,Billing City,Billing Country"
)
SHOPIFY_ROWS = (
    "#1001,a@shop.example,paid,2026-01-10 09:50:12 +0100,EUR,23.90,1,Tee,19.90,Anna Klein,Weg 1,01067,Dresden,DE",
    "#1001,a@shop.example,,,,,1,Filter,4.00,,,,,",
    "#1002,b@shop.example,paid,2026-01-11 09:50:12 +0100,EUR,5.00,1,Filter,5.00,Bert Groß,Weg 2,10115,Berlin,DE",
)
SHOPIFY_IDS = ("706405506930370000", "", "706405506930370001")


def shopify_file(folder: Path, *, ids: bool) -> Path:
    rows = [f"{row},{given}" if ids else row for row, given in zip(SHOPIFY_ROWS, SHOPIFY_IDS, strict=True)]
    header = f"{SHOPIFY_HEADER},Id" if ids else SHOPIFY_HEADER
    return write_csv(folder, "\n".join([header, *rows, ""]), name=f"orders-{ids}.csv")


@pytest.mark.parametrize("ids_first", [True, False])
def test_shopify_orders_with_and_without_their_ids_are_the_same_orders(tmp_path: Path, *, ids_first: bool) -> None:
    first = import_file("orders", shopify_file(tmp_path, ids=ids_first))
    assert (first["created"], first["customers_created"]) == (2, 2)
    news = 0 if ids_first else 2
    for dry_run in (True, False):
        second = import_file("orders", shopify_file(tmp_path, ids=not ids_first), dry_run=dry_run)
        assert (second["created"], second["updated"], second["unchanged"]) == (0, news, 2 - news)
    assert list(Order.objects.order_by("number").values_list("external_id", "number")) == [
        ("706405506930370000", "#1001"),
        ("706405506930370001", "#1002"),
    ]
    before = row_counts()
    for ids in (True, False):
        again = import_file("orders", shopify_file(tmp_path, ids=ids))
        assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 2)
    assert row_counts() == before

    if news:
        assert undo_import(second["batch"])["restored"] == 2
        assert set(Order.objects.values_list("external_id", flat=True)) == {"#1001", "#1002"}
    assert undo_import(first["batch"])["removed"] == 2
    assert not Order.objects.exists()
