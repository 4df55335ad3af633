"""Makes text safe for the cells of a CSV file, which spreadsheet programs may take for formulas."""

from __future__ import annotations

import re

# What a spreadsheet drops before it looks for a sign: blanks, null, soft hyphen, zero-width and direction marks.
_UNSEEN = r"[\s\0\u00ad\u200b-\u200f\u2060\ufeff]*"
# Excel also takes full-width signs; a tab or line break in front is a risk of its own (OWASP, CSV injection).
_RISKY = re.compile(rf"{_UNSEEN}[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n\0]")
# "-5.00" and "+49 30 901820" compute nothing and must stay what they are.
_FIGURE = re.compile(r"-\d[\d.,]*|\+\d[\d ]*", re.ASCII)


def harmless(value: str) -> str:
    """The text with an apostrophe in front where a spreadsheet would read a formula (CWE-1236)."""
    if _RISKY.match(value) and not _FIGURE.fullmatch(value):
        return "'" + value
    return value


def original(value: str) -> str:
    """The text as it was before `harmless`; an apostrophe that stands for itself stays."""
    return value[1:] if value[:1] == "'" and harmless(value[1:]) == value else value
