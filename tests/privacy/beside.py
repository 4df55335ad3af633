"""Others who act at the same moment, each with a connection of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

LATEST = timedelta(seconds=60)


def closing(act: Callable[[], Any]) -> Callable[[], Any]:
    """The same with an end to the connection of its thread."""

    def there() -> Any:
        try:
            return act()
        finally:
            connection.close()

    return there


def somebody_waits() -> bool:
    """Whether another connection waits for a lock of this one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees it as it was at first
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])


def wait_for(what: Callable[[], bool]) -> bool:
    """Whether it comes to be so, and not so late that it never will."""
    until = timezone.now() + LATEST
    while not what() and timezone.now() < until:
        time.sleep(0.02)
    return what()
