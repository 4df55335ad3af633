"""Drops opt-ins that an import asserted and nobody proved in time (Art. 7(1) GDPR), and reports how many."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction

from datamap.catalogue import cutoff
from datamap.workdays import BERLIN

CATEGORY = "CLAIM-OPTIN"


@transaction.atomic
def drop_expired_claims(as_of: date) -> int:
    """Delete claims whose period is over on this day and note the numbers per import and channel.

    One statement in one transaction; claims were never consents, so nothing else changes. Answers how many went.
    """
    limit = cutoff(CATEGORY, as_of)
    if limit is None:
        return 0
    first_kept = datetime.combine(limit + timedelta(days=1), time.min, BERLIN)
    return _drop("claimed_at < %s", first_kept)


def end_claims(ids: list[int]) -> int:
    """Delete these claims, whose period is over, and note the numbers; inside the caller's transaction."""
    return _drop("id = ANY(%s)", ids)


def end_claims_of(origin_id: int) -> int:
    """Delete the claims of one import, which nobody can prove, and note the numbers; in the caller's transaction."""
    return _drop("origin_id = %s", origin_id)


def _drop(which: str, value: Any) -> int:
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
            [value],
        )
        return cursor.fetchone()[0]
