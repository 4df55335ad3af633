"""Opens any file that is brought, safely: tells text from spreadsheet by content, never by name."""

from __future__ import annotations

from pathlib import Path

from django.utils.translation import gettext as _

from intake.delimited import open_delimited
from intake.spreadsheet import open_spreadsheet
from intake.tables import Opener, Table, UnreadableFile

# First bytes of what people bring by mistake.
_OTHERS = (
    (b"\xd0\xcf\x11\xe0", "XLS"),
    (b"%PDF", "PDF"),
    (b"\x1f\x8b", "GZIP"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7Z"),
    (b"{\\rtf", "RTF"),
)


def open_table(opener: Opener) -> Table:
    """The table in a CSV, TSV, blank-separated or XLSX file.

    Raises UnreadableFile with a sentence for the person who brought it; broken records are told one by one by
    the table itself. Memory stays bounded whatever the size of the file, a line or an archive.
    """
    with opener() as file:
        start = file.read(8)
    if start.startswith(b"PK"):
        return open_spreadsheet(opener)
    for mark, name in _OTHERS:
        if start.startswith(mark):
            raise UnreadableFile(_("This is a %(kind)s file. Please bring CSV or XLSX.") % {"kind": name})
    return open_delimited(opener)


def open_path(path: Path) -> Table:
    """The table in a file on disk."""
    return open_table(lambda: path.open("rb"))
