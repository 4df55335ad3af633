"""Whatever stands in a text, the paper with it can be printed: PDF/A refuses a document for one sign."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from datamap.typeface import settable
from privacy.letters import TYPST, typeset

LETTER = {
    "language": "de", "subject": "Ihr Anliegen", "sender_name": "Obhut", "sender_line": "", "recipient": [],
    "place_and_date": "", "date": [2026, 1, 2], "footer": "",
}  # fmt: skip


def printed(*paragraphs: str) -> bytes:
    return typeset(TYPST, LETTER | {"paragraphs": list(paragraphs)})


def test_names_of_all_europe_and_of_vietnam_stay_whole() -> None:
    for name in ("Łukasz Ćwiękała", "Ştefan Țepeș", "Nguyễn Thị Hồng", "Σίσυφος", "Ђорђе", "½ · → ≤ €"):
        assert settable(name) == name
    assert settable({"name": ["田中 Ida", "Zoe\u0308", "👾\ufe0f", "a\0b\u202ec"]}) == {
        "name": ["□□ Ida", "Zoë", "□", "abc"]
    }


def test_a_letter_holds_every_naughty_string(shared_data: Path) -> None:
    strings = json.loads((shared_data / "sets" / "blns.json").read_text())
    assert printed(*strings).startswith(b"%PDF")


@settings(max_examples=30, deadline=None)
@example("田中太郎")
@example("\ufeff\u2028\u0085")
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_a_letter_holds_any_text(text: str) -> None:
    assert printed(text).startswith(b"%PDF")
