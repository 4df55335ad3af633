"""Turns records of an order file into `OrderRow`s; an order of several records comes whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.reading import pad_postcode, read_country
from customers.rows import Problem
from intake.occurrences import Occurrences
from intake.people import MAX_ID, Item, Reader, tidy_for
from intake.profiles.declaring import Columns, Profile, Values
from intake.tables import Broken, NumberText, Record
from intake.values import is_ahead, is_set, is_unclear, may_be_thousands, read_amount, read_moment, split_tags
from orders.rows import LineRow, OrderRow, SnapshotRow

LIMIT = Decimal(10) ** 10
MONEY = {"total", "shipping_cost", "tax", "order_discount", "refunded"}
UNCLEAR = gettext_lazy(
    "The amount is unclear: its point or comma may stand before thousands. Write it with two decimals, or choose beside"
    " the columns how amounts are written."
)
_PACKED = re.compile(r"([0-9]{1,6})x ?(.{1,120})")


class _Unreadable(Exception):
    """A value without which the order cannot be stored."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(slots=True)
class _Order:
    """The records of one order as they come in."""

    key: str
    row: OrderRow | None
    records: int = 1
    problem: Problem | None = None
    warnings: list[Problem] = field(default_factory=list)
    broken: list[Problem] = field(default_factory=list)

    def items(self) -> Iterator[Item]:
        if self.problem:
            yield Item(self.records, problem=self.problem, warnings=self.warnings)
        else:
            yield Item(self.records, self.row, warnings=self.warnings)
        yield from (Item(1, problem=problem) for problem in self.broken)


@dataclass(slots=True)
class _Cells:
    line: int
    cells: list[str]
    columns: Columns
    values: Values
    warnings: list[Problem] = field(default_factory=list)
    # A platform writes its own decimals; in anybody's table a point may stand between thousands.
    point_is_clear: bool = True
    decimals: str = ""

    def get(self, target: str) -> str:
        return self.values[target]

    def problem(self, target: str, message: str) -> Problem:
        return Problem(self.line, self.columns.name(target), message)

    def amount(self, target: str) -> Decimal | None:
        """The amount; an empty cell is no news, one that cannot be read is not guessed at."""
        value = self.get(target)
        if not value:
            return None
        is_number = isinstance(self.cells[self.columns[target]], NumberText)
        found = read_amount(value, "" if is_number else self.decimals)
        if found is None or abs(found) >= LIMIT:
            unclear = found is None and not self.decimals and is_unclear(value)
            raise _Unreadable(self.problem(target, str(UNCLEAR) if unclear else _("The amount cannot be read.")))
        if target in MONEY and not (is_number or self.point_is_clear or self.decimals) and may_be_thousands(value):
            raise _Unreadable(self.problem(target, str(UNCLEAR)))
        return found

    def moment(self, target: str, *, needed: bool = False) -> datetime | None:
        value = self.get(target)
        found = read_moment(value) if value else None
        if found is None and needed:
            raise _Unreadable(self.problem(target, _("The date is missing or cannot be read.")))
        if found is None and value:
            self.warnings.append(self.problem(target, _("The date cannot be read and is left out.")))
        if found is not None and is_ahead(found):
            self.warnings.append(self.problem(target, _("This day has not come yet; please check it.")))
        return found


def order_reader(profile: Profile, columns: Columns, *, decimals: str = "") -> Reader:
    """A reader of order records; an item says how many records it stands for.

    decimals: what stands before those of an amount (`values.COMMA`, `POINT`), where somebody has said it.
    """
    if profile.key == "cdnow":
        return _cdnow_reader(profile, columns, decimals)
    tidy = tidy_for(profile)
    group = columns["group"] if "group" in columns else columns["external_id"]

    def read(records: Iterator[Record]) -> Iterator[Item]:
        order: _Order | None = None
        seen = Occurrences()
        for line, found in records:
            if isinstance(found, Broken):
                problem = Problem(line, found.field, found.message)
                if order is None:
                    yield Item(1, problem=problem)
                else:
                    order.broken.append(problem)
                continue
            found.append("")
            cells = _Cells(
                line,
                found,
                columns,
                columns.values(found, tidy),
                point_is_clear=profile.key != "plain",
                decimals=decimals,
            )
            key = tidy(found[group])
            if profile.grouped and order is not None and key and key == order.key and _continues(cells):
                _join(order, cells)
                continue
            if order is not None:
                yield from order.items()
            order = _begin(key, cells, profile)
            if profile.grouped and "line_item" in columns and key and seen.next(key) > 1:
                # Taken as news of the order its rows would replace those that stood before.
                message = _("Further rows of an order that stands earlier in the file; they must stand together.")
                order.problem = order.problem or cells.problem("group", message)
        if order is not None:
            yield from order.items()

    return read


def _continues(cells: _Cells) -> bool:
    """A continuation repeats the order's number and leaves its columns empty, or repeats them whole."""
    placed = cells.get("placed_at")
    return not placed or "line_item" in cells.columns


def _join(order: _Order, cells: _Cells) -> None:
    order.records += 1 + len(order.broken)
    if order.broken:
        # A row inside this order could not be read: half an order would be a wrong one.
        order.problem = order.problem or order.broken[0]
        order.broken = []
    try:
        line = _line(cells, order.row)
    except _Unreadable as error:
        order.problem = order.problem or error.problem
        return
    if line is not None and order.row is not None:
        order.row.lines.append(line)
    order.warnings += cells.warnings


def _begin(key: str, cells: _Cells, profile: Profile) -> _Order:
    order = _Order(key, None, warnings=cells.warnings)
    try:
        order.row = _row(cells, profile)
    except _Unreadable as error:
        order.problem = error.problem
    return order


def _row(cells: _Cells, profile: Profile) -> OrderRow:
    get = cells.values.__getitem__
    external_id = get("external_id") or get("number")
    if profile.grouped and "placed_at" in cells.columns and not get("placed_at") and not get("total"):
        raise _Unreadable(cells.problem("group", _("A further line of an order whose first row is not in the file.")))
    if not external_id:
        raise _Unreadable(cells.problem("external_id", _("The order has no id.")))
    if len(external_id) > MAX_ID:
        raise _Unreadable(cells.problem("external_id", _("The id is too long.")))
    row = OrderRow(line=cells.line, external_id=external_id, number=get("number"))
    row.placed_at = cells.moment("placed_at", needed=True)
    row.paid_at = cells.moment("paid_at")
    row.delivered_at = cells.moment("delivered_at")
    row.cancelled_at = cells.moment("cancelled_at")
    row.currency = _currency(cells, profile)
    row.total = cells.amount("total")
    row.shipping_cost = cells.amount("shipping_cost")
    row.tax = cells.amount("tax")
    row.discount = cells.amount("order_discount")
    row.refunded = cells.amount("refunded")
    _whose(row, cells, profile)
    row.billing, row.shipping = _snapshot("billing", cells), _snapshot("shipping", cells)
    row.billing.email = row.billing.email or row.email
    row.billing.phone = row.billing.phone or get("phone")
    row.note = get("note")
    row.tags = split_tags(get("tags"))
    row.status = _status(row, cells, profile)
    line = _line(cells, row)
    row.lines = ([line] if line else []) + _packed(get("packed_lines"))
    return row


def _currency(cells: _Cells, profile: Profile) -> str:
    value = cells.get("currency").upper()
    if value and not re.fullmatch(r"[A-Z]{3}", value):
        raise _Unreadable(cells.problem("currency", _("A currency is three letters, such as EUR.")))
    return value or profile.currency


def _whose(row: OrderRow, cells: _Cells, profile: Profile) -> None:
    row.email = cells.get("email")
    row.customer_external_id = cells.get("customer_external_id")
    row.unknown_customer = profile.unknown_customer
    if is_set(cells.get("guest")) or row.customer_external_id == "0":
        row.guest, row.customer_external_id = True, ""


def _snapshot(side: str, cells: _Cells) -> SnapshotRow:
    get = cells.values.__getitem__
    parts = [get(f"{side}_{part}") for part in ("salutation", "title", "first_name", "last_name")]
    country = get(f"{side}_country")
    # Shopware's default profile has ids here in some shops and the name of the country beside it.
    if country and read_country(country) is None and (other := get(f"{side}_country2")):
        country = other if read_country(other) else country
    postcode = get(f"{side}_postcode")
    if country and len(postcode) == 4 and read_country(country) == "DE":
        padded = pad_postcode(postcode, "DE")
        if padded != postcode:
            message = _("The postcode had four figures; its leading zero is put back.")
            cells.warnings.append(cells.problem(f"{side}_postcode", message))
            postcode = padded
    return SnapshotRow(
        name=get(f"{side}_full_name") or " ".join(filter(None, parts[1:])),
        company=get(f"{side}_company"),
        street=", ".join(filter(None, get(f"{side}_street").split("\n"))),
        postcode=postcode,
        city=get(f"{side}_city"),
        country=country,
        email=get(f"{side}_email"),
        phone=get(f"{side}_phone"),
    )


def _status(row: OrderRow, cells: _Cells, profile: Profile) -> str:
    if row.cancelled_at:
        return "cancelled"
    words = [cells.get(name).casefold().removeprefix("wc-") for name in ("status", "fulfillment", "financial")]
    return next((profile.statuses[word] for word in words if word in profile.statuses), "")


def _line(cells: _Cells, row: OrderRow | None) -> LineRow | None:
    """The position in this record, where there is one."""
    get = cells.values.__getitem__
    name, sku = get("line_name"), get("line_sku")
    if not (name or sku):
        return None
    priced = sku or get("line_item") or get("line_unit_price") or get("line_total")
    if row is not None and name and name in (row.billing.name, row.shipping.name):
        # Some exports put the person's name into the article column; a name is no article.
        name = ""
    if not (name or priced):
        return None
    quantity = cells.amount("line_quantity")
    quantity = Decimal(1) if quantity is None else quantity
    price = cells.amount("line_unit_price")
    if price is None and quantity and (total := cells.amount("line_total")) is not None:
        price = (total / quantity).quantize(Decimal("0.0001"))
    return LineRow(sku, name, "", quantity, price or Decimal(0), cells.amount("line_discount") or Decimal(0))


def _packed(value: str) -> list[LineRow]:
    """Shopware's “2x article|1x other”."""
    found = [_PACKED.fullmatch(part.strip()) for part in value.split("|") if part.strip()]
    return [LineRow(sku=match[2].strip(), quantity=Decimal(match[1])) for match in found if match]


def _cdnow_reader(profile: Profile, columns: Columns, decimals: str) -> Reader:
    """Purchases without a key: identical rows are purchases of their own, told apart by their occurrence."""

    def read(records: Iterator[Record]) -> Iterator[Item]:
        occurrences = Occurrences()
        for line, found in records:
            if isinstance(found, Broken):
                yield Item(1, problem=Problem(line, found.field, found.message))
                continue
            found.append("")
            cells = _Cells(line, found, columns, columns.values(found, str.strip), decimals=decimals)
            try:
                row = _purchase(cells, profile, occurrences)
            except _Unreadable as error:
                yield Item(1, problem=error.problem)
            else:
                yield Item(1, row)

    return read


def _purchase(cells: _Cells, profile: Profile, occurrences: Occurrences) -> OrderRow:
    get = cells.values.__getitem__
    customer = get("customer_external_id")
    if not customer or len(customer) > 60:
        raise _Unreadable(cells.problem("customer_external_id", _("The row has no customer id.")))
    placed, total, items = (
        cells.moment("placed_at", needed=True),
        cells.amount("total"),
        cells.amount("items"),
    )
    if total is None:
        raise _Unreadable(cells.problem("total", _("The amount cannot be read.")))
    assert placed is not None
    key = f"{customer}/{placed:%Y%m%d}/{(items or Decimal(0)).normalize():f}/{total:.2f}"
    row = OrderRow(
        line=cells.line,
        external_id=f"{key}/{occurrences.next(key)}",
        customer_external_id=customer,
        unknown_customer=profile.unknown_customer,
        placed_at=placed,
        currency=profile.currency,
        total=total,
    )
    if items:
        row.lines = [LineRow(quantity=items, unit_price=(total / items).quantize(Decimal("0.0001")), category="CD")]
    return row
