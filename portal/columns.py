"""The columns of the customer list, and its rows as HTML: one format per page, not a template per cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import quote

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from portal.querying import Row
from staff.templatetags.look import day, kept_html, short_date


@dataclass(frozen=True)
class Column:
    """One column: its heading, the order it sorts by, the cell's class, and the value of a row."""

    label: Any
    order: str = ""
    css: str = ""
    # On a phone a row is a card; what matters least stays out of it.
    phone: bool = True


COLUMNS: dict[str, Column] = {
    "number": Column(_("Number"), "number", "soft"),
    "name": Column(_("Name"), "name"),
    "place": Column(_("Town")),
    "country": Column(_("Country"), "", "soft", phone=False),
    "orders": Column(_("Orders"), "", "num", phone=False),
    "revenue": Column(_("Revenue"), "revenue", "num"),
    "activity": Column(_("Last active"), "activity", "date"),
    "since": Column(_("Customer since"), "", "date", phone=False),
    "language": Column(_("Language"), "", "soft", phone=False),
    "marks": Column(pgettext_lazy("column", "Marks")),
}
DEFAULT_COLUMNS = ("number", "name", "place", "orders", "revenue", "activity", "marks")


def chosen(keys: Iterable[str]) -> list[str]:
    """Known columns in the house's order, the name always among them; nothing chosen means the usual ones."""
    wanted = set(keys) & set(COLUMNS) or set(DEFAULT_COLUMNS)
    return [key for key in COLUMNS if key in wanted or key == "name"]


def shown_name(row: Any) -> str:
    """The name as lists show it: "Müller, Jürgen", or the company; "" where nobody is named."""
    if row.kind == Customer.Kind.COMPANY and row.company:
        return row.company
    return ", ".join(part for part in (row.last_name, row.first_name) if part) or row.company


class Renderer:
    """Cells of one page in one language; what repeats (chips, days, formats) is made once.

    Whatever a person typed goes through `escape`; figures, days and chips are made here. One formatted string for
    each row costs a seventh of a template per cell (performance.md 7).
    """

    def __init__(self, columns: list[str], selectable: bool) -> None:
        self.columns = columns
        self.selectable = selectable
        self.language = get_language()
        self.german = (self.language or "de").startswith("de")
        self.days: dict[Any, str] = {}
        # One address is asked for, the others follow from it.
        self.base = reverse("portal:customer_list")
        self.select = escape(gettext("Select customer %s"))
        self.nameless = escape(gettext("without a name"))
        self.chips = _chips(self.language)
        self.today = timezone.localdate()
        self.cells: dict[str, Callable[[Row], str]] = {
            "number": lambda row: escape(row.number),
            "name": self._name,
            "place": lambda row: (
                f'<span>{escape(row.city or "")} <span class="soft">{escape(row.postcode or "")}</span></span>'
            ),
            "country": lambda row: escape(row.country or ""),
            "orders": lambda row: str(row.orders),
            "revenue": lambda row: self.money(row.revenue),
            "activity": lambda row: self.day(row.active_on),
            "since": lambda row: self.day(row.registered_on),
            "language": lambda row: escape(row.language),
            "marks": self.marks,
        }

    def heads(self, order: str, address: Callable[..., str]) -> SafeString:
        """The cells of the table's head; `address` answers the list's address in another order."""
        return SafeString("\n".join([self._head(COLUMNS[key], order, address) for key in self.columns]))

    def _head(self, column: Column, order: str, address: Callable[..., str]) -> str:
        label = escape(str(column.label))
        css = ' class="num"' if column.css == "num" else ""
        if not column.order:
            return f'<th scope="col"{css}>{label}</th>'
        falling = f"-{column.order}"
        if order in (column.order, falling):
            way, arrow = ("ascending", "↑") if order == column.order else ("descending", "↓")
            turned = falling if order == column.order else column.order
            sort, label = f' aria-sort="{way}"', f'{label}<span aria-hidden="true">{arrow}</span>'
        else:
            # Figures and days are wanted largest and latest first.
            sort, turned = "", falling if column.order in ("revenue", "activity") else column.order
        return f'<th scope="col"{css}{sort}><a href="{escape(address(o=turned))}">{label}</a></th>'

    def rows(self, rows: Iterable[Row]) -> SafeString:
        """The lines of the table's body."""
        cells = [(_opening(key), self.cells[key]) for key in self.columns]
        lines = []
        for row in rows:
            inner = "".join([f"{opening}{cell(row)}</td>" for opening, cell in cells])
            lines.append(f"<tr>{self._box(row) if self.selectable else ''}{inner}</tr>")
        return SafeString("\n".join(lines))

    def _box(self, row: Row) -> str:
        number = escape(row.number)
        label = self.select % number
        return (
            '<td class="pick"><input type="checkbox" class="form-check-input" '
            f'name="customer" value="{number}" aria-label="{label}"></td>'
        )

    def _name(self, row: Row) -> str:
        name = shown_name(row)
        beside = row.company if row.company and row.company != name else ""
        soft = f' <span class="soft">{escape(beside)}</span>' if beside else ""
        path = quote(row.number, safe="")
        return f'<a class="who" href="{self.base}{path}/">{escape(name) if name else self.nameless}</a>{soft}'

    def marks(self, row: Row) -> str:
        """Chips only where something is unusual."""
        keys = [
            key
            for key, there in (
                ("restricted", row.restricted),
                ("company", row.kind == Customer.Kind.COMPANY),
                ("complaint", row.open_complaints),
                ("advertising_stop", row.advertising_stop),
                ("minor", row.minor),
                ("guest", row.status == Customer.Status.GUEST),
                ("prospect", row.status == Customer.Status.PROSPECT),
                ("deactivated", row.deactivated),
            )
            if there
        ]
        return "".join([self.chips[key] for key in keys])

    def money(self, value: Decimal) -> str:
        """The shop's own currency; the general filter costs twenty times as much per cell."""
        text = f"{value:,.2f}"
        if self.german:
            return text.translate(_GERMAN) + "\u00a0€"
        return f"-€{text[1:]}" if text.startswith("-") else f"€{text}"

    def day(self, on: date | None) -> str:
        """Today, yesterday, or the date; each day is written once per page."""
        if on is None:
            return ""
        if on not in self.days:
            near = abs((on - self.today).days) <= 1
            self.days[on] = escape(day(on) if near else short_date(on, self.language))
        return self.days[on]


def chooser(columns: list[str]) -> SafeString:
    """The boxes by which columns are chosen."""
    return _chooser(tuple(columns), get_language())


@kept_html(64)
def _chooser(columns: tuple[str, ...], _language: str | None) -> SafeString:
    boxes = [(key, column.label, key in columns) for key, column in COLUMNS.items() if key != "name"]
    return SafeString(render_to_string("portal/_columns.html", {"boxes": boxes}))


def _opening(key: str) -> str:
    """The beginning of a column's cells; on a phone the heading stands beside each value."""
    column = COLUMNS[key]
    if key in ("name", "marks"):
        return "<td>"
    css = column.css if column.phone else f"{column.css} d-none d-md-table-cell"
    return f'<td class="{css}" data-label="{escape(str(column.label))}">'


@lru_cache(maxsize=16)
def _chips(_language: str | None) -> dict[str, str]:
    """Each mark a row may carry, as HTML of this language."""
    marks = [
        ("restricted", "stop", gettext("restricted")),
        ("company", "info", gettext("Company")),
        ("complaint", "warn", gettext("Complaint")),
        ("advertising_stop", "stop", gettext("no advertising")),
        ("minor", "warn", gettext("minor")),
        ("guest", "plain", gettext("Guest")),
        ("prospect", "plain", gettext("Prospect")),
        ("deactivated", "plain", gettext("deactivated")),
    ]
    return {key: f'<span class="chip {tone}">{escape(text)}</span> ' for key, tone, text in marks}


_GERMAN = str.maketrans(",.", ".,")
