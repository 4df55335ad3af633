"""Asks what a request is about where very much is held (recital 63 GDPR): the clock stands while a prompt question is
open, and who does not narrow it down, or wants everything, gets everything."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from privacy import letters
from privacy.models import Request, RequestLetter
from privacy.steps import Step, StepRefused, refuse_unless_open, stamp, step_of
from staff.models import User


def ask(request: Request, words: str, *, way: str, version: int | None, by: User) -> None:
    """Ask which data or which processing the request is about, with the reason; once.

    Raises StepRefused for another right than access, without words, and where it was asked before.
    """
    with step_of(request, version) as locked:
        refuse_unless_open(locked)
        if locked.kind != Request.Kind.ACCESS:
            raise StepRefused(_("Only of access it may be asked what it is about (recital 63)."))
        if not words.strip():
            raise StepRefused(_("Say what of so much is in question."))
        if locked.clarification_asked_at is not None:
            raise StepRefused(_("It was asked before; who does not answer gets everything."))
        locked.clarification_asked_at = timezone.now()
        stamp(locked, Step.CLARIFICATION_ASKED, by=by, reason=words)
        letters.write(locked, RequestLetter.Kind.CLARIFY, way=way, by=by, reason=words)


def settle(request: Request, words: str, *, version: int | None, by: User) -> None:
    """Note what the person said; the clock runs on. Raises StepRefused where no question is open, or without words."""
    with step_of(request, version) as locked:
        refuse_unless_open(locked)
        if not is_open(locked):
            raise StepRefused(_("No such question is open."))
        if not words.strip():
            raise StepRefused(_("Say what the person answered."))
        _end(locked, by=by, words=words)


def overtake(request: Request, *, by: User) -> None:
    """In the caller's step, which answers or refuses the request: a question that is still open is over."""
    if is_open(request):
        _end(request, by=by, words=_("Answered without waiting for it."))


def _end(request: Request, *, by: User, words: str) -> None:
    request.clarified_at = timezone.now()
    stamp(request, Step.CLARIFIED, by=by, reason=words)


def is_open(request: Request) -> bool:
    """Whether the person was asked and has not answered."""
    return request.clarification_asked_at is not None and request.clarified_at is None
