"""No text is left in one language only."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import polib
import pytest

from tests.messages import APPS, CATALOG, ROOT, collected, update

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
# Names and signs that are the same in every language.
SAME = {
    "Obhut",
    "DSGVO",
    "TOTP",
    "CSV",
    "PDF",
    "Markdown",
    "XLSX",
    "JSON",
    "JavaScript",
    "Passkey",
    "Ctrl",
    "SHA",
    "Deutsch",
    "English",
}
# Blocks whose text is a class or a policy, not words.
_TECHNICAL = re.compile(r"{%\s*block (?:width|plain_width|referrer)\s*%}.*?{%\s*endblock\s*%}", re.S)
_CHOSEN_TAG = re.compile(r"<{%.*?%}")
_BLOCKS = re.compile(r"{%\s*(blocktranslate|comment)\b.*?{%\s*end\1\s*%}", re.S)
_TAGS = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.S)
_WORD = re.compile(r"[^\W\d_]{3,}")
# Attributes whose text people read or hear.
_READ = {"title", "alt", "placeholder", "aria-label", "aria-description", "data-label", "value"}


def test_every_text_has_a_german_wording():
    known = {(entry.msgctxt, entry.msgid): entry for entry in polib.pofile(str(CATALOG))}
    missing = [key for key in collected() if key not in known or not known[key].translated() or known[key].fuzzy]
    assert missing == []


def test_no_wording_is_left_of_texts_that_are_gone():
    current = set(collected())
    assert [entry.msgid for entry in polib.pofile(str(CATALOG)) if (entry.msgctxt, entry.msgid) not in current] == []


def test_the_compiled_catalog_is_that_of_the_source():
    compiled = {
        (e.msgctxt, e.msgid): (e.msgstr, e.msgstr_plural) for e in polib.mofile(str(CATALOG.with_suffix(".mo")))
    }
    source = {(e.msgctxt, e.msgid): (e.msgstr, e.msgstr_plural) for e in update({})}
    assert compiled == source


def test_placeholders_are_the_same_in_both_languages():
    hole = re.compile(r"%\(\w+\)[sd]|%[sd]|{\w*}")
    wrong = []
    for entry in polib.pofile(str(CATALOG)):
        wordings = list(entry.msgstr_plural.values()) or [entry.msgstr]
        wanted = set(hole.findall(entry.msgid_plural or entry.msgid))
        wrong += [entry.msgid for wording in wordings if not set(hole.findall(wording)) <= wanted]
        wrong += [] if set(hole.findall(wordings[-1])) == wanted else [entry.msgid]
    assert wrong == []


class _Words(HTMLParser):
    """Collects the words of a template that stand outside every translation tag."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        if self.get_starttag_text() is None or not (self.get_starttag_text() or "").startswith(("<style", "<script")):
            self._keep(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in _READ and value and not (name == "value" and tag != "button" and tag != "input"):
                if name == "value" and dict(attrs).get("type") not in ("submit", "button"):
                    continue
                self._keep(value)

    def _keep(self, text: str) -> None:
        self.found += [word for word in _WORD.findall(text) if word not in SAME]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT / "templates").as_posix())
def test_no_words_stand_outside_translation(path: Path):
    text = _TECHNICAL.sub(" ", _BLOCKS.sub(" ", path.read_text(encoding="utf-8")))
    text = _TAGS.sub(" ", _CHOSEN_TAG.sub("<div ", text))
    words = _Words()
    words.feed(text)
    assert words.found == []


def test_no_text_is_looked_up_where_the_collection_does_not_see_it():
    """Inside an f-string a call is no token of its own before Python 3.12."""
    hidden = re.compile(r"""\{\s*(?:_|n?gettext(?:_lazy)?)\(\s*["']""")
    sources = [path for app in APPS for path in sorted((ROOT / app).rglob("*.py"))]
    assert [str(path.relative_to(ROOT)) for path in sources if hidden.search(path.read_text(encoding="utf-8"))] == []
