"""The traps that real exports bring (integrations.md 1b), each by its own sample."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from customers.rows import CustomerRow, SuppressionRow
from intake.mapping import MappingError, suggestion
from intake.occurrences import Occurrences
from intake.people import Item
from intake.planning import Plan, plan_import
from intake.profiles import UnknownProfile, detect, profiles
from intake.tables import UnreadableFile
from intake.values import read_amount, read_moment, split_name, split_tags, without_apostrophe
from orders.rows import OrderRow


def plan(root: str, text: str, **more: Any) -> Plan:
    return plan_import(root, lambda: io.BytesIO(text.encode()), **more)


def items(root: str, text: str, **more: Any) -> list[Item]:
    return list(plan(root, text, **more).items())


def from_file(root: str, path: Path) -> list[Any]:
    found = list(plan_import(root, lambda: path.open("rb")).items())
    assert all(item.problem is None for item in found)
    return [item.row for item in found]


EXPECTED = {
    "hubspot_contacts_export.csv": "hubspot",
    "magento2_customer_addresses.csv": "magento_addresses",
    "magento2_customer_main.csv": "magento_customers",
    "mailchimp_audience_export.csv": "mailchimp",
    "mailchimp_unsubscribed_export.csv": "mailchimp_unsubscribed",
    "shopify_customers_export.v2019.csv": "shopify_customers",
    "shopify_customers_export.v2023plus.csv": "shopify_customers",
    "shopify_customers_export.v2026_apostrophes.csv": "shopify_customers",
    "shopify_orders_export.csv": "shopify_orders",
    "shopware6_default_customer.csv": "shopware_customers",
    "shopware6_default_orders.csv": "shopware_orders",
    "variant_excel_de_cp1252_semicolon.csv": "shopify_customers",
    "variant_utf16_tab.csv": "shopify_customers",
    "variant_utf8_bom.csv": "shopify_customers",
    "woocommerce_advanced_order_export.csv": "woocommerce_orders",
    "woocommerce_analytics_customers.csv": "woocommerce_customers",
}


@pytest.mark.parametrize(("name", "key"), EXPECTED.items())
def test_every_export_is_recognized_by_its_header(shared_data: Path, name: str, key: str) -> None:
    path = shared_data / "csv" / name
    root = "orders" if "order" in name else "customers"
    assert plan_import(root, lambda: path.open("rb")).profile.key == key


def test_the_order_of_columns_does_not_matter(shared_data: Path) -> None:
    path = shared_data / "csv" / "hubspot_contacts_export.csv"
    header = path.read_text().splitlines()[0].split(",")
    found = detect(header[::-1], "customers")
    assert found is not None
    assert found.key == "hubspot"


def test_all_profile_keys_of_the_contract_are_there() -> None:
    keys = {profile.key for root in ("customers", "orders") for profile in profiles(root)}
    assert keys == {
        "shopify_customers", "shopify_orders", "woocommerce_customers", "woocommerce_orders", "shopware_customers",
        "shopware_orders", "hubspot", "mailchimp", "mailchimp_unsubscribed", "magento_customers", "magento_addresses",
        "cdnow", "plain",
    }  # fmt: skip


def test_orders_are_not_taken_for_customers(shared_data: Path) -> None:
    path = shared_data / "csv" / "shopify_orders_export.csv"
    with pytest.raises(UnknownProfile):
        plan_import("customers", lambda: path.open("rb"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("'01067", "01067"),
        ("'+49301234567", "+49301234567"),
        ("'(05559) 797114", "(05559) 797114"),
        ("'1980-02-29", "1980-02-29"),
        ("''5", "''5"),
        ("'t Hooft", "'t Hooft"),
        ("O'Brien", "O'Brien"),
        ("01067", "01067"),
    ],
)
def test_one_apostrophe_goes_before_figures_and_none_before_letters(written: str, meant: str) -> None:
    assert without_apostrophe(written) == meant


def test_apostrophes_of_shopify_are_gone_and_metafields_may_be_mapped(shared_data: Path) -> None:
    path = shared_data / "csv" / "shopify_customers_export.v2026_apostrophes.csv"
    birth = "Geburtsdatum (customer.metafields.facts.birth_date)"
    found = plan_import("customers", lambda: path.open("rb"), mapping={"birthday": birth})
    rows = [item.row for item in found.items()]
    assert [row.external_id for row in rows][:2] == ["100000", "100001"]
    assert rows[1].addresses[0].postcode == "01067"
    assert rows[1].phone == "+49(0)3082462819"
    assert rows[0].birthday == "1980-02-29"
    assert birth in plan_import("customers", lambda: path.open("rb")).columns.unused


def test_apostrophes_make_no_difference(shared_data: Path) -> None:
    folder = shared_data / "csv"
    old = from_file("customers", folder / "shopify_customers_export.v2023plus.csv")
    new = from_file("customers", folder / "shopify_customers_export.v2026_apostrophes.csv")
    for before, after in zip(old, new, strict=True):
        assert (before.external_id, before.phone) == (after.external_id, after.phone)


def test_rows_of_an_order_are_one_order(shared_data: Path) -> None:
    rows: list[OrderRow] = from_file("orders", shared_data / "csv" / "shopify_orders_export.csv")
    assert [row.number for row in rows] == [f"#100{n}" for n in range(1, 7)]
    assert [len(row.lines) for row in rows] == [2, 1, 2, 1, 2, 1]
    assert rows[0].external_id == "100000"
    assert rows[0].total == Decimal("318.29")
    assert rows[0].lines[1].name == "Filterpapier; Größe 4"
    assert rows[0].billing.name == "Jürgen Müller"


def test_an_order_with_one_unreadable_line_comes_not_at_all(shared_data: Path) -> None:
    text = (shared_data / "csv" / "shopify_orders_export.csv").read_text()
    found = items("orders", text.replace("3.49", "three", 1))
    assert [item.problem.line for item in found if item.problem] == [3]
    assert len([item for item in found if item.row]) == 5
    assert sum(item.records for item in found) == 9


def test_rows_of_an_order_that_stand_apart_replace_nothing() -> None:
    header = "Order ID,Order Status,Order Date,Email (Billing),Order Total Amount,Item #,SKU,Quantity,Item Cost"
    first, second = "1,completed,2026-01-10,a@example.com,30", "2,completed,2026-01-10,b@example.com,5"
    rows = [f"{first},1,A,1,10", f"{first},2,B,2,10", f"{second},1,A,1,5", f"{first},3,C,1,1", f"{first},4,D,1,1"]
    found = items("orders", "\n".join([header, *rows]) + "\n")
    assert [[line.sku for line in item.row.lines] for item in found if item.row] == [["A", "B"], ["A"]]
    assert [(item.problem.line, item.records) for item in found if item.problem] == [(5, 2)]


def test_the_person_in_the_name_column_of_woocommerce_is_no_article(shared_data: Path) -> None:
    rows: list[OrderRow] = from_file("orders", shared_data / "csv" / "woocommerce_advanced_order_export.csv")
    assert [line.name for row in rows for line in row.lines] == [""] * 6
    assert rows[0].billing.name == "Jürgen Müller"


def test_a_whole_name_is_taken_apart(shared_data: Path) -> None:
    rows = from_file("customers", shared_data / "csv" / "woocommerce_analytics_customers.csv")
    assert (rows[1].first_name, rows[1].last_name) == ("Zoë", "von der Heide")


@pytest.mark.parametrize(
    ("full", "first", "last"),
    [
        ("Müller, Jürgen", "Jürgen", "Müller"),
        ("Zoë von der Heide", "Zoë", "von der Heide"),
        ("Frau Dr. Anna-Lena Groß-Schmidt", "Anna-Lena", "Groß-Schmidt"),
        ("Anna Maria Schmidt", "Anna Maria", "Schmidt"),
        ("Seán O'Brien", "Seán", "O'Brien"),
        ("Cher", "", "Cher"),
        ("", "", ""),
    ],
)
def test_names_are_taken_apart(full: str, first: str, last: str) -> None:
    assert split_name(full)[2:] == (first, last)


def test_translated_woocommerce_headers_are_recognized() -> None:
    text = (
        "Name,Benutzername,Zuletzt aktiv,Registrierung,E-Mail,Bestellungen,Gesamtausgaben,AOV,Land / Region,Stadt,"
        "Region,Postleitzahl\n"
        "Jürgen Müller,jm,2026-01-10 09:50:12,2026-01-10 09:50:12,a@example.com,1,2,2,DE,Köln,,50667\n"
    )
    (item,) = items("customers", text)
    assert isinstance(item.row, CustomerRow)
    assert (item.row.last_name, item.row.email, item.row.addresses[0].postcode) == (
        "Müller",
        "a@example.com",
        "50667",
    )


def test_absent_opt_in_columns_are_no_news_and_present_ones_are(shared_data: Path) -> None:
    folder = shared_data / "csv"
    assert all(row.opt_ins == () for row in from_file("customers", folder / "hubspot_contacts_export.csv"))
    v2023 = from_file("customers", folder / "shopify_customers_export.v2023plus.csv")
    assert {(o.channel, o.state) for o in v2023[1].opt_ins} == {("email", "no"), ("sms", "yes")}
    v2026 = from_file("customers", folder / "shopify_customers_export.v2026_apostrophes.csv")
    assert {o.channel for o in v2026[0].opt_ins} == {"email", "sms", "whatsapp"}


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("yes", "yes"), ("TRUE", "yes"), ("1", "yes"), ("ja", "yes"), ("subscribed", "yes"),
        ("no", "no"), ("FALSE", "no"), ("0", "no"), ("not_subscribed", "no"), ("pending", "pending"),
    ],
)  # fmt: skip
def test_opt_in_words_are_understood(word: str, state: str) -> None:
    mapping = {"email": "Mail", "newsletter": "NL"}
    (item,) = items("customers", f"Mail,NL\na@example.com,{word}\n", mapping=mapping)
    assert [(o.channel, o.state) for o in item.row.opt_ins] == [("email", state)]


def test_an_unknown_opt_in_word_is_no_consent() -> None:
    (item,) = items("customers", "Mail,NL\na@example.com,maybe\n", mapping={"email": "Mail", "newsletter": "NL"})
    assert item.row.opt_ins == ()
    assert [warning.line for warning in item.warnings] == [2]


def test_mailchimp_brings_its_evidence_along(shared_data: Path) -> None:
    rows = from_file("customers", shared_data / "csv" / "mailchimp_audience_export.csv")
    (opt_in,) = rows[0].opt_ins
    assert (opt_in.channel, opt_in.state) == ("email", "yes")
    assert dict(opt_in.evidence) == {
        "OPTIN_TIME": "2026-01-10 09:50:12", "OPTIN_IP": "192.0.2.1",
        "CONFIRM_TIME": "2026-01-10 09:50:12", "CONFIRM_IP": "192.0.2.1",
    }  # fmt: skip
    address = rows[0].addresses[0]
    assert (address.street, address.city) == ("Annette-Kaul-Allee 0", "Rehau")
    assert (address.postcode, address.country) == ("52460", "DE")
    assert rows[0].tags == ("VIP", "Newsletter")


def test_unsubscribed_and_cleaned_lists_are_suppression_alone(shared_data: Path) -> None:
    rows = from_file("customers", shared_data / "csv" / "mailchimp_unsubscribed_export.csv")
    assert all(isinstance(row, SuppressionRow) for row in rows)
    assert (rows[0].endpoint, rows[0].reason) == ("kunde1@example.com", "unsubscribed")
    text = "Email Address,MEMBER_RATING,CLEAN_TIME,LEID\na@example.com,2,2026-01-10 09:50:12,7\n"
    (item,) = items("customers", text)
    assert item.row.reason == "bounced"


def test_password_hashes_are_refused_and_said(shared_data: Path) -> None:
    text = (shared_data / "csv" / "magento2_customer_main.csv").read_text()
    header, first, *rest = text.splitlines()
    cells = first.split(",")
    cells[header.split(",").index("password_hash")] = "$argon2id$v=19$abc"
    found = plan("customers", "\n".join([header, ",".join(cells), *rest]) + "\n")
    assert set(found.columns.refused) == {"password_hash", "rp_token", "rp_token_created_at", "password"}
    read = list(found.items())
    assert len([item for item in read if item.row]) == 6
    assert [(w.line, w.field) for item in read for w in item.warnings] == [(2, "password_hash")]
    assert "argon2id" not in repr(read)


def test_a_column_of_secrets_may_not_be_mapped() -> None:
    with pytest.raises(MappingError):
        plan("customers", "mail,password\na@b.de,x\n", mapping={"email": "mail", "note": "password"})


def test_magento_addresses_go_by_the_mail_and_not_by_the_number_of_the_address(shared_data: Path) -> None:
    rows = from_file("customers", shared_data / "csv" / "magento2_customer_addresses.csv")
    assert {row.external_id for row in rows} == {""}
    assert rows[0].email == "kunde1@example.com"
    assert rows[0].addresses[0].street == "Jähnstraße 8/2"


def test_several_values_in_one_cell_give_the_first_and_a_warning() -> None:
    text = "Mail,Firma,Labels\na@example.com ::: b@example.com,Ünal; Partner,* A ::: * B\n"
    (item,) = items("customers", text, mapping={"email": "Mail", "company": "Firma", "tags": "Labels"})
    assert (item.row.email, item.row.company) == ("a@example.com", "Ünal; Partner")
    assert len(item.row.tags) == 2
    assert [warning.field for warning in item.warnings] == ["Mail"]


@pytest.mark.parametrize("value", ["=cmd|calc", "+49 30 123456", "-5.00", "@handle", "=HYPERLINK(1)"])
def test_values_that_look_like_formulas_are_kept(value: str) -> None:
    (item,) = items("customers", f"Mail,Firma\na@example.com,{value}\n", mapping={"email": "Mail", "company": "Firma"})
    assert item.row.company == value


def test_tags_are_taken_apart_however_they_are_listed() -> None:
    assert split_tags("VIP, Newsletter") == ("VIP", "Newsletter")
    assert split_tags('"VIP","Newsletter"') == ("VIP", "Newsletter")
    assert split_tags('a,"b, c"') == ("a", "b, c")


def test_guests_say_so_themselves_and_customer_id_zero_is_one() -> None:
    header = "Order Number,Order Status,Order Date,Email (Billing),Order Total Amount,Customer ID"
    text = f"{header}\n1,completed,2026-01-10,a@example.com,5.00,0\n2,completed,2026-01-11,a@example.com,6.00,17\n"
    guest, known = (item.row for item in items("orders", text))
    assert (guest.guest, guest.customer_external_id) == (True, "")
    assert (known.guest, known.customer_external_id) == (False, "17")


def test_a_shopware_guest_is_no_account() -> None:
    header = "id;customer_number;email;guest;billing_street;billing_zipcode"
    (item,) = items("customers", f"{header}\nabc;SW1;a@example.com;1;Weg 1;50667\n")
    assert item.row.status == "guest"


def test_ids_beyond_the_figures_of_a_float_stay_whole() -> None:
    text = "Order ID,Order Date,Total\n706405506930370001,2026-01-10,5\n"
    mapping = {"external_id": "Order ID", "placed_at": "Order Date", "total": "Total"}
    (item,) = items("orders", text, mapping=mapping)
    assert item.row.external_id == "706405506930370001"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-01-10 09:50:12", datetime(2026, 1, 10, 8, 50, 12, tzinfo=UTC)),
        ("2026-07-10 09:50:12", datetime(2026, 7, 10, 7, 50, 12, tzinfo=UTC)),
        ("2026-07-10 09:50:12 -0400", datetime(2026, 7, 10, 13, 50, 12, tzinfo=UTC)),
        ("2026-07-10T09:50:12Z", datetime(2026, 7, 10, 9, 50, 12, tzinfo=UTC)),
        ("2026-07-10 09:50:12 UTC", datetime(2026, 7, 10, 9, 50, 12, tzinfo=UTC)),
        ("1996-07-04 00:00:00.000", datetime(1996, 7, 3, 22, tzinfo=UTC)),
        ("19970101", datetime(1996, 12, 31, 23, tzinfo=UTC)),
        ("10.01.2026", datetime(2026, 1, 9, 23, tzinfo=UTC)),
        ("31.12.24", datetime(2024, 12, 30, 23, tzinfo=UTC)),
        ("1.7.97", datetime(1997, 6, 30, 22, tzinfo=UTC)),
        ("31.12.2024 14:05 Uhr", datetime(2024, 12, 31, 13, 5, tzinfo=UTC)),
        ("31. 12. 2024, 23:59", datetime(2024, 12, 31, 22, 59, tzinfo=UTC)),
        ("2024/12/31", datetime(2024, 12, 30, 23, tzinfo=UTC)),
        ("2024/12/31 14:05:00", datetime(2024, 12, 31, 13, 5, tzinfo=UTC)),
        ("31.02.2026", None),
        ("31.02.26", None),
        ("31.12.124", None),
        ("01/02/2026", None),
        ("soon", None),
        ("0001-01-01", None),
    ],
)
def test_instants_without_offset_are_local_time_of_the_shop(written: str, meant: datetime | None) -> None:
    assert read_moment(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1234.5", "1234.5"), ("1.234,50", "1234.50"), ("1,234.50", "1234.50"), ("1 234,50 €", "1234.50"),
        ("3.3333333333333335", "3.3333333333333335"), ("3,33333333333", "3.33333333333"),
        ("-5.00", "-5.00"), ("12,5", "12.5"), ("€ 3", "3"), ("1.234.567", "1234567"),
        ("1,234", None), ("1e5", None), ("NaN", None), ("Infinity", None), ("", None), ("٣", None), ("0x10", None),
    ],
)  # fmt: skip
def test_amounts_are_read_or_refused_but_never_guessed(written: str, meant: str | None) -> None:
    assert read_amount(written) == (Decimal(meant) if meant else None)


@pytest.mark.parametrize(
    ("written", "decimals", "meant"),
    [
        ("1.234", "comma", "1234"), ("1.234", "point", "1.234"), ("1,234", "comma", "1.234"),
        ("1,234", "point", "1234"), ("1.23.456", "comma", None), ("", "comma", None), (",5", "comma", "0.5"),
        ("1.234,5 €", "comma", "1234.5"), ("12.50", "comma", None), ("12,50", "point", None),
        ("-1.000.000", "comma", "-1000000"), ("1 234,50", "comma", "1234.50"),
        ("1.234,56", "point", None), ("1,234.56", "comma", None), ("1234", "comma", "1234"), ("1e5", "point", None),
    ],
)  # fmt: skip
def test_amounts_are_read_as_somebody_said_they_are_written(written: str, decimals: str, meant: str | None) -> None:
    assert read_amount(written, decimals) == (Decimal(meant) if meant else None)


def test_a_point_that_may_stand_before_thousands_is_not_guessed_at() -> None:
    mapping = {"external_id": "Nr", "placed_at": "Datum", "total": "Summe"}
    rows = ["1.234", "1.234 €", "-12.000", "0.125", "1.234,50", "1234.5", "12.50", "12.5000"]
    text = "\n".join(["Nr;Datum;Summe", *(f"{n};1.2.2026;{said}" for n, said in enumerate(rows))])
    found = items("orders", text, mapping=mapping)
    assert [item.problem.field if item.problem else item.row.total for item in found] == [
        "Summe", "Summe", "Summe", Decimal("0.125"), Decimal("1234.50"), Decimal("1234.5"), Decimal("12.50"),
        Decimal("12.5"),
    ]  # fmt: skip
    # A platform writes decimals its own way.
    header = "Order Number,Order Status,Order Date,Email (Billing),Order Total Amount"
    (item,) = items("orders", f"{header}\n1,completed,2026-01-10,a@example.com,1.234\n")
    assert item.row.total == Decimal("1.234")


def test_a_number_of_a_spreadsheet_is_clear() -> None:
    book, out = Workbook(), io.BytesIO()
    book.active.append(["Nr", "Datum", "Summe"])
    book.active.append([1, date(2026, 12, 31), 1.234])
    book.save(out)
    mapping = {"external_id": "Nr", "placed_at": "Datum", "total": "Summe"}
    (item,) = plan_import("orders", lambda: io.BytesIO(out.getvalue()), mapping=mapping).items()
    assert (item.row.total, item.row.placed_at) == (Decimal("1.234"), datetime(2026, 12, 30, 23, tzinfo=UTC))


def test_a_day_that_has_not_come_yet_is_warned_about() -> None:
    text = "Nr,Datum,Summe\n1,2062-01-10,5\n2,2026-01-10,5\n"
    mapping = {"external_id": "Nr", "placed_at": "Datum", "total": "Summe"}
    found = items("orders", text, mapping=mapping)
    assert [[(w.line, w.field) for w in item.warnings] for item in found] == [[(2, "Datum")], []]
    header = "Name,Username,Last Active,Sign Up,Email,Total Spend"
    (item,) = items("customers", f"{header}\nA B,ab,2206-01-10,2026-01-10,a@example.com,5\n")
    assert [(w.line, w.field) for w in item.warnings] == [(2, "Last Active")]


def test_an_audience_with_german_labels_is_recognized() -> None:
    header = "E-Mail-Adresse,Vorname,Nachname,Telefonnummer,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,LAST_CHANGED,LEID"
    (item,) = items("customers", f"{header}\na@example.com,Jürgen,Groß,030 1234567,2,2026-01-10,192.0.2.1,x,7\n")
    assert (item.row.email, item.row.first_name, item.row.last_name) == ("a@example.com", "Jürgen", "Groß")
    assert (item.row.phone, [o.state for o in item.row.opt_ins]) == ("030 1234567", ["yes"])


def test_identical_purchases_are_told_apart_by_their_occurrence() -> None:
    text = " customer_id  date number_of_cds  dollar_value\r\n" + " 00001 19970101  2   12.00\r\n" * 3
    found = [item.row for item in items("orders", text)]
    assert len({row.external_id for row in found}) == 3
    again = [item.row.external_id for item in items("orders", text)]
    assert again == [row.external_id for row in found]
    assert {(row.currency, row.total, row.unknown_customer) for row in found} == {("USD", Decimal(12), "prospect")}


def test_occurrences_are_counted_in_bounded_memory() -> None:
    counter = Occurrences(kept=10)
    seen = [counter.next(str(n % 25)) for n in range(100)]
    assert seen == [n // 25 + 1 for n in range(100)]


def test_missing_columns_are_named() -> None:
    with pytest.raises(UnreadableFile) as refused:
        plan("customers", "Email,First Name\na@b.de,x\n", key="shopify_customers")
    assert "Last Name" in refused.value.message


def test_a_mapping_to_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(MappingError) as refused:
        plan("customers", "a,b\n1,2\n", mapping={"email": "Mail"})
    assert "Mail" in str(refused.value)


@pytest.mark.parametrize(
    "mapping", [[], {"mail": "a"}, {"email": 3}, {"lines": {"sku": "a"}}, {"discount_as": "x"}, {"decimals": ","}]
)
def test_a_wrong_mapping_is_refused(mapping: Any) -> None:
    with pytest.raises((MappingError, UnknownProfile)):
        plan("customers", "a,b\n1,2\n", key="plain", mapping=mapping or ["x"])


def test_unknown_columns_without_a_mapping_are_refused() -> None:
    with pytest.raises(UnknownProfile):
        plan("customers", "a,b\n1,2\n")


def test_a_name_beside_a_first_name_is_the_last_name() -> None:
    header = ["Kd-Nr", "Vorname", "Name", "Mail", "Straße und Hausnummer", "PLZ", "Stadt", "Geb.", "Tel."]
    meant = suggestion("customers", header)
    assert meant == {
        "number": "Kd-Nr",
        "first_name": "Vorname",
        "last_name": "Name",
        "email": "Mail",
        "street": "Straße und Hausnummer",
        "postcode": "PLZ",
        "city": "Stadt",
        "birthday": "Geb.",
        "phone": "Tel.",
    }
    assert suggestion("customers", ["Name", "Mail"]) == {"full_name": "Name", "email": "Mail"}


@pytest.mark.parametrize("full", ["Dampf", "Hans Dampf"])
def test_no_part_of_a_name_is_lost_where_two_columns_hold_it(full: str) -> None:
    columns = {"first_name": "Vorname", "full_name": "Name", "email": "Mail"}
    (item,) = items("customers", f"Vorname;Name;Mail\nHans;{full};hans@dampf.example\n", mapping=columns)
    assert (item.row.first_name, item.row.last_name) == ("Hans", "Dampf")


@pytest.mark.parametrize(
    ("header", "meant"),
    [
        (
            ["Bestellnummer", "Kundennummer", "Bestelldatum", "Summe", "Vorname", "Nachname", "Straße", "PLZ", "Ort"],
            {
                "number": "Bestellnummer", "customer_external_id": "Kundennummer", "placed_at": "Bestelldatum",
                "total": "Summe", "billing_first_name": "Vorname", "billing_last_name": "Nachname",
                "billing_street": "Straße", "billing_postcode": "PLZ", "billing_city": "Ort",
            },
        ),
        (
            ["id", "Customer ID", "Rechnungsadresse", "Rechnungs-PLZ", "Rechnung Ort", "Lieferadresse", "Liefer-PLZ",
             "Lieferort", "Land", "Rechnungsnummer", "E-Mail", "storniert am"],
            {
                "external_id": "id", "customer_external_id": "Customer ID", "billing_street": "Rechnungsadresse",
                "billing_postcode": "Rechnungs-PLZ", "billing_city": "Rechnung Ort", "billing_country": "Land",
                "shipping_street": "Lieferadresse", "shipping_postcode": "Liefer-PLZ", "shipping_city": "Lieferort",
                "email": "E-Mail", "cancelled_at": "storniert am",
            },
        ),
    ],
)  # fmt: skip
def test_the_columns_of_orders_are_taken_for_what_they_are_of_an_order(
    header: list[str], meant: dict[str, str]
) -> None:
    assert suggestion("orders", header) == meant


def test_the_id_of_an_order_is_nobody_s() -> None:
    assert suggestion("customers", ["Order ID", "Name"]) == {"full_name": "Name"}
