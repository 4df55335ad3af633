"""Shows and changes where the next customer number comes from; a number is never given out twice."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction

from customers import numbering
from customers.models import NumberRange

# Beyond this a number has more digits than the range can count on from.
LONGEST = 15


class RangeRefused(Exception):
    """The range would give out numbers again that are in use; carries the highest used number."""

    def __init__(self, highest: int) -> None:
        super().__init__(f"Numbers up to {highest} are in use.")
        self.highest = highest


@dataclass(frozen=True)
class Range:
    """The range as it stands, and the highest number in use with its prefix (0 where there is none)."""

    prefix: str
    next_value: int
    highest: int


def current_range() -> Range:
    """What the settings page shows; locks nothing."""
    row = NumberRange.objects.filter(key=numbering.KEY).first()
    prefix, next_value = (row.prefix, row.next_value) if row else ("", 10001)
    return Range(prefix, next_value, highest_used(prefix))


def highest_used(prefix: str) -> int:
    """The highest customer number that this prefix and digits make."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(substr(number, %s)::bigint), 0) FROM customers_customer "
            "WHERE starts_with(number, %s) AND substr(number, %s) ~ %s",
            [len(prefix) + 1, prefix, len(prefix) + 1, rf"^[0-9]{{1,{LONGEST}}}$"],
        )
        return cursor.fetchone()[0]


@transaction.atomic
def change_range(prefix: str, next_value: int) -> None:
    """Set prefix and next number; raises RangeRefused where that number or a higher one is in use with this prefix.

    The range is locked meanwhile, so nobody is given a number in between.
    """
    numbering.lock_range()
    highest = highest_used(prefix)
    if next_value <= highest:
        raise RangeRefused(highest)
    NumberRange.objects.filter(key=numbering.KEY).update(prefix=prefix, next_value=next_value)
