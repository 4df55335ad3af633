"""Takes the filtered customer list out of the house: in pieces, logged, capped by role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import ContactPoint
from datamap.accesslog import record_many
from portal.models import ExportLog
from portal.querying import Row, Selection, read_page
from portal.spreadsheets import Cell, csv_file, xlsx_file
from staff.models import User

PIECE = 1000
LARGE = 1_000_000

# Which cells a column of the list becomes in the file.
_CELLS: dict[str, list[tuple[Any, Callable[[Row], Cell]]]] = {
    "number": [(_("Number"), lambda row: row.number)],
    "name": [
        (_("Last name"), lambda row: row.last_name),
        (_("First name"), lambda row: row.first_name),
        (_("Company"), lambda row: row.company),
    ],
    "place": [(_("Postcode"), lambda row: row.postcode), (_("Town"), lambda row: row.city)],
    "country": [(_("Country"), lambda row: row.country)],
    "orders": [(_("Orders"), lambda row: row.orders)],
    "revenue": [(_("Revenue"), lambda row: row.revenue)],
    "activity": [(_("Last active"), lambda row: row.active_on)],
    "since": [(_("Customer since"), lambda row: row.registered_on)],
    "language": [(_("Language"), lambda row: row.language)],
    "marks": [
        (_("Kind"), lambda row: row.kind),
        (_("Status"), lambda row: row.status),
        (_("Advertising stop"), lambda row: int(row.advertising_stop)),
        (_("Deactivated"), lambda row: int(row.deactivated)),
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
    return write(_table(log, selection, columns, first))


def _table(log: ExportLog, selection: Selection, columns: list[str], first: list[Cell]) -> Iterator[list[Cell]]:
    yield first
    cells = [cell for key in columns for _label, cell in _CELLS[key]]
    written, cursor = 0, ""
    try:
        while written < log.row_cap:
            page = read_page(selection, "number", cursor, min(PIECE, log.row_cap - written))
            record_many(log.user_id, [row.number for row in page.rows], "customer_export")
            written += len(page.rows)
            reached = _contact_points([row.id for row in page.rows]) if log.sealed else {}
            for row in page.rows:
                line = [cell(row) for cell in cells]
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
