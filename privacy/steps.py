"""Which step may follow which (domain.md 1.4), and the one way a request takes one: locked, stamped, explained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from privacy.clock import stamp_due
from privacy.models import Request, RequestEvent
from staff.models import User

State = Request.State
Step = RequestEvent.Kind

TRANSITIONS: dict[str, frozenset[str]] = {
    State.RECEIVED: frozenset(
        (State.IDENTITY_PENDING, State.IN_PROGRESS, State.EXTENDED, State.ANSWERED, State.PARTIALLY_ANSWERED,
         State.REFUSED)
    ),
    State.IDENTITY_PENDING: frozenset((State.IN_PROGRESS, State.EXTENDED, State.REFUSED)),
    State.IN_PROGRESS: frozenset(
        (State.IDENTITY_PENDING, State.EXTENDED, State.ANSWERED, State.PARTIALLY_ANSWERED, State.REFUSED)
    ),
    State.EXTENDED: frozenset((State.IDENTITY_PENDING, State.ANSWERED, State.PARTIALLY_ANSWERED, State.REFUSED)),
    State.ANSWERED: frozenset((State.IN_PROGRESS, State.EXTENDED, State.CLOSED)),
    # Closed only once the rest is answered or refused (handling.rest_owed).
    State.PARTIALLY_ANSWERED: frozenset(
        (State.IN_PROGRESS, State.EXTENDED, State.ANSWERED, State.REFUSED, State.CLOSED)
    ),
    State.REFUSED: frozenset((State.IN_PROGRESS, State.EXTENDED, State.CLOSED)),
    State.CLOSED: frozenset(),
}  # fmt: skip


class StepRefused(Exception):
    """The request cannot take this step now; the text says why, for the person at the desk."""


class StaleRequest(Exception):
    """Somebody took a step meanwhile; nothing was written."""


@contextmanager
def step_of(request: Request, version: int | None) -> Iterator[Request]:
    """The request locked for one step, in one transaction; the caller's object is read anew afterwards.

    Raises StaleRequest where `version` is no longer the one that was seen (None asks nothing).
    """
    with transaction.atomic():
        locked = Request.on_desk().select_for_update().filter(pk=request.pk).first()
        if locked is None or (version is not None and locked.version != version):
            raise StaleRequest
        yield locked
        locked.version += 1
        stamp_due(locked)
        locked.save()
    request.refresh_from_db()


def move(request: Request, to: str, kind: str, *, by: User | None, reason: str = "") -> RequestEvent:
    """Bring a locked request into a state and stamp the step. Raises StepRefused where the law knows no such step."""
    before = request.state
    if to != before and to not in TRANSITIONS[before]:
        raise StepRefused(
            _("A request that is “%(before)s” cannot become “%(after)s”.")
            % {"before": State(before).label, "after": State(to).label}
        )
    request.state = to
    if to == State.CLOSED:
        request.closed_at = timezone.now()
    return stamp(request, kind, before=before, by=by, reason=reason)


def stamp(request: Request, kind: str, *, by: User | None, reason: str = "", before: str = "") -> RequestEvent:
    """Note a step that changes no state."""
    return RequestEvent.objects.create(
        request=request, kind=kind, before=before or request.state, after=request.state, actor=by, reason=reason
    )


def working_state(request: Request) -> str:
    """Where a request goes on after an interruption: extended where a notice went out in time."""
    announced = request.events.filter(kind=Step.EXTENDED).exists()
    return State.EXTENDED if announced else State.IN_PROGRESS


def refuse_unless_open(request: Request) -> None:
    """Raises StepRefused where the request has its answer already."""
    if not request.is_open:
        raise StepRefused(_("This request has its answer already."))


def timeline_of(request: Request) -> list[Any]:
    """The stamps of a request, oldest first."""
    return list(request.events.select_related("actor").order_by("at", "pk"))
