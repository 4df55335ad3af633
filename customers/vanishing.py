"""Persons who are ended while something comes in about them: whoever writes looks anew, and meets their tombstones."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, TypeVar

from django.db import connection, transaction

Story = TypeVar("Story", bound=Callable[..., Any])
TIMES = 8
_STAY = "SELECT id FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE"


class GoneMeanwhile(Exception):
    """Somebody who was found a moment ago is there no more: an erasure, or the night, was faster."""


def keep(ids: Collection[int]) -> None:
    """Have these persons stay until the transaction is over; only who ends one of them waits.

    Raises GoneMeanwhile where one of them is gone, also one whose end this has waited for.
    """
    wanted = set(ids)
    if not wanted:
        return
    with connection.cursor() as cursor:
        cursor.execute(_STAY, [sorted(wanted)])
        if len(cursor.fetchall()) < len(wanted):
            raise GoneMeanwhile


def again_without_gone(story: Story) -> Story:
    """Run it in one transaction, or as a part of the caller's, and again from its beginning where somebody is gone.

    It sees then what has been committed meanwhile. `TIMES` at most: the last GoneMeanwhile is raised.
    """

    @wraps(story)
    def told(*args: Any, **kwargs: Any) -> Any:
        for turn in range(1, TIMES + 1):
            try:
                with transaction.atomic():
                    return story(*args, **kwargs)
            except GoneMeanwhile:
                if turn == TIMES:
                    raise
        raise AssertionError

    return told  # type: ignore[return-value]
