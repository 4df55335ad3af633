"""Reads one page of what happened with a customer: one SQL union over all apps, ordered and cut per app."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.core import signing
from psycopg import sql

from customers.models import Customer
from customers.timeline import COLUMNS, TimelineSource, sources
from datamap.preparing import ask
from portal.telling import Entry, tell
from staff.models import User

PER_PAGE = 25

_SIGNER = signing.Signer(salt="portal.timeline")


class Mark(NamedTuple):
    """The last event of a page: where the next one begins."""

    at: datetime
    id: int
    kind: str


@dataclass(frozen=True)
class TimelinePage:
    """Entries of one page and the cursor of the older ones ("" where there are none)."""

    entries: list[Entry] = field(default_factory=list)
    older: str = ""
    forged: bool = False


def types_for(user: User) -> list[tuple[str, Any]]:
    """The kinds of events this person may see, for the filter."""
    return [(source.key, source.label) for source in _allowed(user, "")]


def read_timeline(
    customer: Customer, user: User, kind: str = "", cursor: str = "", per_page: int = PER_PAGE
) -> TimelinePage:
    """The page after `cursor`, newest first, of one kind if given. A forged cursor starts at the top."""
    allowed = _allowed(user, kind)
    mark, forged = _unsign(cursor)
    if not allowed:
        return TimelinePage(forged=forged)
    params: dict[str, Any] = {"customer": customer.pk, "limit": per_page + 1}
    if mark:
        params |= mark._asdict()
    # A union of all kinds takes longer to plan than to answer.
    rows = ask(_union(tuple(allowed), mark.kind if mark else None), params)
    more, rows = len(rows) > per_page, rows[:per_page]
    older = _sign(Mark(rows[-1][1], rows[-1][2], rows[-1][0])) if more else ""
    return TimelinePage(tell(rows, {source.key: source for source in allowed}), older, forged)


def _allowed(user: User, kind: str) -> list[TimelineSource]:
    return [source for source in sources([kind] if kind else []) if user.may(source.permission)]


@lru_cache(maxsize=256)
def _union(chosen: tuple[TimelineSource, ...], after_kind: str | None) -> str:
    """Each branch ordered and cut by itself, so that 10,000 events cost what 100 cost (performance.md 7).

    Events of two apps may share instant and id; then the kind decides, and a branch whose kind comes later in
    the order still owes its row at the mark.
    """
    branches = []
    for source in chosen:
        after = ""
        if after_kind is not None:
            sign = "<=" if source.key > after_kind else "<"
            after = f" and ({source.at}, {source.id}) {sign} (%(at)s, %(id)s)"
        order = f" order by {source.at} desc, {source.id} desc limit %(limit)s"
        branches.append(sql.SQL("({})").format(sql.SQL(source.sql + after + order)))
    union = sql.SQL("select * from ({}) event ({}) order by at desc, id desc, kind limit %(limit)s").format(
        sql.SQL(" union all ").join(branches), sql.SQL(", ".join(COLUMNS))
    )
    return union.as_string(None)


def _sign(mark: Mark) -> str:
    return _SIGNER.sign_object([mark.at.isoformat(), mark.id, mark.kind])


def _unsign(cursor: str) -> tuple[Mark | None, bool]:
    if not cursor:
        return None, False
    try:
        at, row_id, kind = _SIGNER.unsign_object(cursor)
        return Mark(datetime.fromisoformat(at), int(row_id), str(kind)), False
    except (signing.BadSignature, ValueError, TypeError):
        return None, True
