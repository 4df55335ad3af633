"""Wakes a worker when the transaction commits: once, however often it is asked; what is missed beat finds."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection, transaction


def wake_once(wake: Callable[[], object]) -> None:
    """Call `wake` after the commit. A broker that is down spoils nothing: the state stands in the database."""
    if not any(waiting[1] is wake for waiting in connection.run_on_commit):
        transaction.on_commit(wake, robust=True)
