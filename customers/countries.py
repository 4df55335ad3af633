"""Country names in German and English, and their codes, as platforms and spreadsheets write them."""

from __future__ import annotations

from collections.abc import Mapping

from phonenumbers.geodata.locale import LOCALE_DATA

from customers.normalizing import fold

_LANGUAGES = ("de", "en")
_ALPHA3 = [
    "AUT",
    "AT",
    "BEL",
    "BE",
    "BGR",
    "BG",
    "CHE",
    "CH",
    "CYP",
    "CY",
    "CZE",
    "CZ",
    "DEU",
    "DE",
    "DNK",
    "DK",
    "ESP",
    "ES",
    "EST",
    "EE",
    "FIN",
    "FI",
    "FRA",
    "FR",
    "GBR",
    "GB",
    "GRC",
    "GR",
    "HRV",
    "HR",
    "HUN",
    "HU",
    "IRL",
    "IE",
    "ISL",
    "IS",
    "ITA",
    "IT",
    "LIE",
    "LI",
    "LTU",
    "LT",
    "LUX",
    "LU",
    "LVA",
    "LV",
    "MLT",
    "MT",
    "NLD",
    "NL",
    "NOR",
    "NO",
    "POL",
    "PL",
    "PRT",
    "PT",
    "ROU",
    "RO",
    "SRB",
    "RS",
    "SVK",
    "SK",
    "SVN",
    "SI",
    "SWE",
    "SE",
    "TUR",
    "TR",
    "UKR",
    "UA",
    "USA",
    "US",
    "CAN",
    "CA",
    "MEX",
    "MX",
    "BRA",
    "BR",
    "ARG",
    "AR",
    "VEN",
    "VE",
    "AUS",
    "AU",
    "NZL",
    "NZ",
    "JPN",
    "JP",
    "CHN",
    "CN",
    "IND",
    "IN",
    "KOR",
    "KR",
    "SGP",
    "SG",
    "ZAF",
    "ZA",
    "ISR",
    "IL",
    "ARE",
    "AE",
    "RUS",
    "RU",
]
_ALSO = {
    "brd": "DE",
    "bundesrepublik deutschland": "DE",
    "federal republic of germany": "DE",
    "d": "DE",
    "a": "AT",
    "fl": "LI",
    "l": "LU",
    "uk": "GB",
    "great britain": "GB",
    "grossbritannien": "GB",
    "england": "GB",
    "scotland": "GB",
    "schottland": "GB",
    "wales": "GB",
    "united states of america": "US",
    "vereinigte staaten von amerika": "US",
    "vereinigte staaten": "US",
    "amerika": "US",
    "holland": "NL",
    "the netherlands": "NL",
    "tschechische republik": "CZ",
    "czech republic": "CZ",
    "slowakische republik": "SK",
    "turkey": "TR",
    "russland": "RU",
    "korea": "KR",
    "macedonia": "MK",
    "mazedonien": "MK",
}


def country_name(code: str, language: str) -> str:
    """What people call a country in German or English; a code that nobody knows is its own name."""
    return _called(LOCALE_DATA.get(code, {}), "en" if language == "en" else "de") or code


def _called(by_language: Mapping[str, str], language: str) -> str:
    name = by_language.get(language, "")
    return by_language.get(name[1:], "") if name.startswith("*") else name


def _names() -> dict[str, str]:
    """Folded name or code -> ISO 3166 alpha-2."""
    found: dict[str, str] = {}
    for code, by_language in LOCALE_DATA.items():
        if len(code) != 2 or not code.isalpha():
            continue
        found[code.lower()] = code
        for language in _LANGUAGES:
            if name := _called(by_language, language):
                found[fold(name).replace(".", "")] = code
    found |= {three.lower(): two for three, two in zip(_ALPHA3[::2], _ALPHA3[1::2], strict=True)}
    return found | _ALSO


ISO2: dict[str, str] = _names()
