"""Brings the lines of a second file to their orders: staged in a temporary table, so that any order of rows will do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from django.db import connection
from django.utils.translation import gettext as _

from customers.rows import Problem
from intake.mapping import SHARE
from intake.planning import Plan
from intake.profiles.declaring import Columns
from intake.purchases import UNCLEAR
from intake.tables import Broken, NumberText
from intake.values import is_unclear, may_be_thousands, read_amount
from orders.rows import LineRow, OrderRow

LINES = "lines"
LIMIT = Decimal(10) ** 10

_CREATE = """
    CREATE TEMP TABLE intake_lines (
        key text NOT NULL, line bigint NOT NULL, good boolean NOT NULL,
        sku text, name text, category text, quantity numeric, unit_price numeric, discount numeric
    )
"""
_TAKE = "DELETE FROM intake_lines WHERE key = ANY(%s) RETURNING key, line, good, sku, name, category, quantity, "
_TAKE += "unit_price, discount"


class StagedLines:
    """The lines of one file, taken out order by order; what is left at the end belongs to no order of the file."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._share = False

    def stage(self) -> Iterator[Problem]:
        """Read the file into a temporary table of this connection; yields what is wrong in it."""
        assert self._plan.lines_table is not None and self._plan.line_columns is not None
        columns = self._plan.line_columns
        problems: list[Problem] = []
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS intake_lines")
            cursor.execute(_CREATE)
            with connection.wrap_database_errors, cursor.copy("COPY intake_lines FROM STDIN") as copy:
                for line, cells in self._plan.lines_table.records():
                    if isinstance(cells, Broken):
                        problems.append(Problem(line, cells.field, cells.message, LINES))
                    else:
                        cells.append("")
                        copy.write_row(_staged(line, cells, columns, self._plan.mapping.decimals, problems))
                    if len(problems) >= 1000:
                        yield from problems
                        problems.clear()
            cursor.execute("CREATE INDEX ON intake_lines (key)")
            cursor.execute("ANALYZE intake_lines")
            self._share = self._is_share(cursor)
        yield from problems

    def _is_share(self, cursor) -> bool:
        """Whether discounts are shares of the price: said so, or all lie between 0 and 1 and one is a true fraction."""
        if self._plan.mapping.discount_as:
            return self._plan.mapping.discount_as == SHARE
        cursor.execute("SELECT min(discount), max(discount) FROM intake_lines WHERE good")
        low, high = cursor.fetchone()
        return low is not None and low >= 0 and 0 < high < 1

    def attach(self, rows: list[OrderRow]) -> tuple[list[OrderRow], list[Problem]]:
        """Give these orders their lines; an order with an unreadable line is rejected whole."""
        found = self._take([row.external_id for row in rows])
        good, problems = [], []
        for row in rows:
            lines = found.pop(row.external_id, [])
            bad = next((line for line in lines if not line[2]), None)
            if bad:
                message = _("Line %(line)d of the file with lines cannot be read; the order comes whole or not at all.")
                problems.append(Problem(row.line, LINES, message % {"line": bad[1]}))
                continue
            row.lines += [self._row(line) for line in sorted(lines, key=lambda line: line[1])]
            good.append(row)
        return good, problems

    def forget(self, rows: list[OrderRow]) -> None:
        """Leave out the lines of orders that are behind us (a resumed import)."""
        self._take([row.external_id for row in rows])

    def _take(self, keys: list[str]) -> dict[str, list[tuple]]:
        found = defaultdict(list)
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, [keys])
            for line in cursor.fetchall():
                found[line[0]].append(line)
        return found

    def _row(self, staged: tuple) -> LineRow:
        _key, _line, _good, sku, name, category, quantity, price, discount = staged
        if self._share:
            discount = (discount * quantity * price).quantize(Decimal("0.01"))
        return LineRow(sku, name, category, quantity, price, discount)

    def orphans(self) -> Iterator[Problem]:
        """Lines that belong to no order of the file."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT line FROM intake_lines ORDER BY line")
            for (line,) in cursor.fetchall():
                name = self._plan.line_columns.name("order_external_id") if self._plan.line_columns else ""
                yield Problem(line, name, _("The file of orders has no order with this number."), LINES)


def _staged(line: int, cells: list[str], columns: Columns, decimals: str, problems: list[Problem]) -> tuple:
    def text(target: str) -> str:
        return cells[columns[target]].strip().replace("\0", "")

    amounts: list[Decimal] = []
    good = True
    for target, default in (("quantity", 1), ("unit_price", 0), ("discount", 0)):
        amount, message = _read(cells[columns[target]], text(target), target, decimals)
        if message:
            good = False
            problems.append(Problem(line, columns.name(target), message, LINES))
        amounts.append(Decimal(default) if amount is None else amount)
    if not text("order_external_id"):
        good = False
        problems.append(Problem(line, columns.name("order_external_id"), _("The line names no order."), LINES))
    return text("order_external_id"), line, good, text("sku"), text("name"), text("category"), *amounts


def _read(cell: str, value: str, target: str, decimals: str) -> tuple[Decimal | None, str]:
    """The amount of a cell, where it says one, and what is wrong with it."""
    if not value:
        return None, ""
    is_number = isinstance(cell, NumberText)
    amount = read_amount(value.removesuffix("%"), "" if is_number else decimals)
    guessed = (target == "unit_price" and may_be_thousands(value)) or (amount is None and is_unclear(value))
    if guessed and not (is_number or decimals):
        return None, str(UNCLEAR)
    if amount is None or abs(amount) >= LIMIT:
        return None, _("The amount cannot be read.")
    return (amount / 100 if value.endswith("%") else amount), ""
