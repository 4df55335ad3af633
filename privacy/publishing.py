"""What the shop had made public about a person who is erased: others who use it are told, as far as that is reasonable
(Art. 17(2) GDPR). The shop knows what it published where; the portal publishes nothing."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from privacy.models import PublishedData, Request
from privacy.steps import Step, StepRefused, refuse_unless_open, stamp, step_of
from staff.models import User

State = PublishedData.State


def note(request: Request, what: str, *, version: int | None, by: User) -> PublishedData:
    """Note something that had been made public; the case stays open until it is settled.

    Raises StepRefused for a request that is not about erasure or has its answer, and without words.
    """
    with step_of(request, version) as locked:
        refuse_unless_open(locked)
        if locked.kind != Request.Kind.ERASURE:
            raise StepRefused(_("Only who asks for erasure has others told of it (Art. 17(2))."))
        if not what.strip():
            raise StepRefused(_("Say what had been made public, and where."))
        noted = PublishedData.objects.create(request=locked, what=what.strip(), noted_by=by)
        stamp(locked, Step.PUBLISHED, by=by)
    return noted


def settle(published_id: int, state: str, steps: str, *, version: int | None, by: User) -> None:
    """Note what was done so that others learn of the erasure, or why no step was reasonable.

    Raises StepRefused without words, and for what is settled already.
    """
    row = PublishedData.objects.select_related("request").get(pk=published_id)
    with step_of(row.request, version) as locked:
        row = PublishedData.objects.select_for_update().get(pk=published_id)
        if row.state != State.OPEN or state not in (State.TOLD, State.UNREASONABLE):
            raise StepRefused(_("This is settled already."))
        if not steps.strip():
            raise StepRefused(_("Say what was done, or why nothing was reasonable."))
        row.state, row.steps, row.settled_at = state, steps.strip(), timezone.now()
        row.save(update_fields=["state", "steps", "settled_at"])
        stamp(locked, Step.DONE, by=by, reason=str(row.get_state_display()))


def left(request: Request) -> list[str]:
    """What others have not been told of yet: a request with any of it does not close."""
    rows = request.published.filter(state=State.OPEN).count()
    return [_("Others who use what had been made public are still to be told (Art. 17(2)).")] if rows else []


def unsettled() -> Q:
    """The requests of which `left` has something to say."""
    return Q(Exists(PublishedData.objects.filter(request=OuterRef("pk"), state=State.OPEN)))


def told(request: Request) -> list[str]:
    """Paragraphs of the answer: what had been public, and what was done about it."""
    words = {
        State.OPEN: _("This had been public: %(what)s. We are telling others who use it that you want it erased."),
        State.TOLD: _(
            "This had been public: %(what)s. We have told others who use it that you want every link to it and every "
            "copy of it erased: %(steps)s"
        ),
        State.UNREASONABLE: _("This had been public: %(what)s. Telling others of it was not reasonable: %(steps)s"),
    }
    rows = request.published.order_by("pk")
    return [words[State(row.state)] % {"what": row.what.rstrip("."), "steps": row.steps} for row in rows]
