"""Hands rows to the app that owns them, and takes them back: the only place that knows which app that is."""

from __future__ import annotations

from typing import Any

from customers.intake import write_customers, write_suppressions
from customers.rows import Outcome, Source
from intake.profiles.declaring import ORDERS, SUPPRESSIONS, Profile
from orders.intake import write_orders


def write(profile: Profile, rows: list[Any], source: Source, *, dry_run: bool) -> Outcome:
    """Write one chunk, or only say what would become of it."""
    if not rows:
        return Outcome()
    if profile.kind == ORDERS:
        return write_orders(rows, source, dry_run=dry_run)
    if profile.kind == SUPPRESSIONS:
        return write_suppressions(rows, source, dry_run=dry_run)
    return write_customers(rows, source, dry_run=dry_run)
