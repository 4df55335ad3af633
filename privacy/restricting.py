"""The freeze of Art. 18 GDPR: set, announced, lifted; the one place that writes `Customer.restricted_at`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, Min, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from customers import indexing
from customers.historying import write_history
from customers.models import ContactPerson, Customer
from datamap import erasing, journal
from privacy import notices
from privacy.clock import stamp_due
from privacy.models import Request, Restriction
from privacy.models.requests import OPEN_STATES
from privacy.speaking import is_removed, speaker_by_key
from privacy.steps import Step, StepRefused, stamp
from staff.models import User

# What a case does to the deletion of the night (Art. 18(2); domain.md 1.8): it stands still in all four, in b and c
# until the person no longer needs the data, in a and d until the matter is decided.
PAUSED_UNTIL_DECIDED = (Restriction.Case.ACCURACY, Restriction.Case.OBJECTION)


class LiftRefused(StepRefused):
    """The restriction cannot end yet; the text says why."""


@transaction.atomic
def restrict(
    customer: Customer,
    case: str,
    parts: Collection[str],
    reason: str,
    *,
    by: User | None,
    request: Request | None = None,
    since: datetime | None = None,
    speaker: ContactPerson | None = None,
) -> Restriction:
    """Restrict a person's data, or those of a `speaker` of the company alone: one transaction, journal included. A
    standing restriction of the case is widened, and a notice that it will end no longer counts: it is contested anew.
    The person's open request for it, if any, is answered by it.

    Raises StepRefused without a reason or without parts.
    """
    if not reason.strip() or not parts:
        raise StepRefused(_("A restriction needs what it covers and a reason."))
    locked = Customer.objects.select_for_update().get(pk=customer.pk)
    since = since or timezone.now()
    contact = speaker.pk if speaker is not None else None
    same = Restriction.objects.select_for_update().filter(customer=locked, contact_person=contact, case=case)
    standing = same.filter(lifted_at=None).first()
    if standing is not None:
        return _widen(standing, parts, request, by)
    request = request or asked_by(locked, contact) or file_for(locked, contact, since, by)
    restriction = Restriction.objects.create(
        customer=locked, contact_person=contact, request=request, case=case, parts=_joined(parts), reason=reason,
        since=since, set_by=by,
    )  # fmt: skip
    _settle(restriction, by)
    stamp(request, Step.DONE, by=by, reason=str(restriction.get_case_display()))
    notices.queue_notices("restriction", locked.pk, None, request, what=notices.restricted(restriction))
    journal.write("restriction_set", _payload(restriction))
    customer.refresh_from_db(fields=["restricted_at"])
    return restriction


def _joined(parts: Iterable[str]) -> list[str]:
    """The parts in their order, each once; everything holds the others."""
    wanted = set(parts)
    return [Restriction.Part.ALL.value] if Restriction.Part.ALL in wanted else sorted(wanted)


def _widen(standing: Restriction, parts: Collection[str], request: Request | None, by: User | None) -> Restriction:
    known = standing.parts
    standing.parts = _joined([*known, *parts])
    standing.notice_sent_at, standing.decision = None, ""
    standing.version += 1
    standing.save()
    if request is not None and request.pk != standing.request_id:
        stamp(request, Step.DONE, by=by, reason=str(standing.get_case_display()))
    if standing.parts != known:
        told_under = request or standing.request
        what = notices.restricted(standing)
        notices.queue_notices("restriction", standing.customer_id, None, told_under, what=what)
        journal.write("restriction_set", _payload(standing))
    return standing


@transaction.atomic
def announce_lifting(restriction: Restriction, decision: str, *, by: User, version: int | None = None) -> None:
    """Note that the person was told that the restriction will end, and why (Art. 18(3)). Does not end it.

    Raises LiftRefused where it has ended, where there is no decision, or where somebody changed it meanwhile.
    """
    locked = lock(restriction, version)
    if not decision.strip():
        raise LiftRefused(_("Say what was decided: the person is told."))
    locked.decision = decision
    locked.notice_sent_at = locked.notice_sent_at or timezone.now()
    locked.version += 1
    locked.save()
    if locked.request is not None:
        stamp(locked.request, Step.LETTER, by=by, reason=_("Told before the restriction ends"))
    restriction.refresh_from_db()


@transaction.atomic
def lift(restriction: Restriction, *, by: User | None, version: int | None = None) -> None:
    """End a restriction: afterwards everything is as before, unless another one stands.

    Raises LiftRefused before the person was told (Art. 18(3)), while another objection waits for its decision
    (Art. 18(1)(d)), and where it has ended already.
    """
    locked = lock(restriction, version)
    if locked.notice_sent_at is None:
        raise LiftRefused(_("The person is told before a restriction ends (Art. 18(3))."))
    if locked.case == Restriction.Case.OBJECTION and _other_objections(locked).exists():
        raise LiftRefused(_("Another objection with reasons is not decided yet (Art. 18(1)(d))."))
    _end(locked, by)
    if locked.request is not None:
        stamp(locked.request, Step.DONE, by=by, reason=_("Restriction lifted"))
    restriction.refresh_from_db()


@transaction.atomic
def overtake(standing: Iterable[Restriction]) -> None:
    """End the restrictions of whom their own erasure ends now: it is what they wish instead. They go into their file
    with a last day of their own."""
    for one in standing:
        locked = lock(one, None)
        locked.decision = _("Overtaken by the erasure.")
        locked.notice_sent_at = locked.lifted_at = timezone.now()
        locked.version += 1
        locked.save()
        journal.write("restriction_lifted", {"restriction": str(locked.ref), "at": _iso(locked.lifted_at)})


@transaction.atomic
def take_back(restriction: Restriction, *, by: User | None) -> None:
    """End a restriction that was set for the wrong person: they have obtained none of which Art. 18(3) would speak.

    Raises LiftRefused where it has ended already.
    """
    locked = lock(restriction, None)
    locked.decision = _("Taken back: the request was somebody else's.")
    locked.notice_sent_at = locked.lifted_at = timezone.now()
    _end(locked, by)
    restriction.refresh_from_db()


def _end(locked: Restriction, by: User | None) -> None:
    locked.lifted_at, locked.lifted_by = locked.lifted_at or timezone.now(), by
    locked.version += 1
    locked.save()
    if locked.customer_id is not None:
        _settle(locked, by)
    journal.write("restriction_lifted", {"restriction": str(locked.ref), "at": _iso(locked.lifted_at)})


def supporter_of(restriction: Restriction) -> Request | None:
    """Another request of the same person for which a restriction would have to stand, too; the oldest one.

    An objection that is not decided, or a request that widened what stood instead of setting a restriction of its own.
    """
    if restriction.case == Restriction.Case.OBJECTION:
        return _other_objections(restriction).order_by("received_at", "pk").first()
    asked = Request.objects.filter(
        customer=restriction.customer_id, contact_person=restriction.contact_person, kind=Request.Kind.RESTRICTION
    )
    asked = asked.exclude(restrictions=restriction).exclude(state=Request.State.REFUSED)
    for request in asked.order_by("received_at", "pk"):
        # Each restriction is stamped when it is set and when it is lifted; what was widened is stamped beside them.
        own = request.restrictions.count() + request.restrictions.filter(lifted_at__isnull=False).count()
        if request.events.filter(kind=Step.DONE).count() > own:
            return request
    return None


def _other_objections(restriction: Restriction) -> QuerySet[Request]:
    objections = Request.objects.filter(
        customer=restriction.customer_id, contact_person=restriction.contact_person,
        objects_to=Request.ObjectsTo.REASONS, state__in=OPEN_STATES,
    )  # fmt: skip
    own = restriction.request_id
    return objections.exclude(pk=own) if own is not None else objections


def standing_of(customer: Customer) -> list[Restriction]:
    """The restrictions of a customer that stand, oldest first."""
    rows = Restriction.objects.filter(customer=customer, contact_person=None, lifted_at__isnull=True)
    return list(rows.select_related("set_by", "request").order_by("since", "pk"))


def standing_of_speaker(person: ContactPerson) -> list[Restriction]:
    """The restrictions of a contact person that stand, oldest first."""
    return list(Restriction.objects.filter(contact_person=person.pk, lifted_at__isnull=True).order_by("since", "pk"))


def is_obtained(request: Request) -> bool:
    """Whether a request for restriction has what it asks for: one was set under it, or stands; nobody unknown is."""
    if request.customer is None or request.restrictions.exists():
        return True
    if request.contact_person is None:
        return bool(standing_of(request.customer))
    speaker = speaker_by_key(request.contact_person)
    return speaker is None or bool(standing_of_speaker(speaker))


def past_of(customer: Customer) -> list[Restriction]:
    """The restrictions of a customer that were lifted, latest first."""
    rows = Restriction.objects.filter(customer=customer, contact_person=None, lifted_at__isnull=False)
    return list(rows.select_related("set_by", "lifted_by").order_by("-lifted_at", "-pk")[:20])


def undecided(request: Request) -> list[str]:
    """A restriction that stood until an objection was decided, and still stands (an open point of the request)."""
    rows = request.restrictions.filter(case=Restriction.Case.OBJECTION, lifted_at__isnull=True)
    if request.objects_to != Request.ObjectsTo.REASONS or not rows.exists():
        return []
    return [_("The objection is decided, and the data are still restricted: lift the restriction.")]


def decided_and_restricted() -> Q:
    """The requests of which `undecided` has something to say."""
    standing = Restriction.objects.filter(
        request=OuterRef("pk"), case=Restriction.Case.OBJECTION, lifted_at__isnull=True
    )
    return Q(Exists(standing), objects_to=Request.ObjectsTo.REASONS)


def effects_of(case: str, *, speaker: bool = False) -> list[str]:
    """What a restriction does, in words, for the receipt before it is set; of a customer or of a contact person."""
    pause = (
        _("Nothing is deleted by itself until the matter is decided.")
        if case in PAUSED_UNTIL_DECIDED
        else _("Nothing is deleted by itself as long as it stands.")
    )
    if speaker:
        return [
            _("The contact person no longer stands on the company's page, in its form and in its history, and is no "
              "longer found; the privacy role sees the mark. The company's file stays in use."),
            _("Nobody changes their row."),
            pause,
        ]  # fmt: skip
    return [
        _("The customer is no longer found in search, lists, exports and follow-ups; the privacy role sees the mark."),
        _("Nobody changes the data; news from files and platforms waits for a decision."),
        pause,
        _("Contract mail and product recalls go on."),
    ]


def replay_set(payload: Mapping[str, Any]) -> str:
    """Bring a restriction back after a restore; its reason was not in the journal and has to be asked for again."""
    known = Restriction.archive.select_for_update().filter(ref=payload["restriction"]).first()
    if known is not None:
        parts = _joined([*known.parts, *payload["parts"]])
        if known.lifted_at is not None or parts == known.parts:
            return "already"
        known.parts = parts
        known.save()
        return "replayed"
    customer = Customer.objects.select_for_update().filter(pk=payload["customer"]).first()
    if customer is None:
        return "already"
    contact = payload.get("contact")
    if contact is not None and ((who := speaker_by_key(contact)) is None or who.customer_id != customer.pk):
        return "already"
    same = Restriction.objects.filter(customer=customer, contact_person=contact, case=payload["case"], lifted_at=None)
    same.delete()
    again = Restriction.objects.create(
        ref=payload["restriction"],
        customer=customer,
        contact_person=contact,
        case=payload["case"],
        parts=list(payload["parts"]),
        reason=_("Set before the database was restored; the reason is in the request file."),
        since=datetime.fromisoformat(payload["since"]),
    )
    _settle(again, None)
    return "replayed"


def replay_lifted(payload: Mapping[str, Any]) -> str:
    """Lift a restriction again that had been lifted, after the notice, before a restore."""
    found = Restriction.objects.select_for_update().filter(ref=payload["restriction"], lifted_at=None).first()
    if found is None:
        return "already"
    at = datetime.fromisoformat(payload["at"])
    found.notice_sent_at = min(found.notice_sent_at or at, at)
    found.lifted_at = at
    found.save()
    if found.customer_id is not None:
        _settle(found, None)
    return "replayed"


def asked_by(customer: Customer, contact: int | None) -> Request | None:
    """The person's open request for it that nobody has carried out yet."""
    asked = Request.objects.filter(
        customer=customer, contact_person=contact, kind=Request.Kind.RESTRICTION, state__in=OPEN_STATES,
        restrictions__isnull=True,
    )  # fmt: skip
    return asked.order_by("pk").first()


def file_for(customer: Customer, contact: int | None, since: datetime, by: User | None) -> Request:
    """The request file of a restriction that nobody has registered: answer and notice belong somewhere."""
    request = Request(
        kind=Request.Kind.RESTRICTION,
        channel=Request.Channel.STAFF,
        customer=customer,
        contact_person=contact,
        received_at=since,
        language=customer.language if customer.language in ("de", "en") else "en",
        owner=by if by is not None and by.may("privacy.requests") else None,
    )
    stamp_due(request)
    request.save()
    stamp(request, Step.REGISTERED, by=by)
    return request


def lock(restriction: Restriction, version: int | None) -> Restriction:
    """The restriction locked for one step, in the caller's transaction. Raises LiftRefused where it has ended, or where
    somebody changed it meanwhile (`version` None asks nothing)."""
    # The customer first, as `restrict` does: two people at once never wait for each other crosswise.
    if restriction.customer_id is not None:
        Customer.objects.select_for_update().filter(pk=restriction.customer_id).first()
    locked = Restriction.objects.select_for_update().get(pk=restriction.pk)
    if version is not None and locked.version != version:
        raise LiftRefused(_("Somebody changed this restriction meanwhile; nothing was changed."))
    if locked.lifted_at is not None:
        raise LiftRefused(_("This restriction has been lifted already."))
    return locked


def _settle(restriction: Restriction, by: User | None) -> None:
    """Bring the mark of whose restriction it is in line with those that stand, with history, and tell the apps."""
    customer_id, contact = restriction.customer_id, restriction.contact_person
    assert customer_id is not None  # who is erased has no mark
    standing = Restriction.objects.filter(customer=customer_id, contact_person=contact, lifted_at__isnull=True)
    since = standing.aggregate(since=Min("since"))["since"]
    if contact is not None:
        _settle_speaker(restriction, since, by)
        return
    before = Customer.objects.filter(pk=customer_id).values_list("restricted_at", flat=True).get()
    if before == since:
        return
    Customer.objects.filter(pk=customer_id).update(restricted_at=since)
    write_history(Customer, [customer_id], "~", user_id=by.pk if by else None, reason=_("Restriction"))
    if (before is None) != (since is None):
        erasing.restricted([customer_id], since is not None)


def _settle_speaker(restriction: Restriction, since: datetime | None, by: User | None) -> None:
    person = speaker_by_key(restriction.contact_person or 0)
    if person is None or person.restricted_at == since:
        return
    ended = since is None
    if is_removed(person):
        history: Any = ContactPerson.history
        history.filter(id=person.pk, history_type="-").update(restricted_at=since)
    else:
        ContactPerson.objects.filter(pk=person.pk).update(restricted_at=since)
        write_history(ContactPerson, [person.pk], "~", user_id=by.pk if by else None, reason=_("Restriction"))
        indexing.refresh([person.customer_id])
    if ended:
        what = notices.restricted(restriction)
        notices.queue_notices("lifting", person.customer_id, None, restriction.request, what=what)


def _payload(restriction: Restriction) -> dict[str, Any]:
    contact = restriction.contact_person
    return ({} if contact is None else {"contact": contact}) | {
        "restriction": str(restriction.ref),
        "customer": restriction.customer_id,
        "case": restriction.case,
        "parts": list(restriction.parts),
        "since": _iso(restriction.since),
    }


def _iso(at: datetime) -> str:
    return at.astimezone(timezone.get_default_timezone()).isoformat(timespec="seconds")
