"""A preview says what the run then does: the same counts, whatever stands in the file and whatever is there already."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer
from intake import running
from tests.intake.importing import import_file, write_csv

pytestmark = pytest.mark.django_db


class Kind(NamedTuple):
    """A kind of file: its columns with a few values each, so that rows are often about the same."""

    root: str
    cells: dict[str, list[str]]
    mapping: dict[str, Any] = {}


MAILS = ["", "eva@laden.example", "udo@laden.example", "Eva@laden.example", "kein"]
DAYS = ["", "2026-01-10 09:00:00", "2026-01-11 09:00:00", "2019-01-11 09:00:00"]
KINDS = {
    "shopify orders": Kind(
        "orders",
        {
            "Name": ["#1", "#2", "#3"], "Id": ["", "", "1", "11", "#2"], "Email": MAILS,
            "Financial Status": ["", "paid", "voided"], "Created at": DAYS, "Cancelled at": ["", "", DAYS[2]],
            "Total": ["", "5.00", "7.00"], "Lineitem quantity": ["1"], "Lineitem name": ["Tee", "Kaffee"],
            "Lineitem price": ["5.00"], "Billing Name": ["", "Eva Ost"], "Notes": ["", "eilt"],
        },
    ),
    "shopify customers": Kind(
        "customers",
        {
            "Customer ID": ["1", "2", "'3", ""], "First Name": ["", "Eva"], "Last Name": ["", "Ost"], "Email": MAILS,
            "Accepts Email Marketing": ["", "yes", "no"], "Default Address Company": [""],
            "Default Address Address1": ["", "Weg 1"], "Default Address City": ["", "Ulm"],
            "Default Address Country Code": ["", "DE", "XX"], "Default Address Zip": ["", "'01067", "1067"],
            "Phone": ["", "030 1234567", "(5) 55"], "Note": ["", "x"], "Tags": ["", "VIP", "VIP, neu"],
            "Total Spent": [""], "Tax Exempt": [""],
        },
    ),
    "orders": Kind(
        "orders",
        {
            "Id": ["", "1", "2", "3"], "Nr": ["", "1", "2", "A"], "Kunde": ["", "1", "2", "~"], "Mail": MAILS,
            "Datum": DAYS, "Storno": ["", DAYS[2]], "Summe": ["5,00", "7,00", "", "viel"], "Name": ["", "Eva Ost"],
            "Währung": ["", "EUR", "USD"], "Geliefert": DAYS,
        },
        {
            "external_id": "Id", "number": "Nr", "customer_external_id": "Kunde", "email": "Mail",
            "placed_at": "Datum", "cancelled_at": "Storno", "total": "Summe", "billing_full_name": "Name",
            "currency": "Währung", "delivered_at": "Geliefert",
        },
    ),
    "customers": Kind(
        "customers",
        {
            "Id": ["", "1", "2", "3"], "Nr": ["", "", "7", "8"], "Art": ["", "Firma", "privat"],
            "Anrede": ["", "Frau", "Käse"], "Vorname": ["", "Eva"], "Name": ["", "Ost", "West"],
            "Firma": ["", "Ost GmbH"], "Mail": MAILS, "Telefon": ["", "030 1234567", "(5) 55"],
            "Weg": ["", "Weg 1"], "PLZ": ["", "1067", "01067"], "Ort": ["", "Dresden"], "Land": ["", "", "DE"],
            "Tags": ["", "a", "a,b"], "Notiz": ["", "x", "y"], "News": ["", "yes", "no"],
            "Geburtstag": ["", "1.2.1990", "nie"],
        },
        {
            "external_id": "Id", "number": "Nr", "kind": "Art", "salutation": "Anrede", "first_name": "Vorname",
            "last_name": "Name", "company": "Firma", "email": "Mail", "phone": "Telefon", "street": "Weg",
            "postcode": "PLZ", "city": "Ort", "country": "Land", "tags": "Tags", "note": "Notiz",
            "newsletter": "News", "birthday": "Geburtstag",
        },
    ),
    "own numbers": Kind(
        "customers",
        {
            "Nummer": ["", "7", "8", "10000", "10001"], "Vorname": ["", "Eva"], "Name": ["", "Ost", "West"],
            "Mail": MAILS, "Weg": ["", "Weg 1"], "PLZ": ["", "1067"], "Ort": ["", "Dresden"],
        },
        {
            "number": "Nummer", "first_name": "Vorname", "last_name": "Name", "email": "Mail", "street": "Weg",
            "postcode": "PLZ", "city": "Ort",
        },
    ),
    "audience": Kind(
        "customers",
        {
            "Email Address": MAILS, "First Name": ["", "Eva"], "Last Name": ["", "Ost"],
            "Address": ["", "Weg 1  Ulm  89073 DE"], "Phone Number": ["", "030 1234567"], "MEMBER_RATING": ["2"],
            "OPTIN_TIME": DAYS, "OPTIN_IP": ["", "192.0.2.1"], "CONFIRM_TIME": DAYS, "CONFIRM_IP": ["", "192.0.2.1"],
            "LAST_CHANGED": DAYS, "LEID": ["", "1", "2"], "EUID": [""], "NOTES": ["", "x"],
            "TAGS": ["", '"VIP","neu"'],
        },
    ),
    "unsubscribed": Kind(
        "customers",
        {
            "Email Address": MAILS, "MEMBER_RATING": ["2"], "OPTIN_TIME": [""], "CONFIRM_TIME": [""],
            "UNSUB_TIME": DAYS, "UNSUB_CAMPAIGN_TITLE": [""], "UNSUB_CAMPAIGN_ID": [""],
            "UNSUB_REASON": [""], "LEID": ["1"], "EUID": [""],
        },
    ),
    "hubspot": Kind(
        "customers",
        {
            "Record ID": ["1", "2", "3"], "First Name": ["", "Eva"], "Last Name": ["", "Ost"], "Email": MAILS,
            "Phone Number": ["", "030 1234567"], "Lifecycle Stage": [""], "Create Date": DAYS, "City": ["", "Ulm"],
            "Postal Code": ["", "1067"], "Country/Region": ["", "Deutschland"], "Last Activity Date": DAYS,
            "Associated Company": [""], "Associated Company IDs": [""], "Lead Status": [""], "Contact owner": [""],
            "Last Modified Date": [""], "Contact Type": [""], "Lead Source": [""], "State/Region": [""],
        },
    ),
    "shopware orders": Kind(
        "orders",
        {
            "id": ["1", "2", "3"], "order_number": ["1", "2", "3"], "customer_email": MAILS,
            "customer_firstname": ["", "Eva"], "customer_lastname": ["", "Ost"], "sales_channel_id": [""],
            "amount_total": ["5.00", "7.00"], "order_state_id": [""], "line_items": ["", "1x Tee", "2x Tee|1x Mate"],
            "order_date_time": DAYS[1:], "billing_address_zipcode": ["", "1067"],
            "billing_address_country_id": ["", "DE"],
        },
    ),
    "cdnow": Kind(
        "orders",
        {
            "customer_id": ["1", "2"], "date": ["19970101", "19970102"], "number_of_cds": ["1", "2"],
            "dollar_value": ["5.00"],
        },
    ),
}  # fmt: skip
FILES = st.sampled_from(sorted(KINDS)).flatmap(
    lambda name: st.tuples(
        st.just(name),
        st.lists(
            st.fixed_dictionaries({cell: st.sampled_from(values) for cell, values in KINDS[name].cells.items()}),
            min_size=1, max_size=5,
        ),
        st.sampled_from(["", "", "restricted_at", "deactivated_at"]),
    )
)  # fmt: skip


def says(found: dict[str, Any]) -> dict[str, Any]:
    """What a preview and a run must agree on."""
    return {name: value for name, value in found.items() if name not in ("batch", "seconds")}


def agree(kind: str, path: Path, **options: Any) -> dict[str, Any]:
    """Try the file, import it, and find no difference."""
    tried = says(import_file(kind, path, dry_run=True, **options))
    done = says(import_file(kind, path, **options))
    assert tried == done
    return done


def text_of(rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def brought(folder: Path, name: str, rows: list[dict[str, str]]) -> dict[str, Any]:
    """One file of a kind, tried and imported."""
    kind, options = KINDS[name], {}
    if kind.mapping:
        options["mapping"] = folder / "mapping.json"
        options["mapping"].write_text(json.dumps(kind.mapping))
    return agree(kind.root, write_csv(folder, text_of(rows)), **options)


def usual(name: str, **cells: str) -> dict[str, str]:
    """A row with the first value of each cell, but for those given."""
    return {cell: values[0] for cell, values in KINDS[name].cells.items()} | cells


@pytest.fixture(params=[1, running.CHUNK])
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the rows are looked at one by one or together."""
    monkeypatch.setattr(running, "CHUNK", request.param)


@pytest.mark.usefixtures("chunk")
def test_an_order_that_stands_there_with_its_id_and_without_is_one_order(tmp_path: Path) -> None:
    rows = [
        usual("shopify orders", **{"Name": name, "Id": id_, "Created at": DAYS[1], "Total": "5.00"})
        for name, id_ in [("#1", "11"), ("#2", ""), ("#1", ""), ("#2", "12")]
    ]
    found = brought(tmp_path, "shopify orders", rows)
    # The second time "#2" brings its id; "#1" had it already.
    assert (found["created"], found["updated"], found["unchanged"]) == (2, 1, 1)


@pytest.mark.usefixtures("chunk")
def test_an_order_that_is_told_twice_is_made_once_and_changed_by_its_news(tmp_path: Path) -> None:
    row = usual("orders", Id="1", Nr="A", Datum=DAYS[1])
    cheap, dear = row | {"Summe": "5,00"}, row | {"Summe": "7,00"}
    nameless = row | {"Id": "", "Summe": "7,00"}
    found = brought(tmp_path, "orders", [cheap, cheap, dear, dear, nameless])
    assert (found["created"], found["updated"], found["unchanged"]) == (1, 1, 3)
    found = brought(tmp_path, "orders", [cheap, cheap, dear, usual("orders", Id="", Nr="B", Datum=DAYS[1])])
    assert (found["created"], found["updated"], found["unchanged"]) == (1, 2, 1)


def test_lines_that_replace_those_of_a_known_order_are_counted(tmp_path: Path) -> None:
    row = usual("shopware orders", line_items="1x Tee")
    assert brought(tmp_path, "shopware orders", [row])["lines"] == 1
    found = brought(tmp_path, "shopware orders", [row | {"line_items": "2x Tee|1x Mate"}])
    assert (found["updated"], found["lines"]) == (1, 2)


def test_an_account_is_found_by_the_address_it_has_by_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CHUNK", 1)
    rows = [
        usual("customers", Id="2", Mail="udo@laden.example"),
        usual("customers", Id="2", Mail="eva@laden.example"),
        usual("customers", Mail="udo@laden.example"),
        usual("customers", Mail="eva@laden.example", Name="Ost"),
    ]
    found = brought(tmp_path, "customers", rows)
    assert (found["created"], found["updated"]) == (2, 2)


def test_all_sample_files_behind_each_other(shared_data: Path) -> None:
    for path in sorted((shared_data / "csv").glob("*.csv")):
        agree("orders" if "order" in path.name else "customers", path)


def test_sample_rows_of_one_platform_in_one_file(shared_data: Path, tmp_path: Path) -> None:
    for name in ("shopify_orders_export", "woocommerce_advanced_order_export", "shopware6_default_orders"):
        header, *rows = (shared_data / "csv" / f"{name}.csv").read_text().splitlines()
        later = [row.replace("2026-01-10", "2026-01-12").replace(",paid,", ",refunded,") for row in rows]
        agree("orders", write_csv(tmp_path, "\n".join([header, *rows, *later, *rows]) + "\n", f"{name}.csv"))


@settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
@given(files=st.lists(FILES, min_size=1, max_size=4), chunk=st.integers(1, 3))
def test_whatever_comes_in_behind_whatever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: Any, chunk: int
) -> None:
    monkeypatch.setattr(running, "CHUNK", chunk)
    with transaction.atomic():
        here = transaction.savepoint()
        for name, rows, mark in files:
            brought(tmp_path, name, rows)
            if mark and (first := Customer.objects.order_by("pk").first()):
                Customer.objects.filter(pk=first.pk).update(**{mark: timezone.now()})
        transaction.savepoint_rollback(here)
