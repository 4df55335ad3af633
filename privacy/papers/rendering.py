"""Writes a paper as Markdown and as CSV; the page and the PDF read the same outline."""

from __future__ import annotations

import csv
import io

from customers.cells import harmless
from privacy.papers.outline import Paper, Section, Table


def as_markdown(paper: Paper) -> str:
    """The whole paper as Markdown, which is also what versions keep and compare."""
    parts = [f"# {paper.title}", paper.subtitle]
    for section in paper.sections:
        parts += _section(section)
    return "\n\n".join(part for part in parts if part) + "\n"


def as_csv(paper: Paper) -> str:
    """Tables as they are, facts as rows of section, label and value; nothing that a spreadsheet would run."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    for section in paper.sections:
        for row in _cells(section):
            writer.writerow([harmless(cell) for cell in row])
    return out.getvalue()


def _section(section: Section) -> list[str]:
    parts = [f"{'#' * section.level} {section.title}", *section.text]
    if section.shown_facts:
        parts.append("\n".join(f"- **{label}:** {value}" for label, value in section.shown_facts))
    if section.points:
        parts.append("\n".join(f"- {point}" for point in section.points))
    if section.table:
        parts.append(_table(section.table))
    return parts


def _table(table: Table) -> str:
    rows = [table.head, tuple("---" for _cell in table.head), *table.rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows)


def _cell(text: str) -> str:
    return text.replace("\n", " ") if set(text) == {"-"} else text.replace("|", "\\|").replace("\n", " ")


def _cells(section: Section) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [(section.title, label, value) for label, value in section.shown_facts]
    rows += [(section.title, "", text) for text in (*section.text, *section.points)]
    if section.table:
        rows += [section.table.head, *section.table.rows]
    return rows
