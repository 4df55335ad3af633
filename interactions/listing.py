"""Pages of contacts and follow-ups by keyset: the cursor is a signed id, its sort key is looked up here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db import models
from django.db.models import Q

PAGE = 50
_signer = Signer(salt="interactions.cursor")


@dataclass(slots=True)
class Page:
    """The rows of one page and the cursor of the next one, "" on the last."""

    rows: list[Any]
    next_cursor: str


def page_of(rows: models.QuerySet, column: str, *, descending: bool, cursor: str) -> Page:
    """One page of `rows` by (`column`, id); an unreadable cursor starts from the beginning.

    Written as `column >= x and (column > x or id > y)`, which walks the index; the plain OR would not.
    """
    sign, beyond = ("-", "lt") if descending else ("", "gt")
    start = _row_of(rows, cursor)
    if start is not None:
        value = getattr(start, column)
        rows = rows.filter(
            Q(**{f"{column}__{beyond}e": value})
            & (Q(**{f"{column}__{beyond}": value}) | Q(**{f"pk__{beyond}": start.pk}))
        )
    found = list(rows.order_by(f"{sign}{column}", f"{sign}pk")[: PAGE + 1])
    more = len(found) > PAGE
    found = found[:PAGE]
    return Page(found, _signer.sign(found[-1].pk) if more else "")


def overdue_days(due_on: date, today: date) -> int:
    """How many days a step is late; zero or less when it is not."""
    return (today - due_on).days


def _row_of(rows: models.QuerySet, cursor: str) -> Any:
    if not cursor:
        return None
    try:
        pk = _signer.unsign(cursor)
    except BadSignature:
        return None
    return rows.model._base_manager.filter(pk=pk).first()
