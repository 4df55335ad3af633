"""How old somebody must be to consent alone (Art. 8 GDPR), and whether somebody is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from consents.models import Purpose

EVERYWHERE_ELSE = 16
"""Where no country of its own is named: Art. 8(1) GDPR."""


def limit_of(purpose: Purpose, jurisdiction: str) -> int | None:
    """The age in years from which a person may consent to this alone; None where age does not matter."""
    limits: Mapping[str, int] = purpose.minimum_age
    return limits.get(jurisdiction, EVERYWHERE_ELSE) if limits else None


def ages_as_typed(limits: Mapping[str, int]) -> str:
    """The minimum ages as they are typed: AT 14, DE 16."""
    return ", ".join(f"{country} {age}" for country, age in sorted(limits.items()))


def age_on(born: date, day: date) -> int:
    """Completed years at the start of this day (§§ 187(2), 188(2) BGB).

    Whoever was born on 29 February completes a year of life at the end of 28 February: on 1 March, where there is no
    29 February.
    """
    before_birthday = (day.month, day.day) < (born.month, born.day)
    return day.year - born.year - int(before_birthday)


def is_old_enough(purpose: Purpose, jurisdiction: str, born: date, day: date) -> bool:
    """Whether somebody born on this day may consent to the purpose alone."""
    limit = limit_of(purpose, jurisdiction)
    return limit is None or age_on(born, day) >= limit
