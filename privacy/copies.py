"""The copy that an answer goes with (Art. 15(3), 20 GDPR): none goes out without, and the letter says how to get it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import ContactPerson, Customer
from datamap.controlling import legal_zone
from datamap.workdays import local_date
from privacy.models import Package, Request, RequestLetter
from privacy.packages.building import last_moment, link_to, provide
from privacy.packages.knowing import asker_of, holds_copy
from privacy.steps import StepRefused


@dataclass(frozen=True)
class Copy:
    """How the person gets it: by a link that opens it once, until a day; without one it is enclosed."""

    link: str = ""
    until: date | None = None


def copy_of(request: Request) -> Package | None:
    """The released package that answers a request: its own, or another of this person made since it came in."""
    who = asker_of(request)
    whose = Q(customer=None, subject_ref=who)
    if isinstance(who, ContactPerson):
        whose = Q(contact_person=who.pk)
    elif isinstance(who, Customer):
        whose = Q(customer=who, contact_person=None)
    found = Package.objects.filter(
        whose,
        Q(request=request) | Q(asked_at__gte=request.received_at),
        kind=request.kind,
        state=Package.State.READY,
        released_at__isnull=False,
        expires_at__gt=timezone.now(),
    )
    return found.order_by("-asked_at", "-pk").first() if who is not None else None


def hand_over(request: Request, way: str | None) -> Copy | None:
    """Let the copy go with the answer, in the caller's transaction; None where the letter has nothing to say of one.

    A mail names a one-time link; so does a letter by post, unless somebody has taken the package out to enclose it.
    Raises StepRefused where no copy is released, and, where no letter is written (`way` None), before it is handed out.
    """
    if not holds_copy(request):
        return None
    package = copy_of(request)
    if package is None:
        raise StepRefused(
            _("Make the data package of this request first and release it: the answer goes out together with the copy.")
        )
    if way is None:
        if package.provided_at is None and package.token_hash is None:
            raise StepRefused(_("Hand the copy out first: download it, or make its one-time link."))
        return None
    if _is_enclosed(package, way):
        return Copy()
    provide(package)
    return Copy(link_to(package), _last_day(package))


def foreseen(request: Request, way: str) -> Copy | None:
    """What a letter by this way would say of the copy, for the look at it before; None where there is none."""
    package = copy_of(request) if holds_copy(request) else None
    if package is None or _is_enclosed(package, way):
        return Copy() if package is not None else None
    return Copy("…", _last_day(package) if package.provided_at else _day_before(last_moment(timezone.now())))


def _is_enclosed(package: Package, way: str) -> bool:
    return way == RequestLetter.Way.POST and package.provided_at is not None and package.token_hash is None


def _last_day(package: Package) -> date:
    assert package.expires_at is not None
    return _day_before(package.expires_at)


def _day_before(moment: datetime) -> date:
    return local_date(moment - timedelta(microseconds=1), legal_zone())
