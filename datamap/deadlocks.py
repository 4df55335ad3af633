"""Two stories that wait for each other: the database ends one of them, and that one is told again from its beginning.

The states of a consent follow a suppression entry, of whomever they are, so that no order of locks holds for all who
write about one address: members of a family, a mail provider, the desk, an import.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from random import uniform
from time import sleep
from typing import Any, TypeVar

from django.db import OperationalError, connection, transaction

Story = TypeVar("Story", bound=Callable[..., Any])
TIMES = 8
SQLSTATE = "40P01"


def repeated_after_deadlock(story: Story) -> Story:
    """Run it in one transaction, as `transaction.atomic` does, again where a deadlock has ended it, `TIMES` at most.

    Within a transaction of the caller it is a part of that, whose beginning is the caller's to repeat. Nothing outside
    the database may be done twice in it but what the journal takes, whose replay is idempotent.
    """

    @wraps(story)
    def told(*args: Any, **kwargs: Any) -> Any:
        turns = 1 if connection.in_atomic_block else TIMES
        for turn in range(1, turns + 1):
            try:
                with transaction.atomic():
                    return story(*args, **kwargs)
            except OperationalError as error:
                if turn == turns or getattr(error.__cause__, "sqlstate", None) != SQLSTATE:
                    raise
                # Not in step with whoever else has to begin again.
                sleep(uniform(0, 0.05 * turn))  # noqa: S311 - no secret
        raise AssertionError

    return told  # type: ignore[return-value]
