"""How often a device and a caller may report: counters of a minute, under keyed hashes, in the shared cache.

A cache that is away is no "yes": the answer is 503, and the page tries again or loses a few visits.
"""

from __future__ import annotations

from datetime import datetime

from django.core.cache import cache

from vault.keyring import keyring

SECONDS = 60
PER_DEVICE = 60
PER_CALLER = 600
"""Many people share one address: an office, a mobile network."""
_SCOPE = "tracking.limit"


def is_too_often(kind: str, who: str, limit: int, now: datetime) -> bool:
    """Count one call of this device or caller in this minute; whether it is one too many."""
    mark = keyring().list_hash(f"{_SCOPE}.{kind}", who).hex()[4:36]
    key = f"tracking:{kind}:{int(now.timestamp()) // SECONDS}:{mark}"
    if cache.add(key, 1, 2 * SECONDS):
        return limit < 1
    return cache.incr(key) > limit
