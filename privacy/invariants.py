"""What `doctor` asks about the erased: nothing is left of them but what a rule keeps, blocked and cut from them.

Every question is one statement over a table, or a walk through the journal in batches; none opens a row for each
customer unless `--deep` asks for it. Details name models and counts, never a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from customers import tombstones
from customers.models import ContactPerson, Customer
from customers.normalizing import email_key
from datamap import journal
from datamap.diagnosis import Finding, Options
from mail.models import Letter, Message
from privacy.clearing import column_of
from privacy.compiling import Table, tables
from privacy.journaling import is_meant
from privacy.models import Erasure, ErasureStep, FileRemoval, Package
from vault.fields import SealedField

BATCH = 5_000
LATE = timedelta(days=1)
"""A sweep that comes every hour has had its chance by then."""


def check_erased(options: Options) -> Finding:
    """No erased person has live, index, history, outbox or export rows beyond what is blocked (Art. 17 GDPR)."""
    faults: Counter[str] = Counter()
    for question in QUESTIONS:
        faults.update(dict(question()))
    if options.deep:
        faults.update(dict(_known_by_name()))
        faults.update(dict(_words_of_nobody()))
    told = "; ".join(f"{count} {what}" for what, count in sorted(faults.items()) if count)
    if told:
        return Finding(False, told)
    done = Erasure.objects.filter(state=Erasure.State.DONE).count()
    return Finding(True, f"{done} erasures, {tombstones_kept()} tombstones, nothing left")


def tombstones_kept() -> int:
    """How many keyed hashes of erased people there are."""
    return column_of("SELECT count(*) FROM customers_tombstone")[0]


# --- live rows ----------------------------------------------------------------------------------------------


def _unfinished() -> Iterator[tuple[str, int]]:
    """An erasure that calls itself done has no person, no needles and no step that failed."""
    done = Erasure.objects.filter(state=Erasure.State.DONE)
    yield "erasures are done and their person is there", done.filter(customer__isnull=False).count()
    speakers = done.filter(contact_person__isnull=False).values("contact_person")
    yield "erasures are done and their contact person is there", ContactPerson.objects.filter(pk__in=speakers).count()
    history: Any = ContactPerson.history
    yield "versions of erased contact persons are there", history.filter(id__in=speakers).count()
    yield "copies of erased contact persons are there", Package.objects.filter(contact_person__in=speakers).count()
    yield "finished erasures still hold what they searched for", done.filter(needles__isnull=False).count()
    failed = ErasureStep.objects.filter(erasure__state=Erasure.State.DONE).exclude(state=ErasureStep.State.DONE)
    yield "steps of finished erasures are not done", failed.count()


def _alive() -> Iterator[tuple[str, int]]:
    """Nobody whom the journal says was erased is a customer; a case that keeps a person keeps their erasure open."""
    voided = _voided()
    alive: Counter[str] = Counter()
    entries = (entry for entry in journal.entries() if entry.kind in _LIVING and entry.position not in voided)
    for batch in _batches(entries):
        known = journal.covering([entry.position for entry in batch])
        for kind, living in _LIVING.items():
            alive[kind] += living([one.payload for one in batch if one.kind == kind and one.position in known])
    yield "customers are there whom the journal says were erased", alive["erasure"]
    yield "contact persons are there whom the journal says were erased", alive["contact_erasure"]


def _voided() -> set[int]:
    found: set[int] = set()
    for line in journal.store().lines(0):
        if line.kind == journal.VOID:
            found.update(range(line.payload["first"], line.payload["last"] + 1))
    return found


def _living(payloads: Sequence[Mapping[str, Any]]) -> int:
    by_id = {payload["customer"]: payload for payload in payloads if "mark" in payload}
    standing = _settled(Customer.objects.filter(pk__in=list(by_id))).values_list("pk", "number", "created_at")
    return sum(
        is_meant(by_id[pk], number) and made <= datetime.fromisoformat(by_id[pk]["at"]) for pk, number, made in standing
    )


def _speaking(payloads: Sequence[Mapping[str, Any]]) -> int:
    """The same of contact persons, whose company stays."""
    by_id = {payload["contact"]: payload for payload in payloads}
    going = Erasure.objects.filter(contact_person__isnull=False, state__in=Erasure.OPEN_STATES)
    rows = ContactPerson.objects.filter(pk__in=list(by_id)).exclude(pk__in=going.values("contact_person"))
    standing = rows.values_list("pk", "customer", "customer__number", "created_at")
    return sum(
        by_id[pk]["customer"] == company
        and is_meant(by_id[pk], number)
        and made <= datetime.fromisoformat(by_id[pk]["at"])
        for pk, company, number, made in standing
    )


_LIVING = {"erasure": _living, "contact_erasure": _speaking}
"""The kinds of entries that say that somebody was erased, and how many of them are there."""


def _settled(customers: Any) -> Any:
    """Without those whose erasure is on its way or waits for a case."""
    return customers.exclude(erasures__state__in=Erasure.OPEN_STATES)


def _known_by_name() -> Iterator[tuple[str, int]]:
    """With --deep: no customer carries the number or the platform's id of somebody erased after they were made.

    E-mails and phones are left out: a family may share them.
    """
    people = _settled(Customer.objects.order_by("pk"))
    numbers = people.values_list("number", "created_at").iterator(BATCH)
    yield "customers carry the number of somebody erased later", _buried("number", numbers)
    ids = people.filter(external_ids__isnull=False)
    rows = ids.values_list("external_ids__platform", "external_ids__value", "created_at").iterator(BATCH)
    texts = ((tombstones.external_text(platform, value), made) for platform, value, made in rows)
    yield "customers carry the external id of somebody erased later", _buried("external", texts)


def _buried(kind: str, rows: Iterable[tuple[str, datetime | None]]) -> int:
    """How many of the texts name somebody who was erased after that instant (None: at any time)."""
    if not tombstones.any_erased():
        return 0
    count, hashers = 0, tombstones.hashers(kind)
    for batch in _batches(rows):
        hashed = [(hash_(text), made) for text, made in batch for hash_ in hashers]
        erased = tombstones.erased_among({mark for mark, _made in hashed})
        count += sum(mark in erased and (made is None or made <= erased[mark][0]) for mark, made in hashed)
    return count


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    waiting = iter(rows)
    while batch := list(islice(waiting, BATCH)):
        yield batch


# --- indexes, history, blocked rows -------------------------------------------------------------------------


def _indexes() -> Iterator[tuple[str, int]]:
    """A blind index dies with the value it was made from."""
    for table in tables().values():
        for field in table.model._meta.concrete_fields:
            for index in field.dependants if isinstance(field, SealedField) else ():
                orphans = {f"{field.name}__isnull": True, f"{index.name}__isnull": False}
                yield f"indexes of {table.label} have lost their value", _all(table).filter(**orphans).count()


def _words_of_nobody() -> Iterator[tuple[str, int]]:
    """With --deep: the dictionary of the search holds no word that nobody carries any more."""
    yield (
        "words of the search are nobody's",
        column_of(
            "SELECT count(*) FROM customers_searchword w WHERE NOT EXISTS (SELECT 1 FROM (SELECT DISTINCT "
            "unnest(string_to_array(text, ' ')) AS word FROM customers_searchentry) e WHERE e.word = w.word)"
        )[0],
    )


def _history() -> Iterator[tuple[str, int]]:
    """History has no foreign keys: of somebody who is gone, and of a row that is blocked, there must be none."""
    for table in tables().values():
        if table.history is None or table.owner is None or "__" in table.owner:
            continue
        meta = table.history._meta
        key = meta.get_field(table.model._meta.pk.name).column
        owner = key if table.owner == "pk" else meta.get_field(table.owner).column
        yield (
            f"rows of {meta.label} are about nobody who is there",
            column_of(
                f'SELECT count(*) FROM "{meta.db_table}" h WHERE h."{owner}" IS NOT NULL AND NOT EXISTS '  # noqa: S608
                f'(SELECT 1 FROM customers_customer c WHERE c.id = h."{owner}")'
            )[0],
        )
        if table.blockable:
            yield (
                f"rows of {meta.label} tell of blocked rows",
                column_of(
                    f'SELECT count(*) FROM "{meta.db_table}" h JOIN {table.name} r ON r.{table.key} = h."{key}" '  # noqa: S608
                    "WHERE r.blocked_at IS NOT NULL"
                )[0],
            )


def _blocked() -> Iterator[tuple[str, int]]:
    """A blocked row is cut from its person and from what leads to them, and found by a tombstone alone; and what stands
    under the mark of an erasure is blocked, so that no page of daily work returns it."""
    for table in tables().values():
        if not table.blockable:
            continue
        blocked = _all(table).filter(blocked_at__isnull=False)
        links = [str(table.owner), *table.declaration.cut]
        tied = Q(*((f"{link}__isnull", False) for link in links), _connector=Q.OR)
        yield f"blocked rows of {table.label} lead to a person", blocked.filter(tied).count()
        mark = str(table.declaration.subject_ref)
        yield (
            f"rows of {table.label} under the mark of an erasure are not blocked",
            column_of(
                f'SELECT count(*) FROM {table.name} r WHERE r.blocked_at IS NULL AND r."{mark}" IS NOT NULL AND '  # noqa: S608
                f'EXISTS (SELECT 1 FROM customers_tombstone t WHERE t.subject_ref = r."{mark}")'
            )[0],
        )
        yield (
            f"blocked rows of {table.label} have no tombstone",
            column_of(
                f'SELECT count(*) FROM {table.name} r WHERE r.blocked_at IS NOT NULL AND (r."{mark}" IS NULL OR '  # noqa: S608
                f'NOT EXISTS (SELECT 1 FROM customers_tombstone t WHERE t.subject_ref = r."{mark}"))'
            )[0],
        )


def _numbers() -> Iterator[tuple[str, int]]:
    """Rows that know people by number only (the access log) name nobody who was erased."""
    for table in tables().values():
        for strand in table.strands:
            if strand.number is None or strand.number.of != "number":
                continue
            column = f'"{table.model._meta.get_field(strand.number.column).column}"'
            gone = column_of(
                f"SELECT DISTINCT r.{column} FROM {table.name} r WHERE r.{column} <> '' AND NOT EXISTS "  # noqa: S608
                f"(SELECT 1 FROM customers_customer c WHERE c.number = r.{column})"
            )
            yield f"numbers in {table.label} are those of erased people", _buried("number", ((n, None) for n in gone))


# --- outbox, packages, files --------------------------------------------------------------------------------


def _outbox() -> Iterator[tuple[str, int]]:
    """Nothing waits for somebody who is gone, but for the answers to their own requests."""
    waiting = (Message.State.QUEUED, Message.State.SENDING)
    nobody = Message.objects.filter(customer=None, recipient__isnull=True, state__in=waiting)
    yield "mails wait for somebody who is gone", nobody.count()
    answers = Q(letter__kept_as=Letter.KeptAs.REQUEST)
    # Few have an address of their own: those to people who are no customers.
    named: Any = Message.objects.filter(customer=None, recipient__isnull=False).exclude(answers).order_by("pk")
    rows = named.values_list("recipient", "created_at").iterator(BATCH)
    texts = ((email_key(address) or "", made) for address, made in rows)
    yield "mails name an address of somebody erased later", _buried("email", texts)


def _packages() -> Iterator[tuple[str, int]]:
    """A copy of somebody's data goes on its day (DSARPKG), and files follow their rows."""
    late = timezone.now() - LATE
    overdue = Package.objects.exclude(state=Package.State.EXPIRED).filter(expires_at__lt=late)
    yield "packages are past their day", overdue.count()
    orphaned = Package.objects.filter(subject_ref__isnull=False, customer__isnull=False)
    yield "packages carry the mark of an erasure and a person", orphaned.count()
    later = Erasure.objects.filter(
        subject_ref=OuterRef("subject_ref"), state=Erasure.State.DONE, started_at__gt=OuterRef("asked_at")
    )
    left = Package.objects.exclude(state=Package.State.EXPIRED).filter(Exists(later))
    yield "packages from before an erasure are there", left.count()
    yield "files of deleted rows were not removed", FileRemoval.objects.filter(queued_at__lt=late).count()


def _all(table: Table) -> Any:
    """Every row, those under a block as well."""
    return table.model._base_manager.all()


QUESTIONS = (_unfinished, _alive, _indexes, _history, _blocked, _numbers, _outbox, _packages)
