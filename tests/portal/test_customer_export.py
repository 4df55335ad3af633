"""Exporting the list: who may, how much, what is written down, and cells that no spreadsheet runs."""

import csv
import io

import openpyxl
import pytest
from django.urls import reverse
from django.utils import timezone, translation

from customers.models import Address
from datamap.models import AccessLog
from portal.models import ExportLog, SavedView
from portal.spreadsheets import csv_file, harmless, xlsx_file
from staff.models import Role, User
from tests.portal.factories import make_customer
from tests.portal.test_customer_list import narrow

pytestmark = pytest.mark.django_db

EXPORT = "/customers/export/"


@pytest.fixture
def marketing(db) -> User:
    return User.objects.create_user("marketing@obhut.example", name="Marketing", roles=[Role.MARKETING])


def lines(response) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text), delimiter=";"))


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1+1",
        "-1-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "＝1+1",
        "＋1",
        "－1",
        "＠x",
        " =1",
        "\u200b=1",
        "-2+cmd|' /C calc'!A0",
        "+49 30=1",
    ],
)
def test_what_a_spreadsheet_would_run_is_neutralized(text):
    assert harmless(text) == "'" + text


@pytest.mark.parametrize(
    "text", ["-5.00", "-1.482,90", "+49 30 901820", "+4930901820", "Müller", "a=b", "", "1-2", "Anna-Lena"]
)
def test_figures_phone_numbers_and_names_stay_what_they_are(text):
    assert harmless(text) == text


def test_both_formats_hold_the_same_harmless_cells():
    rows = [["=HYPERLINK(1)", "Jürgen 😀", 3, None, 'a;b\n"c"', "\x01x"]]
    text = b"".join(csv_file(rows)).decode("utf-8-sig")
    assert next(csv.reader(io.StringIO(text, newline=""), delimiter=";"))[:3] == [
        "'=HYPERLINK(1)",
        "Jürgen 😀",
        "3",
    ]
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(xlsx_file(rows)))).active
    cells = list(sheet.iter_rows())[0]
    assert [cell.value for cell in cells] == ["'=HYPERLINK(1)", "Jürgen 😀", 3, None, 'a;b\n"c"', "x"]
    assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}


def test_the_filtered_list_goes_out_and_everything_is_noted(fresh, manager):
    client = fresh(manager)
    make_customer("1", revenue=100)
    make_customer("2", revenue="300.50", last_name="=cmd", email="b@example.org", phone="+494012345678")
    query = narrow(client, revenue_from="200").redirect_chain[-1][0].partition("?")[2]
    assert client.get(f"{EXPORT}?{query}").status_code == 200
    response = client.post(f"{EXPORT}?{query}", {"file_format": "csv", "contacts": "on"})
    assert response.status_code == 200
    table = lines(response)
    assert len(table) == 2
    assert table[1][0] == "2"
    assert "'=cmd" in table[1]
    assert "300.50" in table[1]
    assert table[1][-2:] == ["b@example.org", "+494012345678"]
    log = ExportLog.objects.get()
    assert (log.user, log.rows, log.filters, log.sealed, log.file_format) == (
        manager,
        1,
        ["revenue_from"],
        True,
        "csv",
    )
    assert log.finished_at
    noted = AccessLog.objects.filter(page="customer_export")
    assert list(noted.values_list("user_id", "customer_number")) == [(manager.pk, "2")]


@pytest.mark.parametrize(
    ("spoken", "heads", "company", "guest"),
    [
        (
            "de",
            ["Land", "Sprache", "Art", "Status", "Werbesperre", "Deaktiviert"],
            ["Österreich", "Deutsch", "Firma", "Konto", "nein", "ja"],
            ["XX", "xx-kl", "Person", "Gast", "ja", "nein"],
        ),
        (
            "en",
            ["Country", "Language", "Kind", "Status", "Advertising stop", "Deactivated"],
            ["Austria", "German", "Company", "Account", "no", "yes"],
            ["XX", "xx-kl", "Person", "Guest", "yes", "no"],
        ),
    ],
)
@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_cells_speak_the_language_of_their_headings(fresh, manager, file_format, spoken, heads, company, guest):
    now = timezone.now()
    make_customer("1", kind="company", company="Mühle KG", deactivated_at=now)
    make_customer("2", status="guest", language="xx-kl", advertising_stopped_at=now)
    for number, country in (("1", "AT"), ("2", "XX")):
        Address.objects.filter(customer__number=number).update(country=country)
    User.objects.filter(pk=manager.pk).update(language=spoken)
    SavedView.objects.create(owner=manager, columns=["number", "country", "language", "marks"])
    response = fresh(User.objects.get(pk=manager.pk)).post(EXPORT, {"file_format": file_format})
    with translation.override("en" if spoken == "de" else "de"):  # as a server that has gone on to somebody else
        data = b"".join(response.streaming_content)
    table = rows_of(data, file_format)
    assert [row[4:] for row in table] == [heads, company, guest]


def rows_of(data: bytes, file_format: str) -> list[list[str]]:
    """The table in a file."""
    if file_format == "csv":
        return list(csv.reader(io.StringIO(data.decode("utf-8-sig")), delimiter=";"))
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    return [[str(value or "") for value in row] for row in sheet.values]


def test_more_rows_than_one_piece_come_out_once(fresh, manager, monkeypatch):
    for number in range(7):
        make_customer(f"{number:03}")
    monkeypatch.setattr("portal.exporting.PIECE", 3)
    table = lines(fresh(manager).post(EXPORT, {"file_format": "csv"}))
    assert [row[0] for row in table[1:]] == [f"{number:03}" for number in range(7)]


def test_contact_data_need_a_permission_of_their_own(fresh, marketing):
    make_customer("1", email="a@example.org")
    text = b"".join(fresh(marketing).post(EXPORT, {"file_format": "csv", "contacts": "on"}).streaming_content)
    assert b"a@example.org" not in text
    assert ExportLog.objects.get().sealed is False


def test_a_role_takes_out_no_more_than_its_cap(fresh, marketing, manager, settings):
    settings.EXPORT_CAP = 2
    for number in range(3):
        make_customer(str(number))
    response = fresh(marketing).post(EXPORT, {"file_format": "csv"})
    assert response.status_code == 422
    assert not ExportLog.objects.exists()
    assert len(lines(fresh(manager).post(EXPORT, {"file_format": "csv"}))) == 4


def test_the_permission_and_a_fresh_sign_in_are_needed(agent_client, outsider_client, signed_in, manager, client):
    make_customer("1")
    assert agent_client.post(EXPORT, {"file_format": "csv"}).status_code == 403
    assert outsider_client.get(EXPORT).status_code == 403
    assert client.get(EXPORT).status_code == 302
    manager.set_password("correct horse battery staple")
    manager.save()
    stale = signed_in(manager).post(EXPORT, {"file_format": "csv"})
    assert stale.status_code == 302
    assert "reauthenticate" in stale.url
    assert not ExportLog.objects.exists()


def test_an_ended_search_or_unknown_format_exports_nothing(fresh, manager):
    make_customer("1")
    client = fresh(manager)
    assert client.post(f"{EXPORT}?s=forged", {"file_format": "csv"}).status_code == 422
    assert client.post(EXPORT, {"file_format": "exe"}).status_code == 422
    assert not ExportLog.objects.exists()


def test_restricted_customers_stay_in_the_house_also_for_who_may_see_them(fresh, manager, privacy):
    make_customer("1", restricted_at=timezone.now())
    make_customer("2")
    for user in (manager, privacy):  # Art. 18(2) GDPR: stored, and nothing else
        page = fresh(user).get(EXPORT)
        assert page.context["found"] == "1 Kunde"
        table = lines(fresh(user).post(EXPORT, {"file_format": "csv"}))
        assert [row[0] for row in table[1:]] == ["2"]


def test_reverse_names_are_those_of_the_page():
    assert reverse("portal:customer_export") == EXPORT
