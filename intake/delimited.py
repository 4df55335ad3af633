"""Reads delimited text record by record: quoting after RFC 4180, physical lines, bounded memory."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from typing import TextIO

from django.utils.translation import gettext as _

from intake.encodings import Encoding, encoding_of
from intake.tables import MAX_RECORD, Broken, Opener, Record, Table, UnreadableFile, checked_header, fitted

DELIMITERS = ",;\t|"
BLANKS = "blanks"

# The csv module's own limit is for the whole process; ours is checked while the lines come in.
csv.field_size_limit(MAX_RECORD + 1)

_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?$", re.IGNORECASE)
_STRANGERS = re.compile("[\ud800-\udfff\ufffd]")


class _TooLong(Exception):
    """A record exceeds MAX_RECORD."""


class _Feed:
    """Hands physical lines to csv.reader, counts them, and takes them back when a record turns out broken."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._back: deque[str | None] = deque()
        self.taken: list[str | None] = []
        self.size = 0
        self.number = 0

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else self._text.readline(MAX_RECORD)
        if line == "":
            raise StopIteration
        if line is not None and len(line) == MAX_RECORD and line[-1] not in "\r\n":
            self._skip_rest()
            line = None
        self.number += 1
        self.taken.append(line)
        if line is None:
            raise _TooLong
        self.size += len(line)
        if self.size > MAX_RECORD:
            raise _TooLong
        return line

    def _skip_rest(self) -> None:
        while (rest := self._text.readline(MAX_RECORD)) and rest[-1] not in "\r\n":
            pass

    @property
    def start(self) -> int:
        """The line on which the present record begins."""
        return self.number - len(self.taken) + 1

    def begin(self) -> None:
        """Forget the lines of the record before."""
        self.taken.clear()
        self.size = 0

    def rewind(self) -> None:
        """Give the present record's lines back but for its first: the next record may begin on the second."""
        again = self.taken[1:]
        self._back.extendleft(reversed(again))
        self.number -= len(again)


def open_delimited(opener: Opener) -> Table:
    """The table in a text file. Raises UnreadableFile where there is no header to go by."""
    encoding = encoding_of(opener)
    with _text(opener, encoding) as text:
        feed = _Feed(text)
        header, delimiter, line = _header(feed)

    def records() -> Iterator[Record]:
        with _text(opener, encoding) as text:
            yield from _records(text, encoding, delimiter, len(header), line)

    form = BLANKS if delimiter == BLANKS else "csv"
    return Table(header, form, records, encoding.name, delimiter)


def _text(opener: Opener, encoding: Encoding) -> io.TextIOWrapper:
    # Lines end at \n; a lone \r does only in a file without any \n (old Mac).
    with io.TextIOWrapper(opener(), encoding.name, errors=encoding.errors, newline="") as probe:
        newline = "\n" if "\n" in probe.read(MAX_RECORD) else ""
    return io.TextIOWrapper(opener(), encoding.name, errors=encoding.errors, newline=newline)


def _header(feed: _Feed) -> tuple[list[str], str, int]:
    """Column names, delimiter and the last line of the header."""
    delimiter = ""
    while True:
        feed.begin()
        try:
            line = next(feed)
        except StopIteration:
            raise UnreadableFile(_("The file holds no column names."), max(feed.number, 1)) from None
        except _TooLong:
            raise UnreadableFile(_too_long(), feed.start) from None
        if separator := _SEPARATOR_LINE.match(line):
            delimiter = separator[1]
        elif line.strip("\ufeff \t\r\n;,|"):
            break
    feed.rewind()
    delimiter = delimiter or _delimiter(line)
    if delimiter == BLANKS:
        return checked_header(line.split(), feed.start), delimiter, feed.number
    first = [line]
    feed.begin()
    try:
        cells = next(csv.reader(_Chain(first, feed), delimiter=delimiter, strict=True))
    except (csv.Error, _TooLong):
        raise UnreadableFile(
            _("The column names in the first line cannot be read: a quotation mark is not closed."),
            feed.number,
        ) from None
    return checked_header(cells, feed.number), delimiter, feed.number


class _Chain:
    """The line already read, then the lines that follow it."""

    def __init__(self, first: list[str], rest: _Feed) -> None:
        self._first = first
        self._rest = rest

    def __iter__(self) -> _Chain:
        return self

    def __next__(self) -> str:
        return self._first.pop() if self._first else next(self._rest)


def _delimiter(line: str) -> str:
    """The delimiter that gives the header most columns."""
    counts = {}
    for delimiter in DELIMITERS:
        try:
            counts[delimiter] = len(next(csv.reader([line], delimiter=delimiter)))
        except csv.Error:
            counts[delimiter] = 0
    best = max(DELIMITERS, key=counts.__getitem__)
    if counts[best] > 1:
        return best
    # Columns set apart by blanks: only names without any blank can be told apart.
    names = line.split()
    return BLANKS if len(names) > 2 and all(re.fullmatch(r"[a-z0-9_]+", name) for name in names) else ","


def _records(text: TextIO, encoding: Encoding, delimiter: str, width: int, header_line: int) -> Iterator[Record]:
    feed = _Feed(text)
    for _number in range(header_line):
        feed.begin()
        next(feed)
    read = _blank_cells(feed) if delimiter == BLANKS else csv.reader(feed, delimiter=delimiter, strict=True)
    check = encoding.damaged or encoding.has_nul
    while True:
        feed.begin()
        try:
            cells = next(read)
        except StopIteration:
            return
        except (csv.Error, _TooLong) as error:
            yield feed.start, Broken(_reason(error, feed))
            feed.rewind()
            if delimiter == BLANKS:
                read = _blank_cells(feed)
            continue
        if check and (message := _strange(feed.taken)):
            yield feed.start, Broken(message)
        elif (fit := fitted(cells, width)) is not None:
            yield feed.start, fit


def _blank_cells(feed: _Feed) -> Iterator[list[str]]:
    for line in feed:
        yield line.split()


def _reason(error: Exception, feed: _Feed) -> str:
    if isinstance(error, _TooLong):
        return _too_long()
    if "unexpected end of data" in str(error):
        return _("The file ends inside this row: a quotation mark is not closed.")
    if len(feed.taken) > 1:
        return _("A quotation mark in this row is not closed.")
    return _("The row cannot be read: a quotation mark or line break stands where none may.")


def _too_long() -> str:
    return _("The row is longer than %(count)d characters.") % {"count": MAX_RECORD}


def _strange(lines: list[str | None]) -> str:
    for line in lines:
        if line is not None and "\0" in line:
            return _("The row holds null characters.")
        if line is not None and not line.isascii() and _STRANGERS.search(line):
            return _("The row holds bytes that do not fit the encoding of the file.")
    return ""
