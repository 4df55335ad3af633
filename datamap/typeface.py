"""Which signs a printed paper can show: PDF/A and PDF/UA refuse a whole document for one sign without a picture."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

# What the typeface (Libertinus Serif, which comes with typst) has: Latin letters of all of Europe and of Vietnamese,
# Greek, Cyrillic, punctuation, currencies, arrows and signs of mathematics.
_UNKNOWN = re.compile(
    r"[^\n\u0020-\u007e\u00a0-\u024f\u0386-\u038a\u038c\u038e-\u03a1\u03a3-\u03ce\u0400-\u045f\u1e00-\u1eff"
    r"\u2010-\u2027\u2030-\u203f\u20a0-\u20bf\u2190-\u2195\u2200-\u226f\u25a0-\u25af]"
)
# Control characters, signs that turn the direction of what follows, and what is only there to be not seen.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]")
BOX = "\u25a1"


def settable(value: Any) -> Any:
    """The same, texts and what is in lists and dictionaries, with a box for every sign that cannot be shown."""
    if isinstance(value, str):
        return _UNKNOWN.sub(BOX, unicodedata.normalize("NFC", _UNSEEN.sub("", value.replace("\t", " "))))
    if isinstance(value, dict):
        return {key: settable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [settable(inner) for inner in value]
    return value
