"""How values are folded before they are compared, hashed or sorted (domain.md 4, integrations.md 6)."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping

import idna

_DIGITS = re.compile(r"\D+")
# Letters that NFKD does not take apart.
_LETTERS = str.maketrans({"ß": "ss", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
# The same for the database, which has no capitals beyond ASCII in every locale: both cases of each letter.
_BOTH_CASES = {
    letter: _LETTERS[ord(letter.lower())]
    for letter in map(chr, range(0x80, 0x2000))
    if len(letter.lower()) == 1 and ord(letter.lower()) in _LETTERS
}
_MARKS = "\u0300-\u036f"
_STREET = re.compile(r"(?:strasse|str\.?)(?=\s|\d|$)")


def fold(text: str) -> str:
    """Lower-case `text` without accents, single-spaced: what search and sorting compare."""
    text = text.lower()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_LETTERS))
        # Once more: what was taken apart may hold capitals and letters of the table ("K" of the Kelvin sign).
        text = "".join(c for c in text if not unicodedata.combining(c)).lower().translate(_LETTERS)
    return " ".join(text.split())


def fold_sql(column: str) -> str:
    """SQL that folds a column as `fold` does; of capitals beyond Latin it knows those that the database knows."""
    single = {letter: plain for letter, plain in _BOTH_CASES.items() if len(plain) == 1}
    folded = f"regexp_replace(normalize({column}, NFKD), '[{_MARKS}]', '', 'g')"
    folded = f"translate({folded}, '{''.join(single)}', '{''.join(single.values())}')"
    for letter, plain in _BOTH_CASES.items():
        if letter not in single:
            folded = f"replace({folded}, '{letter}', '{plain}')"
    return f"btrim(regexp_replace(lower({folded}), '\\s+', ' ', 'g'))"


def email_key(value: str) -> str | None:
    """The address as suppression and exact search compare it: NFC, lower case, IDNA domain, tag kept."""
    value = value.strip().lower()
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
    local, _at, domain = value.rpartition("@")
    if not local or not domain or value.split() != [value]:
        return None
    if domain.isascii():
        return value
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError:
        return None


def phone_key(value: str) -> str | None:
    """The digits of an E.164 number; anything else must be read before it is compared and is no key."""
    if not value.startswith("+"):
        return None
    digits = _DIGITS.sub("", value)
    return digits if len(digits) >= 7 else None


def whole_key(value: str | None) -> str | None:
    """Blind index of a whole e-mail address or phone number."""
    if not value:
        return None
    return email_key(value) if "@" in value else phone_key(value)


def part_key(value: str | None) -> str | None:
    """Blind index of the part before the @, or of the last six digits."""
    key = whole_key(value)
    if not key:
        return None
    return key.rpartition("@")[0] if "@" in key else key[-6:]


def match_key(value: str | None) -> str | None:
    """The key duplicates are searched by: tag removed, googlemail = gmail; last nine digits of a phone."""
    key = whole_key(value)
    if not key:
        return None
    if "@" not in key:
        return key[-9:]
    local, _, domain = key.rpartition("@")
    if domain == "googlemail.com":
        domain = "gmail.com"
    return f"{local.split('+', 1)[0]}@{domain}"


def street_key(value: str | None) -> str | None:
    """Street with number, so that "Elbchaussee 12" and "elbchaussee 12" are one address."""
    if not value:
        return None
    return _STREET.sub("str", fold(value)).replace(" ", "") or None


def text_key(value: str | None) -> str | None:
    """A text as it stands: blind index of what is only ever compared whole."""
    return value or None


def evidence_key(value: Mapping[str, str] | None) -> str | None:
    """The evidence of an opt-in, whatever the order of its columns."""
    return json.dumps(value or {}, sort_keys=True, ensure_ascii=False, default=str)
