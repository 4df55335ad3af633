"""Next steps: done, moved to another day, handed to a colleague."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.utils import timezone

from datamap.navigation import Badge
from interactions.models import FollowUp
from staff.models import User

# The figure in the rail: my steps due today or earlier.
DUE = Badge(
    "SELECT count(*) FROM interactions_followup WHERE done_at IS NULL AND owner_id = %s AND due_on <= %s",
    lambda user: [user.pk, timezone.localdate()],
)


def mark_done(follow_up: FollowUp, *, by: User) -> bool:
    """Mark a step done; False when it was done already (one statement, so two clicks count once)."""
    return bool(FollowUp.objects.open().filter(pk=follow_up.pk).update(done_at=timezone.now(), done_by_id=by.pk))


def postpone(follow_up: FollowUp, due_on: date) -> bool:
    """Move an open step to another day; False when it is done already."""
    return bool(FollowUp.objects.open().filter(pk=follow_up.pk).update(due_on=due_on))


def hand_over(follow_up_ids: Sequence[int], to: User) -> int:
    """Give open steps to a colleague in one statement; how many changed hands."""
    if not to.is_active:
        raise ValueError("Open work goes to somebody who works here.")
    return FollowUp.objects.open().filter(pk__in=follow_up_ids).exclude(owner=to).update(owner=to)


def open_work(user: User) -> int:
    """How many open steps a member of staff is in charge of."""
    return FollowUp.objects.open().owned_by(user.pk).count()


def hand_over_all(user: User, successor: User) -> int:
    """Give everything a leaving colleague has open to the successor."""
    return FollowUp.objects.open().owned_by(user.pk).update(owner=successor)
