"""Drops opt-ins that an import asserted and nobody proved in time (Art. 7(1) GDPR), and reports how many."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

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
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH gone AS (
                DELETE FROM customers_optinclaim WHERE claimed_at < %s RETURNING origin_id, channel
            ), reported AS (
                INSERT INTO customers_claimreport (origin_id, channel, dropped, dropped_at)
                SELECT origin_id, channel, count(*), now() FROM gone GROUP BY origin_id, channel
            )
            SELECT count(*) FROM gone
            """,
            [first_kept],
        )
        return cursor.fetchone()[0]
