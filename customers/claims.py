"""Drops opt-ins that an import asserted and nobody proved in time (Art. 7(1) GDPR), and reports how many."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import connection, transaction

from datamap import holds
from datamap.controlling import kept_since

CATEGORY = "CLAIM-OPTIN"
PAGE = 5_000
_OWNERS = """
SELECT id FROM customers_customer WHERE id IN (SELECT customer_id FROM customers_optinclaim WHERE claimed_at < %s)
ORDER BY id FOR KEY SHARE
"""


@transaction.atomic
def drop_expired_claims(as_of: date) -> int:
    """Delete claims whose period is over on this day and note the numbers per import and channel.

    Those of persons of whom an open matter keeps everything stay (domain.md 4.2). Claims were never consents, so
    nothing else changes. Answers how many went.
    """
    first_kept = kept_since(CATEGORY, as_of)
    if first_kept is None:
        return 0
    return _drop("claimed_at < %s AND NOT customer_id = ANY(%s)", first_kept, _held(first_kept, as_of))


def _held(before: datetime, as_of: date) -> list[int]:
    """Whose claims stay; locked as the night's run locks persons, so that only who opens a matter waits."""
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS, [before])
        owners = [pk for (pk,) in cursor.fetchall()]
    pages = (owners[begin : begin + PAGE] for begin in range(0, len(owners), PAGE))
    return [case.customer_id for page in pages for case in holds.standing(page, as_of, night=True) if case.is_whole]


def end_claims(ids: list[int]) -> int:
    """Delete these claims, whose period is over, and note the numbers; inside the caller's transaction."""
    return _drop("id = ANY(%s)", ids)


def end_claims_of(origin_id: int) -> int:
    """Delete the claims of one import, which nobody can prove, and note the numbers; in the caller's transaction."""
    return _drop("origin_id = %s", origin_id)


def _drop(which: str, *values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH gone AS (
                DELETE FROM customers_optinclaim WHERE {which} RETURNING origin_id, channel
            ), reported AS (
                INSERT INTO customers_claimreport (origin_id, channel, dropped, dropped_at)
                SELECT origin_id, channel, count(*), now() FROM gone GROUP BY origin_id, channel
            )
            SELECT count(*) FROM gone
            """,  # noqa: S608
            values,
        )
        return cursor.fetchone()[0]
