"""What upper apps add to mails of a class: header lines such as the one-click unsubscribe, and values for the text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mail.gates import ASKED_FIRST
from mail.models import Message

Source = Callable[[Message], Mapping[str, str]]
Values = Callable[[Message], Mapping[str, Any]]

_sources: dict[str, list[Source]] = {}
_values: dict[str, list[tuple[Values, Mapping[str, Any]]]] = {}


def register_headers(message_class: str, source: Source) -> None:
    """Let `source` add headers to mails of this class; only advertising can be unsubscribed from.

    Raises ValueError for letters, notices and recalls: those go to people whatever they are subscribed to.
    """
    _refuse_other(message_class)
    if source not in _sources.setdefault(message_class, []):
        _sources[message_class].append(source)


def register_values(message_class: str, source: Values, sample: Mapping[str, Any]) -> None:
    """Let `source` give every template of this class values at the moment of sending; `sample` is for the preview.

    Raises ValueError as `register_headers` does.
    """
    _refuse_other(message_class)
    if (source, sample) not in _values.setdefault(message_class, []):
        _values[message_class].append((source, sample))


def headers_of(message: Message) -> dict[str, str]:
    """All headers of this mail beside those of its envelope. Nothing answers it automatically (RFC 3834)."""
    headers = {"Message-ID": message.message_id, "Auto-Submitted": "auto-generated"}
    for source in _sources.get(message.message_class, ()):
        headers |= source(message)
    return headers


def values_of(message: Message) -> dict[str, Any]:
    """What upper apps have to say in the text of this mail."""
    values: dict[str, Any] = {}
    for source, _sample in _values.get(message.message_class, ()):
        values |= source(message)
    return values


def sample_values(message_class: str) -> dict[str, Any]:
    """The same for the preview of a template of this class."""
    return {name: value for _source, sample in _values.get(message_class, ()) for name, value in sample.items()}


def _refuse_other(message_class: str) -> None:
    if message_class not in ASKED_FIRST:
        raise ValueError("Only advertising and requests for feedback carry headers of their own.")
