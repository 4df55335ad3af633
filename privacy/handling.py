"""What the desk does with a request: takes it over, extends, answers, refuses (Art. 12(3) to (5) GDPR)."""

from __future__ import annotations

from datetime import date

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from customers.withdrawals import has_withdrawn
from datamap.controlling import legal_zone
from datamap.workdays import local_date
from privacy import clarifying, copies, identifying, letters, restricting
from privacy.clock import deadline_for
from privacy.deadlines import UnfitDates
from privacy.models import Erasure, Policy, Rectification, Request, RequestLetter
from privacy.progress import erasures_of, has_run
from privacy.steps import State, Step, StepRefused, move, refuse_unless_open, stamp, step_of, working_state
from staff.models import User

APPROVE = "privacy.approve"
Ground = Request.Ground


def take_over(request: Request, owner: User, *, version: int | None, by: User) -> None:
    """Say who is in charge; a request that was only received is in progress from now on."""
    with step_of(request, version) as locked:
        locked.owner = owner
        after = State.IN_PROGRESS if locked.state == State.RECEIVED else locked.state
        move(locked, after, Step.OWNER, by=by)


def extend(
    request: Request, reasons: str, *, way: str | None, version: int | None, by: User, announced_on: date | None = None
) -> bool:
    """Announce an extension by two months with its reasons; answers whether it is in time and so has effect.

    `way` writes the notice now; without it the notice went out on `announced_on` by other means, and one that was late
    is noted as without effect. Raises StepRefused without reasons, for a day that cannot be, for a second extension,
    and for a letter that could no longer extend anything (Art. 12(3): within the first month).
    """
    today = local_date(timezone.now(), legal_zone())
    on = today if way else announced_on
    with step_of(request, version) as locked:
        refuse_unless_open(locked)
        if not reasons.strip():
            raise StepRefused(_("The notice of an extension names its reasons (Art. 12(3))."))
        if locked.extension_announced_on is not None:
            raise StepRefused(_("A request is extended once."))
        if on is None or on > today:
            raise StepRefused(_("Say on which day the notice went out; it cannot lie ahead."))
        locked.extension_announced_on, locked.extension_reasons = on, reasons
        try:
            deadline = deadline_for(locked)
        except UnfitDates as error:
            raise StepRefused(_("The notice cannot have gone out before the request came.")) from error
        in_time = not deadline.notice_late
        if way and not in_time:
            raise StepRefused(
                _("An extension is announced within the first month, here until %(day)s. Answer without delay.")
                % {"day": date_format(deadline.extension_notice_due, "SHORT_DATE_FORMAT")}
            )
        if in_time and locked.state != State.IDENTITY_PENDING:
            move(locked, State.EXTENDED, Step.EXTENDED, by=by, reason=reasons)
        else:
            stamp(locked, Step.EXTENDED if in_time else Step.EXTENDED_LATE, by=by, reason=reasons)
        if way:
            letters.write(locked, RequestLetter.Kind.EXTENSION, way=way, by=by, reason=reasons)
    return in_time


def confirm_receipt(request: Request, *, way: str, version: int | None, by: User) -> None:
    """Tell the person that the request is here and until when it will be answered."""
    with step_of(request, version) as locked:
        refuse_unless_open(locked)
        letters.write(locked, RequestLetter.Kind.RECEIPT, way=way, by=by)


def answer(request: Request, decision: str, *, way: str | None, partly: bool, version: int | None, by: User) -> None:
    """Answer a request, in full or in part, and write the letter.

    Raises StepRefused while identity or a staged change is open, for an objection without a decision, where the letter
    would tell of an erasure that has not begun, a withdrawal that has not taken effect, a restriction that nobody has
    set or corrections that nobody has decided about, and where the copy that was asked for is not there to go with it.
    """
    with step_of(request, version) as locked:
        refuse_unless_open(locked)
        _refuse_unready(locked, decision)
        copy = copies.hand_over(locked, way)
        locked.decision = decision or locked.decision
        locked.answered_at = timezone.now()
        clarifying.overtake(locked, by=by)
        to = State.PARTIALLY_ANSWERED if partly else State.ANSWERED
        move(locked, to, Step.ANSWERED, by=by, reason=decision)
        if way:
            letters.write(locked, RequestLetter.Kind.ANSWER, way=way, by=by, reason=decision, partly=partly, copy=copy)


# Art. 17(3)(b) and (e), 21(1), 15(4) and 20(4); the other grounds stand for every right.
_GROUND_OF: dict[str, tuple[str, ...]] = {
    Ground.LEGAL_DUTY: (Request.Kind.ERASURE,),
    Ground.CLAIMS: (Request.Kind.ERASURE, Request.Kind.OBJECTION),
    Ground.OTHERS: (Request.Kind.ACCESS, Request.Kind.PORTABILITY),
}


def grounds_for(request: Request) -> tuple[str, ...]:
    """On what grounds such a request can be refused at all: neither an objection to advertising nor a withdrawal is
    weighed against anything (Art. 21(3), 7(3)), and what excepts from one right excepts from no other."""
    if request.objects_to == Request.ObjectsTo.ADVERTISING:
        return (Ground.UNIDENTIFIABLE,)
    if request.kind == Request.Kind.WITHDRAWAL:
        return (Ground.UNIDENTIFIABLE, Ground.CONDITIONS)
    return tuple(ground for ground in Ground if request.kind in _GROUND_OF.get(ground, Request.Kind))


def propose_refusal(
    request: Request, ground: str, reason: str, evidence: str, *, way: str, version: int | None, by: User
) -> bool:
    """Propose to refuse; answers whether it is refused at once (the policy asks for no second person).

    Raises StepRefused without reason or evidence, on a ground that does not fit, while an erasure is on its way, and
    where the proposer may not approve and no second person does.
    """
    with step_of(request, version) as locked:
        refuse_unless_open(locked)
        if not reason.strip() or not evidence.strip():
            raise StepRefused(_("A refusal needs its reasons and evidence; the burden of proof is ours (Art. 12(5))."))
        if ground not in grounds_for(locked):
            raise StepRefused(_("On this ground such a request cannot be refused (Art. 7(3), 21(3))."))
        _refuse_while_erasing(locked, ground)
        locked.refusal_ground, locked.refusal_reason, locked.refusal_evidence = ground, reason, evidence
        locked.refusal_proposed_by, locked.refusal_approved_by = by, None
        stamp(locked, Step.REFUSAL_PROPOSED, by=by, reason=reason)
        if Policy.current().refusal_needs_second:
            return False
        if not by.may(APPROVE):
            raise StepRefused(_("A refusal is approved by the privacy role."))
        _refuse_now(locked, way, by)
    return True


def approve_refusal(request: Request, *, way: str, version: int | None, by: User) -> None:
    """The second person approves, and the letter goes out. Raises StepRefused for the person who proposed it."""
    with step_of(request, version) as locked:
        refuse_unless_open(locked)
        _refuse_unproposed(locked)
        if not by.may(APPROVE):
            raise StepRefused(_("A refusal is approved by the privacy role."))
        if Policy.current().refusal_needs_second and locked.refusal_proposed_by_id == by.pk:
            raise StepRefused(_("A second person approves a refusal: not the one who proposed it."))
        _refuse_now(locked, way, by)


def decline_refusal(request: Request, reason: str, *, version: int | None, by: User) -> None:
    """The second person does not approve; the request goes on."""
    with step_of(request, version) as locked:
        refuse_unless_open(locked)
        _refuse_unproposed(locked)
        locked.refusal_proposed_by = None
        stamp(locked, Step.REFUSAL_DECLINED, by=by, reason=reason)


def reopen(request: Request, reason: str, *, version: int | None, by: User) -> None:
    """Take an answered request up again. Raises StepRefused without a reason, and for a closed one."""
    with step_of(request, version) as locked:
        if not reason.strip():
            raise StepRefused(_("Say why the request is taken up again."))
        if locked.is_open or locked.closed_at is not None:
            raise StepRefused(_("Only a request that was answered and is not closed can be taken up again."))
        # A refusal that was approved has had its effect; the next one is proposed anew.
        locked.refusal_proposed_by = locked.refusal_approved_by = None
        move(locked, working_state(locked), Step.REOPENED, by=by, reason=reason)


def rest_owed(request: Request) -> list[str]:
    """The rest of an answer in part, which its letter has announced (an open point of the request)."""
    return [_("The rest of the answer is still owed.")] if request.state == State.PARTIALLY_ANSWERED else []


def answered_in_part() -> Q:
    """The requests of which `rest_owed` has something to say."""
    return Q(state=State.PARTIALLY_ANSWERED)


def _refuse_unready(request: Request, decision: str) -> None:
    if not identifying.is_settled(request):
        raise StepRefused(_("Settle first who asks: choose how identity was settled, also where nothing was asked."))
    if request.rectifications.filter(state=Rectification.State.STAGED).exists():
        raise StepRefused(_("Decide first about every staged change."))
    if request.objects_to == Request.ObjectsTo.REASONS and not decision.strip():
        raise StepRefused(_("An objection with reasons needs a decision that is documented (Art. 21(1))."))
    customer = request.customer
    withdraws = request.kind == Request.Kind.WITHDRAWAL
    if withdraws and customer is not None and not has_withdrawn(customer, request.received_at):
        raise StepRefused(
            _("End first what the person withdraws, on their page of consents: the letter says it is done.")
        )
    if request.kind == Request.Kind.RESTRICTION and not restricting.is_obtained(request):
        raise StepRefused(
            _("Restrict the data first: the letter says it is done. Where Art. 18 does not apply, refuse.")
        )
    corrects = request.kind == Request.Kind.RECTIFICATION and customer is not None
    if corrects and not decision.strip() and not request.rectifications.exists():
        raise StepRefused(_("Stage the corrections and decide about them first, or say here what was decided."))
    still_here = request.kind == Request.Kind.ERASURE and request.customer_id is not None
    if still_here and not any(map(has_run, erasures_of(request))):
        raise StepRefused(_("Carry out the erasure first: the letter says what was erased and what stays."))


def _refuse_unproposed(request: Request) -> None:
    if request.refusal_proposed_by_id is None or not request.refusal_reason:
        raise StepRefused(_("Nobody has proposed to refuse this request."))


def _refuse_while_erasing(request: Request, ground: str) -> None:
    """The letter would say that nothing is erased, and the erasure would run: the one of this request, or of another of
    the same person, unless nobody knows whether it is the same."""
    running = request.erasures.filter(state__in=Erasure.OPEN_STATES).exists()
    if request.kind == Request.Kind.ERASURE and ground != Ground.UNIDENTIFIABLE:
        running |= any(one.state in Erasure.OPEN_STATES for one in erasures_of(request))
    if running:
        raise StepRefused(_("An erasure of this person is on its way: take it back first, or answer."))


def _refuse_now(request: Request, way: str, by: User) -> None:
    _refuse_while_erasing(request, request.refusal_ground)
    request.refusal_approved_by = by
    request.answered_at = timezone.now()
    identifying.drop_copies(request, by=by)
    clarifying.overtake(request, by=by)
    move(request, State.REFUSED, Step.REFUSED, by=by, reason=request.refusal_reason)
    letters.write(request, RequestLetter.Kind.REFUSAL, way=way, by=by, reason=request.refusal_reason)
