"""A no that arrives before the report it is about: known for ten minutes under a keyed hash, in the shared cache.

A page reports without waiting, and whoever says no at once may be heard first. Of a device that nothing is known of the
database keeps nothing, and after these minutes nobody does.
"""

from __future__ import annotations

from datetime import datetime

from django.core.cache import cache

from vault.keyring import keyring

SECONDS = 600
_SCOPE = "tracking.no"


def note_no(device: str, at: datetime) -> None:
    """To be noted before it is looked what is known of the device: a report looks after it has written."""
    cache.set(_key(device), at.isoformat(), SECONDS)


def is_overtaken(device: str, given_at: datetime) -> bool:
    """Whether this device has said no since that yes."""
    said = cache.get(_key(device))
    return said is not None and datetime.fromisoformat(said) >= given_at


def _key(device: str) -> str:
    return f"tracking:no:{keyring().list_hash(_SCOPE, device).hex()[4:36]}"
