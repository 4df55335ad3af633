"""Collect every text that people read, and keep locale/de up to date with it: `python -m tests.messages`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import polib
from babel.messages.extract import extract
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
CATALOG = ROOT / "locale" / "de" / "LC_MESSAGES" / "django.po"
APPS = (
    "config",
    "ops",
    "portal",
    "intake",
    "privacy",
    "tracking",
    "consents",
    "orders",
    "interactions",
    "mail",
    "customers",
    "staff",
    "datamap",
    "vault",
)
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
HEADER = {
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Language": "de",
    "MIME-Version": "1.0",
    "Plural-Forms": "nplurals=2; plural=(n != 1);",
}

Key = tuple[str | None, str]


def sources() -> Iterator[Path]:
    """Every Python file of the apps and every template."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path
    yield from sorted(path for path in (ROOT / "templates").rglob("*") if path.suffix in {".html", ".txt"})


def collected() -> dict[Key, tuple[str | None, list[tuple[str, str]]]]:
    """(context, text) -> (plural or None, places), over the whole house."""
    found: dict[Key, tuple[str | None, list[tuple[str, str]]]] = {}
    for path in sources():
        name = path.relative_to(ROOT).as_posix()
        for context, text, plural in _texts(path):
            plural_known, places = found.setdefault((context, text), (plural, []))
            if (name, "") not in places:
                places.append((name, ""))
            if plural and not plural_known:
                found[(context, text)] = (plural, places)
    return found


def _texts(path: Path) -> Iterator[tuple[str | None, str, str | None]]:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        # What is left of a template is calls of gettext among blanks; a line at a time it is readable Python.
        lines = templatize(text, origin=str(path)).splitlines()
        text = "\n".join(line.strip() for line in lines if "gettext(" in line)
        chunks = [line.encode() for line in text.splitlines()]
    else:
        chunks = [text.encode()]
    for chunk in chunks:
        for _line, message, _comments, context in extract("python", BytesIO(chunk), keywords=KEYWORDS):
            one, many = message if isinstance(message, tuple) else (message, None)
            if one:
                yield context, one, many


def update(wordings: dict[Key, str | list[str]]) -> polib.POFile:
    """Bring the German catalog in line with the sources; `wordings` fills what it does not have yet."""
    old = {(entry.msgctxt, entry.msgid): entry for entry in polib.pofile(str(CATALOG))} if CATALOG.exists() else {}
    catalog = polib.POFile(wrapwidth=110)
    catalog.metadata = HEADER
    for (context, text), (plural, places) in sorted(
        collected().items(), key=lambda item: (item[0][1], item[0][0] or "")
    ):
        entry = polib.POEntry(msgid=text, msgctxt=context, msgid_plural=plural or "", occurrences=places)
        before = old.get((context, text))
        wording = wordings.get((context, text)) or wordings.get((None, text))
        if before is not None and before.translated() and bool(before.msgid_plural) == bool(plural):
            entry.msgstr, entry.msgstr_plural = before.msgstr, before.msgstr_plural
        elif wording and plural:
            forms = wording if isinstance(wording, list) else [wording, wording]
            entry.msgstr_plural = dict(enumerate(forms))
        elif wording:
            entry.msgstr = wording if isinstance(wording, str) else wording[0]
        if "%(" in text or "%s" in text:
            entry.flags.append("python-format")
        catalog.append(entry)
    return catalog


def main(files: list[str]) -> None:
    """Write the catalog and its compiled form; JSON files of wordings may be given."""
    wordings: dict[Key, str | list[str]] = {}
    for file in files:
        given = json.loads(Path(file).read_text(encoding="utf-8"))
        wordings |= {tuple(k.split("\x04", 1)) if "\x04" in k else (None, k): v for k, v in given.items()}
    catalog = update(wordings)
    CATALOG.parent.mkdir(parents=True, exist_ok=True)
    catalog.save(str(CATALOG))
    catalog.save_as_mofile(str(CATALOG.with_suffix(".mo")))
    missing = catalog.untranslated_entries()
    print(f"{len(catalog)} texts, {len(missing)} without German wording")
    for entry in missing:
        print(f"  {entry.occurrences[0][0]}: {entry.msgid!r}" + (f" [{entry.msgctxt}]" if entry.msgctxt else ""))


if __name__ == "__main__":
    main(sys.argv[1:])
