"""The columns of the customer list, and its rows as HTML: one format per page, not a template per cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from portal.querying import Row
from staff.templatetags.look import day, local_date


@dataclass(frozen=True)
class Column:
    """One column: its heading, the order it sorts by, the cell's class, and the value of a row."""

    label: Any
    order: str = ""
    css: str = ""


COLUMNS: dict[str, Column] = {
    "number": Column(_("Number"), "number", "soft"),
    "name": Column(_("Name"), "name"),
    "place": Column(_("Town")),
    "country": Column(_("Country"), "", "soft"),
    "orders": Column(_("Orders"), "", "num"),
    "revenue": Column(_("Revenue"), "revenue", "num"),
    "activity": Column(_("Last active"), "activity", "date"),
    "since": Column(_("Customer since"), "", "date"),
    "language": Column(_("Language"), "", "soft"),
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
    """Cells of one page in one language; what repeats (chips, days) is made once."""

    def __init__(self, columns: list[str], selectable: bool) -> None:
        self.columns = columns
        self.german = (get_language() or "de").startswith("de")
        self.days: dict[Any, str] = {}
        # One address is asked for, the others follow from it.
        self.base = reverse("portal:customer_list")
        self.chips = {
            key: format_html('<span class="chip {}">{}</span> ', tone, text)
            for key, (tone, text) in {
                "restricted": ("stop", gettext("restricted")),
                "company": ("info", gettext("Company")),
                "complaint": ("warn", gettext("Complaint")),
                "advertising_stop": ("stop", gettext("no advertising")),
                "minor": ("warn", gettext("minor")),
                "guest": ("plain", gettext("Guest")),
                "prospect": ("plain", gettext("Prospect")),
                "deactivated": ("plain", gettext("deactivated")),
            }.items()
        }
        self.nameless = gettext("without a name")
        self.select = gettext("Select customer %s")
        self.selectable = selectable
        self.cells: dict[str, Callable[[Row], tuple[Any, ...]]] = {
            "number": lambda row: (row.number,),
            "name": self._name,
            "place": lambda row: (row.city or "", row.postcode or ""),
            "country": lambda row: (row.country or "",),
            "orders": lambda row: (row.orders,),
            "revenue": lambda row: (self.money(row.revenue),),
            "activity": lambda row: (self.day(row.last_activity),),
            "since": lambda row: (self.day(row.registered_at),),
            "language": lambda row: (row.language,),
            "marks": lambda row: (self.marks(row),),
        }

    def rows(self, rows: Iterable[Row]) -> SafeString:
        """The lines of the table's body."""
        return format_html_join("\n", self._format(), (tuple(self._values(row)) for row in rows))

    def _format(self) -> str:
        inner = {
            "name": '<td><a class="who" href="{}{}/">{}</a>{}</td>',
            "place": '<td data-label="{label}"><span>{{}} <span class="soft">{{}}</span></span></td>',
            "marks": "<td>{}</td>",
        }
        plain = '<td class="{css}" data-label="{label}">{{}}</td>'
        box = (
            '<td class="pick"><input type="checkbox" class="form-check-input" '
            'name="customer" value="{}" aria-label="{}"></td>'
        )
        cells = [box] if self.selectable else []
        for key in self.columns:
            column = COLUMNS[key]
            if key in ("name", "marks"):
                cells.append(inner[key])
            else:
                # Headings come from the translators: braces in one must not reach format().
                label = format_html("{}", column.label).replace("{", "(").replace("}", ")")
                cells.append(inner.get(key, plain).format(css=column.css, label=label))
        return f"<tr>{''.join(cells)}</tr>"

    def _values(self, row: Row) -> Iterator[Any]:
        if self.selectable:
            yield row.number
            yield self.select % row.number
        for key in self.columns:
            yield from self.cells[key](row)

    def _name(self, row: Row) -> tuple[Any, ...]:
        name = shown_name(row)
        beside = row.company if row.company and row.company != name else ""
        return (
            self.base,
            row.number,
            name or self.nameless,
            format_html(' <span class="soft">{}</span>', beside) if beside else "",
        )

    def marks(self, row: Row) -> SafeString:
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
        return format_html_join("", "{}", ((self.chips[key],) for key in keys))

    def money(self, value: Decimal) -> str:
        """The shop's own currency; the general filter costs twenty times as much per cell."""
        text = f"{value:,.2f}"
        if self.german:
            return text.translate(_GERMAN) + "\u00a0€"
        return f"-€{text[1:]}" if text.startswith("-") else f"€{text}"

    def day(self, value: datetime | None) -> str:
        """Today, yesterday, or the date; each day is written once per page."""
        if value is None:
            return ""
        on = local_date(value)
        if on not in self.days:
            self.days[on] = day(on)
        return self.days[on]


_GERMAN = str.maketrans(",.", ".,")
