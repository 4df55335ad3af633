"""Rows as named files show them: in the words of their format, with the rows that live inside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from datamap.packages import Nested, Part, Row
from privacy.packages.collecting import Reader
from privacy.packages.compiling import Section
from privacy.packages.ordering import Assembly
from privacy.packages.showing import Shown, shown
from privacy.packages.writing import Table

KEPT_FOR_CARDS = 1_000


class Children:
    """The rows that live inside the rows of a part, read beside them in the same order."""

    def __init__(
        self,
        nested: Nested,
        section: Section,
        reader: Reader,
        table: Table | None,
        keep: list[Row] | None,
        result: Assembly,
    ) -> None:
        self.nested = nested
        self.section = section
        self.page: Shown = shown(section, nested.csv)
        self._table, self._keep, self._result = table, keep, result
        self._rows = self._all(reader)
        self._next: tuple[Any, Row] | None = next(self._rows, None)

    def _all(self, reader: Reader) -> Iterator[tuple[Any, Row]]:
        for chunk in reader.chunks(self.section, self.nested.link):
            if self._table is not None:
                self._table.add(chunk)
            if self._keep is not None and len(self._keep) < KEPT_FOR_CARDS:
                self._keep += [dict(row) for row in chunk.rows]
            self._result.rows += chunk.size
            yield from zip(chunk.links, chunk.rows, strict=True)

    def of(self, parent: Any) -> list[Row]:
        """The rows of this parent; parents come from the newest to the oldest, as these do."""
        found = []
        while self._next is not None and self._next[0] >= parent:
            if self._next[0] == parent:
                found.append(self._next[1])
            self._next = next(self._rows, None)
        return found


def shaped(part: Part, row: Row, inner: list[tuple[Children, list[Row]]]) -> Row:
    """The object of a row, which is used up; whatever has no name in the format stands under "additional"."""
    lists = {child.nested.key: [_nested(child.nested, one, row) for one in rows] for child, rows in inner}
    if part.names is not None:
        made = _with_rest({called: row.pop(name, None) for called, name in part.names.items()}, row)
    else:
        made = row if part.shape is None else _with_rest(part.shape(row), row)
    made.update(lists)
    return made


def renamed(names: Mapping[str, str], columns: Mapping[str, list[Any]], size: int) -> list[Row]:
    """The objects of many rows at once where a part only gives names; the same as `shaped` makes of each."""
    nothing = [None] * size
    named = zip(*(columns.get(name, nothing) for name in names.values()), strict=True)
    made: list[Row] = [dict(zip(names, values)) for values in named]  # noqa: B905  # as many
    rest, full, used = {}, True, set(names.values())
    for name in (name for name in columns if name not in used):
        said = size - columns[name].count(None) - columns[name].count("")
        if said:
            rest[name] = columns[name]
            full = full and said == size
    if not rest:
        return made
    others = zip(*rest.values(), strict=True)
    if full:
        for object_, values in zip(made, others, strict=True):
            object_["additional"] = dict(zip(rest, values))  # noqa: B905  # as many
        return made
    return [_with_rest(object_, dict(zip(rest, values))) for object_, values in zip(made, others, strict=True)]  # noqa: B905


def _nested(nested: Nested, row: Row, parent: Row) -> Row:
    return row if nested.shape is None else _with_rest(nested.shape(row, parent), row)


def _with_rest(made: Row, rest: Row) -> Row:
    """Whatever has no name in the format stays all the same: a copy is complete."""
    left = {name: value for name, value in rest.items() if value is not None and value != ""}
    if left:
        made["additional"] = left
    return made
