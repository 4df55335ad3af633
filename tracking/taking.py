"""Takes visits in: one statement for a batch, which keeps nothing without the consent that was given on the device."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from tracking import months, overtaking
from tracking.cutting import withdraw_on_device
from tracking.permitting import permits_params, permits_sql
from tracking.reading import Consent, Report, Unreadable
from vault.keyring import keyring

SCOPE = "tracking.device"
# The consent's row is the lock: whoever ends it is waited for, and an ended one brings nothing back. A person's device
# is written to while their own consent stands. A month that is not there yet is answered, made, and asked for again.
_TAKE = f"""
WITH wording AS (
    SELECT v.id FROM consents_legaltextversion v JOIN consents_legaltext t ON t.id = v.text_id
    JOIN consents_purpose p ON p.id = t.purpose_id
    WHERE t.key = %(text)s AND v.number = %(number)s AND v.published_at IS NOT NULL AND t.kind = 'consent'
        AND p.key = %(purpose)s
),
consent AS (
    INSERT INTO tracking_deviceconsent AS c (key, wording_id, language, given_at, recorded_at)
    SELECT %(key)s, w.id, %(language)s, %(given_at)s, %(now)s FROM wording w WHERE NOT EXISTS (
        SELECT 1 FROM tracking_deviceconsent e WHERE e.key = ANY (%(keys)s) AND e.ended_at >= %(given_at)s)
    ON CONFLICT (key, given_at) DO UPDATE SET key = excluded.key WHERE c.ended_at IS NULL
    RETURNING c.key
),
device AS (
    INSERT INTO tracking_device AS d (key, kind, first_seen, last_seen)
    SELECT key, %(kind)s, %(first)s, %(last)s FROM consent
    ON CONFLICT (key) DO UPDATE SET kind = excluded.kind, last_seen = greatest(d.last_seen, excluded.last_seen)
    WHERE d.customer_id IS NULL OR {permits_sql("d.customer_id")}
    RETURNING d.id, d.visits_from
),
given AS (
    SELECT *, to_regclass('tracking_visit_' || to_char(at AT TIME ZONE 'Europe/Berlin', 'YYYYMM')) IS NOT NULL AS fits
    FROM unnest(%(at)s::timestamptz[], %(path)s::text[], %(referrer)s::text[], %(campaign)s::text[])
        AS g (at, path, referrer, campaign)
),
visits AS (
    INSERT INTO tracking_visit (device_id, occurred_at, path, referrer, campaign)
    SELECT d.id, g.at, g.path, g.referrer, g.campaign FROM device d CROSS JOIN given g
    WHERE g.fits AND g.at >= least(%(given_at)s, %(now)s) -- nothing from before either yes
        AND (d.visits_from IS NULL OR g.at >= d.visits_from)
    ON CONFLICT (device_id, occurred_at) DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM wording), (SELECT count(*) FROM device), (SELECT count(*) FROM visits),
    (SELECT coalesce(bool_and(fits), true) FROM given)
"""  # noqa: S608


@dataclass(frozen=True)
class Taken:
    """How many visits were kept; `allowed`: whether the device may be written about."""

    visits: int = 0
    allowed: bool = False


def keys_of(device: str) -> list[bytes]:
    """The keyed hashes under which a device may be known; new rows take the first."""
    return keyring().list_hashes(SCOPE, device)


def take(report: Report, now: datetime) -> Taken:
    """Keep what a device reports, where somebody agreed on it; a no deletes what is there.

    Reported twice is kept once. Raises Unreadable where the wording is none that was ever published for this.
    """
    if report.consent is None:
        return Taken()
    keys = keys_of(report.device)
    if not isinstance(report.consent, Consent):
        overtaking.note_no(report.device, now)
        withdraw_on_device(keys, now)
        return Taken()
    params = _params(report, report.consent, keys, now)
    wording, allowed, visits, fits = _run(params)
    if not wording:
        raise Unreadable("consent.wording: no text for the purpose tracking was published under this name and version.")
    if allowed and not fits:
        months.make(months.month_of(at.astimezone(months.BERLIN).date()) for at in params["at"])
        visits += _run(params)[2]
    if allowed and overtaking.is_overtaken(report.device, report.consent.given_at):
        withdraw_on_device(keys, now)
        return Taken()
    return Taken(visits, bool(allowed))


def _params(report: Report, consent: Consent, keys: list[bytes], now: datetime) -> dict[str, Any]:
    at = [seen.at for seen in report.visits]
    return {
        **permits_params(now),
        "text": consent.text,
        "number": consent.number,
        "language": consent.language,
        "given_at": consent.given_at,
        "key": keys[0],
        "keys": keys,
        "kind": report.kind,
        "first": min(at, default=now),
        "last": max(at, default=now),
        "at": at,
        "path": [seen.path for seen in report.visits],
        "referrer": [seen.referrer for seen in report.visits],
        "campaign": [seen.campaign for seen in report.visits],
    }


def _run(params: dict[str, Any]) -> tuple[int, int, int, bool]:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, params)
        wording, device, visits, fits = cursor.fetchone()
    return wording, device, visits, fits
