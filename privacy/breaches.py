"""The register of breaches: note, assess, decide, tell the authority and the persons, close (Art. 33, 34 GDPR)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from datamap.controlling import legal_zone
from privacy.breach_law import BreachLaw, breach_law
from privacy.deadlines import OVERDUE, BreachDeadline, breach_deadline
from privacy.models import Breach, BreachEntry
from staff.models import User

ASSESSED = ("title", "aware_at", "happened_at", "facts", "persons", "persons_count", "data", "records_count", "effects",
            "measures", "risk")  # fmt: skip


class BreachRefused(ValueError):
    """A step that the register does not allow; `field` says which entry is missing or wrong."""

    def __init__(self, field: str, text: str) -> None:
        self.field = field
        super().__init__(text)


class StaleBreach(Exception):
    """Somebody saved the facts meanwhile; nothing was written."""


def note_breach(by: User | None, **facts: Any) -> Breach:
    """Begin a case from the fields of `ASSESSED`. Raises BreachRefused for instants that cannot be."""
    _refuse_future(aware_at=facts.get("aware_at"), happened_at=facts.get("happened_at"))
    _refuse_known_before(facts.get("aware_at"), facts.get("happened_at"))
    return Breach.objects.create(noted_by=by, **facts)


def assess(breach_id: int, *, version: int | None = None, by: User | None = None, **facts: Any) -> Breach:
    """Correct or complete the facts. Atomic. A decision not to tell the authority falls where a risk turns out: the
    clock runs again, and what had been decided stays as a follow-up. So does what duties were reckoned from before:
    since when it was known, and how great the risk was.

    Raises BreachRefused, also where the case is closed, and StaleBreach where `version` is no longer the one that was
    seen (None asks nothing).
    """
    _refuse_future(aware_at=facts.get("aware_at"), happened_at=facts.get("happened_at"))
    with transaction.atomic():
        breach = _open_for_update(breach_id)
        if version is not None and version != breach.version:
            raise StaleBreach
        before = breach.aware_at, breach.risk
        for name, value in facts.items():
            setattr(breach, name, value)
        _refuse_known_before(breach.aware_at, breach.happened_at)
        if breach.notified_at is not None and is_late(breach, breach.notified_at) and not breach.late_reasons:
            raise BreachRefused("aware_at", _("By this instant the notification was late, and no reasons are noted."))
        breach.version += 1
        breach.save(update_fields=[*facts, "version"])
        _note_corrected(breach, *before, by)
    return breach


def _note_corrected(breach: Breach, aware_at: datetime, risk: str, by: User | None) -> None:
    """Duties hang on these two: who looks into the register sees what they were (Art. 33(5))."""
    if (former := _moment(aware_at)) != _moment(breach.aware_at):
        _note_former(breach, by, _("Corrected: until then it was noted as known since %s."), former)
    if breach.decision == Breach.Decision.NOT and _must_be_told(breach):
        _undecide(breach, by)
    elif risk and breach.risk != risk:
        _note_former(breach, by, _("Assessed anew: until then it held: %s."), Breach.Risk(risk).label)


def _note_former(breach: Breach, by: User | None, text: str, former: Any) -> None:
    BreachEntry.objects.create(breach=breach, text=text % former, by=by)


def _moment(at: datetime) -> str:
    """As pages show and take it: to the minute."""
    return date_format(at.astimezone(legal_zone()), "SHORT_DATETIME_FORMAT")


def _undecide(breach: Breach, by: User | None) -> None:
    said = {"decision": breach.get_decision_display(), "reasons": breach.reasons}
    _note_former(breach, by, _("A risk turned out. Until then it held: %(decision)s. %(reasons)s"), said)
    breach.decision, breach.reasons, breach.decided_at = Breach.Decision.OPEN, "", None
    breach.save(update_fields=["decision", "reasons", "decided_at"])


def decide(breach_id: int, decision: str, reasons: str, *, by: User | None = None) -> Breach:
    """Decide whether the authority is told, with reasons in either case (Art. 33(1), 33(5)); a decision made before
    stays as a follow-up.

    Atomic. Raises BreachRefused: no reasons, told already, or a risk that must be told.
    """
    if decision not in (Breach.Decision.NOTIFY, Breach.Decision.NOT):
        raise BreachRefused("decision", _("Decide whether the authority is told."))
    if not reasons.strip():
        raise BreachRefused("reasons", _("The register holds the reasons of the decision (Art. 33(5) GDPR)."))
    with transaction.atomic():
        breach = _open_for_update(breach_id)
        if decision == Breach.Decision.NOT and breach.notified_at is not None:
            raise BreachRefused("decision", _("The authority has been told already."))
        if decision == Breach.Decision.NOT and _must_be_told(breach):
            raise BreachRefused("decision", _("The authority must be told of a risk like this (Art. 33(1) GDPR)."))
        if breach.decision and (breach.decision, breach.reasons) != (decision, reasons.strip()):
            said = {"decision": breach.get_decision_display(), "reasons": breach.reasons}
            _note_former(breach, by, _("Decided anew. Until then it held: %(decision)s. %(reasons)s"), said)
        breach.decision, breach.reasons, breach.decided_at = decision, reasons.strip(), timezone.now()
        breach.save(update_fields=["decision", "reasons", "decided_at"])
    return breach


def notified(breach_id: int, at: datetime, late_reasons: str = "", *, by: User | None = None) -> Breach:
    """Note when the authority was told; later than the law's hours it wants the reasons for the delay (Art. 33(1)).
    An instant that is corrected stays as a follow-up.

    Atomic. Raises BreachRefused.
    """
    _refuse_future(notified_at=at)
    with transaction.atomic():
        breach = _open_for_update(breach_id)
        if at < breach.aware_at:
            raise BreachRefused("notified_at", _("This lies before anybody knew of it."))
        if is_late(breach, at) and not late_reasons.strip():
            hours = breach_law().at(breach.aware_at).hours
            late = _("This is later than %(hours)d hours: give the reasons for the delay.") % {"hours": hours}
            raise BreachRefused("late_reasons", late)
        if not breach.reasons:
            raise BreachRefused("notified_at", _("Decide first, with reasons."))
        if breach.notified_at is not None and (former := _moment(breach.notified_at)) != _moment(at):
            _note_former(breach, by, _("Corrected: until then the authority was noted as told on %s."), former)
        breach.decision, breach.notified_at = Breach.Decision.NOTIFY, at
        breach.late_reasons = late_reasons.strip() if is_late(breach, at) else ""
        breach.save(update_fields=["decision", "notified_at", "late_reasons"])
    return breach


def persons_told(breach_id: int, at: datetime | None, how: str) -> Breach:
    """Note when and how the persons were told, or why they need not be (Art. 34(3)). Atomic. Raises BreachRefused."""
    _refuse_future(persons_told_at=at)
    if not how.strip():
        raise BreachRefused("persons_told", _("Say how they were told, or why they need not be (Art. 34(3) GDPR)."))
    with transaction.atomic():
        breach = _open_for_update(breach_id)
        breach.persons_told_at, breach.persons_told = at, how.strip()
        breach.save(update_fields=["persons_told_at", "persons_told"])
    return breach


def follow_up(breach_id: int, text: str, *, by: User | None, told_authority_at: datetime | None = None) -> BreachEntry:
    """Add what became known later (Art. 33(4)). Raises BreachRefused."""
    _refuse_future(told_authority_at=told_authority_at)
    if not text.strip():
        raise BreachRefused("text", _("Say what became known."))
    with transaction.atomic():
        breach = _open_for_update(breach_id)
        return BreachEntry.objects.create(breach=breach, text=text.strip(), by=by, told_authority_at=told_authority_at)


def close(breach_id: int) -> Breach:
    """End a case that is decided and done; its period begins. Atomic. Raises BreachRefused with what is missing."""
    with transaction.atomic():
        breach = _open_for_update(breach_id)
        if not breach.decision:
            raise BreachRefused("decision", _("Decide first whether the authority is told."))
        if breach.decision == Breach.Decision.NOTIFY and breach.notified_at is None:
            raise BreachRefused("notified_at", _("The authority has not been told yet."))
        if not breach.risk:
            raise BreachRefused("risk", _("The risk is not assessed yet."))
        if breach.risk == Breach.Risk.HIGH and not breach.persons_told:
            raise BreachRefused("persons_told", _("At a high risk the persons are told (Art. 34 GDPR)."))
        breach.closed_at = timezone.now()
        breach.save(update_fields=["closed_at"])
    return breach


def due_at(breach: Breach, law: BreachLaw | None = None) -> datetime:
    """The last instant for telling the authority: elapsed hours, whatever clocks and weekends do (Art. 33(1)).

    `law`: as `breach_law` has answered before, for pages with many breaches.
    """
    return _deadline(breach, breach.aware_at, law).due


def is_late(breach: Breach, at: datetime, law: BreachLaw | None = None) -> bool:
    """Whether telling the authority at this instant is later than the law's hours."""
    return _deadline(breach, at, law).status == OVERDUE


def _deadline(breach: Breach, as_of: datetime, law: BreachLaw | None) -> BreachDeadline:
    hours = (law or breach_law()).at(breach.aware_at).hours
    return breach_deadline(breach.aware_at, as_of=as_of, hours=hours)


def _must_be_told(breach: Breach) -> bool:
    return breach_law().at(breach.aware_at).wants_notice(breach.risk)


def running() -> QuerySet[Breach]:
    """Cases whose clock counts: neither told nor decided against."""
    return Breach.objects.filter(
        ~Q(decision=Breach.Decision.NOT), notified_at__isnull=True, closed_at__isnull=True
    ).order_by("aware_at", "pk")


def untold() -> list[Breach]:
    """Open cases of a high risk whose persons nobody has told, nor said why not (Art. 34): without undue delay."""
    return [breach for breach in Breach.objects.filter(closed_at=None).order_by("pk") if breach.awaits_persons]


def _open_for_update(breach_id: int) -> Breach:
    breach = Breach.objects.select_for_update().filter(pk=breach_id).first()
    if breach is None or breach.closed_at is not None:
        raise BreachRefused("title", _("This case is closed."))
    return breach


def _refuse_known_before(aware_at: datetime | None, happened_at: datetime | None) -> None:
    if aware_at is not None and happened_at is not None and aware_at < happened_at:
        raise BreachRefused("happened_at", _("Nobody knew of it before it happened."))


def _refuse_future(**instants: datetime | None) -> None:
    for field, at in instants.items():
        if at is not None and at > timezone.now():
            raise BreachRefused(field, _("This lies in the future."))
