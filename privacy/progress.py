"""How far an erasure is: each step stands in PostgreSQL when it is done."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils import timezone

from privacy.models import Erasure, ErasureStep


def failed_erasures() -> QuerySet[Erasure]:
    """The erasures that are open because a step or a store has failed."""
    failed = Q(steps__state=ErasureStep.State.FAILED) | Q(state=Erasure.State.OPEN_STORES)
    return Erasure.objects.filter(failed, state__in=Erasure.OPEN_STATES).distinct()


def is_done(erasure: Erasure, key: str) -> bool:
    """Whether a step was done."""
    return erasure.steps.filter(key=key, state=ErasureStep.State.DONE).exists()


def note(erasure: Erasure, key: str, count: int = 0, *, error: str = "") -> None:
    """Say that a step was done, or with the class of which error it failed."""
    state = ErasureStep.State.FAILED if error else ErasureStep.State.DONE
    step, _made = ErasureStep.objects.get_or_create(erasure=erasure, key=key)
    step.state, step.count, step.error, step.at = state, count, error, timezone.now()
    step.attempts += 1
    step.save()
