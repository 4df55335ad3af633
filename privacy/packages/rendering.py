"""Renders the rows of a table as JSON by column: what many rows say alike is said once, and none is made an object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from datamap.packages import Layout, Told, Where
from privacy.packages.writing import ALL_NONE, Columns, Encoder, each, kinds_of

Piece = str | Sequence[str]
"""What stands at one place of every row: a text that is the same in all of them, or the text of each."""
NONE = type(None)
ALL_TEXT, SOME_TEXT, ALL_INT = {str}, {str, NONE}, {int}


@dataclass
class _Value:
    """The JSON of a value in every row: pieces side by side; or of each row one text, None where there is none."""

    pieces: list[Piece] = field(default_factory=list)
    gaps: list[str | None] | None = None


def rendered(columns: Columns, layout: Layout | None, link: str, encoder: Encoder) -> list[str]:
    """Of each row its object as JSON; without a layout as it is declared. With one, what no key tells is "additional",
    but for the `link` to the parent within which the row stands."""
    own = [name for name in columns if "." not in name]  # with a point: the parent's
    if layout is None:
        return _Renderer(columns, encoder).objects({name: Told(name, always=True) for name in own})
    told = {link, *_columns_of(layout)}
    rest = {name: Told(name, _or_nothing if "" in columns[name] else None) for name in own if name not in told}
    return _Renderer(columns, encoder).objects({**layout, "additional": rest})


def _columns_of(layout: Layout) -> Iterator[str]:
    """The columns that have their place in a layout."""
    for what in layout.values():
        if isinstance(what, Told):
            if not what.again:
                yield what.column
        elif not isinstance(what, str):
            yield from _columns_of(what.layout if isinstance(what, Where) else what)


def _or_nothing(value: Any) -> Any:
    return None if value == "" else value


class _Renderer:
    """The rows of one chunk."""

    def __init__(self, columns: Columns, encoder: Encoder) -> None:
        self._columns = columns
        self._size = columns.size
        self._encoder = encoder
        self._known: dict[Told, _Value | None] = {}

    def objects(self, layout: Layout) -> list[str]:
        """Of each row the object of this layout."""
        value = self._object(layout)
        return ["{}"] * self._size if value is None else [text or "{}" for text in self._texts(value)]

    def _texts(self, value: _Value) -> list[str | None]:
        """Of each row the text of a value."""
        if value.gaps is not None:
            return value.gaps
        pieces = list(_joined(value.pieces))
        if len(pieces) == 1 and isinstance(pieces[0], str):
            return [pieces[0]] * self._size
        strips = [repeat(piece) if isinstance(piece, str) else iter(piece) for piece in pieces]
        return list(map("".join, zip(*strips)))  # noqa: B905  # what is the same in all rows has no end

    def _object(self, layout: Layout) -> _Value | None:
        """The object of a layout; None where no row says anything in it."""
        found = [(f"{self._encoder.text(key)}:", value) for key, what in layout.items() if (value := self._value(what))]
        first = next((place for place, (_key, value) in enumerate(found) if value.gaps is None), None)
        if first is None:
            return self._gapped(found)
        pieces: list[Piece] = ["{"]
        for place, (key, value) in enumerate(found):
            if value.gaps is None:
                pieces += [key if place == first else f",{key}", *value.pieces]
            elif place < first:
                pieces.append(["" if text is None else f"{key}{text}," for text in value.gaps])
            else:
                pieces.append(["" if text is None else f",{key}{text}" for text in value.gaps])
        return _Value([*pieces, "}"])

    def _gapped(self, found: list[tuple[str, _Value]]) -> _Value | None:
        """An object of which no key stands in every row."""
        if not found:
            return None
        told = [[text and key + text for text in value.gaps or ()] for key, value in found]
        rows = [",".join(filter(None, row)) for row in zip(*told, strict=True)]
        return _Value(gaps=[f"{{{row}}}" if row else None for row in rows])

    def _value(self, what: Any) -> _Value | None:
        """What a key says; None where it says nothing in any row."""
        if isinstance(what, str):
            return _Value([self._encoder.text(what)])
        if isinstance(what, Told):
            return self._told(what)
        if not isinstance(what, Where):
            return self._object(what)
        kinds = self._columns.kinds(what.column)
        value = self._object(what.layout) if kinds and kinds != ALL_NONE else None
        if value is None or NONE not in kinds:
            return value
        texts = zip(self._columns[what.column], self._texts(value), strict=True)
        return _Value(gaps=[None if one is None else text for one, text in texts])

    def _told(self, told: Told) -> _Value | None:
        """A column; some, as the currency of amounts, are told more than once."""
        if told not in self._known:
            self._known[told] = self._column(told)
        return self._known[told]

    def _column(self, told: Told) -> _Value | None:
        values, kinds = self._columns.get(told.column, ()), self._columns.kinds(told.column)
        if told.said is not None:
            values = _said(told.said, values, kinds)
            kinds = kinds_of(values)
        if not kinds or kinds == ALL_NONE:
            return _Value(["null"]) if told.always else None
        if kinds == ALL_TEXT and self._is_plain(values):
            return _Value(['"', values, '"'])
        texts = self._json(values, kinds)
        if NONE not in kinds:
            return _Value([texts])
        return _Value([["null" if text is None else text for text in texts]]) if told.always else _Value(gaps=texts)

    def _json(self, values: Sequence[Any], kinds: set[type]) -> Any:
        """The JSON of each value, None for None."""
        if kinds == ALL_INT:
            return list(map(str, values))
        if kinds == SOME_TEXT and self._is_plain(values):
            return [None if value is None else f'"{value}"' for value in values]
        return each(lambda value: None if value is None else self._encoder.text(value), values)

    def _is_plain(self, values: Sequence[Any]) -> bool:
        """Whether all texts stand in JSON as they are. One look at all of them: JSON escapes by backslashes alone."""
        return b"\\" not in self._encoder.one(values)


def _joined(pieces: list[Piece]) -> Iterator[Piece]:
    """Pieces with texts of all rows that stand side by side as one."""
    same = ""
    for piece in pieces:
        if isinstance(piece, str):
            same += piece
            continue
        if same:
            yield same
        same = ""
        yield piece
    if same:
        yield same


def _said(said: Callable[[Any], Any], values: Sequence[Any], kinds: set[type]) -> list[Any]:
    """What is made of each value; many rows say the same."""
    if kinds <= SOME_TEXT:
        known = {value: said(value) for value in set(values) if value is not None} | {None: None}
        return list(map(known.__getitem__, values))
    return each(lambda value: None if value is None else said(value), values)
