"""Mails of signing in go out at once, since the outbox is made for customers: a dead mail server must stop nobody."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable
from typing import Any

from anymail.exceptions import AnymailError

from datamap.outages import is_full

logger = logging.getLogger(__name__)


def deliver(send: Callable[[], Any]) -> bool:
    """Send a mail now; False, and a line in the log without anybody's name, where no server took it."""
    try:
        send()
    except (smtplib.SMTPException, OSError, AnymailError) as error:
        if is_full(error):
            raise
        logger.error("A mail of signing in could not be sent: %s", type(error).__name__)
        return False
    return True
