"""Takes back what a request did to a customer whose request it was not, before it is assigned to somebody else.

What another request wants as well stays. The page shows the same sentences before that the case keeps afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from django.utils.translation import gettext as _

from privacy import objecting, restricting
from privacy.erasing import cancel_erasure
from privacy.models import Erasure, Package, Rectification, Request, Restriction
from privacy.steps import StepRefused
from staff.models import User


@dataclass(frozen=True)
class Change:
    """One thing that is taken back, or why it is not: a sentence, and what does it."""

    words: str
    do: Callable[[User], object] = lambda _by: None


def consequences(request: Request) -> list[str]:
    """What it means for the customer of this request that it is assigned to somebody else: one sentence for each."""
    return [change.words for change in _changes(request)] if request.customer_id is not None else []


def take_back(request: Request, *, by: User) -> list[str]:
    """Take it back, in the caller's transaction and before the customer is another; answers the sentences.

    Raises StepRefused where an erasure under this request has begun, or a staged change waits for a decision.
    """
    if request.erasures.filter(started_at__isnull=False).exclude(state=Erasure.State.CANCELLED).exists():
        raise StepRefused(_("The erasure of this customer has begun under this request; it cannot be assigned anew."))
    if request.rectifications.filter(state=Rectification.State.STAGED).exists():
        raise StepRefused(_("Decide first about every staged change."))
    done = []
    for change in list(_changes(request)):
        change.do(by)
        done.append(change.words)
    return done


def _changes(request: Request) -> Iterator[Change]:
    for restriction in request.restrictions.filter(lifted_at__isnull=True).order_by("pk"):
        yield _of_restriction(restriction)
    if request.objects_to == Request.ObjectsTo.ADVERTISING:
        yield _of_objection(request)
    waiting = request.erasures.filter(state__in=(Erasure.State.WAITING, Erasure.State.SCHEDULED))
    for erasure in waiting.filter(started_at__isnull=True):
        yield Change(_("The erasure that is planned is undone."), partial(_undo, erasure))
    if request.packages.exists():
        yield Change(
            _("The data package no longer belongs to this request; its one-time link no longer opens it."),
            lambda _by: _part_from_packages(request),
        )
    if request.rectifications.filter(state=Rectification.State.APPLIED).exists():
        yield Change(_("What was corrected stays: see whether it has to be put back."))
    # What was asked for and answered tells who asks; that nobody doubted this customer says nothing of another.
    if request.identity_method and request.identity_asked_at is None:
        yield Change(_("How identity was settled no longer counts."), lambda _by: _forget_proof(request))


def _of_restriction(restriction: Restriction) -> Change:
    words = {"case": restriction.get_case_display()}
    other = restricting.supporter_of(restriction)
    if other is None:
        return Change(
            _("The restriction ends: %(case)s.") % words, lambda by: restricting.take_back(restriction, by=by)
        )
    words["code"] = other.code
    return Change(
        _("The restriction stays, since request %(code)s wants it as well: %(case)s.") % words,
        lambda _by: Restriction.objects.filter(pk=restriction.pk).update(request=other),
    )


def _of_objection(request: Request) -> Change:
    words = (
        _("Advertising stays stopped: there is another objection.")
        if objecting.stays_stopped(request)
        else _("Advertising is no longer stopped; the address and number that were told here stay on the list.")
    )
    return Change(words, lambda _by: objecting.take_back(request))


def _undo(erasure: Erasure, by: User) -> None:
    cancel_erasure(erasure, by=by)


def _part_from_packages(request: Request) -> None:
    Package.objects.filter(request=request).update(request=None, token_hash=None)


def _forget_proof(request: Request) -> None:
    request.identity_method, request.identity_proven_at = "", None
