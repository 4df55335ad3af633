"""What every readable file becomes: a header and a stream of records with the physical line each begins on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from intake.profiles.declaring import folded

Opener = Callable[[], Any]
"""Opens the same file from its start, as often as asked."""

MAX_RECORD = 1 << 20
"""Characters one record may have; a longer one is refused so that memory stays bounded."""

MAX_COLUMNS = 1000


# What stands in records and never in names: an e-mail, a long number (phone, postcode, id), a date.
_EMAIL = re.compile(r"[^\s@]@[^\s@]+\.\w")
_DATA = re.compile(
    r"""
    [+(]?(?:[\s()/.\-]*\d){5,}[\s()/.\-]*
    | \d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T\s]+\d.*)?
    | \d{1,2}[-/.]\s?\d{1,2}[-/.]\s?\d{2,4}(?:[T\s,]+\d.*)?
    | \d{1,2}\.?\s[^\W\d_]{3,}\.?\s\d{2,4}
    | [^\W\d_]{3,}\.?\s\d{1,2},?\s\d{4}
    """,
    re.VERBOSE,
)
_FIGURES = re.compile(r"[+\-]?\d[\d.,\s]*")


class UnreadableFile(Exception):
    """The whole file cannot be read; the text is for the person who brought it, `line` where it went wrong."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass(slots=True, frozen=True)
class Broken:
    """A record that cannot be read; the records around it can."""

    message: str
    field: str = ""


class NumberText(str):
    """The text of a cell that a spreadsheet kept as a number: leading zeros are gone."""

    __slots__ = ()


Record = tuple[int, "list[str] | Broken"]


@dataclass(frozen=True)
class Table:
    """A readable file: the header as written, and its records, which can be walked more than once."""

    header: list[str]
    form: str  # csv | xlsx | blanks
    records: Callable[[], Iterator[Record]]
    encoding: str = ""
    delimiter: str = ""


def checked_header(cells: list[str], line: int) -> list[str]:
    """The header without blanks around its names.

    Raises UnreadableFile when it cannot tell columns apart, or is no header but somebody's record: a header is kept
    in clear and shown, a record must not be.
    """
    names = [cell.strip().lstrip("\ufeff") for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise UnreadableFile(_("The first line holds no column names."), line)
    if len(names) > MAX_COLUMNS:
        raise UnreadableFile(_("The file has more than %(count)d columns.") % {"count": MAX_COLUMNS}, line)
    if any("\0" in name for name in names):
        raise UnreadableFile(_("The first line holds null characters; this is no text file."), line)
    if _is_record(names):
        raise UnreadableFile(_("The first line holds data, not column names."), line)
    _refuse_alike(names, line)
    return names


def _refuse_alike(names: list[str], line: int) -> None:
    """Columns are found by their folded names: of two that fold alike one would silently never be read."""
    seen: dict[str, str] = {}
    for name in filter(None, names):
        earlier = seen.get(folded(name), "")
        if earlier and earlier.casefold() == name.casefold():
            message = _("The column “%(name)s” stands in the first line twice; it must be clear which one counts.")
            raise UnreadableFile(message % {"name": name[:60]}, line)
        if earlier:
            message = _(
                "The columns “%(one)s” and “%(other)s” differ only by blanks, underscores or capitals; "
                "it must be clear which one counts."
            )
            raise UnreadableFile(message % {"one": earlier[:60], "other": name[:60]}, line)
        seen[folded(name)] = name


def _is_record(names: list[str]) -> bool:
    """Whether the first line looks like a record: one cell is an e-mail, phone or date, or most are figures."""
    filled = [name for name in names if name]
    figures = sum(bool(_FIGURES.fullmatch(name)) for name in filled)
    return figures * 2 > len(filled) or any(_EMAIL.search(name) or _DATA.fullmatch(name) for name in filled)


def fitted(cells: list[str], width: int) -> list[str] | Broken | None:
    """The cells of one record brought to the header's width; None for an empty row."""
    count = len(cells)
    if count == width:
        return cells if any(cells) else None
    if not any(cell.strip() for cell in cells):
        return None
    if count < width:
        return Broken(
            _("The row ends after %(count)d of %(width)d columns: it is cut off or a separator is missing.")
            % {"count": count, "width": width}
        )
    if any(cell.strip() for cell in cells[width:]):
        return Broken(
            _("The row has %(count)d columns, the first line only %(width)d: a separator too many.")
            % {"count": count, "width": width}
        )
    return cells[:width]
