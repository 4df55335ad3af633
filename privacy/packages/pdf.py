"""The copy for people as PDF/A and PDF/UA: whole in its explanations, the latest rows of each kind of data."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from datamap.packages import ACCESS, Row
from datamap.statutes import named
from datamap.typeface import settable
from privacy.packages import html
from privacy.packages.describing import Description, Line, automated, rights
from privacy.packages.showing import IN_PDF, Shown, areas, pairs

HERE = Path(__file__).parent
SECONDS = 120
_CUT = 600


class TypesettingFailed(RuntimeError):
    """The PDF could not be set; the process that was to set it says nothing about the text."""


class Setter:
    """Starts the typesetter early, so that it has its fonts when the text comes, and waits for the PDF beside."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own file, no shell
            [sys.executable, "-I", str(HERE / "typesetting.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
        )
        self._beside = ThreadPoolExecutor(1, "typesetting")

    def begin(self, copy: dict[str, Any]) -> None:
        """Have this text set while something else is done."""
        given = (HERE / "copy.typ").read_bytes() + b"\0" + json.dumps(copy, ensure_ascii=False).encode()
        self._said = self._beside.submit(self._process.communicate, given, SECONDS)

    def finish(self) -> bytes:
        """The PDF of the text. Raises TypesettingFailed."""
        try:
            pdf, _nothing = self._said.result()
        except (subprocess.TimeoutExpired, OSError) as error:
            raise TypesettingFailed from error
        if self._process.returncode or not pdf.startswith(b"%PDF"):
            raise TypesettingFailed
        return pdf

    def close(self) -> None:
        """End the process, whatever became of it."""
        if self._process.poll() is None:
            self._process.kill()
        self._beside.shutdown()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()


class Paper:
    """Gathers while the rows go by what the PDF shows of them."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._sections: dict[str, list[Shown]] = {}

    def row(self, page: Shown, row: Row) -> None:
        """Take a row if it is among the latest of its kind."""
        known = self._sections.setdefault(page.area, [])
        if page not in known:
            known.append(page)
        if len(page.rows) < IN_PDF:
            page.rows.append([(label, _cut(value)) for label, value in pairs(page, row, self._zone)])

    def text(self, description: Description, kind: str, name: str) -> dict[str, Any]:
        """Everything the template shows."""
        told = automated(description)
        closing = [
            {"title": _("Your rights"), "texts": [], "items": [f"{r['right']} ({r['article']})" for r in rights()]}
        ]
        if kind == ACCESS:
            figures = [f"{one['name']}: {one['logic']}" for one in told["figures"]]
            closing.insert(0, {"title": _("Decisions and figures"), "texts": [told["text"], *figures], "items": []})
        if description.recipients:
            who = [html.recipient_of(one) for one in description.recipients]
            closing.insert(0, {"title": _("Who received data of you"), "texts": [], "items": who})
        return settable(
            {
                # PDF/A wants a date; the day is enough, and two copies of one day are alike.
                "day": list(timezone.localdate().timetuple()[:3]),
                "lang": (get_language() or "de")[:2],
                "title": html.title_of(kind),
                "controller": description.controller.name or "Obhut",
                "name": name,
                "intro": html.intro_of(kind),
                "page": _("Page"),
                "why_title": _("Why we still have it"),
                "why": [{"label": _label(line), "facts": _facts(line)} for line in description.lines],
                "areas": [
                    {"title": title, "sections": [_section(page) for page in self._sections[key]]}
                    for key, title in areas(set(self._sections))
                ],
                "closing": closing,
                "contacts": [{"title": title, "lines": lines} for title, lines in html.contacts(description)],
            }
        )


def _section(page: Shown) -> dict[str, Any]:
    more = ""
    if page.total > len(page.rows):
        facts = {"shown": html.number(len(page.rows)), "total": html.number(page.total), "file": page.file}
        more = _("The latest %(shown)s of %(total)s. All of them stand in the file %(file)s.") % facts
    return {
        "title": f"{page.title} ({html.number(page.total)})",
        "rows": [row for row in page.rows if row],
        "more": more,
    }


def _label(line: Line) -> str:
    blocked = _("blocked")
    return f"{line.label} ({blocked})" if line.blocked else line.label


def _facts(line: Line) -> list[tuple[str, str]]:
    facts = [
        (_("Last day"), html.until_of(line)),
        (_("What"), line.parts),
        (_("For what"), "; ".join(line.purposes)),
        (_("Legal basis"), html.basis_of(line)),
        (_("From whom"), "; ".join(line.sources)),
        (_("Recipients"), "; ".join(line.recipients) or _("nobody")),
        (_("Period"), line.period),
        (_("Statute"), named(line.statute)),
        (_("Reckoned"), " ".join(line.why)),
    ]
    return [(label, value) for label, value in facts if value]


def _cut(text: str) -> str:
    return text if len(text) <= _CUT else text[:_CUT] + " …"
