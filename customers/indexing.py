"""Keeps what lists and searches read beside the customer: search text, words, sort name, phonetic code."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any, NamedTuple

from cologne_phonetics import encode
from django.db import DatabaseError, connection, transaction

from customers.normalizing import fold, fold_sql

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_WRITTEN_OUT = re.compile(r"([aou])e")
_LETTERS = re.compile(r"[^\w]+")
_LIKE = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})
DICTIONARY = "^[^0-9-][^-]{3,59}$"
"""Which words are looked through for a misspelt one, for Python and for SQL. A double name has no place among them
beside its halves: nearly all would be different."""
_is_looked_through = re.compile(DICTIONARY).match
BATCH = 5000


class Entry(NamedTuple):
    """What `SearchEntry` and the customer's `sort_name` hold."""

    text: str
    phonetic: str
    postcode: str
    sort_name: str


# Words come again, but not without end: a million names must not stay in memory.
KEPT = 16_384
HALF = 2
"""So long must the sound of half a name be to say anything."""


@lru_cache(maxsize=KEPT)
def searched_words(text: str) -> tuple[str, ...]:
    """The folded words of a name, with umlauts also written out, so that Mueller and Müller find each other.

    Behind a double name its halves: whoever is asked for by one of them may be misspelt, too.
    """
    if not text:
        return ()
    folded = fold(text)
    written_out = fold(text.translate(_UMLAUTS))
    variants = dict.fromkeys((folded, written_out, _WRITTEN_OUT.sub(r"\1", folded)))
    words = dict.fromkeys(word for variant in variants for word in variant.split())
    if "-" in folded:
        halves = (half for word in words if "-" in word for half in word.split("-"))
        words |= dict.fromkeys(half for half in halves if _is_looked_through(half))
    return tuple(words)


def alike(text: str) -> str:
    """Folded, with ae, oe and ue taken for umlauts: equal for "Köln", "Koeln" and "koln"."""
    return _WRITTEN_OUT.sub(r"\1", fold(text))


def alike_sql(column: str) -> str:
    """SQL that makes of a column what `alike` makes of a text."""
    return f"regexp_replace({fold_sql(column)}, '{_WRITTEN_OUT.pattern}', '\\1', 'g')"


@lru_cache(maxsize=KEPT)
def phonetic_code(name: str) -> str:
    """Kölner phonetics of a name; what holds no letter of it is compared as it stands."""
    return "".join(code for _, code in encode(name)) or fold(name)


@lru_cache(maxsize=2_048)  # whole names are nearly all different
def _folded(name: str) -> str:
    return fold(name)


def sounds_of(first_name: str, last_name: str) -> list[str]:
    """What the sound of somebody may look like of whose double name one half is wrong or missing, for LIKE; nothing
    where no name is double."""
    first, last = _with_halves(first_name), _with_halves(last_name)
    if not last_name or len(first) + len(last) == 2:
        return []
    return [f"{one} {other}" for one in last for other in first]


def _with_halves(name: str) -> list[str]:
    """The sound of a name, and of a double one what begins with its first half or ends with its last."""
    if "-" not in name:
        return [_sound(name)]
    begins, ends = _sound(name.partition("-")[0]), _sound(name.rpartition("-")[2])
    halves = ([f"{begins}%"] if len(begins) >= HALF else []) + ([f"%{ends}"] if len(ends) >= HALF else [])
    return [_sound(name), *halves]


def _sound(name: str) -> str:
    """Without wildcards: what holds no letter stands for itself."""
    return phonetic_code(name).translate(_LIKE) if name else ""


def sound_of(first_name: str, last_name: str, company: str) -> str:
    """Surname and first name (or the company) as they sound: the key of likely duplicates beside the postcode."""
    if last_name:
        return f"{phonetic_code(last_name)} {phonetic_code(first_name) if first_name else ''}"
    return phonetic_code(company) if company else ""


def entry_for(
    number: str,
    kind: str,
    first_name: str,
    last_name: str,
    company: str,
    places: Sequence[tuple[str, str]] = (),
    people: Sequence[str] = (),
) -> Entry:
    """The search entry of a customer with these names, (postcode, city) of the addresses, the usual one first, and
    the names of the people who speak for it."""
    words = dict.fromkeys(searched_words(last_name))
    words |= dict.fromkeys(searched_words(first_name))
    words |= dict.fromkeys(searched_words(company))
    words[fold(number)] = None
    for postcode, city in places:
        words |= dict.fromkeys(searched_words(city))
        words |= dict.fromkeys(searched_words(postcode))
    for person in people:
        words |= dict.fromkeys(searched_words(person))
    name = _folded(f"{last_name} {first_name}".strip())
    firm = _folded(company)
    sort_name = (firm or name) if kind == "company" else (name or firm)
    postcode = places[0][0] if places else ""
    return Entry(" ".join(words), sound_of(first_name, last_name, company), postcode, sort_name or fold(number))


def dictionary_words(texts: Iterable[str]) -> list[str]:
    """The distinct words worth a place in the dictionary of misspelt words, in order (so that writers never wait
    for each other in a circle)."""
    words = {word for text in texts for word in text.split()}
    return sorted(filter(_is_looked_through, words))


def add_words(texts: Iterable[str]) -> None:
    """Note words that the dictionary does not have yet."""
    words = dictionary_words(texts)
    if not words:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_searchword (word, entries) SELECT w, 1 FROM unnest(%s::text[]) w "
            "WHERE NOT EXISTS (SELECT 1 FROM customers_searchword s WHERE s.word = w) "
            "ON CONFLICT (word) DO NOTHING",
            [words],
        )


def refresh(customer_ids: Iterable[int]) -> None:
    """Bring search entry, words and sort name of these customers to what their rows say; writes only what differs."""
    ids = sorted(customer_ids)
    for start in range(0, len(ids), BATCH):
        _refresh(ids[start : start + BATCH])


def _refresh(ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.id, c.number, c.kind, c.first_name, c.last_name, c.company,
                coalesce(array_agg(a.postcode ORDER BY a.is_default DESC, a.id) FILTER (WHERE a.id > 0), '{}'),
                coalesce(array_agg(a.city ORDER BY a.is_default DESC, a.id) FILTER (WHERE a.id > 0), '{}'),
                ARRAY(
                    SELECT n.name FROM customers_contactperson p,
                        unnest(ARRAY[p.last_name, p.first_name]) WITH ORDINALITY AS n (name, place)
                    WHERE p.customer_id = c.id AND p.restricted_at IS NULL ORDER BY p.id, n.place
                )
            FROM customers_customer c LEFT JOIN customers_address a ON a.customer_id = c.id
            WHERE c.id = ANY(%s) GROUP BY c.id
            """,
            [ids],
        )
        rows = cursor.fetchall()
        entries = [_entry(row) for row in rows]
        columns = [[row[0] for row in rows], *map(list, zip(*entries, strict=True))] if rows else [[]] * 5
        cursor.execute(
            """
            WITH before AS (
                SELECT customer_id, text FROM customers_searchentry WHERE customer_id = ANY(%s)
            ), written AS (
                INSERT INTO customers_searchentry AS e (customer_id, text, phonetic, postcode)
                SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[])
                ON CONFLICT (customer_id) DO UPDATE
                    SET text = excluded.text, phonetic = excluded.phonetic, postcode = excluded.postcode
                    WHERE (e.text, e.phonetic, e.postcode)
                        IS DISTINCT FROM (excluded.text, excluded.phonetic, excluded.postcode)
                RETURNING customer_id, text
            )
            SELECT b.text, w.text FROM before b JOIN written w USING (customer_id) WHERE b.text <> w.text
            """,
            [columns[0], *columns[:4]],
        )
        lost = Counter(word for old, new in cursor.fetchall() for word in {*old.split()} - {*new.split()})
        cursor.execute(
            """
            UPDATE customers_customer c SET sort_name = n.sort_name
            FROM unnest(%s::bigint[], %s::text[]) AS n (id, sort_name)
            WHERE c.id = n.id AND c.sort_name IS DISTINCT FROM n.sort_name
            """,
            [columns[0], columns[4]],
        )
    add_words(entry.text for entry in entries)
    if lost:
        transaction.on_commit(partial(_count_down, lost))


def _entry(row: tuple[Any, ...]) -> Entry:
    _id, number, kind, first_name, last_name, company, postcodes, cities, people = row
    places = tuple(zip(postcodes, cities, strict=True))
    return entry_for(number, kind, first_name, last_name, company, places, people)


# Of so many customers every word is looked up; of more only those that nobody else had when last counted.
LOOKED_UP = 200
# A word that so many carried is found soon by reading entries one after the other, and slowly by its trigrams.
COMMON = 1_000
_WORDS = """
    WITH mine AS (
        SELECT word, count(DISTINCT e.customer_id) AS carriers
        FROM customers_searchentry e, unnest(string_to_array(e.text, ' ')) AS word
        WHERE e.customer_id = ANY(%(ids)s) GROUP BY word
    )
    SELECT s.word, mine.carriers, s.entries > %(common)s, %(all)s OR s.entries <= mine.carriers
    FROM mine JOIN customers_searchword s USING (word) ORDER BY s.word
"""
# Joined, since `= ANY` would ask the index of trigrams.
_LOCKED = """
    SELECT FROM customers_searchword s JOIN unnest(%s::text[]) AS w (word) USING (word) ORDER BY word FOR UPDATE OF s
"""
_COUNT_DOWN = """
    UPDATE customers_searchword s SET entries = greatest(s.entries - m.carriers, 0)
    FROM unnest(%s::text[], %s::int[]) AS m (word, carriers)
    WHERE s.word = m.word RETURNING s.word, s.entries
"""
_CARRIED = """
    SELECT w.word FROM unnest(%(words)s::text[], %(patterns)s::text[], %(whole)s::text[]) AS w (word, pattern, whole)
    WHERE EXISTS (
        SELECT 1 FROM customers_searchentry e
        WHERE {text} LIKE w.pattern AND ' ' || e.text || ' ' LIKE w.whole AND e.customer_id <> ALL(%(ids)s)
    )
"""


def forget_words(customer_ids: Iterable[int]) -> int:
    """Drop the dictionary words that these customers carry and nobody else does; how many went.

    Called while their search entries still stand. A word that somebody else carries never goes. For more than
    `LOOKED_UP` customers the counts decide which words are looked up at all; once they are gone their words are
    counted down, as are those of renamed customers, so that the last who carries a word finds nobody else.
    """
    ids = list(customer_ids)
    if not ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_WORDS, {"ids": ids, "common": COMMON, "all": len(ids) <= LOOKED_UP})
        found = cursor.fetchall()
        asked = [(word, often) for word, _carriers, often, is_asked in found if is_asked]
        carried: set[str] = set()
        for common in (False, True):
            words = [word for word, often in asked if often is common]
            # `||` keeps the index out of the question.
            carried |= _carried(cursor, words, ids, "(e.text || '')" if common else "e.text")
        lonely = [word for word, _often in asked if word not in carried]
        cursor.execute("DELETE FROM customers_searchword WHERE word = ANY(%s)", [lonely])
        gone = cursor.rowcount
    left = {word: carriers for word, carriers, *_asked in found}
    for word in lonely:
        del left[word]
    # Only then: the count of a word that many carry may not be locked as long as their batch takes.
    transaction.on_commit(partial(_count_down, left))
    return gone


def _count_down(carriers: Mapping[str, int]) -> None:
    """Take those who are gone off the counts, and drop what nobody carries any more.

    A count that could not be taken down is mended by the next count of all words.
    """
    with suppress(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        words = list(carriers)
        # In order, so that two who count never wait for each other in a circle.
        cursor.execute(_LOCKED, [words])
        cursor.execute(_COUNT_DOWN, [words, list(carriers.values())])
        none = [word for word, entries in cursor.fetchall() if not entries]
        if lonely := set(none) - _carried(cursor, none, [], "e.text"):
            cursor.execute("DELETE FROM customers_searchword WHERE word = ANY(%s)", [list(lonely)])


def _carried(cursor: Any, words: list[str], ids: list[int], text: str) -> set[str]:
    """Those of the words that somebody else carries."""
    if not words:
        return set()
    escaped = [word.translate(_LIKE) for word in words]
    given = {
        "ids": ids,
        "words": words,
        "patterns": [f"%{word}%" for word in escaped],
        "whole": [f"% {word} %" for word in escaped],
    }
    cursor.execute(_CARRIED.format(text=text), given)
    return {word for (word,) in cursor.fetchall()}


def recount_words() -> int:
    """Count every word of the dictionary anew and drop those nobody carries any more; answers how many went.

    An erased rare surname must not survive in the dictionary, so this runs every night, before the retention run. A
    word that was dropped while somebody wrote it comes back.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH counted AS (
                SELECT word, count(*) AS entries
                FROM customers_searchentry, unnest(string_to_array(text, ' ')) AS word
                WHERE word ~ %s GROUP BY word
            ), gone AS (
                DELETE FROM customers_searchword s
                WHERE NOT EXISTS (SELECT 1 FROM counted c WHERE c.word = s.word) RETURNING 1
            ), changed AS (
                UPDATE customers_searchword s SET entries = c.entries FROM counted c
                WHERE c.word = s.word AND s.entries IS DISTINCT FROM c.entries RETURNING 1
            ), back AS (
                INSERT INTO customers_searchword (word, entries) SELECT word, entries FROM counted
                ON CONFLICT (word) DO NOTHING RETURNING 1
            )
            SELECT count(*) FROM gone
            """,
            [DICTIONARY],
        )
        return cursor.fetchone()[0]
