"""A birthday is kept for greetings alone: it goes with the consent to them, also from the history (Art. 7(3) GDPR)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from consents.events import CLOSING, GRANTING, Event, Source
from customers.historying import history_table
from customers.models import Customer
from datamap import holds
from datamap.controlling import legal_zone
from datamap.workdays import local_date

PURPOSE = "birthday"
PAGE = 5_000
_ENDED = ", ".join(f"'{kind.value}'" for kind in sorted(CLOSING))
_STANDS = ", ".join(f"'{kind.value}'" for kind in sorted(GRANTING))
# Whoever was never asked has ended nothing; who is greeted on another channel still agrees.
_WITHOUT_REASON = f"""
EXISTS (SELECT FROM consents_state s JOIN consents_purpose p ON p.id = s.purpose_id
    WHERE s.customer_id = c.id AND p.key = %(purpose)s AND s.state IN ({_ENDED}))
AND NOT EXISTS (SELECT FROM consents_state s JOIN consents_purpose p ON p.id = s.purpose_id
    WHERE s.customer_id = c.id AND p.key = %(purpose)s AND s.state IN ({_STANDS}))
"""  # noqa: S608 - words of ours
_LEFT = f"""
SELECT c.id FROM customers_customer c
WHERE c.id > %(after)s AND c.birthday_month IS NOT NULL AND {_WITHOUT_REASON} ORDER BY c.id LIMIT %(page)s
"""  # noqa: S608
_FORGET = f"""
WITH without AS (
    SELECT c.id FROM customers_customer c WHERE c.id = ANY (%(ids)s) AND {_WITHOUT_REASON}
    ORDER BY c.id FOR NO KEY UPDATE
),
past AS (
    UPDATE {history_table(Customer)} h SET birthday_day = NULL, birthday_month = NULL
    FROM without w WHERE h.id = w.id AND (h.birthday_day IS NOT NULL OR h.birthday_month IS NOT NULL)
)
UPDATE customers_customer c SET birthday_day = NULL, birthday_month = NULL, version = c.version + 1
FROM without w WHERE c.id = w.id AND (c.birthday_day IS NOT NULL OR c.birthday_month IS NOT NULL)
"""  # noqa: S608


def follow_consents(events: Sequence[Event]) -> int:
    """Delete the birthdays of those who want no greetings any more, in the transaction of their no; how many went.

    Of whom nothing may be deleted now `sweep` comes back. An erasure takes the birthday along itself, as declared.
    """
    return _forget({event.customer_id for event in events if event.kind in CLOSING and event.source != Source.ERASURE})


def sweep() -> int:
    """Delete every birthday that lost its reason: a hold is over, or a file brought it again. A transaction a page."""
    return sum(map(_forget_page, _left()))


def _left() -> Iterator[list[int]]:
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_LEFT, {"after": after, "page": PAGE, "purpose": PURPOSE})
            ids = [pk for (pk,) in cursor.fetchall()]
        if not ids:
            return
        yield ids
        after = ids[-1]


@transaction.atomic
def _forget_page(ids: list[int]) -> int:
    return _forget(set(ids))


def _forget(ids: set[int]) -> int:
    free = ids - _held(sorted(ids))
    if not free:
        return 0
    with connection.cursor() as cursor:
        params: dict[str, Any] = {"ids": sorted(free), "purpose": PURPOSE}
        cursor.execute(_FORGET, params)
        return cursor.rowcount


def _held(ids: list[int]) -> set[int]:
    """Those of whom nothing may be deleted while a matter about the whole person runs (domain.md 4.2)."""
    cases = holds.standing(ids, local_date(timezone.now(), legal_zone()))
    return {case.customer_id for case in cases if case.order_number is None and case.complaint_id is None}
