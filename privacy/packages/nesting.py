"""Rows as named files show them: in the words of their format, with the rows that live inside them."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from datamap.packages import Nested, Part, Row, Shape
from privacy.packages.collecting import Read, Reader
from privacy.packages.compiling import Wanted
from privacy.packages.ordering import Assembly
from privacy.packages.rendering import rendered
from privacy.packages.showing import Shown, shown
from privacy.packages.writing import Columns, Encoder, Table

KEPT_FOR_CARDS = 1_000


class Children:
    """The rows that live inside the rows of a part, read beside them in the same order."""

    def __init__(
        self,
        nested: Nested,
        wanted: Wanted,
        reader: Reader,
        table: Table | None,
        keep: list[Row] | None,
        encoder: Encoder,
        result: Assembly,
    ) -> None:
        self.nested = nested
        self.page: Shown = shown(wanted.section, nested.csv)
        self._table, self._keep, self._result = table, keep, result
        self._encoder = encoder
        self._chunks = reader.chunks(wanted)
        self._read_on()

    def _read_on(self) -> None:
        self._place = 0
        self._chunk = chunk = next(self._chunks, None)
        if chunk is None:
            return
        if self._table is not None:
            self._table.add(chunk.by_column)
        if self._keep is not None and len(self._keep) < KEPT_FOR_CARDS:
            self._keep += [dict(row) for row in chunk.rows]
        self._result.rows += chunk.size
        self._objects = objects_of(self.nested, chunk, self._encoder)

    def hang(self, parents: Read, objects: list[str], shown: int) -> list[list[Row]]:
        """Put their objects into those of the parents; answers the rows of the first so many parents, for people."""
        rows = []
        for place, parent in enumerate(parents.ranks):
            found, inner = self._of(parent, place < shown)
            objects[place] = f'{objects[place][:-1]},"{self.nested.key}":[{",".join(inner)}]}}'
            if place < shown:
                rows.append(found)
        return rows

    def _of(self, parent: tuple[Any, ...], with_rows: bool) -> tuple[list[Row], list[str]]:
        """The rows, if wanted, and the objects of this parent; parents come from the newest to the oldest, as these."""
        rows: list[Row] = []
        objects: list[str] = []
        while (chunk := self._chunk) is not None:
            ranks, place, end = chunk.ranks, self._place, chunk.size
            while place < end and ranks[place] > parent:
                place += 1
            begin = place
            while place < end and ranks[place] == parent:
                place += 1
            objects += self._objects[begin:place]
            if with_rows:
                rows += chunk.rows[begin:place]
            self._place = place
            if place < end:
                break
            self._read_on()
        return rows, objects


def objects_of(part: Part | Nested, chunk: Read, encoder: Encoder) -> list[str]:
    """What a file shows of the rows of a chunk, each as JSON; what has no name in the format is "additional"."""
    if part.shape is not None:
        return [encoder.text(_shaped(part.shape, row)) for row in chunk.rows]
    hidden = part.link if isinstance(part, Nested) else ""
    if chunk.columns is not None:
        return rendered(chunk.columns, part.layout, hidden, encoder)
    found = []
    # Columns that are about others were taken out of some rows.
    for names, alike in groupby(chunk.rows, tuple):
        values = zip(*(row.values() for row in alike), strict=True)
        found += rendered(Columns(dict(zip(names, map(list, values), strict=True))), part.layout, hidden, encoder)
    return found


def _shaped(shape: Shape, row: Row) -> Row:
    rest = dict(row)  # people are shown the row as well
    made = shape(rest)
    left = {name: value for name, value in rest.items() if value is not None and value != ""}
    return made | {"additional": left} if left else made
