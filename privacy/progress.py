"""How far an erasure is: each step stands in PostgreSQL when it is done."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from privacy.models import Erasure, ErasureStep, Request
from privacy.packages.knowing import marks_of_asker

# Somebody asks every minute for what waits; what is not done by then waits for a person.
PATIENCE = timedelta(minutes=15)


def failed_erasures() -> QuerySet[Erasure]:
    """The erasures that are open because a step or a store has failed."""
    failed = Q(steps__state=ErasureStep.State.FAILED) | Q(state=Erasure.State.OPEN_STORES)
    return Erasure.objects.filter(failed, state__in=Erasure.OPEN_STATES).distinct()


def late_erasures() -> QuerySet[Erasure]:
    """The erasures whose hour has come and that no worker has begun, or brings to an end: it dies in them each time."""
    now = timezone.now()
    due = Q(state=Erasure.State.SCHEDULED, run_after__lt=now - PATIENCE)
    due |= Q(state=Erasure.State.RUNNING, started_at__lt=now - PATIENCE)
    return Erasure.objects.filter(due).exclude(lease_until__gt=now)


def erasures_of(request: Request) -> list[Erasure]:
    """The erasures that a request is about, the oldest first: the one it asked for; where the person asked twice, the
    one that answers both; and those under which somebody who asks again was erased before."""
    same = Q(request=request)
    if request.kind == Request.Kind.ERASURE:
        marks = set(marks_of_asker(request))
        if request.contact_person is not None:
            same |= Q(contact_person=request.contact_person)
        else:
            marks |= set(filter(None, [request.subject_ref]))
            same |= Q(customer=request.customer_id) if request.customer_id else Q()
        same |= Q(subject_ref__in=marks)
    return list(Erasure.objects.filter(same).exclude(state=Erasure.State.CANCELLED).order_by("pk"))


def has_run(erasure: Erasure) -> bool:
    """Whether its rows went, as far as no case kept them: one that has only begun has nothing to tell."""
    through = (Erasure.State.DONE, Erasure.State.OPEN_STORES)
    return bool(erasure.items or erasure.holds) or erasure.state in through


def unconfirmed(erasures: Iterable[Erasure]) -> list[str]:
    """What of these erasures has failed and is tried again, as people call it: files, a store, the search."""
    failed = ErasureStep.objects.filter(
        erasure__in=[one.pk for one in erasures if one.state in Erasure.OPEN_STATES], state=ErasureStep.State.FAILED
    )
    return list(dict.fromkeys(step.label for step in failed.order_by("pk")))


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
