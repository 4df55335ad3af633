"""Compares two versions of a text: paragraph by paragraph, and word by word where a paragraph was changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from consents.models import LegalTextVersion

SAME, GONE, NEW = "same", "gone", "new"
Piece = tuple[str, str]
# Words and signs, each with the blanks behind it: blanks of their own would match everywhere.
_TOKEN = re.compile(r"\w+\s*|[^\w\s]+\s*")


@dataclass(frozen=True)
class Paragraph:
    """One paragraph of both versions, as pieces that are the same, gone or new."""

    pieces: list[Piece]

    @property
    def is_changed(self) -> bool:
        """Whether anything in it differs."""
        return any(kind != SAME for kind, _text in self.pieces)


@dataclass(frozen=True)
class Comparison:
    """Title and paragraphs of two versions in one language."""

    language: str
    title: Paragraph
    paragraphs: list[Paragraph]

    @property
    def is_changed(self) -> bool:
        """Whether the versions differ in this language."""
        return self.title.is_changed or any(paragraph.is_changed for paragraph in self.paragraphs)


def compare(before: LegalTextVersion, after: LegalTextVersion, language: str) -> Comparison:
    """What differs between two versions in this language."""
    return Comparison(
        language,
        Paragraph(_words(before.title(language), after.title(language))),
        list(_paragraphs(before.body(language).split("\n"), after.body(language).split("\n"))),
    )


def _paragraphs(old: list[str], new: list[str]) -> Iterator[Paragraph]:
    old, new = [line for line in old if line.strip()], [line for line in new if line.strip()]
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from (Paragraph([(SAME, line)]) for line in new[k:m])
            continue
        paired = min(j - i, m - k)
        yield from (Paragraph(_words(old[i + n], new[k + n])) for n in range(paired))
        yield from (Paragraph([(GONE, line)]) for line in old[i + paired : j])
        yield from (Paragraph([(NEW, line)]) for line in new[k + paired : m])


def _words(before: str, after: str) -> list[Piece]:
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    pieces: list[Piece] = []
    for tag, i, j, k, m in SequenceMatcher(None, _said(old), _said(new)).get_opcodes():
        if tag == "equal":
            pieces.append((SAME, "".join(new[k:m])))
            continue
        # Where a word before a point or at the end was replaced, no blank keeps the two apart.
        gap = " " if i < j and k < m and old[j - 1][-1].isalnum() else ""
        pieces += [(GONE, "".join(old[i:j]) + gap)] if i < j else []
        pieces += [(NEW, "".join(new[k:m]))] if k < m else []
    return pieces


def _said(tokens: list[str]) -> list[str]:
    """Without blanks: how many stand behind a word is no change of it."""
    return [token.rstrip() for token in tokens]
