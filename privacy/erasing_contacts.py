"""Erases somebody who speaks for a company, and nobody else (Art. 17 GDPR): the company and its papers stay.

A contact person is a person of their own: their row goes with its history, or the history alone where staff removed
the row before, and the file of their requests is blocked. What names them in orders, papers and letters of the company
stays there by the rule of each (Art. 17(3)). Asked for, approved, undone and run as any erasure.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from customers import suppression, tombstones
from customers.models import ContactPerson, Customer, Suppression
from datamap import journal
from datamap.controlling import legal_zone
from datamap.subjects import Subject
from datamap.workdays import local_date
from mail.erasing import forget_addresses
from privacy import restricting, toldwords
from privacy.clearing import Done, begin_erasing, delete
from privacy.compiling import Table, tables
from privacy.journaling import entry_of_contact
from privacy.letters import keep_speaker
from privacy.models import DeletionLog, Erasure, Notice, Package, Policy, Request
from privacy.notices import queue_notices, recipients_to_tell
from privacy.opencases import cases_of_speaker
from privacy.planning import NEEDLESS, WITH_ITS_ROW, Item, Plan, describe_cases
from privacy.progress import note
from privacy.rescanning import traces_of
from privacy.speakers_files import end_files, items_of_files, own_id
from privacy.speaking import former_endpoints, is_removed, name_of, own_endpoints, speaker_by_key
from privacy.verdicts import Book
from staff.models import User


def plan_contact(person: ContactPerson) -> Plan:
    """What the erasure of this contact person does today, and what is in its way; nothing is changed."""
    day = local_date(timezone.now(), legal_zone())
    return Plan(uuid4(), _items(person, day), describe_cases(cases_of_speaker(person, day)))


def request_of(person: ContactPerson) -> Request | None:
    """The open request for erasure that this person sent."""
    asked = Request.objects.filter(
        kind=Request.Kind.ERASURE, closed_at__isnull=True, customer=person.customer_id, contact_person=person.pk
    )
    return asked.order_by("pk").first()


def ask_contact_erasure(
    person: ContactPerson, *, suppress: bool, user: User | None = None, again: dict[str, UUID] | None = None
) -> Erasure:
    """Note that this contact person is to be erased; asked for twice, at once or later, there is one erasure.

    `suppress`: their own address and number must not be written to afterwards either. Waits as `ask_erasure` does;
    `again` is what a replayed entry says, which waits for nobody.
    """
    policy = Policy.current()
    second = policy.erasure_needs_second and again is None
    try:
        with transaction.atomic():
            return Erasure.objects.create(
                contact_person=person.pk,
                request=request_of(person),
                requested_by=user,
                as_of=local_date(timezone.now(), legal_zone()),
                state=Erasure.State.WAITING if second else Erasure.State.SCHEDULED,
                run_after=timezone.now() + timedelta(hours=policy.undo_hours),
                suppress=suppress,
                **again or {},
            )
    except IntegrityError:
        return Erasure.objects.get(contact_person=person.pk, state__in=Erasure.OPEN_STATES)


@transaction.atomic
def mark(erasure: Erasure) -> None:
    """Journal, tombstone, and the suppression list if that was asked for: who comes in again is noticed already."""
    person = _locked(erasure)
    if person is not None:
        at = timezone.now()
        _leave_marks(person, erasure, at)
        company = person.customer
        entry = entry_of_contact(person.pk, company.pk, company.number, erasure.subject_ref, at, erasure.receipt)
        journal.write("contact_erasure", entry)
    note(erasure, "marks")


def _leave_marks(person: ContactPerson, erasure: Erasure, at: datetime) -> None:
    """What they come in again by, and how their requests are answered; where a company kept them, what is new of it."""
    own, name = own_endpoints(person), name_of(person)
    # By what they had before, too, somebody comes in again, or asks what is kept of them.
    reached = [*own, *former_endpoints(person)]
    emails, phones = (tuple(value for channel, value in reached if channel == kind) for kind in ("email", "phone"))
    names = (name,) if " " in name else ()
    known = Subject.from_dict(erasure.subject_ref, erasure.needles)
    found = known.joined(Subject(erasure.subject_ref, emails=emails, phones=phones, names=names))
    for case in Request.objects.filter(contact_person=person.pk, closed_at__isnull=True):
        keep_speaker(case, person)
    if erasure.needles is not None and found == known:
        return
    erasure.needles = found.as_dict()
    erasure.save(update_fields=["needles"])
    tombstones.bury(
        {erasure.subject_ref: tombstones.marks_of(emails=emails, phones=phones, external=[own_id(person.pk)])},
        erased_at=at,
    )
    forget_addresses(list(emails))
    for channel, value in own if erasure.suppress else ():
        suppression.suppress(channel, value, reason=Suppression.Reason.ERASURE, since=at)


@transaction.atomic
def end_row(erasure: Erasure) -> None:
    """The row and its history; while a matter keeps everything of the company, the step is done again afterwards."""
    person = _locked(erasure)
    if person is None:
        note(erasure, "rows")
        return
    _leave_marks(person, erasure, timezone.now())
    erasure.holds = describe_cases(cases_of_speaker(person, erasure.as_of))
    erasure.save(update_fields=["holds"])
    if erasure.holds:
        return
    begin_erasing()
    restricting.overtake(restricting.standing_of_speaker(person))
    items = _items(person, erasure.as_of)
    _tell_recipients(person, erasure)
    done = Done()
    delete(tables()[Package._meta.label], _copies(person), done)
    delete(_table(), [person.pk], done)
    end_files(person, erasure, done)
    DeletionLog.objects.bulk_create(
        DeletionLog(
            erasure=erasure, rule_key=item.rule[0], rule_version=item.rule[1], model=item.model, action=item.action,
            count=item.count,
        )
        for item in items
    )  # fmt: skip
    erasure.items = [item.as_dict() for item in items]
    erasure.save(update_fields=["items"])
    note(erasure, "rows", sum(done.rows.values()))


def look_for_traces(erasure: Erasure) -> None:
    """Where the person is still named, for somebody to look at: papers of the company are kept with the names in them,
    so no trace keeps the erasure open."""
    if erasure.holds:
        return
    subject = Subject.from_dict(erasure.subject_ref, erasure.needles)
    erasure.hints = traces_of(subject, [*subject.sure(), *subject.possible()])
    erasure.save(update_fields=["hints"])
    note(erasure, "rescan", sum(erasure.hints.values()))


def _locked(erasure: Erasure) -> ContactPerson | None:
    """The contact person, with the company locked first, as whoever edits or holds it does; None once gone."""
    key = erasure.contact_person
    assert key is not None  # as `ask_contact_erasure` made it
    known = speaker_by_key(key)
    if known is None:
        return None
    Customer.objects.select_for_update().filter(pk=known.customer_id).first()
    ContactPerson.objects.select_for_update().filter(pk=key).first()
    return speaker_by_key(key)


def _items(person: ContactPerson, day: date) -> list[Item]:
    book = Book(day)
    rule = book.verdict(_key(person)).rule
    history: Any = ContactPerson.history.model
    items = []
    if not is_removed(person):
        items.append(Item(_table().label, "delete", 1, None, "", NEEDLESS, (rule.full_key, rule.version)))
    if count := history.objects.filter(id=person.pk).count():
        items.append(Item(history._meta.label, "delete", count, None, "", WITH_ITS_ROW))
    if count := len(_copies(person)):
        items.append(Item(Package._meta.label, "delete", count, None, "", NEEDLESS))
    return [*items, *items_of_files(book, person)]


def _copies(person: ContactPerson) -> list[int]:
    return list(Package.objects.filter(contact_person=person.pk).values_list("pk", flat=True))


def _tell_recipients(person: ContactPerson, erasure: Erasure) -> None:
    """Art. 19: whoever received the company's data has its contact persons among them."""
    lines = [
        ("name", name_of(person)),
        ("email", person.email),
        ("speaks_for", f"{person.customer.company} {person.customer.number}".strip()),
    ]
    what = "\n".join(toldwords.line(key, value) for key, value in lines if value)
    for one in recipients_to_tell(person.customer_id, None):
        kind, ref = Notice.Kind.ERASURE, erasure.subject_ref
        queue_notices(kind, None, ref, erasure.request, erasure, what=what, only=one)


def _key(person: ContactPerson) -> str:
    """The category under which the row stands: that of the company's own file."""
    category: Any = _table().strands[0].group.category
    return category.resolve(person.customer.status)


def _table() -> Table:
    return tables()[ContactPerson._meta.label]
