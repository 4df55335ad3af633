"""Takes the filtered customer list out of the house: in pieces, logged, capped by role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language, get_language_info, gettext, override
from django.utils.translation import gettext_lazy as _

from customers.access import note_listed
from customers.countries import country_name
from customers.models import ContactPoint, Customer
from portal.models import ExportLog
from portal.querying import Row, Selection, read_page
from portal.spreadsheets import Cell, csv_file, xlsx_file
from staff.models import User

PIECE = 1000
LARGE = 1_000_000


class Words:
    """What stands in the cells instead of codes, in the language of whoever exports.

    Made before the file is handed out: its pieces are written when the request's language may be gone.
    """

    def __init__(self) -> None:
        self.kind = {value: str(label) for value, label in Customer.Kind.choices}
        self.status = {value: str(label) for value, label in Customer.Status.choices}
        self.whether = {True: gettext("yes"), False: gettext("no")}
        self._languages: dict[str, str] = {"": ""}
        self._spoken = get_language() or "de"

    def language(self, code: str) -> str:
        """German for "de"; a code that nobody knows stays as it is."""
        if code not in self._languages:
            try:
                with override(self._spoken):
                    self._languages[code] = str(get_language_info(code.lower())["name_translated"])
            except KeyError:
                self._languages[code] = code
        return self._languages[code]

    def country(self, code: str) -> str:
        """Deutschland for "DE"; a code that nobody knows stays as it is."""
        return country_name(code, self._spoken)


# Which cells a column of the list becomes in the file.
_CELLS: dict[str, list[tuple[Any, Callable[[Row, Words], Cell]]]] = {
    "number": [(_("Number"), lambda row, words: row.number)],
    "name": [
        (_("Last name"), lambda row, words: row.last_name),
        (_("First name"), lambda row, words: row.first_name),
        (_("Company"), lambda row, words: row.company),
    ],
    "place": [(_("Postcode"), lambda row, words: row.postcode), (_("Town"), lambda row, words: row.city)],
    "country": [(_("Country"), lambda row, words: words.country(row.country or ""))],
    "orders": [(_("Orders"), lambda row, words: row.orders)],
    "revenue": [(_("Revenue"), lambda row, words: row.revenue)],
    "activity": [(_("Last active"), lambda row, words: row.active_on)],
    "since": [(_("Customer since"), lambda row, words: row.registered_on)],
    "language": [(_("Language"), lambda row, words: words.language(row.language))],
    "marks": [
        (_("Kind"), lambda row, words: words.kind.get(row.kind, row.kind)),
        (_("Status"), lambda row, words: words.status.get(row.status, row.status)),
        (_("Advertising stop"), lambda row, words: words.whether[bool(row.advertising_stop)]),
        (_("Deactivated"), lambda row, words: words.whether[bool(row.deactivated)]),
    ],
}
CONTACT_HEADS = (_("E-mail"), _("Phone"))


def cap_for(user: User) -> int:
    """How many customers this person may export at once."""
    return LARGE if user.may("exports.large") else getattr(settings, "EXPORT_CAP", 5_000)


def heads(columns: list[str], contacts: bool) -> list[Cell]:
    """The first line of the file."""
    plain = [str(label) for key in columns for label, _cell in _CELLS[key]]
    return [*plain, *(str(label) for label in CONTACT_HEADS if contacts)]


def export_customers(
    user: User, selection: Selection, file_format: str, columns: list[str], contacts: bool
) -> Iterator[bytes]:
    """The file in pieces. The export is logged before its first byte, each customer as it goes.

    Nothing beyond the role's cap is written, whatever the caller checked before.
    """
    contacts = contacts and user.may("exports.contacts")
    log = ExportLog.objects.create(
        user=user,
        file_format=file_format,
        columns=columns,
        filters=sorted(selection.stored),
        sealed=contacts,
        row_cap=cap_for(user),
    )
    first = heads(columns, contacts)
    write = xlsx_file if file_format == "xlsx" else csv_file
    return write(_table(log, selection, columns, first, Words()))


def _table(
    log: ExportLog, selection: Selection, columns: list[str], first: list[Cell], words: Words
) -> Iterator[list[Cell]]:
    yield first
    cells = [cell for key in columns for _label, cell in _CELLS[key]]
    written, cursor = 0, ""
    try:
        while written < log.row_cap:
            page = read_page(selection, "number", cursor, min(PIECE, log.row_cap - written))
            there = note_listed(log.user_id, [row.id for row in page.rows], "customer_export")
            rows = [row for row in page.rows if row.id in there]
            written += len(rows)
            reached = _contact_points([row.id for row in rows]) if log.sealed else {}
            for row in rows:
                line = [cell(row, words) for cell in cells]
                yield [*line, *reached.get(row.id, ("", ""))] if log.sealed else line
            cursor = page.next
            if not cursor:
                break
    finally:
        # Also where the reader went away halfway.
        ExportLog.objects.filter(pk=log.pk).update(rows=written, finished_at=timezone.now())


def _contact_points(ids: list[int]) -> dict[int, tuple[str, str]]:
    """The first e-mail address and phone number of each customer, opened."""
    points = ContactPoint.objects.filter(customer_id__in=ids).order_by("-is_primary", "pk")
    found: dict[int, dict[str, str]] = {}
    for customer_id, kind, value in points.values_list("customer_id", "kind", "value"):
        found.setdefault(customer_id, {}).setdefault(kind, value)
    kinds = ContactPoint.Kind
    return {pk: (kept.get(kinds.EMAIL, ""), kept.get(kinds.PHONE, "")) for pk, kept in found.items()}
