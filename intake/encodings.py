"""Finds out in which encoding a text file is written, by reading all of it once in bounded memory."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from intake.tables import Opener, UnreadableFile

CHUNK = 1 << 20
# How much of a file that is not clean UTF-8 is looked at to decide between damaged UTF-8 and cp1252.
_SAMPLE = 64 * CHUNK

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Encoding:
    """How to decode a file, and whether its lines must be looked at for bytes that do not fit."""

    name: str
    errors: str
    damaged: bool
    has_nul: bool


def encoding_of(opener: Opener) -> Encoding:
    """The encoding: by byte order mark, else clean UTF-8, else damaged UTF-8 or cp1252, whichever explains more."""
    with opener() as file:
        start = file.read(4096)
    if not start:
        raise UnreadableFile(_("The file is empty."))
    for mark, name in _MARKS:
        if start.startswith(mark):
            if name == "utf-8-sig":
                clean, has_nul = _scan(opener)
                return Encoding(name, "surrogateescape", not clean, has_nul)
            return Encoding(name, "replace", True, True)
    if name := _unmarked_utf16(start):
        return Encoding(name, "replace", True, True)
    clean, has_nul = _scan(opener)
    if clean:
        return Encoding("utf-8", "strict", False, has_nul)
    if _rather_utf8(opener):
        return Encoding("utf-8", "surrogateescape", True, has_nul)
    return Encoding("cp1252", "surrogateescape", True, has_nul)


def _unmarked_utf16(start: bytes) -> str:
    """Western text in UTF-16 has a null in every other byte."""
    half = len(start) // 2
    if half < 8:
        return ""
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if odd > half * 0.7 and even < half * 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.7 and odd < half * 0.1 else ""


def _chunks(opener: Opener) -> Iterator[bytes]:
    with opener() as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _scan(opener: Opener) -> tuple[bool, bool]:
    """Whether the file is clean UTF-8, and whether it holds null bytes."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    clean, has_nul = True, False
    for chunk in _chunks(opener):
        has_nul = has_nul or b"\0" in chunk
        if clean:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                clean = False
        elif has_nul:
            break
    if clean:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            clean = False
    return clean, has_nul


def _rather_utf8(opener: Opener) -> bool:
    """Whether more characters beyond ASCII are good UTF-8 than are not."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = seen = 0
    for chunk in _chunks(opener):
        text = decoder.decode(chunk)
        whole = len(text.encode("utf-8", "ignore").decode())
        bad += len(text) - whole
        good += whole - len(text.encode("ascii", "ignore"))
        seen += len(chunk)
        if seen >= _SAMPLE:
            break
    return good > bad
