"""Collects rows as COPY reads them and sends them table by table; writes the first history of what was sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, models

from customers.models import (
    Address,
    ContactPerson,
    ContactPoint,
    Customer,
    CustomerTag,
    ExternalId,
    Flag,
    Note,
    OptInClaim,
    Preference,
    SearchEntry,
    Suppression,
)
from interactions.models import Complaint, FollowUp, Interaction
from orders.models import Document, Order, OrderLine, Return, ReturnLine

# In the order in which rows refer to each other; columns as the rows of this package give them.
COLUMNS: dict[type[models.Model], str] = {
    Customer: "id, number, kind, status, salutation, title, first_name, last_name, company, vat_id, language,"
    " birthday_day, birthday_month, registered_at, deactivated_at, restricted_at, sort_name, version, origin_id,"
    " created_at",
    Address: "id, customer_id, kind, recipient, street, street_index, postcode, city, country, is_default, origin_id,"
    " created_at",
    ContactPoint: "id, customer_id, kind, value, whole_index, part_index, match_index, label, is_primary,"
    " verified_at, origin_id, created_at",
    ContactPerson: "id, customer_id, salutation, first_name, last_name, position, email, email_index, phone,"
    " phone_index, origin_id, created_at",
    ExternalId: "customer_id, platform, value, origin_id",
    CustomerTag: "customer_id, tag_id, origin_id, set_at",
    Preference: "customer_id, kind, value, said_by, said_at, recorded_by_id, origin_id",
    Note: "customer_id, text, text_index, author_id, origin_id, created_at",
    Flag: "customer_id, kind, reason, set_by_id, set_at, review_on, lifted_at, lifted_by_id",
    OptInClaim: "customer_id, channel, state, evidence, evidence_index, origin_id, claimed_at",
    Suppression: "endpoint, channel, scope, reason, since, origin_id, recorded_at",
    SearchEntry: "customer_id, text, phonetic, postcode",
    Order: "id, number, platform, external_id, type_id, customer_id, gift_recipient_id, kind, status, payment,"
    " placed_at, paid_at, invoiced_at, delivered_at, cancelled_at, currency, total, shipping_cost, discount, tax,"
    " refunded, billing, shipping, deviating, gift_note, note, tags, version, origin_id, created_at",
    OrderLine: "id, order_id, position, sku, name, category, quantity, unit_price, discount, tax_rate",
    Return: "id, order_id, customer_id, state, reason, note, amount, requested_at, received_at, refunded_at,"
    " entered_by_id, order_number",
    ReturnLine: "parent_id, line_id, quantity, sku, name",
    Document: "id, order_id, customer_id, gift_recipient_id, kind, number, issued_at, corrects_id, seller, lines,"
    " billing_snapshot, delivery_snapshot, gift_note, currency, gross, net, tax, rates, issued_by_id, order_number,"
    " ordered_at",
    Complaint: "id, customer_id, subject, state, order_number, owner_id, opened_at, answered_at, closed_at,"
    " resolution, version",
    Interaction: "id, customer_id, kind, direction, record_class, occurred_at, answered_at, closed_at, content,"
    " outcome, order_number, complaint_id, staff_id, token, origin_id, version, created_at",
    FollowUp: "customer_id, interaction_id, step, due_on, owner_id, created_by_id, created_at, done_at, done_by_id",
}
# Whose history begins with the row itself, and when.
HISTORY: dict[type[models.Model], str] = {
    Customer: "created_at",
    Address: "created_at",
    ContactPoint: "created_at",
    ContactPerson: "created_at",
    Order: "created_at",
    Complaint: "opened_at",
    Interaction: "created_at",
}
NUMBERED = tuple(model for model, columns in COLUMNS.items() if columns.startswith("id,"))
BLOCK = 400
NULL = "\\N"


def raw(sealed: bytes | None) -> str:
    r"""Bytes as COPY reads them; \N for none."""
    return "\\N" if sealed is None else "\\\\x" + sealed.hex()


@dataclass
class Writer:
    """The rows of one chunk, and the next id of every table that others refer to."""

    next_id: dict[type[models.Model], int] = field(default_factory=dict)
    rows: dict[type[models.Model], list[str]] = field(default_factory=lambda: {model: [] for model in COLUMNS})
    counts: dict[type[models.Model], int] = field(default_factory=lambda: dict.fromkeys(COLUMNS, 0))

    def begin(self) -> None:
        """Take the ids from where the tables' own sequences stand."""
        with connection.cursor() as cursor:
            for model in NUMBERED:
                cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [model._meta.db_table])
                self.next_id[model] = cursor.fetchone()[0]

    def take(self, model: type[models.Model]) -> int:
        """The next id of a table."""
        value = self.next_id[model]
        self.next_id[model] = value + 1
        return value

    def add(self, model: type[models.Model], row: str) -> None:
        r"""Note a row: values parted by tabs, \N for none."""
        self.rows[model].append(row)

    def add_cells(self, model: type[models.Model], *cells: Any) -> None:
        r"""Note a row of a table that has few: None becomes \N; texts hold no tab, backslash or line end."""
        self.rows[model].append("\t".join([NULL if cell is None else str(cell) for cell in cells]))

    def send(self) -> None:
        """COPY the chunk, set the sequences behind it, and write the first history rows."""
        with connection.cursor() as cursor:
            for model, rows in self.rows.items():
                if not rows:
                    continue
                with cursor.copy(f"COPY {model._meta.db_table} ({COLUMNS[model]}) FROM STDIN") as copy:
                    for start in range(0, len(rows), BLOCK):
                        copy.write("\n".join(rows[start : start + BLOCK]) + "\n")
                if model in HISTORY:
                    cursor.execute(_history(model), [self.next_id[model] - len(rows), self.next_id[model]])
                if model in self.next_id:
                    cursor.execute(
                        "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)",
                        [model._meta.db_table, self.next_id[model] - 1],
                    )
                self.counts[model] += len(rows)
                rows.clear()


def history_columns(model: type[models.Model]) -> Iterable[str]:
    """The columns a history table copies."""
    copied = {f.column for f in model.history.model._meta.concrete_fields}  # type: ignore[attr-defined]
    return [f.column for f in model._meta.concrete_fields if f.column and f.column in copied]


def _history(model: type[models.Model]) -> str:
    columns = ", ".join(history_columns(model))
    table = model.history.model._meta.db_table  # type: ignore[attr-defined]
    return (
        f"INSERT INTO {table} ({columns}, history_date, history_type)"  # noqa: S608 - names of our own models
        f" SELECT {columns}, {HISTORY[model]}, '+' FROM {model._meta.db_table}"
        " WHERE id >= %s AND id < %s ORDER BY id"
    )
