"""Finds customers by what staff type: names, company, place, number, whole e-mail, phone; and forgives a typo."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection

from customers.models import ContactPerson, ContactPoint
from customers.normalizing import fold
from customers.reading import read_phone

COUNTED = 500
"""More hits than this are "500+": putting twice as many into the order of names takes twice as long."""
FUZZY_COUNTED = 100
"""Where nobody is found as typed, so many who may be meant are enough to look through."""
FUZZY_WORDS = 3
SHORTEST = 4
"""So many letters a word has that is looked up in the dictionary."""
# Joined, since `= ANY` would ask the index of trigrams.
_KNOWN = "SELECT word FROM customers_searchword JOIN unnest(%s::text[]) AS w (word) USING (word)"
# Asks the index of whole words: the trigrams of names that begin alike are carried by thousands.
_CARRIES = "string_to_array(text, ' ') && %s"
SIMILAR_SHORT, SIMILAR_LONG = 0.3, 0.4
"""One wrong letter spoils three trigrams: a smaller share of a long word, so fewer words need to be looked at."""
LONG_WORD = 7

_DIGITS = re.compile(r"\D+")
_PHONE = re.compile(r"[+(\d][\d\s()/.-]{4,}")
_LIKE = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})

_WHOLE = ContactPoint._meta.get_field("whole_index")
_PART = ContactPoint._meta.get_field("part_index")
_PERSON_EMAIL = ContactPerson._meta.get_field("email_index")
_PERSONS = "SELECT customer_id FROM customers_contactperson WHERE {} = ANY(%s) AND restricted_at IS NULL"
_PERSON_PHONE = ContactPerson._meta.get_field("phone_index")


@dataclass(frozen=True)
class Found:
    """Ids in the order of names, the most alike first where nobody is written so; how many there are (capped), and
    whether more exist than were counted.
    """

    ids: list[int] = field(default_factory=list)
    more: bool = False
    fuzzy: bool = False

    @property
    def count(self) -> str:
        """The number of hits as a page shows it."""
        return f"{len(self.ids)}+" if self.more else str(len(self.ids))


def search(text: str, *, restricted_too: bool = False, cap: int = COUNTED) -> Found:
    """The customers meant by `text`, ordered by name; restricted ones only where the caller may see them.

    Reads at most `cap` + 1 candidates, so that a common fragment costs no more than a rare one.
    """
    text = text.replace("\0", "").strip()
    # Lists write "Müller, Jürgen", and so does who copies from them.
    words = [word for part in fold(text).split() if (word := part.strip(",;"))]
    if not words:
        return Found()
    reach = _Reach(restricted_too, cap + 1)
    ids = _exact(text, words, reach)
    if ids or not _may_be_misspelt(words):
        return Found(ids[:cap], len(ids) > cap)
    cap = min(cap, FUZZY_COUNTED)
    ids = _misspelt(words, reach._replace(candidates=cap + 1))
    return Found(ids[:cap], len(ids) > cap, fuzzy=bool(ids))


def matching_ids(text: str, *, restricted_too: bool = False, cap: int = COUNTED) -> list[int]:
    """The ids alone."""
    return search(text, restricted_too=restricted_too, cap=cap).ids


class _Reach(NamedTuple):
    """Whom a search may find, and how many candidates it reads."""

    restricted_too: bool
    candidates: int


def _exact(text: str, words: list[str], reach: _Reach) -> list[int]:
    if "@" in text[1:-1]:
        return _by_hash(_PERSON_EMAIL, "email_index", text, reach)
    phone = _PHONE.fullmatch(text)
    if phone and text.startswith("+"):
        # Nothing else is written so, and a number that lies sealed must not stand in the text of a query.
        phones = _phone_parts(text)
        return _ordered(phones, reach) if phones else []
    parts: list[tuple[str, list[Any]]] = []
    if len(words) == 1 or any(character.isdigit() for character in text):
        together = "".join(text.split())
        numbers = sorted({words[0], text, together, together.upper()})
        parts.append(("SELECT id FROM customers_customer WHERE number = ANY(%s)", [numbers]))
    if len(words) == 1:
        parts.append(_hash_part("part_index", _PART.candidates(f"{text.rstrip('@')}@x"), "email"))
    if phone:
        parts += _phone_parts(text)
    if len(words) > 1 or len(words[0]) > 2:
        parts.append(_text_part(words))
    else:
        parts.append(_prefix_part(words[0], reach.candidates))
    return _ordered(parts, reach, words[0])


def _hash_part(column: str, hashes: list[bytes], kind: str) -> tuple[str, list[Any]]:
    return (
        f"SELECT customer_id FROM customers_contactpoint WHERE {column} = ANY(%s) AND kind = '{kind}'",  # noqa: S608
        [hashes],
    )


def _phone_parts(text: str) -> list[tuple[str, list[Any]]]:
    parts = []
    if number := read_phone(text):
        parts.append(_hash_part("whole_index", _WHOLE.candidates(number), "phone"))
        persons = _PERSON_PHONE.candidates(number)
        parts.append((_PERSONS.format("phone_index"), [persons]))
    digits = _DIGITS.sub("", text)
    if len(digits) == 6:
        parts.append(_hash_part("part_index", _PART.candidates(f"+49{digits}"), "phone"))
    return parts


def _text_part(words: list[str]) -> tuple[str, list[Any]]:
    """Each word somewhere in the text."""
    return _entries([_held(word) for word in words])


def _held(word: str) -> tuple[str, str]:
    """A word somewhere in the text; one too short for a trigram must begin a word."""
    pattern = word.translate(_LIKE)
    return ("text LIKE %s", f"%{pattern}%") if len(word) > 2 else ("(' ' || text) LIKE %s", f"% {pattern}%")


def _entries(conditions: list[tuple[str, Any]]) -> tuple[str, list[Any]]:
    together = " AND ".join(condition for condition, _ in conditions)
    return f"SELECT customer_id FROM customers_searchentry WHERE {together}", [value for _, value in conditions]  # noqa: S608


def _prefix_part(word: str, candidates: int) -> tuple[str, list[Any]]:
    """One or two letters: the beginning of the name as lists sort it, straight from that index."""
    end = word[:-1] + chr(ord(word[-1]) + 1)
    part = (
        "SELECT id FROM (SELECT id FROM customers_customer WHERE sort_name >= %s AND sort_name < %s "
        "ORDER BY sort_name, id LIMIT %s) first"
    )
    return part, [word, end, candidates]


def _by_hash(person_field: Any, person_column: str, text: str, reach: _Reach) -> list[int]:
    parts = [
        _hash_part("whole_index", _WHOLE.candidates(text), "email"),
        (
            _PERSONS.format(person_column),
            [person_field.candidates(text)],
        ),
    ]
    return _ordered(parts, reach)


def _ordered(parts: list[tuple[str, list[Any]]], reach: _Reach, begins: str = "", alike: str = "") -> list[int]:
    """The candidates of all parts, capped, in the order of names; before them those whose name begins as typed, or
    for a typo those whose name is most like it.

    Each part is capped and materialised before anything is ordered: otherwise the planner walks the index of names
    and filters hundreds of thousands of rows (performance.md 3).
    """
    limit = f"LIMIT {reach.candidates:d}"
    capped = " UNION ".join(f"(SELECT * FROM ({part}) one {limit})" for part, _ in parts)  # noqa: S608
    restricted = "" if reach.restricted_too else "WHERE c.restricted_at IS NULL"
    query = (
        f"WITH found (id) AS MATERIALIZED (SELECT * FROM ({capped}) every {limit}) "  # noqa: S608
        f"SELECT c.id FROM customers_customer c JOIN found USING (id) {restricted} "
        f"ORDER BY {'similarity' if alike else 'starts_with'}(c.sort_name, %s) DESC, c.sort_name, c.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [*(value for _, params in parts for value in params), alike or begins])
        return [id_ for (id_,) in cursor.fetchall()]


def _may_be_misspelt(words: list[str]) -> bool:
    return any(map(_is_looked_up, words)) and not any("@" in word for word in words)


def _misspelt(words: list[str], reach: _Reach) -> list[int]:
    """Whoever carries words of the dictionary that look like the ones typed; words it has are meant as typed. Of a
    double name each half is asked for by itself."""
    words = [half for word in words for half in word.split("-") if half]
    slips = {word: _slips(word) for word in words}
    asked = {*words, *(one for many in slips.values() for parts in many for one in parts)}
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [list(asked)])
        known = {word for (word,) in cursor.fetchall()}
        meant = {
            word: _meant(cursor, word, slips[word], known)
            for word in words
            if _is_looked_up(word) and word not in known
        }
    if not all(meant.values()):
        return []
    part, params = _entries([(_CARRIES, meant[word]) if word in meant else _held(word) for word in words])
    # Planned for all of them: a plan for the first hundred of words that are not known yet would read the whole table.
    everybody = f"WITH everybody AS MATERIALIZED ({part}) SELECT customer_id FROM everybody"  # noqa: S608
    return _ordered([(everybody, params)], reach, alike=" ".join(words))


def _slips(word: str) -> list[tuple[str, ...]]:
    """What may have been meant though it shares few trigrams: two neighbouring letters the other way round, the
    commonest slip of fast fingers, and two names where the hyphen was forgotten."""
    if not _is_looked_up(word):
        return []
    swapped = [(f"{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}",) for at in range(len(word) - 1)]
    return [*swapped, *((word[:at], word[at:]) for at in range(SHORTEST, len(word) - SHORTEST + 1))]


def _meant(cursor: Any, word: str, slips: list[tuple[str, ...]], known: set[str]) -> list[str]:
    cursor.execute("SELECT set_config('pg_trgm.similarity_threshold', %s, false)", [f"{_similar(len(word)):.3f}"])
    cursor.execute(
        "SELECT word FROM customers_searchword WHERE word %% %s AND length(word) BETWEEN %s AND %s "
        "ORDER BY similarity(word, %s) DESC, word LIMIT %s",
        [word, len(word) - 2, len(word) + 2, word, FUZZY_WORDS],
    )
    slipped = ["-".join(parts) for parts in slips if known.issuperset(parts)]
    return list(dict.fromkeys([*slipped, *(found for (found,) in cursor.fetchall())]))[:FUZZY_WORDS]


def _is_looked_up(word: str) -> bool:
    return len(word) >= SHORTEST and not word.isdigit()


def _similar(letters: int) -> float:
    """How much of a word's trigrams a dictionary word must share to be what was meant.

    Two letters swapped, the costliest typo, spoil four of a word's n + 1 trigrams and bring four others: too many in
    words of up to eight letters, for which `_slips` stands in. A long word can ask for more than a short one, and
    each tenth more halves the words whose trigrams are compared one by one.
    """
    if letters < LONG_WORD:
        return SIMILAR_SHORT
    return max(SIMILAR_LONG, (letters - 3) / (letters + 5) - 0.01)
