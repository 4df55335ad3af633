"""Rows as named files show them: in the words of their format, with the rows that live inside them."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from datamap.packages import Columns, Many, Nested, Part, Row
from privacy.packages.collecting import Read, Reader
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
        self._chunks = reader.chunks(section, nested.link)
        self._read_on()

    def _read_on(self) -> None:
        self._place = 0
        self._chunk = chunk = next(self._chunks, None)
        if chunk is None:
            return
        if self._table is not None:
            self._table.add(chunk)
        if self._keep is not None and len(self._keep) < KEPT_FOR_CARDS:
            self._keep += [dict(row) for row in chunk.rows]
        self._result.rows += chunk.size
        self._objects = objects_of(self.nested, chunk)

    def hang(self, parents: Read, objects: list[Row], shown: int) -> list[list[Row]]:
        """Put their objects into those of the parents; answers the rows of the first so many parents, for people."""
        column, tell = self.nested.heir or ("id", None)
        rows = []
        given = zip(parents.column("id"), parents.column(column), objects, strict=True)
        for place, (parent, value, object_) in enumerate(given):
            found, inner = self._of(parent, place < shown)
            if tell is not None:
                tell(inner, value)
            object_[self.nested.key] = inner
            if place < shown:
                rows.append(found)
        return rows

    def _of(self, parent: Any, with_rows: bool) -> tuple[list[Row], list[Row]]:
        """The rows, if wanted, and the objects of this parent; parents come from the newest to the oldest, as these."""
        rows: list[Row] = []
        objects: list[Row] = []
        while (chunk := self._chunk) is not None:
            links, place, end = chunk.links, self._place, chunk.size
            while place < end and links[place] > parent:
                place += 1
            begin = place
            while place < end and links[place] == parent:
                place += 1
            objects += self._objects[begin:place]
            if with_rows:
                rows += chunk.rows[begin:place]
            self._place = place
            if place < end:
                break
            self._read_on()
        return rows, objects


def objects_of(part: Part | Nested, chunk: Read) -> list[Row]:
    """What a file shows of the rows of a chunk; whatever has no name in the format stands under "additional"."""
    if part.many is not None:
        if chunk.columns is not None:
            return _made(part.many, dict(chunk.columns))
        found = []
        # Columns that are about others were taken out of some rows.
        for names, alike in groupby(chunk.rows, tuple):
            values = zip(*(row.values() for row in alike), strict=True)
            found += _made(part.many, dict(zip(names, map(list, values), strict=True)))
        return found
    if part.shape is None:
        return chunk.rows
    found = []
    for row in chunk.rows:
        rest = dict(row)  # people are shown the row as well
        found.append(_with_rest(part.shape(rest), rest))
    return found


def _made(many: Many, columns: Columns) -> list[Row]:
    objects = many(columns)
    rest: Columns = {}
    is_full = True
    for name, values in columns.items():
        empty = values.count(None) + values.count("")
        if empty < len(values):
            rest[name] = values
            is_full = is_full and not empty
    if not rest:
        return objects
    others = [dict(zip(rest, values)) for values in zip(*rest.values(), strict=True)]  # noqa: B905  # as many
    if not is_full:
        return [_with_rest(object_, other) for object_, other in zip(objects, others, strict=True)]
    for object_, other in zip(objects, others, strict=True):
        object_["additional"] = other
    return objects


def _with_rest(made: Row, rest: Row) -> Row:
    """Whatever has no name in the format stays all the same: a copy is complete."""
    left = {name: value for name, value in rest.items() if value is not None and value != ""}
    if left:
        made["additional"] = left
    return made
