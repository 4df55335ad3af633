"""Notes who opened which customer, and reads the notes; the doors write, the person can be told (Art. 15)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.urls import get_resolver
from django.utils import timezone

from datamap.keyset import page_of
from datamap.models import PAGE_NAMES, AccessLog
from datamap.preparing import ask
from datamap.workdays import day_begins

BATCH = 5000
_LINE = """
INSERT INTO datamap_accesslog (user_id, customer_number, page, purpose, at) VALUES (%s, %s, %s, %s, %s) RETURNING id
"""


@dataclass(frozen=True)
class AccessPage:
    """One page of accesses, each with the staff member (or None); `older` is the cursor of the next page."""

    rows: list[tuple[AccessLog, Any]]
    older: str
    first: bool


def name_pages(names: Mapping[str, Any]) -> None:
    """Say what the pages of an app are called in the log; the log itself keeps the short key."""
    PAGE_NAMES.update(names)


def pages_in_words() -> Callable[[Any], str]:
    """Reads the key of a page as its name. The pages name themselves when their addresses are loaded, which a worker
    has not done."""
    get_resolver().url_patterns  # noqa: B018
    return lambda key: str(PAGE_NAMES.get(key, key))


def record(user_id: int | None, customer_number: str | int, page: str, purpose: str = "") -> None:
    """Write one line: one insert without foreign keys, in the caller's transaction."""
    ask(_LINE, [user_id, str(customer_number), page, purpose, timezone.now()])


def record_many(user_id: int | None, numbers: Iterable[str | int], page: str, purpose: str = "") -> None:
    """Write one line for each customer, as an export of a list needs it; memory stays bounded."""
    batch: list[AccessLog] = []
    for number in numbers:
        batch.append(AccessLog(user_id=user_id, customer_number=str(number), page=page, purpose=purpose))
        if len(batch) == BATCH:
            AccessLog.objects.bulk_create(batch)
            batch = []
    AccessLog.objects.bulk_create(batch)


def page_of_accesses(wanted: dict[str, Any], cursor: str, zone: ZoneInfo) -> AccessPage:
    """The page after `cursor` (a signed id), newest first; a cursor that is forged or gone starts at the
    top."""
    page = page_of(_wanted(wanted, zone), "at", cursor=cursor)
    people = get_user_model()._default_manager.in_bulk({row.user_id for row in page.rows} - {None})
    shown = [(row, people.get(row.user_id)) for row in page.rows]
    return AccessPage(shown, page.next_cursor, page.is_first)


def _wanted(wanted: dict[str, Any], zone: ZoneInfo) -> QuerySet[AccessLog]:
    found = AccessLog.objects.all()
    if wanted.get("customer_number"):
        found = found.filter(customer_number=wanted["customer_number"])
    if wanted.get("staff"):
        found = found.filter(user_id=wanted["staff"])
    if wanted.get("first"):
        found = found.filter(at__gte=day_begins(wanted["first"], zone))
    if wanted.get("last"):
        found = found.filter(at__lt=day_begins(wanted["last"] + timedelta(days=1), zone))
    return found
