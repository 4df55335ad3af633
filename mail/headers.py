"""Header lines that upper apps add to mails of a class, such as the one-click unsubscribe of RFC 8058."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mail.gates import ASKED_FIRST
from mail.models import Message

Source = Callable[[Message], Mapping[str, str]]

_sources: dict[str, list[Source]] = {}


def register_headers(message_class: str, source: Source) -> None:
    """Let `source` add headers to mails of this class; only advertising can be unsubscribed from.

    Raises ValueError for letters, notices and recalls: those go to people whatever they are subscribed to.
    """
    if message_class not in ASKED_FIRST:
        raise ValueError("Only advertising and requests for feedback carry headers of their own.")
    if source not in _sources.setdefault(message_class, []):
        _sources[message_class].append(source)


def headers_of(message: Message) -> dict[str, str]:
    """All headers of this mail beside those of its envelope. Nothing answers it automatically (RFC 3834)."""
    headers = {"Message-ID": message.message_id, "Auto-Submitted": "auto-generated"}
    for source in _sources.get(message.message_class, ()):
        headers |= source(message)
    return headers
