"""Reads the first sheet of an XLSX file, after the archive itself has been looked at for bombs."""

from __future__ import annotations

import zipfile
from collections.abc import Generator, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from django.utils.translation import gettext as _
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from intake.tables import (
    MAX_COLUMNS,
    MAX_RECORD,
    Broken,
    NumberText,
    Opener,
    Record,
    Table,
    UnreadableFile,
    checked_header,
    fitted,
)

MAX_ENTRIES = 1000
MAX_UNPACKED = 256 << 20
MAX_RATIO = 150
# Shared strings are held in memory while a sheet is read.
MAX_SHARED_STRINGS = 24 << 20
MAX_ROWS = 1 << 20  # rows of a sheet in the format itself

_ODD = (
    KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, EOFError, NotImplementedError, RuntimeError,
    ParseError, DefusedXmlException, InvalidFileException, zipfile.BadZipFile,
)  # fmt: skip


def open_spreadsheet(opener: Opener) -> Table:
    """The table in an XLSX file. Raises UnreadableFile for any other archive and for anything out of proportion."""
    with opener() as file:
        _check_archive(file)
    rows = _rows(opener)
    try:
        line, cells = next(((line, cells) for line, cells in rows if isinstance(cells, Broken) or any(cells)), (1, []))
        if isinstance(cells, Broken):
            raise UnreadableFile(cells.message, line)
    finally:
        rows.close()
    header = checked_header([str(cell) for cell in cells], line)

    def records() -> Iterator[Record]:
        for number, found in _rows(opener):
            if number <= line:
                continue
            if isinstance(found, Broken):
                yield number, found
                continue
            # A sheet keeps no cells after the last one filled: a short row is no cut-off row here.
            found += [""] * (len(header) - len(found))
            if (fit := fitted(found, len(header))) is not None:
                yield number, fit

    return Table(header, "xlsx", records)


def _check_archive(file: BinaryIO) -> None:
    """Limits on what would be unpacked, before anything is (ASVS 5.2.3)."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise UnreadableFile(_("The file looks like a spreadsheet but cannot be opened: it is damaged.")) from None
    names = {entry.filename for entry in entries}
    if not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
        raise UnreadableFile(_("This archive is no XLSX file. Please bring CSV or XLSX."))
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    strings = sum(entry.file_size for entry in entries if entry.filename.lower().endswith("sharedstrings.xml"))
    if (
        len(entries) > MAX_ENTRIES
        or unpacked > MAX_UNPACKED
        or unpacked / packed > MAX_RATIO
        or strings > MAX_SHARED_STRINGS
    ):
        raise UnreadableFile(
            _("This XLSX file unpacks to far more than its size. Please save it as CSV and bring that.")
        )
    if any(entry.flag_bits & 1 for entry in entries):
        raise UnreadableFile(_("This XLSX file is protected with a password."))


def _rows(opener: Opener) -> Generator[tuple[int, list[str] | Broken]]:
    with opener() as file:
        number = 0
        try:
            workbook = load_workbook(file, read_only=True, keep_links=False)
            sheet = workbook.worksheets[0]
            sheet.reset_dimensions()  # what the file says about its size is not to be believed
            for number, row in enumerate(sheet.iter_rows(), start=1):
                if number > MAX_ROWS:
                    yield number, Broken(_("The sheet has more rows than an XLSX file may have."))
                    return
                yield number, _cells(row)
        except _ODD:
            # What was read stands; nothing after this line can be.
            yield number + 1, Broken(_("The spreadsheet is damaged from this line on."))


def _cells(row: tuple[Any, ...]) -> list[str] | Broken:
    if len(row) > MAX_COLUMNS and any(cell.value is not None for cell in row[MAX_COLUMNS:]):
        return Broken(_("The row has more than %(count)d columns.") % {"count": MAX_COLUMNS})
    cells: list[str] = []
    size = 0
    for cell in row[:MAX_COLUMNS]:
        kind = cell.data_type
        if kind == "f":
            return Broken(
                _("Cell %(cell)s holds a formula. Formulas are not calculated; please save the values.")
                % {"cell": cell.coordinate}
            )
        if kind == "e":
            return Broken(_("Cell %(cell)s holds an error value.") % {"cell": cell.coordinate})
        text = _text(cell.value)
        size += len(text)
        cells.append(text)
    if size > MAX_RECORD:
        return Broken(_("The row is longer than %(count)d characters.") % {"count": MAX_RECORD})
    return cells


def _figures(value: float) -> str:
    """The number as a sheet shows it: 15 figures, without the noise of its binary form (0.30000000000000004)."""
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    shown = Decimal(f"{value:.15g}")
    return f"{shown:f}" if shown.is_finite() else str(shown)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return NumberText(value)
    if isinstance(value, float):
        return NumberText(_figures(value))
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value)
