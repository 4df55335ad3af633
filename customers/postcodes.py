"""Puts the zero back that a spreadsheet takes from a German postcode, where nothing says that there was none.

Four figures are a postcode of their own in Austria, Switzerland and six other countries; a wrong zero is worse than a
missing one, for nobody sees any more that it was guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from customers.cleaning import Person
from customers.normalizing import fold
from customers.reading import pad_postcode
from datamap.controlling import controller

_SHORT = re.compile(r"[1-9][0-9]{3}")
_FULL = re.compile(r"0[0-9]{4}")
_ABROAD = re.compile(r"\.(?:at|ch|li|lu|be|dk|no|hu|si)$")
# The larger places where four figures are whole.
_TOWNS = frozenset(
    fold(town)
    for town in (
        "Wien", "Vienna", "Graz", "Linz", "Salzburg", "Innsbruck", "Klagenfurt", "Klagenfurt am Wörthersee", "Villach",
        "Wels", "St. Pölten", "Sankt Pölten", "Dornbirn", "Wiener Neustadt", "Steyr", "Feldkirch", "Bregenz",
        "Klosterneuburg", "Leoben", "Krems", "Krems an der Donau", "Traun", "Amstetten", "Lustenau", "Mödling",
        "Hallein", "Kufstein", "Schwechat", "Bludenz", "Eisenstadt", "Zürich", "Genf", "Genève", "Basel", "Bern",
        "Lausanne", "Winterthur", "Luzern", "St. Gallen", "Sankt Gallen", "Lugano", "Biel", "Thun", "Schaffhausen",
        "Chur", "Neuchâtel", "Zug", "Kreuzlingen", "Vaduz", "Luxemburg", "Luxembourg", "Brüssel", "Bruxelles",
        "Antwerpen", "Gent", "Lüttich", "Liège", "Brügge", "Eupen", "Kopenhagen", "København", "Aarhus", "Odense",
        "Aalborg", "Oslo", "Trondheim", "Budapest", "Ljubljana", "Maribor",
    )
)  # fmt: skip

State = dict[str, Any]


def put_zeros_back(persons: Sequence[tuple[Person, State | None]]) -> list[Person]:
    """Complete the German postcodes of one portion of a file in place, for addresses that name no country.

    Beside each person what is known of them. Only in a German shop, where no postcode of the portion has kept its zero
    and neither the row nor what is known speaks of another country. Answers whom it completed a postcode of.
    """
    short = [(person, state) for person, state in persons if any(map(_is_short, person.addresses.values()))]
    if not short or any(_has_zero(person) for person, _state in persons) or controller().country != "DE":
        return []
    return [person for person, state in short if _complete(person, (state or {}).get("addresses", {}))]


def _is_short(address: dict[str, str]) -> bool:
    return bool(_SHORT.fullmatch(address.get("postcode", "")))


def _has_zero(person: Person) -> bool:
    return any(_FULL.fullmatch(address.get("postcode", "")) for address in person.addresses.values())


def _complete(person: Person, known: dict[str, dict[str, str]]) -> bool:
    if _speaks_of_abroad(person) or any(place.get("country", "") not in ("", "DE") for place in known.values()):
        return False
    stored = {place.get("postcode", "") for place in known.values()}
    found = False
    for address in filter(_is_short, person.addresses.values()):
        if address["postcode"] not in stored and fold(address.get("city", "")) not in _TOWNS:
            address["postcode"] = pad_postcode(address["postcode"], "DE")
            found = True
    return found


def _speaks_of_abroad(person: Person) -> bool:
    vat = person.values.get("vat_id", "")[:2]
    return (
        person.names_country
        or (person.phone.startswith("+") and not person.phone.startswith("+49"))
        or (vat.isalpha() and vat != "DE")
        or bool(_ABROAD.search(person.email))
    )
