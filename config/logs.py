"""Log lines as JSON with a fixed list of keys, so that no personal data reaches a log file by accident."""

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

# Set by config.middleware.request_log for the length of one request.
current_request: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)

# What a caller may add with `extra=`: keys, numbers and ids, nothing that names a person.
ALLOWED_KEYS = (
    "status_code",
    "task",
    "batch",
    "run",
    "profile",
    "rule",
    "rows",
    "seconds",
    "step",
    "user_id",
)


class JsonFormatter(logging.Formatter):
    """One JSON object a line, in UTC; texts put into a message are left out, numbers stay."""

    def format(self, record: logging.LogRecord) -> str:
        """The line. JSON escapes CR and LF, so a value cannot fake a second line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        line |= {key: record.__dict__[key] for key in ALLOWED_KEYS if key in record.__dict__}
        line |= _request_facts()
        if record.exc_info and record.exc_info[1]:
            line["error"] = type(record.exc_info[1]).__name__
            # Where it happened, never the exception's text: that may quote a value.
            line["where"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(record.exc_info[2])[-8:]
            ]
        return json.dumps(line, ensure_ascii=True, default=str)


def _message(record: logging.LogRecord) -> str:
    def safe(value: Any) -> Any:
        return value if isinstance(value, int | float) else "…"

    arguments = record.args
    if not isinstance(record.msg, str):
        # An exception logged as the message: its text may quote a value.
        return type(record.msg).__name__
    if not arguments:
        return str(record.msg)
    try:
        if isinstance(arguments, dict):
            kept = {"name", "id", "runtime"}  # Celery's own: name of the task, its number, seconds
            return str(record.msg) % {k: v if k in kept else safe(v) for k, v in arguments.items()}
        return str(record.msg) % tuple(safe(value) for value in arguments)
    except (TypeError, ValueError, KeyError):
        return str(record.msg)


def _request_facts() -> dict[str, Any]:
    """Who and where: an id, the method, and the route's pattern instead of the path that was typed."""
    request = current_request.get()
    if request is None:
        return {}
    match = getattr(request, "resolver_match", None)
    user = getattr(request, "_cached_user", None)
    return {
        "request_id": getattr(request, "request_id", None),
        "method": request.method,
        "route": match.route if match else None,
        "user_id": user.pk if user else None,
    }


def logging_settings(*, plain: bool) -> dict[str, Any]:
    """Django's LOGGING: JSON lines on standard error; readable text on a developer's machine."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": "config.logs.JsonFormatter"},
            "plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "plain" if plain else "json"},
        },
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            "django": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
            "django.server": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        },
    }
