"""Writes a ZIP as it is read: fixed order, fixed times, a hash of every file, nothing in clear on the disk."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from isal import isal_zlib

from customers.cells import harmless

PIECE = 64 * 1024
IN_MEMORY = 512 * 1024
LEVEL = 2
ALL_NONE = {type(None)}
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME
# No day of making: two copies of one state are alike.
STAMP = (1980, 1, 1, 0, 0, 0)


@dataclass
class Entry:
    """One file of the package, for the manifest."""

    path: str
    media_type: str
    sha256: str = ""
    bytes: int = 0
    rows: int | None = None
    schema: str = ""
    basis: list[str] = field(default_factory=list)
    source: list[str] = field(default_factory=list)


class _Outlet(io.RawIOBase):
    """What the ZIP writer writes into; whatever lies in it is handed on and forgotten."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def take(self, least: int) -> bytes:
        """Everything in it once it is so many bytes, else nothing."""
        if len(self._held) < least:
            return b""
        data, self._held = bytes(self._held), bytearray()
        return data


class _Hashed:
    """One open file of the archive, hashed and counted as it grows."""

    def __init__(self, file: Any, entry: Entry) -> None:
        self._file, self._entry = file, entry
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._entry.bytes += len(data)
        self._file.write(data)
        self._hash.update(data)

    def finish(self) -> None:
        self._entry.sha256 = self._hash.hexdigest()


class Archive:
    """A ZIP under way; `drain` hands on what is finished, so that memory stays small."""

    def __init__(self) -> None:
        self._outlet = _Outlet()
        self._zip = zipfile.ZipFile(self._outlet, "w", zipfile.ZIP_DEFLATED)
        self.entries: list[Entry] = []

    @contextmanager
    def file(self, path: str, media_type: str, **kw: Any) -> Iterator[tuple[_Hashed, Entry]]:
        """Open the next file; one at a time."""
        entry = Entry(path, media_type, **kw)
        with self._zip.open(_info(path), "w", force_zip64=True) as file:
            # ISA-L packs ten times as fast as zlib what becomes hardly larger; zipfile lets nobody choose.
            file._compressor = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)  # type: ignore[attr-defined]
            hashed = _Hashed(file, entry)
            try:
                yield hashed, entry
            finally:
                hashed.finish()
        self.entries.append(entry)

    def add(self, path: str, media_type: str, content: bytes, **kw: Any) -> None:
        """A whole small file."""
        with self.file(path, media_type, **kw) as (file, _entry):
            file.write(content)

    def drain(self, least: int = PIECE) -> Iterator[bytes]:
        """What has been written so far, once it is worth handing on."""
        if data := self._outlet.take(least):
            yield data

    def abandon(self) -> None:
        """Let go of what was begun and will not be finished."""
        with suppress(ValueError):
            self._zip.close()

    def close(self) -> Iterator[bytes]:
        """The directory at the end of the ZIP."""
        self._zip.close()
        yield from self.drain(1)


def _info(path: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, STAMP)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    info.create_system = 3
    return info


class Spool:
    """Text that has to wait until another file is finished: what does not fit in memory lies enciphered on the disk.

    The key is made here and forgotten with the process.
    """

    def __init__(self) -> None:
        cipher = Cipher(algorithms.AES(os.urandom(32)), modes.CTR(os.urandom(16)))
        self._into, self._out = cipher.encryptor(), cipher.decryptor()
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # closed by read() or close()
        self._held = bytearray()

    def write(self, data: bytes) -> None:
        """Add to the end."""
        self._held += data
        if len(self._held) >= PIECE:
            self._put()

    def _put(self) -> None:
        self._file.write(self._into.update(self._held))
        self._held = bytearray()

    def read(self) -> Iterator[bytes]:
        """Everything from the start, once."""
        self._put()
        self._file.seek(0)
        while data := self._file.read(PIECE):
            yield self._out.update(data)
        self._file.close()

    def close(self) -> None:
        """Forget it."""
        self._file.close()


class Columns(dict[str, Sequence[Any]]):
    """Rows by column: of each name the values of all rows; "id" is always among them. Filled before it is asked."""

    def __init__(self, columns: Mapping[str, Sequence[Any]]) -> None:
        super().__init__(columns)
        self._kinds: dict[str, set[type]] = {}

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self["id"])

    def kinds(self, name: str) -> set[type]:
        """The types that occur in a column, none where there is no such: asked once of all rows, not of each value."""
        if name not in self._kinds:
            self._kinds[name] = kinds_of(self.get(name, ()))
        return self._kinds[name]


def kinds_of(values: Iterable[Any]) -> set[type]:
    """The types that occur."""
    return set(map(type, values))


def each(make: Callable[[Any], Any], values: Sequence[Any]) -> list[Any]:
    """What is made of each value, once of one that stands in many rows."""
    found = dict(zip(map(id, values), values, strict=True))
    made = {mark: make(value) for mark, value in found.items()}
    return list(map(made.__getitem__, map(id, values)))


class Table:
    """A CSV file (RFC 4180) in a spool: UTF-8, commas, cells that no spreadsheet runs."""

    def __init__(self, names: Iterable[str], free: Iterable[str], zone: ZoneInfo) -> None:
        """`free` are the columns that may hold anything; figures, days and keys need no second look."""
        self.names = list(names)
        self.rows = 0
        self._free = set(free)
        self._zone = zone
        self._spool = Spool()
        self._write(",".join(self.names) + "\r\n")

    def add(self, columns: Columns) -> None:
        """Write rows; columns that they do not have stay empty."""
        self.rows += columns.size
        told = [self._cells(columns, name) for name in self.names]
        self._write("\r\n".join(map(",".join, zip(*told, strict=True))) + "\r\n")

    def _cells(self, columns: Columns, name: str) -> Sequence[str]:
        kinds = columns.kinds(name)
        if kinds <= ALL_NONE:
            return [""] * columns.size
        return cells(columns[name], kinds, name in self._free, self._zone)

    def _write(self, text: str) -> None:
        self._spool.write(text.encode(errors="replace"))

    def read(self) -> Iterator[bytes]:
        """The file."""
        return self._spool.read()

    def close(self) -> None:
        """Forget it."""
        self._spool.close()


class Stream(io.RawIOBase):
    """Pieces as a file that a storage reads from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = bytearray()

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Only to the start, and only before the first byte was read."""
        return 0

    def read(self, size: int | None = -1) -> bytes:
        """As many bytes as asked for, fewer only at the end."""
        while size is None or size < 0 or len(self._held) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._held += piece
        size = len(self._held) if size is None or size < 0 else size
        data = bytes(self._held[:size])
        del self._held[:size]
        return data


def cells(values: Sequence[Any], kinds: set[type], is_free: bool, zone: ZoneInfo) -> Sequence[str]:
    """A column as its cells stand between commas (RFC 4180, 2.5 to 2.7). In a `free` one anything may stand, commas and
    formulas, too; it is looked at as a whole, as in most of them nothing has to be quoted or made harmless."""
    if kinds <= {str, type(None)}:
        texts = values if kinds == {str} else [value or "" for value in values]
        if not is_free:
            return texts
        # What begins with a letter or a figure is no formula.
        if (firsts := "".join({text[:1] for text in set(texts)})) and not firsts.isalnum():
            texts = [harmless(text) for text in texts]
    elif kinds == {int}:
        return list(map(str, values))
    else:
        texts = each(partial(cell, zone=zone), values)
    together = "".join(set(texts))
    if "," not in together and '"' not in together and "\n" not in together and "\r" not in together:
        return texts
    return [
        '"' + text.replace('"', '""') + '"' if "," in text or '"' in text or "\n" in text or "\r" in text else text
        for text in texts
    ]


def cell(value: Any, zone: ZoneInfo) -> str:
    """A value as a cell of a table."""
    if value is None:
        return ""
    if type(value) is str:
        return harmless(value)
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(timespec="seconds")
    if isinstance(value, dict | list):
        return as_json(value, zone).decode()
    return str(value)


def as_json(value: Any, zone: ZoneInfo) -> bytes:
    """A value as JSON in UTF-8: money and other decimals as text, instants with their offset."""
    return Encoder(zone).one(value)


class Encoder:
    """Turns values into the JSON of a package."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def one(self, value: Any) -> bytes:
        """A value."""
        try:
            return self._fast(value)
        except orjson.JSONEncodeError:  # halves of characters, figures of more than 64 bits
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=self._other)
            return text.encode(errors="replace")

    def text(self, value: Any) -> str:
        """The same as text."""
        return self.one(value).decode()

    def _fast(self, value: Any) -> bytes:
        return orjson.dumps(value, self._other, _OPTIONS)

    def _other(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return value.astimezone(self._zone).isoformat(timespec="seconds")
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, bytes | memoryview):
            return bytes(value).hex()
        return str(value)


def pretty(value: Any) -> bytes:
    """A small file of JSON for people to look into."""
    try:
        return orjson.dumps(value, str, orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:  # halves of characters
        return (json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n").encode(errors="replace")
