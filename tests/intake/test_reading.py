"""What a file may look like, and what is said when it cannot be read: the line is named, good rows are unharmed."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from intake.reading import open_path, open_table
from intake.tables import MAX_RECORD, Broken, NumberText, Table, UnreadableFile


def table(data: bytes) -> Table:
    return open_table(lambda: io.BytesIO(data))


def good(data: bytes) -> list[tuple[int, list[str]]]:
    return [(line, cells) for line, cells in table(data).records() if isinstance(cells, list)]


def broken(data: bytes) -> list[int]:
    return [line for line, cells in table(data).records() if isinstance(cells, Broken)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_umlauts_arrive_in_every_encoding(encoding: str) -> None:
    text = "Vorname;Nachname;Ort\r\nJürgen;Müller;Köln\r\nZoë;Groß;Münster\r\n"
    assert good(text.encode(encoding)) == [(2, ["Jürgen", "Müller", "Köln"]), (3, ["Zoë", "Groß", "Münster"])]


def test_utf16_big_endian_with_a_mark_is_read() -> None:
    assert good(b"\xfe\xff" + "a\tb\nä\tö\n".encode("utf-16-be")) == [(2, ["ä", "ö"])]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(delimiter: str) -> None:
    text = f"a{delimiter}b\n1{delimiter}2\n"
    assert good(text.encode()) == [(2, ["1", "2"])]


def test_a_separator_line_of_excel_is_no_header() -> None:
    assert good(b"sep=;\r\na;b\r\n1;2\r\n") == [(3, ["1", "2"])]


def test_the_line_is_the_physical_one_on_which_the_record_begins() -> None:
    assert good(b'a,b\n1,"two\nlines"\n\n3,4\n') == [(2, ["1", "two\nlines"]), (5, ["3", "4"])]


def test_old_mac_line_ends_are_read() -> None:
    assert good(b"a,b\r1,2\r3,4\r") == [(2, ["1", "2"]), (3, ["3", "4"])]


def test_an_unclosed_quotation_mark_spoils_its_row_alone() -> None:
    data = b'a,b\n1,2\n"3,4\n5,6\n7,8\n'
    assert broken(data) == [3]
    assert [cells for _, cells in good(data)] == [["1", "2"], ["5", "6"], ["7", "8"]]


def test_an_unclosed_quotation_mark_before_a_quoted_row_spoils_its_row_alone() -> None:
    data = b'a,b\n1,"2\n"3","4"\n5,6\n'
    assert broken(data) == [2]
    assert [cells for _, cells in good(data)] == [["3", "4"], ["5", "6"]]


def test_a_file_cut_off_mid_row_names_the_last_line() -> None:
    assert broken(b"a,b,c\n1,2,3\n4,5") == [3]
    assert broken(b'a,b,c\n1,2,3\n4,5,"six') == [3]
    assert good(b"a,b,c\n1,2,3\n4,5") == [(2, ["1", "2", "3"])]


def test_a_row_with_too_many_cells_is_refused_but_trailing_separators_are_not() -> None:
    assert broken(b"a,b\n1,2,3\n4,5,,\n") == [2]
    assert good(b"a,b\n1,2,3\n4,5,,\n") == [(3, ["4", "5"])]


def test_null_characters_spoil_their_row_alone() -> None:
    data = b"a,b\n1,\x00\n2,3\n"
    assert (broken(data), good(data)) == ([2], [(3, ["2", "3"])])


def test_a_wrong_byte_in_utf8_names_its_line() -> None:
    data = "a,b\nMüller,Köln\nx,".encode() + b"\xfc\n" + "Groß,Zürich\n".encode()
    assert broken(data) == [3]
    assert len(good(data)) == 2


def test_a_byte_that_cp1252_does_not_know_names_its_line() -> None:
    assert broken("a,b\nMüller,Köln\n".encode("cp1252") + b"x,\x81\n") == [3]


def test_one_endless_line_is_refused_and_the_others_are_read() -> None:
    data = b"a,b\n1,2\n" + b"x" * (5 * MAX_RECORD) + b",y\n3,4\n"
    assert (broken(data), good(data)) == ([3], [(2, ["1", "2"]), (4, ["3", "4"])])


def test_a_file_that_is_one_endless_line_is_refused() -> None:
    with pytest.raises(UnreadableFile):
        table(b"x" * (3 * MAX_RECORD))


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b",,,\n", b"a,b,A\n1,2,3\n", b"%PDF-1.7 abc"])
def test_a_file_without_clear_column_names_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableFile) as refused:
        list(table(data).records())
    assert refused.value.message


@pytest.mark.parametrize(
    ("one", "other"), [("First Name", "first_name"), ("E-Mail", "e-mail"), ("Zip  Code", "ZIP_CODE"), ("a", "_A ")]
)
def test_columns_that_are_compared_alike_are_refused_and_named(one: str, other: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        table(f"id,{one},{other}\n1,Anna,Berta\n".encode())
    assert refused.value.line == 1
    # Whichever was read, the other would be lost without a word.
    assert other.strip() in refused.value.message
    assert good(b"First Name,FirstName,first-name\n1,2,3\n") == [(2, ["1", "2", "3"])]


def test_a_header_alone_is_a_table_without_rows() -> None:
    assert good(b"a,b\n") == []


def test_the_transaction_file_with_blanks_is_read(shared_data: Path) -> None:
    found = open_path(shared_data / "sets" / "CDNOW_master.txt")
    assert found.header == ["customer_id", "date", "number_of_cds", "dollar_value"]
    records = list(found.records())
    assert len(records) == 69_659
    assert records[0] == (2, ["00001", "19970101", "1", "11.77"])


def test_random_bytes_never_raise_anything_else() -> None:
    source = random.Random(7)
    for size in range(1, 400, 3):
        data = bytes(source.choice(b'abc,;"\r\n\t|\x00\xe4\xc3\xff') for _ in range(size))
        try:
            list(table(data).records())
        except UnreadableFile as refused:
            assert refused.message


# --- XLSX ---------------------------------------------------------------------------------------------------------


def workbook(*rows: list[object]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_sheet_is_read_with_its_row_numbers() -> None:
    data = workbook(["Name", "PLZ", "Umsatz"], ["Müller", 1067, 12.5], [], ["Groß", "01067", 3])
    assert good(data) == [(2, ["Müller", "1067", "12.5"]), (4, ["Groß", "01067", "3"])]
    assert isinstance(good(data)[0][1][1], NumberText)


def test_numbers_of_a_sheet_are_read_as_it_shows_them() -> None:
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1" t="inlineStr"><is><t>Preis</t></is></c></row>'
        b'<row r="2"><c r="A2"><v>0.30000000000000004</v></c></row>'
        b'<row r="3"><c r="A3"><v>19.989999999999998</v></c></row>'
        b'<row r="4"><c r="A4"><v>3.3333333333333335</v></c></row>'
        b'<row r="5"><c r="A5"><v>1.0000000000000001E-5</v></c></row>'
        b'<row r="6"><c r="A6"><v>1234567890123456</v></c></row></sheetData></worksheet>'
    )
    book = zipfile.ZipFile(io.BytesIO(workbook(["Preis"])))
    names = {name: book.read(name) for name in book.namelist()} | {"xl/worksheets/sheet1.xml": sheet}
    read = [cells[0] for _line, cells in good(zipped(names))]
    assert read == ["0.3", "19.99", "3.33333333333333", "0.00001", "1234567890123456"]


def test_a_formula_is_refused_with_its_row_and_text_that_looks_like_one_is_kept() -> None:
    data = workbook(["a", "b"], ["=1+1", "x"], ["y", "z"])
    assert (broken(data), good(data)) == ([2], [(3, ["y", "z"])])
    book = Workbook()
    book.active.append(["a", "b"])
    book.active.append(["x", "y"])
    book.active["A2"].value = "=cmd|calc"
    book.active["A2"].data_type = "s"
    out = io.BytesIO()
    book.save(out)
    assert good(out.getvalue()) == [(2, ["=cmd|calc", "y"])]


def zipped(names: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in names.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_another_archive_posing_as_a_spreadsheet_is_refused() -> None:
    with pytest.raises(UnreadableFile):
        table(zipped({"letter.txt": b"hello"}))


def test_a_zip_bomb_posing_as_a_spreadsheet_is_refused_before_it_is_unpacked() -> None:
    names = {
        "[Content_Types].xml": b"<x/>",
        "xl/workbook.xml": b"<x/>",
        "xl/worksheets/sheet1.xml": bytes(60 << 20),
    }
    with pytest.raises(UnreadableFile):
        table(zipped(names))


def test_an_archive_with_thousands_of_entries_is_refused() -> None:
    names = {"[Content_Types].xml": b"", "xl/workbook.xml": b""} | {f"xl/{n}.xml": b"" for n in range(1500)}
    with pytest.raises(UnreadableFile):
        table(zipped(names))


def test_entities_in_a_spreadsheet_are_not_expanded() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><workbook>&b;</workbook>'
    with pytest.raises(UnreadableFile):
        table(zipped({"[Content_Types].xml": bomb, "xl/workbook.xml": bomb}))


def test_a_damaged_spreadsheet_is_refused() -> None:
    data = workbook(["a", "b"], ["1", "2"])
    with pytest.raises(UnreadableFile):
        table(data[: len(data) // 2])


def test_an_old_excel_file_is_refused_with_its_kind() -> None:
    with pytest.raises(UnreadableFile) as refused:
        table(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert "XLS" in refused.value.message


@pytest.mark.parametrize(
    "first",
    [
        "K1,Jürgen,juergen@example.com",
        "Jürgen <juergen@example.com>,x",
        "K1,Müller,+49 (30) 90182-0",
        "Müller,030/1234567,Köln",
        "Müller,Weg 1,50667",
        "Müller,2026-11-21 10:00:00,x",
        "Müller,1.2.1980,x",
        "Müller,3/14/80,x",
        "Müller,14. März 1980,x",
        '"March 14, 1980",Müller,x',
        "1,2,Müller",
        "00001 19970101 1 11.77",
    ],
)
def test_a_first_line_that_is_somebodys_record_is_no_header(first: str) -> None:
    for text, line in ((f"{first}\n{first}\n", 1), (f"\n{first}\n", 2)):
        with pytest.raises(UnreadableFile) as refused:
            table(text.encode())
        assert refused.value.line == line
        assert not set(first.split(",")) & set(refused.value.message.split(","))


@pytest.mark.parametrize(
    "first",
    [
        "Kundennummer,E-Mail,Anschrift 2,Umsatz 2024,2023,Ort",
        "customer_id,date,number_of_cds,dollar_value",
        "Tel. 1,Tel. 2,Tel. (privat),Geb. am,@Twitter,1. Bestellung",
        "Bestellnummer,Bestellstatus,Bestelldatum,Kundenhinweis,Vorname (Rechnung),Adresse 1&2 (Rechnung)",
    ],
)
def test_names_with_figures_are_names(first: str) -> None:
    assert table(f"{first}\n".encode()).header == first.split(",")
