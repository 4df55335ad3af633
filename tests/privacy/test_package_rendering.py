"""What is rendered by column says the same as the rows one by one, whatever stands in them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from customers.cells import harmless
from datamap.packages import Layout, Told, Where
from privacy.packages.rendering import rendered
from privacy.packages.writing import Columns, Encoder, Table

ZONE = ZoneInfo("Europe/Berlin")
ANYTHING = (
    st.none()
    | st.text(max_size=6)
    | st.sampled_from(['"', "\\", ",", 'a","b', "\n", "\r\n", "=1+1", "+x", "ü", "\x00"])
)
NAMES = ("id", "a", "b", "c", "link", "parent.d")
LAYOUTS: list[Layout] = [
    {},
    {"@type": "T", "x": Told("a")},
    {"x": Told("a"), "y": Told("b"), "@type": "T", "z": Told("c", always=True)},
    {"x": Told("a"), "y": {"z": Told("b")}},
    {"x": Where("a", {"@type": "M", "value": Told("a"), "of": Told("parent.d", always=True, again=True)})},
    {"x": Where("a", {"y": Told("b")}), "b": Told("b", again=True), "no": Told("no"), "null": Told("no", always=True)},
    {"n": Told("id", str), "big": Told("a", lambda text: {"said": text, "list": [2**70, None]})},
]  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:
    """Columns of as many values each."""
    size = draw(st.integers(1, 5))
    columns = {name: draw(st.lists(ANYTHING, min_size=size, max_size=size)) for name in NAMES}
    return columns | {
        "id": list(range(size)),
        "b": draw(st.lists(st.none() | st.booleans(), min_size=size, max_size=size)),
    }


def plain(layout: Layout, row: dict[str, Any]) -> dict[str, Any]:
    """The object of one row as the docstrings of a layout promise it."""
    made: dict[str, Any] = {}
    for key, what in layout.items():
        if isinstance(what, str):
            made[key] = what
        elif isinstance(what, Told):
            value = row.get(what.column)
            value = what.said(value) if what.said and value is not None else value
            if value is not None or what.always:
                made[key] = value
        elif isinstance(what, Where):
            if row.get(what.column) is not None and (inner := plain(what.layout, row)):
                made[key] = inner
        elif inner := plain(what, row):
            made[key] = inner
    return made


def told_by(layout: Layout) -> set[str]:
    """The columns that need no second place."""
    found: set[str] = set()
    for what in layout.values():
        if isinstance(what, Told):
            found |= set() if what.again else {what.column}
        elif not isinstance(what, str):
            found |= told_by(what.layout if isinstance(what, Where) else what)
    return found


@given(tables(), st.sampled_from(LAYOUTS), st.sampled_from(["", "link"]))
def test_a_layout_says_of_each_row_what_it_promises(columns: dict[str, list[Any]], layout: Layout, link: str) -> None:
    texts = rendered(Columns(columns), layout, link, Encoder(ZONE))
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    assert len(texts) == len(rows)
    for text, row in zip(texts, rows, strict=True):
        rest = {name: value for name, value in row.items() if value is not None and value != ""}
        left = {name: rest[name] for name in rest if name not in {link, "parent.d", *told_by(layout)}}
        assert json.loads(text) == plain(layout, row) | ({"additional": left} if left else {})


@given(tables())
def test_without_a_layout_a_row_is_written_as_it_is_declared(columns: dict[str, list[Any]]) -> None:
    texts = rendered(Columns(columns), None, "", Encoder(ZONE))
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    for row in rows:
        row.pop("parent.d")
    assert [json.loads(text) for text in texts] == rows


@given(tables())
def test_a_table_is_read_by_others_as_it_was_written(columns: dict[str, list[Any]]) -> None:
    names = [name for name in NAMES if name != "parent.d"]
    table = Table(names, ["a", "c", "link"], ZONE)
    table.add(Columns(columns))
    told = list(csv.reader(io.StringIO(b"".join(table.read()).decode(), newline="")))
    assert told[0] == names
    expected = [
        ["" if one is None else harmless(one) if isinstance(one, str) else str(one) for one in values]
        for values in zip(*(columns[name] for name in names), strict=True)
    ]
    assert told[1:] == expected
