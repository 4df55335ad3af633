"""Puts the value of any field into words, for pages that show rows by their declaration alone."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _


class Fact(NamedTuple):
    """A label and what it says."""

    label: str
    text: str


def fact(row: Any, name: str, label: str) -> Fact | None:
    """What a field of a row says; None where it says nothing."""
    display = getattr(row, f"get_{name}_display", None)
    text = _words(display() if display else getattr(row, name, None))
    return Fact(label, text) if text else None


def _words(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT")
    if isinstance(value, date):
        return date_format(value, "SHORT_DATE_FORMAT")
    if isinstance(value, Decimal):
        return number_format(value, use_l10n=True)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_words(inner)}" for key, inner in value.items() if _words(inner))
    if isinstance(value, (list, tuple)):
        return "; ".join(filter(None, (_words(inner) for inner in value)))
    return str(getattr(value, "name", value))
