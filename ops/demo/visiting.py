"""The visits of the demo: a device for each customer who consents to tracking, and pages seen on it within a year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from consents.models import LegalTextVersion
from customers.models import Customer
from datamap.workdays import BERLIN, add_months, local_date
from ops.demo.seasons import Clock
from tracking import months
from tracking.permitting import PURPOSE, permits_params, permits_sql
from tracking.taking import keys_of

AT_ONCE = 20_000
BACK = timedelta(days=390)
"""So far back visits lie: a little less than TRACK keeps them."""
_PATHS = (
    "/", "/", "/kaffee/", "/kaffee/espresso/", "/kaffee/filter/", "/kaffee/entkoffeiniert/", "/muehlen/",
    "/muehlen/handmuehle-nord/", "/geschirr/", "/geschenke/", "/kurse/", "/ratgeber/filterkaffee/", "/warenkorb/",
    "/konto/bestellungen/", "/versand/",
)  # fmt: skip
_REFERRERS = ("", "", "", "suche.example", "kaffeeforum.example")
_CAMPAIGNS = ("", "", "", "", "newsletter", "herbst")
# Who is asked for: whose consent holds, which is younger than any objection to advertising.
_CONSENTING = f"""
SELECT c.id, s.since FROM customers_customer c
JOIN consents_state s ON s.customer_id = c.id AND s.channel = %(channel)s AND s.granted
JOIN consents_purpose p ON p.id = s.purpose_id AND p.key = %(purpose)s
LEFT JOIN customers_summary u ON u.customer_id = c.id
WHERE c.id > %(after)s AND {permits_sql("c.id")}
    AND (u.advertising_stopped_at IS NULL OR u.advertising_stopped_at < s.since)
ORDER BY c.id LIMIT %(most)s
"""  # noqa: S608
# Chance is a digest of seed, customer and visit: the same for the same seed. Within a day visits lie between 7 and 22.
_VISIT = """
WITH told AS (
    SELECT *, customer - %(first)s AS n
    FROM unnest(%(customers)s::bigint[], %(keys)s::bytea[], %(since)s::timestamptz[]) AS t (customer, key, since)
),
drawn AS (
    SELECT t.*, greatest(t.since, %(begin)s) AS begins, ('x' || substr(h, 1, 8))::bit(32)::bigint / 4294967296.0 AS day,
        ('x' || substr(h, 9, 4))::bit(16)::int / 65536.0 AS hour, ('x' || substr(h, 13, 4))::bit(16)::int AS which
    FROM told t CROSS JOIN generate_series(1, 9) v,
        LATERAL (SELECT md5(%(seed)s || ' ' || t.n || ' ' || v) AS h) d
),
seen AS (
    SELECT customer, key, since, n, which, date_trunc('day', begins + (%(end)s - begins) * day, 'Europe/Berlin')
        + interval '7 hours' + interval '15 hours' * hour AS at
    FROM drawn
),
fit AS (SELECT * FROM seen WHERE at > since AND at >= %(begin)s AND at <= %(end)s),
device AS (
    INSERT INTO tracking_device (key, customer_id, kind, linked_at, visits_from, first_seen, last_seen)
    SELECT key, customer, (ARRAY['phone', 'computer', 'phone', 'tablet'])[1 + n %% 4], min(at), min(since), min(at),
        max(at)
    FROM fit GROUP BY key, customer, n ORDER BY customer
    RETURNING id, key
),
consent AS (
    INSERT INTO tracking_deviceconsent (key, wording_id, language, given_at, recorded_at)
    SELECT d.key, %(wording)s, 'de', t.since, t.since FROM device d JOIN told t USING (key)
)
INSERT INTO tracking_visit (device_id, occurred_at, path, referrer, campaign)
SELECT d.id, f.at, (%(paths)s::text[])[1 + which %% cardinality(%(paths)s::text[])],
    (%(referrers)s::text[])[1 + which / 16 %% cardinality(%(referrers)s::text[])],
    (%(campaigns)s::text[])[1 + which / 128 %% cardinality(%(campaigns)s::text[])]
FROM fit f JOIN device d USING (key) ORDER BY d.id, f.at
ON CONFLICT (device_id, occurred_at) DO NOTHING
"""


def visit(seed: int, clock: Clock) -> int:
    """Have those visit the shop who have agreed to be recognised; answers how many visits. The same for the same seed.

    A statement for each set of `AT_ONCE` customers. Nothing where no wording for it is published.
    """
    version = LegalTextVersion.objects.filter(text__purpose__key=PURPOSE, published_at__isnull=False).first()
    if version is None:
        return 0
    end = datetime.fromtimestamp(clock.now, UTC)
    begin, visits = end - BACK, 0
    first = local_date(begin, BERLIN).replace(day=1)
    months.make(months.month_of(day) for n in range(14) if (day := add_months(first, n)) <= local_date(end, BERLIN))
    own = Customer.objects.order_by("pk").values_list("pk", flat=True).first() or 0
    told: dict[str, Any] = {
        "first": own, "begin": begin, "end": end, "seed": str(seed), "wording": version.pk,
        "paths": list(_PATHS), "referrers": list(_REFERRERS), "campaigns": list(_CAMPAIGNS),
    }  # fmt: skip
    for customers, since in _consenting():
        keys = [keys_of(f"demo-{seed}-{pk - own}")[0] for pk in customers]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_VISIT, {**told, "customers": customers, "keys": keys, "since": since})
            visits += cursor.rowcount
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tracking_device, tracking_deviceconsent, tracking_visit")
    return visits


def _consenting() -> Iterator[tuple[list[int], list[Any]]]:
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_CONSENTING, {**permits_params(timezone.now()), "after": after, "most": AT_ONCE})
            rows = cursor.fetchall()
        if not rows:
            return
        after = rows[-1][0]
        yield [pk for pk, _since in rows], [since for _pk, since in rows]
