"""Celery tasks that refuse to work in a database in quarantine, and the worker that does not even start."""

import logging
from typing import Any

from celery import Task
from celery.exceptions import Ignore
from django.db import connection

from datamap import quarantine

logger = logging.getLogger(__name__)


class GuardedTask(Task):
    """The base of every task. What a refused one was to do stands in the database, where a sweep finds it later."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raises InQuarantine where the caller waits for it; a worker drops the message with one line in its log."""
        state = quarantine.current()
        if not state.active:
            return super().__call__(*args, **kwargs)
        if self.request.called_directly:
            raise quarantine.InQuarantine(state.sentence)
        logger.warning("A task was refused: the database is in quarantine.", extra={"task": self.name})
        raise Ignore


def refuse_start(**_signal: Any) -> None:
    """End a worker that starts in quarantine, with one sentence; the service manager tries again."""
    try:
        state = quarantine.examine()
    finally:
        connection.close()  # the children of a worker must not share it
    if state.active:
        raise SystemExit(f"The worker does not start. {state.sentence}")
