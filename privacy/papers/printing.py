"""Prints a paper as PDF (PDF/A-2a and PDF/UA-1) with typst: data as JSON, no network, no other file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typst
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from datamap.typeface import settable
from privacy.papers.outline import Paper, Section

TEMPLATE = Path(__file__).with_name("paper.typ")
STANDARDS: list[Any] = ["a-2a", "ua-1"]
WIDE_FROM = 7
"""So many columns want the page turned."""


def as_pdf(paper: Paper, language: str, author: str) -> bytes:
    """The paper as a PDF for archives and for readers of screens; the day of printing stands below the title."""
    wide = any(section.table and len(section.table.head) >= WIDE_FROM for section in paper.sections)
    said = {
        "title": paper.title,
        "subtitle": paper.subtitle,
        "author": author or "Obhut",
        "made": _("As of %s") % date_format(timezone.localdate(), "SHORT_DATE_FORMAT"),
        "language": language,
        "wide": wide,
        "sections": [_section(section) for section in paper.sections],
    }
    data = json.dumps(settable(said), ensure_ascii=False)
    return typst.compile(
        TEMPLATE.read_bytes(),
        sys_inputs={"paper": data},
        format="pdf",
        pdf_standards=STANDARDS,
        ignore_system_fonts=True,
        timestamp=int(timezone.now().timestamp()),
    )


def _section(section: Section) -> dict[str, object]:
    table = {"head": section.table.head, "rows": section.table.rows} if section.table else None
    return {
        "title": section.title,
        "level": section.level,
        "text": section.text,
        "facts": section.shown_facts,
        "points": section.points,
        "table": table,
    }
