"""Looks again at a restriction that rightly stands: why it goes on, and when somebody looks the next time."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from datamap.controlling import legal_zone
from datamap.holds import LONGEST_MONTHS, HoldRefused, refuse_review
from datamap.workdays import add_months, local_date
from privacy.models import RequestEvent, Restriction
from privacy.restricting import file_for, lock
from privacy.steps import Step, stamp
from staff.models import User


@transaction.atomic
def keep_on(
    restriction: Restriction, review_on: date | None, reason: str, *, by: User, version: int | None = None
) -> None:
    """Note that a restriction was looked at and goes on. One transaction; who, when and why stand in its request file.

    Raises HoldRefused without a reason or without a review within twelve months, LiftRefused where the restriction has
    ended or somebody changed it meanwhile.
    """
    if not reason.strip():
        raise HoldRefused("reason", _("Say why the restriction goes on."))
    refuse_review(review_on, local_date(timezone.now(), legal_zone()))
    locked = lock(restriction, version)
    assert locked.customer is not None and review_on is not None  # of somebody erased none stands; refused above
    # One that came back after a restore has no file.
    locked.request = locked.request or file_for(locked.customer, locked.contact_person, timezone.now(), by)
    locked.review_on = review_on
    locked.version += 1
    locked.save()
    said = _("next review %s") % date_format(review_on, "SHORT_DATE_FORMAT")
    stamp(locked.request, Step.GOES_ON, by=by, reason=f"{reason.strip()}\n{said}")
    restriction.refresh_from_db()


def next_review(restriction: Restriction) -> date:
    """The day on which somebody looks at a restriction again: as they said, else twelve months after it began."""
    return restriction.review_on or add_months(local_date(restriction.since, legal_zone()), LONGEST_MONTHS)


def reviews_of(restriction: Restriction) -> list[RequestEvent]:
    """Who looked at it, when, and why it went on, the latest first."""
    if restriction.request is None:
        return []
    seen: Any = restriction.request.events.filter(kind=Step.GOES_ON, at__gte=restriction.since)
    return list(seen.select_related("actor").order_by("-at", "-pk")[:20])
