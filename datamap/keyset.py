"""Pages of a list by keyset, so that page 10,000 costs what page 1 costs; the one way lists of model rows page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db import models
from django.db.models import Q

PAGE = 50


@dataclass(slots=True)
class Page:
    """The rows of one page, the cursor of the next one ("" on the last), and whether it is the first."""

    rows: list[Any]
    next_cursor: str
    is_first: bool


def page_of(
    rows: models.QuerySet[Any], column: str, *, descending: bool = True, cursor: str = "", size: int = PAGE
) -> Page:
    """One page of `rows` by (`column`, id); an unreadable cursor starts from the beginning.

    The cursor is the signed id of the last row seen; its sort key is looked up here, so that no name or address
    stands in a link. Written as `column >= x and (column > x or id > y)`, which walks the index; the plain OR
    would not. `column` must not be null.
    """
    sign, beyond = ("-", "lt") if descending else ("", "gt")
    signer = Signer(salt=f"keyset.{rows.model._meta.label_lower}")
    start = _row_of(rows.model, signer, cursor)
    if start is not None:
        value = getattr(start, column)
        rows = rows.filter(
            Q(**{f"{column}__{beyond}e": value})
            & (Q(**{f"{column}__{beyond}": value}) | Q(**{f"pk__{beyond}": start.pk}))
        )
    found = list(rows.order_by(f"{sign}{column}", f"{sign}pk")[: size + 1])
    shown = found[:size]
    return Page(shown, signer.sign(str(shown[-1].pk)) if len(found) > size else "", start is None)


def _row_of(model: type[models.Model], signer: Signer, cursor: str) -> Any:
    if not cursor:
        return None
    try:
        return model._base_manager.filter(pk=signer.unsign(cursor)).first()
    except BadSignature:
        return None
