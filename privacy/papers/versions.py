"""Keeps what a paper said, and shows what has changed since."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date

from django.conf import settings
from django.utils import timezone, translation

from datamap.controlling import legal_zone
from datamap.workdays import local_date
from privacy.models import PaperVersion
from privacy.papers.concept import concept
from privacy.papers.facts import Facts
from privacy.papers.information import information
from privacy.papers.outline import Paper
from privacy.papers.periods import retention_table
from privacy.papers.record import record
from privacy.papers.rendering import as_markdown
from staff.models import User

BUILDERS: dict[str, Callable[[Facts], Paper]] = {
    PaperVersion.Kind.RECORD: record,
    PaperVersion.Kind.TABLE: retention_table,
    PaperVersion.Kind.CONCEPT: concept,
    PaperVersion.Kind.NOTICE: information,
}
LANGUAGES = [code for code, _name in settings.LANGUAGES]


@dataclass(frozen=True)
class Line:
    """One line that differs: pieces of text, each "same", "gone" or "new"."""

    pieces: list[tuple[str, str]]


@dataclass
class Changes:
    """The lines that differ below one heading."""

    heading: str
    lines: list[Line] = field(default_factory=list)


def build(kind: str, language: str, today: date | None = None) -> Paper:
    """The paper as of a day, in one language."""
    with translation.override(language):
        return BUILDERS[kind](Facts.read(today or local_date(timezone.now(), legal_zone())))


def contents(kind: str, today: date | None = None) -> dict[str, str]:
    """The paper as Markdown in every language."""
    return {language: as_markdown(build(kind, language, today)) for language in LANGUAGES}


def digest(content: dict[str, str]) -> str:
    """SHA-256 over the content in every language."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def latest(kind: str) -> PaperVersion | None:
    """The version that was kept last."""
    return PaperVersion.objects.filter(kind=kind).order_by("-made_at", "-pk").first()


def keep(kind: str, by: User | None) -> tuple[PaperVersion, bool]:
    """Keep what the paper says now; answers the version and whether it is new (what says the same is kept once)."""
    content = contents(kind)
    last, mark = latest(kind), digest(content)
    if last is not None and last.sha256 == mark:
        return last, False
    return PaperVersion.objects.create(kind=kind, sha256=mark, content=content, by=by), True


def keep_first() -> int:
    """Keep each paper that was never kept, so that what changes from now on can be shown; answers how many were."""
    missing = [kind for kind in BUILDERS if latest(kind) is None]
    return sum(keep(kind, None)[1] for kind in missing)


def changed_kinds() -> list[str]:
    """Papers that say something else than their last version; those that were never kept are not among them."""
    kept = {kind: version for kind in BUILDERS if (version := latest(kind)) is not None}
    return [kind for kind, version in kept.items() if digest(contents(kind)) != version.sha256]


def differences(before: str, after: str) -> list[Changes]:
    """What differs between two versions in Markdown: line by line, and word by word where a line was changed."""
    old, new = before.splitlines(), after.splitlines()
    found: list[Changes] = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        heading = _heading_before(new, k) if k < len(new) else _heading_before(new, len(new) - 1)
        if not found or found[-1].heading != heading:
            found.append(Changes(heading))
        found[-1].lines += _lines(old[i:j], new[k:m])
    return [changes for changes in found if changes.lines]


def _lines(old: list[str], new: list[str]) -> Iterator[Line]:
    old, new = [plain(line) for line in old if line], [plain(line) for line in new if line]
    paired = min(len(old), len(new))
    for before, after in zip(old[:paired], new[:paired], strict=True):
        yield Line(_words(before, after))
    yield from (Line([("gone", line)]) for line in old[paired:])
    yield from (Line([("new", line)]) for line in new[paired:])


def plain(line: str) -> str:
    """A line of Markdown as people read it, without the signs of lists, tables and emphasis."""
    text = re.sub(r"^(#+ |- )", "", line).replace("**", "")
    if not text.startswith("|"):
        return text
    cells = (cell.strip() for cell in re.split(r"(?<!\\)\|", text.strip("|")))
    return " · ".join(cell.replace("\\|", "|") for cell in cells if cell)


def _words(before: str, after: str) -> list[tuple[str, str]]:
    old, new = re.findall(r"\s+|[^\s]+", before), re.findall(r"\s+|[^\s]+", after)
    pieces: list[tuple[str, str]] = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(("same", "".join(new[k:m])))
            continue
        pieces += [("gone", "".join(old[i:j]))] if i < j else []
        pieces += [("new", "".join(new[k:m]))] if k < m else []
    return pieces


def _heading_before(lines: list[str], place: int) -> str:
    for line in reversed(lines[: place + 1]):
        if line.startswith("#"):
            return line.lstrip("# ")
    return ""
