"""What is kept of the uses of a consent besides the last, so that an answer of the past counts from the last one then.

A consent that is used more often than any limit of its purpose asks for has never been stale: of such uses nothing more
is kept. Of a longer time without any, its begin and its end are (`Record.pauses`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

# The shortest limit that the purpose `p` has ever had.
SHORTEST = "(SELECT min(v.stale_months) FROM consents_purposeversion v WHERE v.purpose_id = p.id)"
IS_PAUSE = "{since} + make_interval(months => {shortest}) <= {at}"
"""SQL: whether it was long between two uses that follow each other."""


def used_then(pauses: Sequence[datetime] | None, last: datetime, at: datetime) -> datetime:
    """The use from which the consent was fresh at a moment; outside of pauses one may be as late as that moment."""
    kept = iter(pauses or ())
    before = (begin for begin, end in zip(kept, kept, strict=True) if begin <= at < end)
    return next(before, min(last, at))
