"""What each store outside the tables does when a person is erased, and when its period is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import redis
from django.conf import settings
from django.utils import timezone

from datamap.subjects import Subject
from datamap.workdays import local_date
from ops.filechecks import canary_forms, first_form, values_of


class TraceLeft(Exception):
    """Something that names the person stands where it cannot be taken out by itself: somebody has to look."""


def _forms(subject: Subject) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for number, text in enumerate(subject.sure()):
        found |= {f"{number} {name}": form for name, form in canary_forms(text).items()}
    return found


def forget_in_broker(subject: Subject) -> int:
    """Delete cached values that name the person; answers how many.

    Nothing should: keys, tasks and limits carry ids. Raises TraceLeft for a message of a queue, and what the client
    raises where Valkey or Redis does not answer.
    """
    forms = set(_forms(subject).values())
    gone = left = 0
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5) as broker:
        broker.ping()
        for key in broker.scan_iter(count=1000) if forms else ():
            if not any(form in key or any(form in value for value in values_of(broker, key)) for form in forms):
                continue
            if broker.type(key) == b"string":
                gone += int(broker.delete(key))
            else:
                left += 1
    if left:
        raise TraceLeft
    return gone


def _spooled() -> Iterator[Path]:
    folder = Path(settings.EMAIL_FILE_PATH) if settings.EMAIL_FILE_PATH else None
    if folder is not None and folder.is_dir():
        yield from (path for path in sorted(folder.iterdir()) if path.is_file())


def forget_in_spool(subject: Subject) -> int:
    """Delete the files of mails that name the person; answers how many. Raises OSError."""
    forms = _forms(subject)
    gone = 0
    for path in _spooled() if forms else ():
        if first_form(path, forms):
            path.unlink()
            gone += 1
    return gone


def expire_spool(last: date) -> int:
    """Delete files of mails that were written on this day or before; answers how many."""
    gone = 0
    for path in _spooled():
        written = datetime.fromtimestamp(path.stat().st_mtime, timezone.get_current_timezone())
        if local_date(written) <= last:
            path.unlink(missing_ok=True)
            gone += 1
    return gone
