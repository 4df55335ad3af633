"""Erases one person (Art. 17 GDPR): asked for, approved, run step by step, proven by a receipt.

Every step stands in PostgreSQL when it is done, so a worker that dies leaves nothing half done and another goes on
where it stopped. Before the run an erasure can be undone; afterwards never.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers import tombstones
from customers.models import Customer
from customers.remains import leave_remains
from customers.tracing import still_somebodys, subject_of
from datamap import erasing as around
from datamap import journal
from datamap.controlling import legal_zone
from datamap.declarations import registry
from datamap.subjects import Subject
from datamap.workdays import local_date
from privacy import erasing_contacts, restricting
from privacy.classifying import classify, people_of
from privacy.clearing import begin_erasing, clear, run
from privacy.journaling import entry_of
from privacy.letters import keep_addressees
from privacy.models import DeletionLog, Erasure, ErasureStep, Notice, Policy, Request
from privacy.notices import queue_notices
from privacy.planning import Plan, merged, plan_of, said_holds, said_items
from privacy.progress import is_done, note
from privacy.removing import remove_files
from privacy.rescanning import shared_contacts, traces_of
from privacy.speakers_files import part_files, speakers_with_files
from privacy.verdicts import Book
from staff.models import User

LEASE = timedelta(minutes=15)
DEEP = "rescan:deep"


class Refused(Exception):
    """The erasure cannot be done so; the text says why, in the language of the person at the desk."""


def ask_erasure(
    customer: Customer, *, user: User | None = None, request: Request | None = None, as_of: date | None = None
) -> Erasure:
    """Note that this person is to be erased; asked for twice, at once or later, there is one erasure.

    It waits for a second person and for the undo window where the settings say so. The person's open request for it,
    if any, is answered by it.
    """
    policy = Policy.current()
    if request is None:
        asked = Request.objects.filter(
            customer=customer.pk, contact_person=None, kind=Request.Kind.ERASURE, closed_at__isnull=True
        )
        request = asked.order_by("pk").first()
    state = Erasure.State.WAITING if policy.erasure_needs_second else Erasure.State.SCHEDULED
    try:
        with transaction.atomic():
            return Erasure.objects.create(
                customer=customer,
                request=request,
                requested_by=user,
                as_of=as_of or local_date(timezone.now(), legal_zone()),
                state=state,
                run_after=timezone.now() + timedelta(hours=policy.undo_hours),
            )
    except IntegrityError:
        # Somebody else was first; perhaps the person is gone already.
        standing = Erasure.objects.filter(customer=customer.pk, state__in=Erasure.OPEN_STATES).first()
        if (found := standing or erasure_of_number(customer.number)) is None:
            raise
        if request is not None and found.request_id is None:
            found.request = request
            found.save(update_fields=["request"])
        return found


def approve_erasure(erasure: Erasure, user: User) -> Erasure:
    """The second person agrees. Raises Refused for the person who asked, and where nothing waits."""
    if erasure.requested_by_id == user.pk:
        raise Refused(_("Whoever asked for an erasure does not approve it."))
    changed = Erasure.objects.filter(pk=erasure.pk, state=Erasure.State.WAITING).update(
        state=Erasure.State.SCHEDULED, approved_by=user
    )
    if not changed:
        raise Refused(_("This erasure does not wait for approval."))
    erasure.refresh_from_db()
    return erasure


@transaction.atomic
def cancel_erasure(erasure: Erasure, *, by: User | None = None) -> None:
    """Undo an erasure that has not begun, in the journal too: a database restored from a backup does not run it. `by`
    is who took it back, None where it fell away with its case.

    Raises Refused once it has begun.
    """
    waiting = (Erasure.State.WAITING, Erasure.State.SCHEDULED)
    if not Erasure.objects.filter(pk=erasure.pk, state__in=waiting).update(
        state=Erasure.State.CANCELLED, finished_at=timezone.now(), needles=None, cancelled_by=by
    ):
        raise Refused(_("The erasure has begun; it cannot be undone."))
    journal.write("erasure_taken_back", {"receipt": str(erasure.receipt)})


def run_erasure(pk: int, *, now: bool = False, deep: bool = False) -> Erasure:
    """Run an erasure from where it stands to where it can get; called again it goes on.

    `now` passes over the undo window, as the command does. With `deep` the search for traces opens sealed texts too,
    now and whenever the erasure goes on. Raises Refused while it waits for a second person or for its hour; answers
    the erasure as it is where another worker has it.
    """
    lease = _claim(pk, now)
    erasure = Erasure.objects.get(pk=pk)
    if lease is None:
        return erasure
    try:
        if deep:
            _search_deeply(erasure)
        for key, step in _steps_of(erasure).items():
            if not is_done(erasure, key):
                step(erasure)
                _crash_here(key)
        _settle(erasure)
    finally:
        Erasure.objects.filter(pk=pk, lease=lease).update(lease=None, lease_until=None)
    erasure.refresh_from_db()
    return erasure


def erasure_of_number(number: str) -> Erasure | None:
    """The erasure of a person who had this customer number, found by its tombstone; None where there was none."""
    found = tombstones.erasure_of_number(number)
    if found is None:
        return None
    return Erasure.objects.filter(subject_ref=found[1]).order_by("-created_at").first()


def result_of(erasure: Erasure) -> dict[str, Any]:
    """The receipt as commands.md prints it: counts and reasons, no content."""
    return {
        "receipt": str(erasure.receipt),
        "subject_ref": str(erasure.subject_ref),
        "dry_run": False,
        "complete": erasure.state == Erasure.State.DONE,
        "items": said_items(erasure.items),
        "holds": said_holds(erasure.holds),
        "traces": erasure.hints,
    }


def _claim(pk: int, now: bool) -> UUID | None:
    """Take the erasure for this process; None where it is done or somebody has it."""
    at = timezone.now()
    erasure = Erasure.objects.get(pk=pk)
    if erasure.state == Erasure.State.WAITING:
        raise Refused(_("The erasure waits for a second person."))
    if erasure.state == Erasure.State.SCHEDULED and erasure.run_after > at and not now:
        raise Refused(_("The erasure can still be undone; it runs later."))
    if erasure.state in (Erasure.State.DONE, Erasure.State.CANCELLED):
        return None
    lease = uuid4()
    free = Erasure.objects.filter(pk=pk).exclude(state__in=(Erasure.State.DONE, Erasure.State.CANCELLED))
    claimed = free.filter(lease__isnull=True) | free.filter(lease_until__lt=at)
    begun = {"started_at": at} if erasure.started_at is None else {}
    taken = claimed.update(lease=lease, lease_until=at + LEASE, state=Erasure.State.RUNNING, **begun)
    return lease if taken else None


def _locked(erasure: Erasure) -> Customer | None:
    """The person, locked against edits and other workers; None once gone."""
    return Customer.objects.select_for_update().filter(erasures=erasure).first()


def _subject(erasure: Erasure) -> Subject:
    return Subject.from_dict(erasure.subject_ref, erasure.needles)


# --- the steps ----------------------------------------------------------------------------------------------


def _mark(erasure: Erasure) -> None:
    """Journal, suppression and tombstones, before a row goes: what comes in meanwhile is noticed already."""
    with transaction.atomic():
        customer = _locked(erasure)
        if customer is not None:
            at = timezone.now()
            erasure.needles = subject_of(customer, erasure.subject_ref).as_dict()
            erasure.save(update_fields=["needles"])
            leave_remains({customer.pk: erasure.subject_ref}, erased_at=at, suppress=True)
            keep_addressees([customer.pk])
            entry = entry_of(customer.pk, customer.number, erasure.subject_ref, at, erasure.receipt)
            journal.write("erasure", entry)
        note(erasure, "marks")


def _mark_news(erasure: Erasure, customer: Customer) -> None:
    """What came in since the marks were left, while a case kept the person: addresses, ids, requests."""
    known = _subject(erasure)
    found = known.joined(subject_of(customer, erasure.subject_ref))
    if found != known:
        erasure.needles = found.as_dict()
        erasure.save(update_fields=["needles"])
        leave_remains({customer.pk: erasure.subject_ref}, erased_at=timezone.now(), suppress=True)
    keep_addressees([customer.pk])


def _rows(erasure: Erasure) -> None:
    """Everything in the database, in one transaction: the plan as it is now, and its execution."""
    with transaction.atomic():
        begin_erasing()
        customer = _locked(erasure)
        if customer is None:
            note(erasure, "rows")
            return
        _mark_news(erasure, customer)
        book = Book(erasure.as_of)
        (people,) = people_of([customer.pk], {customer.pk: erasure.subject_ref})
        people.ask_cases(book)
        # The receipt tells of what was there, as the plan did; what the erasure itself writes shares its fate.
        plan = plan_of(book, people, classify(book, people, detail=True), erasure.subject_ref)
        around.first([customer.pk], erasure.as_of, asked=True)
        if plan.complete:
            restricting.overtake(restricting.standing_of(customer))
        found = list(classify(book, people))
        if plan.complete:
            queue_notices(Notice.Kind.ERASURE, customer.pk, erasure.subject_ref, erasure.request, erasure)
        around.before(people.ids)
        leavers = speakers_with_files(people.ids)
        done = clear(people, found)
        part_files(leavers, people.refs)
        around.after(people.ids, people.refs)
        _write_log(erasure, plan)
        items = merged([*(item for item in erasure.items if item["action"] != "keep"), *plan.as_dicts()])
        Erasure.objects.filter(pk=erasure.pk).update(items=items, holds=plan.holds)
        # While a case runs its rows stay; the step is done again once it is over.
        if plan.complete:
            note(erasure, "rows", sum(done.rows.values()))
        run("SET CONSTRAINTS ALL IMMEDIATE")
    erasure.refresh_from_db()


def _write_log(erasure: Erasure, plan: Plan) -> None:
    DeletionLog.objects.bulk_create(
        DeletionLog(
            erasure=erasure,
            rule_key=item.rule[0],
            rule_version=item.rule[1],
            model=item.model,
            action=item.action,
            count=item.count,
        )
        for item in plan.items
        if item.action != "keep"
    )


def _files(erasure: Erasure) -> None:
    """Stored files of rows that are gone; one that cannot be removed keeps the case open."""
    try:
        removed = remove_files()
    except OSError as error:
        note(erasure, "files", error=type(error).__name__)
        return
    if not erasure.holds:
        note(erasure, "files", removed)


def _stores(erasure: Erasure) -> None:
    """Each store outside the models confirms for itself; one that fails keeps the case open."""
    if erasure.holds:
        return
    subject = _subject(erasure)
    stores = [store for store in registry.stores() if store.erase is not None]
    for store in stores:
        key = f"store:{store.key}"
        if is_done(erasure, key):
            continue
        try:
            note(erasure, key, store.erase(subject) or 0)  # type: ignore[misc]
        except Exception as error:  # noqa: BLE001  (whatever a store does wrong, the case stays open and says so)
            note(erasure, key, error=type(error).__name__)
    if not erasure.steps.filter(key__startswith="store:", state=ErasureStep.State.FAILED).exists():
        note(erasure, "stores", len(stores))


def _rescan(erasure: Erasure) -> None:
    """Nothing may be left that leads to the person; namesakes are shown to a person, not taken for a trace."""
    if erasure.holds:
        return
    subject = _subject(erasure)
    deep = erasure.steps.filter(key=DEEP).exists()
    # What somebody else has, too, leads to them: letters to a spouse are theirs and stay as they were sent.
    others = still_somebodys(subject.sure())
    traces = traces_of(subject, [text for text in subject.sure() if text not in others], deep=deep)
    shared = shared_contacts(subject, subject.sure()) if deep else {}
    erasure.hints = shared | traces_of(subject, [*subject.possible(), *others], deep=deep) | traces
    erasure.save(update_fields=["hints"])
    for key in ("rescan", DEEP) if deep else ("rescan",):
        note(erasure, key, sum(traces.values()), error="TracesLeft" if traces else "")


def _search_deeply(erasure: Erasure) -> None:
    """Note it as a step of its own, so that no later run is content with less."""
    ErasureStep.objects.get_or_create(erasure=erasure, key=DEEP)
    erasure.steps.filter(key="rescan").update(state=ErasureStep.State.WAITING)


STEPS: dict[str, Callable[[Erasure], None]] = {
    "marks": _mark,
    "rows": _rows,
    "files": _files,
    "stores": _stores,
    "rescan": _rescan,
}


STEPS_OF_CONTACTS: dict[str, Callable[[Erasure], None]] = {
    "marks": erasing_contacts.mark,
    "rows": erasing_contacts.end_row,
    "files": _files,
    "stores": _stores,
    "rescan": erasing_contacts.look_for_traces,
}


def _steps_of(erasure: Erasure) -> dict[str, Callable[[Erasure], None]]:
    return STEPS if erasure.contact_person is None else STEPS_OF_CONTACTS


def _settle(erasure: Erasure) -> None:
    """Where the erasure stands now; finished only when everything is done."""
    erasure.refresh_from_db()
    if erasure.holds:
        state = Erasure.State.HELD
    elif all(is_done(erasure, key) for key in _steps_of(erasure)):
        state = Erasure.State.DONE
        erasure.finished_at, erasure.needles = timezone.now(), None
    else:
        state = Erasure.State.OPEN_STORES
    erasure.state = state
    erasure.save(update_fields=["state", "finished_at", "needles"])


def _crash_here(key: str) -> None:
    """For tests of kill -9: a development process named by CRASH_AT ends here without a word."""
    if settings.DEBUG and os.environ.get("CRASH_AT") == key:
        os._exit(9)
