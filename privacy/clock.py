"""When a stored request is due, and why, in words (C6: no date without its explanation)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from datamap.controlling import controller, legal_zone
from datamap.models import Controller
from datamap.workdays import add_months, local_date
from privacy.deadlines import MONTHS, OVERDUE, PROMPT_DAYS, Deadline, is_prompt, request_deadline
from privacy.models import Request

# What takes effect at once; the month counts for the answer (domain.md 4.3).
AT_ONCE = (Request.Kind.RESTRICTION, Request.Kind.OBJECTION, Request.Kind.WITHDRAWAL, Request.Kind.RECTIFICATION)

# What the calendar calls the days that a period skips; marked here for the translation.
_SKIPPED = (
    gettext_noop("Saturday"), gettext_noop("Sunday"), gettext_noop("New Year's Day"), gettext_noop("Epiphany"),
    gettext_noop("Women's Day"), gettext_noop("Good Friday"), gettext_noop("Easter Sunday"),
    gettext_noop("Easter Monday"), gettext_noop("Labor Day"), gettext_noop("Ascension Day"), gettext_noop("Pentecost"),
    gettext_noop("Pentecost Monday"), gettext_noop("Corpus Christi"), gettext_noop("Assumption Day"),
    gettext_noop("World Children's Day"), gettext_noop("German Unity Day"), gettext_noop("Reformation Day"),
    gettext_noop("All Saints' Day"), gettext_noop("Repentance and Prayer Day"), gettext_noop("Christmas Day"),
    gettext_noop("Second Day of Christmas"),
)  # fmt: skip

RED, AMBER, GREEN, GREY = "red", "amber", "green", "grey"


@dataclass(frozen=True)
class Light:
    """The traffic light of a case: its tone and the word beside it, since color alone says nothing."""

    color: str
    words: str

    @property
    def tone(self) -> str:
        """The chip's class."""
        return {RED: "stop", AMBER: "warn", GREEN: "", GREY: "plain"}[self.color]


def deadline_for(request: Request, *, as_of: date | None = None, who: Controller | None = None) -> Deadline:
    """The deadline of this request, from its stamps alone."""
    who = who or controller()
    zone = legal_zone(who)
    asked, settled = request.identity_asked_at, request.identity_proven_at
    extent, clarified = request.clarification_asked_at, request.clarified_at
    return request_deadline(
        request.received_at,
        as_of=as_of or local_date(timezone.now(), zone),
        extended_on=request.extension_announced_on,
        asked_on=local_date(asked, zone) if asked else None,
        answered_on=local_date(settled, zone) if asked and settled else None,
        extent=(local_date(extent, zone), local_date(clarified, zone) if clarified else None) if extent else None,
        land=who.land if who.regional_holidays else None,
        zone=zone,
    )


def stamp_due(request: Request) -> None:
    """Set what the board sorts by; the caller saves.

    Where the notice of an extension came too late the case is overdue whatever else is due, and stands so on the board
    (P04).
    """
    zone = legal_zone()
    deadline = deadline_for(request)
    request.due_on = deadline.extension_notice_due if deadline.notice_late else deadline.due
    received = local_date(request.received_at, zone)
    asked = [request.identity_asked_at] if request.state == Request.State.IDENTITY_PENDING else []
    asked += [request.clarification_asked_at] if request.is_open and request.clarified_at is None else []
    stopped = any(at is not None and is_prompt(received, local_date(at, zone)) for at in asked)
    request.clock_stopped = stopped and not deadline.notice_late


@transaction.atomic
def stamp_again() -> int:
    """`stamp_due` of all requests that are not closed, as the calendar has changed: the federal state, whether its
    holidays count, the zone. Answers how many moved."""
    moved = []
    for request in Request.objects.select_for_update().filter(closed_at__isnull=True).order_by("pk"):
        before = request.due_on, request.clock_stopped
        stamp_due(request)
        if (request.due_on, request.clock_stopped) != before:
            moved.append(request)
    return Request.objects.bulk_update(moved, ["due_on", "clock_stopped"], batch_size=500) if moved else 0


def follow_calendar(*, raw: bool, **_given: Any) -> None:
    """The controller was saved: what the desk sorts by follows the calendar that counts now."""
    if not raw:  # a fixture: its other rows may not be there yet
        stamp_again()


def light_of(request: Request, deadline: Deadline, today: date) -> Light:
    """Red: late. Amber: today is the day the desk aims at, or later. Grey: nobody waits, or the clock stands."""
    if request.closed_at is not None:
        return Light(GREY, _("closed"))
    if not request.is_open:
        return Light(GREY, _("to be closed"))
    if deadline.status == OVERDUE:
        return Light(RED, _("overdue"))
    if request.clock_stopped:
        return Light(GREY, _("clock stands"))
    if today >= deadline.target:
        return Light(AMBER, _("due soon"))
    return Light(GREEN, _("in time"))


def explained(request: Request, deadline: Deadline) -> list[str]:
    """Why the last day is that day: one sentence for each thing that decided."""
    said = [_first_sentence(deadline)]
    if request.kind in AT_ONCE:
        said.append(_("It takes effect at once; this is the last day of the answer."))
    if deadline.suspended_days:
        days = deadline.suspended_days
        said.append(
            ngettext(
                "The clock stood for %(n)d day while a question to the person was open.",
                "The clock stood for %(n)d days while a question to the person was open.",
                days,
            )
            % {"n": days}
        )
    if deadline.question_late:
        said.append(
            _("The question about identity came more than %(n)d days after the receipt and does not stop the clock.")
            % {"n": PROMPT_DAYS}
        )
    extent = request.clarification_asked_at
    if extent is not None and not is_prompt(deadline.received, local_date(extent, legal_zone())):
        said.append(
            _("The question what it is about came more than %(n)d days after the receipt and does not stop the clock.")
            % {"n": PROMPT_DAYS}
        )
    if deadline.shifts:
        skipped = ", ".join(f"{_short(day)} ({_(why)})" for day, why in deadline.shifts)
        said.append(
            _("It would end on %(end)s; what is no working day is skipped: %(days)s.")
            % {"end": _short(deadline.raw_end), "days": skipped}
        )
    if deadline.notice_late:
        said.append(
            _("The notice of extension went out after %(day)s and has no effect.")
            % {"day": _short(deadline.extension_notice_due)}
        )
    elif deadline.months == MONTHS and request.is_open:
        said.append(
            _("An extension by two months can be announced until %(day)s, with reasons.")
            % {"day": _short(deadline.extension_notice_due)}
        )
    return said


def _first_sentence(deadline: Deadline) -> str:
    end = add_months(deadline.received, deadline.months)
    words = {"received": _short(deadline.received), "end": _short(end)}
    if deadline.months == MONTHS:
        return _("One month from the receipt on %(received)s ends on %(end)s.") % words
    return _("Extended in time: three months from the receipt on %(received)s end on %(end)s.") % words


def _short(day: date) -> str:
    return date_format(day, "SHORT_DATE_FORMAT")
