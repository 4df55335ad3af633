"""What becomes of the requests of a contact person once they, or the whole company, are erased.

Their file is blocked like that of any customer (REQUEST), under a mark of that person alone, by which a later question
of theirs still finds it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from customers import tombstones
from customers.models import ContactPerson, Tombstone
from datamap.controlling import legal_zone
from datamap.workdays import local_date
from privacy.classifying import Found, People
from privacy.clearing import Done, block
from privacy.compiling import Table, tables
from privacy.models import Erasure, Request, Restriction
from privacy.planning import Item, plan_of
from privacy.speaking import former_endpoints, own_endpoints, speaker_by_key
from privacy.verdicts import BLOCK, Book

RULE = "REQUEST"
# The models of such a file, and what the period of their rows counts from.
_FILES: tuple[tuple[type[Request] | type[Restriction], str], ...] = (
    (Request, "closed_at"),
    (Restriction, "lifted_at"),
)


def own_id(key: int) -> tuple[str, str]:
    """What a mark of this contact person is made from even where they have neither address nor number: what is blocked
    has a tombstone."""
    return "contact_person", str(key)


def items_of_files(book: Book, person: ContactPerson) -> list[Item]:
    """What an erasure of this person does to the file of their requests, with all that hangs on it."""
    nobody = People("", [], [], [])
    return plan_of(book, nobody, list(_found(person)), uuid4()).items


def end_files(person: ContactPerson, erasure: Erasure, done: Done) -> None:
    """Block the file under the mark of the erasure, cut from the company in whose file it stood."""
    company = person.customer
    people = People(company.status, [company.pk], [company.number], [erasure.subject_ref])
    for table, rows, _start in _files(person):
        block(table, list(rows.values_list("pk", flat=True)), people, done)


@dataclass(frozen=True)
class Leaver:
    """Somebody who has asked for something in the file of a company that is about to end, and how they come again."""

    contact: int
    marks: frozenset[tuple[str, bytes]]


def speakers_with_files(company_ids: Collection[int]) -> list[Leaver]:
    """The contact persons of these companies who have asked for something, before their own rows go."""
    ids = list(company_ids)
    return _leavers(Request.objects.filter(customer__any_of=ids), Restriction.objects.filter(customer__any_of=ids))


def _leavers(requests: QuerySet[Request], restrictions: QuerySet[Restriction]) -> list[Leaver]:
    asked: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for one in requests.filter(contact_person__isnull=False):
        asked[one.contact_person or 0] |= {("email", one.person_email), ("phone", one.person_phone)}
    for restricted in restrictions.filter(contact_person__isnull=False):
        asked.setdefault(restricted.contact_person or 0, set())
    return [Leaver(key, _marks(key, told)) for key, told in sorted(asked.items())]


def part_files(found: Collection[Leaver], refs: Collection[UUID]) -> None:
    """After the companies were erased, under `refs`: each of these persons gets a mark of their own, and tombstones,
    in the caller's transaction. Of a company that a matter keeps nothing is blocked, and nothing is parted."""
    at = timezone.now()
    for one in found:
        ref = uuid4()
        moved = sum(
            model.archive.filter(contact_person=one.contact, subject_ref__in=refs).update(subject_ref=ref)
            for model, _start in _FILES
        )
        if moved:
            tombstones.bury({ref: one.marks}, erased_at=at)


def part_old_files() -> None:
    """Part the files that were blocked under the mark of their company before contact persons had one of their own."""
    companies = Tombstone.objects.filter(kind="number").values("subject_ref")
    with transaction.atomic():
        requests = Request.archive.filter(contact_person__isnull=False, subject_ref__in=companies)
        frozen = Restriction.archive.filter(contact_person__isnull=False, subject_ref__in=companies)
        marks = [*requests.values_list("subject_ref", flat=True), *frozen.values_list("subject_ref", flat=True)]
        part_files(_leavers(requests, frozen), {mark for mark in marks if mark is not None})


def _marks(key: int, told: set[tuple[str, str]]) -> frozenset[tuple[str, bytes]]:
    person = speaker_by_key(key)
    reached = [*own_endpoints(person), *former_endpoints(person)] if person is not None else []
    emails, phones = ([value for channel, value in (*reached, *told) if channel == kind] for kind in ("email", "phone"))
    return frozenset(tombstones.marks_of(emails=emails, phones=phones, external=[own_id(key)]))


def _files(person: ContactPerson) -> Iterator[tuple[Table, QuerySet[Any], str]]:
    for model, start in _FILES:
        yield tables()[model._meta.label], model.objects.filter(contact_person=person.pk), start


def _found(person: ContactPerson) -> Iterator[Found]:
    """The rows by the day their periods began, as `classify` answers them."""
    for table, rows, start in _files(person):
        by_day: dict[date | None, list[int]] = defaultdict(list)
        for key, at in rows.values_list("pk", start):
            by_day[local_date(at, legal_zone()) if at is not None else None].append(key)
        for day, ids in by_day.items():
            yield Found(table, (BLOCK,), True, len(ids), ids, ((RULE, day),))
