"""Turns rows into what people read: labels instead of columns, words instead of keys, dates as written here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db import models
from django.utils.formats import date_format, number_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from datamap.packages import Row, reading_of
from datamap.words import AREAS, PARTS, column_label
from privacy.packages.compiling import Column, Section
from staff.templatetags.look import money, short_date

# Rows of one kind that the copies for people show; the files hold all of them.
IN_HTML, IN_PDF = 100, 20
HISTORY_AREA = "~history"
# Kept for the machine's sake; they stand in the files and would only disturb a reader.
_SILENT = {
    "id", "history_id", "sort_name", "sort_number", "source_digest", "fingerprint", "lines_before", "subject_ref",
    "token_hash",
}  # fmt: skip
_BROKEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_LONGEST = 4_000
_OF_MANY = (list, dict)
_AMOUNT, _DAY = re.compile(r"-?\d+(?:\.\d+)?"), re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_RATES, _COUNTS = {"rate", "tax_rate"}, {"quantity"}
_PRICES = {"unit_price", "discount", "amount", "net", "tax", "gross"}
_READ = {key: place for place, key in enumerate(PARTS)}
# The place in a list: whoever reads the list sees it.
_COUNTED = {"position"}
# The keys of a name and address as orders keep it, in the order in which they are read.
_ADDRESS = dict.fromkeys(("name", "company", "street", "postcode", "city", "country", "email", "phone")).keys()
# The order in which people look for things.
_FIRST = ("customers", "orders", "interactions", "mail", "consents", "loyalty", "feedback", "marketing", "tracking")


@dataclass
class Shown:
    """One kind of data as people see it: some of its rows, and how many there are."""

    title: str
    area: str
    file: str
    columns: list[Column]
    total: int = 0
    labels: list[str] = field(default_factory=list)
    choices: dict[str, dict[Any, str]] = field(default_factory=dict)
    """Of each column with a few possible values what people call them."""
    readings: dict[str, Callable[[Any], str]] = field(default_factory=dict)
    """Of each column that its app reads to people how it does."""
    known: dict[tuple[str, Any, str | None], str] = field(default_factory=dict)
    """What was said of a value, beside its currency: states, amounts and days come again and again."""
    rows: list[list[tuple[str, str]]] = field(default_factory=list)

    @property
    def is_table(self) -> bool:
        """Short rows are read across, long ones down."""
        return len(self.columns) <= 6 and all(column.how in ("plain", "staff", "word") for column in self.columns)


def shown(section: Section, file: str, total: int = 0) -> Shown:
    """The empty page of a section that holds so many rows."""
    meta = section.base._meta
    name = capfirst(str(meta.verbose_name if total == 1 else meta.verbose_name_plural))
    columns = [column for column in section.columns if column.name not in _SILENT and column.how != "bytes"]
    if section.history:
        title = _("Former versions: %s") % capfirst(str(meta.verbose_name_plural))
        return _filled(Shown(title, HISTORY_AREA, file, columns, total), meta.label)
    return _filled(Shown(name, section.declaration.__module__.partition(".")[0], file, columns, total), meta.label)


def _filled(page: Shown, label: str) -> Shown:
    """With its words in the language that is active, looked up once and not for each row."""
    page.labels = [label_of(column) for column in page.columns]
    for column in page.columns:
        # Of a list, what it holds decides.
        known = getattr(getattr(column.field, "base_field", column.field), "flatchoices", None)
        if known and column.how == "plain":
            page.choices[column.name] = {value: str(label) for value, label in known}
        if reading := reading_of(label, column.name):
            page.readings[column.name] = reading
        if column.name == "history_type":
            page.choices[column.name] = {"+": _("entered"), "~": _("changed"), "-": _("deleted")}
    return page


def areas(found: set[str]) -> list[tuple[str, str]]:
    """The areas that hold something, in reading order, each with its heading."""
    order = [*_FIRST, *sorted(found - {*_FIRST, HISTORY_AREA}), HISTORY_AREA]
    return [(key, _area_title(key)) for key in order if key in found]


def _area_title(key: str) -> str:
    if key == HISTORY_AREA:
        return _("Former versions")
    name = capfirst(key)
    if name in AREAS:
        return str(AREAS[name])
    return str(getattr(apps.get_app_config(key), "verbose_name", name)) if key in apps.app_configs else name


def pairs(page: Shown, row: Row, zone: ZoneInfo) -> list[tuple[str, str]]:
    """Label and value of everything in a row that says something."""
    found = []
    for label, column in zip(page.labels, page.columns, strict=True):
        value = row.get(column.name)
        if value is not None and value != "" and value != [] and value != {}:
            found.append((label, said(page, column, value, row, zone)))
    return found


def cells(page: Shown, row: Row, zone: ZoneInfo) -> list[str]:
    """The same in the columns of a table."""
    return [said(page, column, row.get(column.name), row, zone) for column in page.columns]


def label_of(column: Column) -> str:
    """What people call a column."""
    if column.name in ("history_date", "history_type", "history_user"):
        return {
            "history_date": _("Version of"),
            "history_type": _("What happened"),
            "history_user": _("Done by"),
        }[column.name]
    return capfirst(column_label(column.field, column.name))


def said(page: Shown, column: Column, value: Any, row: Row, zone: ZoneInfo) -> str:
    """A value in words."""
    if value is None or value == "":
        return ""
    if type(value) in _OF_MANY or column.how == "prose":
        return _worded(page, column, value, row, zone)
    mark = column.name, value, row.get("currency")
    if mark not in page.known:
        page.known[mark] = _worded(page, column, value, row, zone)
    return page.known[mark]


def _worded(page: Shown, column: Column, value: Any, row: Row, zone: ZoneInfo) -> str:
    if reading := page.readings.get(column.name):
        return clean(reading(value))
    if known := page.choices.get(column.name):
        return ", ".join(known.get(one, str(one)) for one in (value if isinstance(value, list) else [value]))
    if column.how == "plain" and isinstance(value, str):
        if isinstance(column.field, models.DecimalField):
            return _decimal(column.name, value, row.get("currency"))
        if isinstance(column.field, models.DateTimeField):
            value = datetime.fromisoformat(value)
        elif isinstance(column.field, models.DateField):
            value = date.fromisoformat(value)
    return clean(words(value, zone))


def _decimal(name: str, value: str, currency: str | None) -> str:
    """An amount, in its currency where the row has one; a rate; or a number as it stands."""
    if name in _RATES:
        return f"{_figure(value)}\u00a0%"
    if name in _COUNTS:
        return _figure(value)
    return money(value, currency) if currency else _cents(value)


def _cents(value: str) -> str:
    return number_format(Decimal(value).quantize(Decimal("0.01")), use_l10n=True, force_grouping=True)


def _figure(value: str) -> str:
    """A number with the decimal sign of the language, and no more places than it needs."""
    return number_format(f"{Decimal(value).normalize():f}", use_l10n=True, force_grouping=True)


def words(value: Any, zone: ZoneInfo) -> str:
    """Any value as text; JSON one line a thing."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        at = value.astimezone(zone)
        return f"{short_date(at.date())} {at.hour:02}:{at.minute:02}"
    if isinstance(value, date):
        return short_date(value)
    if isinstance(value, dict) and value.keys() <= _ADDRESS:
        return ", ".join(str(value[key]) for key in _ADDRESS if value.get(key))
    if isinstance(value, dict):
        told = [key for key, one in value.items() if key not in _COUNTED and one not in (None, "", [], {})]
        told.sort(key=lambda key: _READ.get(key, len(PARTS)))  # PostgreSQL keeps keys by their length
        return ", ".join(f"{PARTS.get(key, key)}: {_part(key, value[key], zone)}" for key in told)
    if isinstance(value, list):
        return "\n".join(words(one, zone) for one in value)
    return str(value)


def _part(key: str, value: Any, zone: ZoneInfo) -> str:
    """A value inside a column of several: JSON has neither amounts nor days, so its keys and its looks tell."""
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        if key in _RATES:
            return f"{_figure(value)}\u00a0%"
        if key in _PRICES:
            return _cents(value)
    if isinstance(value, str) and _DAY.fullmatch(value):
        return short_date(date.fromisoformat(value))
    return words(value, zone)


def clean(text: str) -> str:
    """Without characters that no page may hold, and cut where it is a book."""
    text = _BROKEN.sub("\ufffd", text)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " …"


def day(on: date | None) -> str:
    """A day in words, "" for none."""
    return date_format(on, "DATE_FORMAT") if on else ""


def addresses(lines: dict[str, str]) -> Iterator[str]:
    """The parts of a postal address that are filled, a line each."""
    yield from filter(None, (lines["name"], lines["street"], f"{lines['postcode']} {lines['city']}".strip()))
