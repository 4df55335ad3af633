"""Tells what passes by itself, a database that is away or a disk that is full, from what was asked wrongly."""

from __future__ import annotations

import errno

from django.db import InterfaceError, OperationalError

# Of SQLSTATE: connection exceptions, lack of resources (a full disk among them), and a server that goes or comes.
CLASSES = ("08", "53", "57P", "58")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_outage(error: BaseException) -> bool:
    """Whether the same will do once the database is back: nobody's input and no row is to blame."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(CLASSES)


def is_full(error: BaseException) -> bool:
    """Whether a file could not be written for want of room; whoever makes room may try the same again."""
    return isinstance(error, OSError) and error.errno in FULL
