"""`index.html`: the copy for people. One file, no scripts, readable in light, dark and on paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from datamap.packages import ACCESS, Row
from datamap.statutes import named
from privacy.packages.describing import Description, Line, automated, controller_facts, rights
from privacy.packages.showing import IN_HTML, Shown, addresses, areas, cells, clean, day, pairs
from privacy.packages.writing import Spool

STYLE = Path(__file__).with_name("copy.css")
_SHORT = 80


class _Lines(dict[str, str]):
    """Of each text its lines in HTML; labels, states and amounts come again and again."""

    def __missing__(self, text: str) -> str:
        lines = escape(text).replace("\n", "<br>")
        if len(text) < _SHORT:
            self[text] = lines
        return lines


class Page:
    """Grows section by section while the rows go by; what is not shown yet waits in spools."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._spools: dict[str, Spool] = {}
        self._lines = _Lines()

    def begin(self, page: Shown) -> None:
        """The heading of a section."""
        if page.area not in self._spools:
            self._spools[page.area] = Spool()
        self._spool = self._spools[page.area]
        opened = "" if page.area.startswith("~") else " open"
        head = f"<details{opened}><summary><h3>{escape(page.title)}</h3><span>{number(page.total)}</span></summary>"
        if page.is_table:
            titles = "".join(f'<th scope="col">{escape(label)}</th>' for label in page.labels)
            head += f'<div class="wide" tabindex="0"><table><thead><tr>{titles}</tr></thead><tbody>'
        self._write(head)

    def row(self, page: Shown, row: Row, children: Iterable[tuple[Shown, list[Row]]] = ()) -> None:
        """One row with those that live inside it."""
        lines = self._lines
        if page.is_table:
            said = "".join([f"<td>{lines[cell]}</td>" for cell in cells(page, row, self._zone)])
            self._write(f"<tr>{said}</tr>")
            return
        said = "".join([f"<div><dt>{lines[k]}</dt><dd>{lines[v]}</dd></div>" for k, v in pairs(page, row, self._zone)])
        inner = "".join(self._inner(child, rows, row) for child, rows in children if rows)
        self._write(f'<article class="row"><dl>{said}</dl>{inner}</article>')

    def _inner(self, page: Shown, rows: list[Row], parent: Row) -> str:
        # What they belong to is where they stand, and its currency is theirs.
        shared = {"currency": parent.get("currency")}
        names = [column.name for column in page.columns]
        filled = [n for n, name in enumerate(names) if any(row.get(name) not in (None, "") for row in rows)]
        used = [n for n in filled if not page.columns[n].field.is_relation]
        titles = "".join(f'<th scope="col">{escape(page.labels[n])}</th>' for n in used)
        body = []
        for row in rows:
            values = cells(page, shared | row, self._zone)
            body.append("<tr>" + "".join([f"<td>{self._lines[values[n]]}</td>" for n in used]) + "</tr>")
        table = f"<table><thead><tr>{titles}</tr></thead><tbody>{''.join(body)}</tbody></table>"
        return f'<h4>{escape(page.title)}</h4><div class="wide" tabindex="0">{table}</div>'

    def end(self, page: Shown) -> None:
        """What closes a section, and where the rest of it is."""
        tail = "</tbody></table></div>" if page.is_table else ""
        if page.total > IN_HTML:
            text = _("The latest %(shown)s of %(total)s. All of them stand in the file %(file)s.")
            facts = {"shown": number(IN_HTML), "total": number(page.total), "file": page.file}
            tail += f'<p class="more">{escape(text % facts)}</p>'
        self._write(tail + "</details>\n")
        self._lines.clear()

    def _write(self, text: str) -> None:
        self._spool.write(text.encode(errors="replace"))

    def close(self) -> None:
        """Forget everything."""
        for spool in self._spools.values():
            spool.close()

    def read(self, description: Description, kind: str, name: str) -> Iterator[bytes]:
        """The whole page."""
        contents = areas(set(self._spools))
        yield "".join(_head(description, kind, name, contents)).encode(errors="replace")
        for key, title in contents:
            yield f'<section id="{escape(key.strip("~"))}"><h2>{escape(title)}</h2>\n'.encode()
            yield from self._spools[key].read()
            yield b"</section>\n"
        yield "".join(_foot(description, kind)).encode(errors="replace")


def title_of(kind: str) -> str:
    """What the copy is called."""
    return _("Your data: copy under Art. 15 GDPR") if kind == ACCESS else _("Your data to take with you (Art. 20 GDPR)")


def intro_of(kind: str) -> str:
    """What the copy is, in two sentences."""
    if kind == ACCESS:
        return _(
            "Here is everything we hold about you, and for each kind of data why we have it, who received it and on "
            "which day it will be gone. The same data stand beside this page as files that machines read."
        )
    return _(
        "Here is what you gave us or caused by using our shop, in files that machines read. What we worked out "
        "ourselves, or keep because a law wants it, is not part of it; the copy under Art. 15 holds that, too."
    )


def _head(description: Description, kind: str, name: str, contents: list[tuple[str, str]]) -> Iterator[str]:
    who = description.controller
    yield f'<!doctype html>\n<html lang="{get_language() or "de"}">\n<head>\n<meta charset="utf-8">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield '<meta name="robots" content="noindex">\n<meta name="color-scheme" content="light dark">\n'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    style = STYLE.read_text(encoding="utf-8")
    yield f"<title>{escape(title_of(kind))}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
    yield f'<header><p class="from">{escape(who.name)}</p><h1>{escape(title_of(kind))}</h1>'
    yield f'<p class="whose">{escape(clean(name))}</p><p>{escape(intro_of(kind))}</p></header>\n'
    links = [("why", _("Why we have it"))] if description.lines else []
    links += [(key.strip("~"), title) for key, title in contents] + [("rights", _("Your rights"))]
    items = "".join(f'<li><a href="#{escape(key)}">{escape(title)}</a></li>' for key, title in links)
    yield f'<nav aria-label="{escape(_("Contents"))}"><ul>{items}</ul></nav>\n<main>\n'
    if description.lines:
        lines = "".join(_line(line) for line in description.lines)
        yield f'<section id="why"><h2>{escape(_("Why we still have it"))}</h2><ul class="why">{lines}</ul></section>\n'


def _line(line: Line) -> str:
    until = until_of(line)
    mark = f' <span class="mark">{escape(_("blocked"))}</span>' if line.blocked else ""
    facts = [(_("What"), line.parts), (_("For what"), "; ".join(line.purposes)), (_("Legal basis"), basis_of(line))]
    facts += [(_("From whom"), "; ".join(line.sources)), (_("Recipients"), "; ".join(line.recipients) or _("nobody"))]
    facts += [(_("Period"), line.period), (_("Statute"), named(line.statute)), (_("Reckoned"), " ".join(line.why))]
    said = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts if v)
    last = f'<p class="until"><span>{escape(_("Last day"))}</span> {escape(until)}</p>'
    return f"<li><h3>{escape(line.label)}{mark}</h3>{last}<dl>{said}</dl></li>"


def until_of(line: Line) -> str:
    """The last day of a kind of data, or why there is none yet."""
    if line.until and line.first_until and line.first_until != line.until:
        return _("%(first)s to %(last)s") % {"first": day(line.first_until), "last": day(line.until)}
    if line.until:
        return day(line.until)
    return _("no fixed day, reviewed every year") if line.open_end else _("not fixed yet; see the period")


def basis_of(line: Line) -> str:
    """Legal bases with their articles."""
    return "; ".join(f"{words} ({article})" for article, words in line.bases)


def _foot(description: Description, kind: str) -> Iterator[str]:
    who = description.controller
    if description.recipients:
        items = "".join(f"<li>{escape(recipient_of(one))}</li>" for one in description.recipients)
        yield f"<section><h2>{escape(_('Who received data of you'))}</h2><ul>{items}</ul></section>\n"
    if kind == ACCESS:
        told = automated(description)
        yield f"<section><h2>{escape(_('Decisions and figures'))}</h2><p>{escape(told['text'])}</p>"
        yield "".join(f"<p><strong>{escape(f['name'])}</strong>: {escape(f['logic'])}</p>" for f in told["figures"])
        yield "</section>\n"
    items = "".join(
        f'<li>{escape(one["right"])} <span class="small">{escape(one["article"])}</span></li>' for one in rights()
    )
    yield f'<section id="rights"><h2>{escape(_("Your rights"))}</h2><ul>{items}</ul>'
    yield f'<div class="contacts">{"".join(_contacts(description))}</div></section>\n</main>\n'
    yield f"<footer>{escape(who.name)}</footer>\n</body>\n</html>\n"


def _contacts(description: Description) -> Iterator[str]:
    for title, lines in contacts(description):
        yield f"<div><h3>{escape(title)}</h3><p>{'<br>'.join(escape(line) for line in lines)}</p></div>"


def contacts(description: Description) -> list[tuple[str, list[str]]]:
    """Who is answerable, whom to ask, and where to complain."""
    who = description.controller
    found = [
        (_("Responsible"), [*addresses(controller_facts(who)), who.email, who.phone]),
        (_("Privacy officer"), [who.officer_name, who.officer_email, who.officer_phone]),
        (_("Supervisory authority"), [who.authority_name, *who.authority_contact.splitlines()]),
    ]
    return [(title, [line for line in lines if line]) for title, lines in found if any(lines)]


def recipient_of(one: dict[str, object]) -> str:
    """A recipient in one line."""
    said = [str(one[key]) for key in ("name", "data", "purpose", "country", "safeguard") if one.get(key)]
    return ", ".join([*said, str(one.get("last", ""))[:10]])


def number(count: int) -> str:
    """A count as people write it."""
    return number_format(count, use_l10n=True, force_grouping=True)
