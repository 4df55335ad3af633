"""Who the person of a package is: their own addresses, the marks of earlier erasures, the names of others near."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any
from uuid import UUID, uuid4

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from customers.models import ContactPerson, ContactPoint, Customer, ExternalId
from customers.normalizing import email_key, phone_key
from customers.reading import read_phone
from customers.tombstones import erased_among, erasures_of, marks_of
from datamap.controlling import controller
from datamap.declarations import registry
from datamap.packages import Person
from datamap.preparing import Standing
from privacy.models import Erasure, Package, Request
from privacy.packages.screening import Known, words_of
from privacy.speaking import former_endpoints, speaker_of

LANGUAGES = ("de", "en")
MOST = 2_000
_IDS: Standing[Any] = Standing(
    lambda pk: ExternalId.objects.filter(customer=pk).values_list("platform", "value")[:MOST]
)
_ERASED: Standing[Any] = Standing(lambda pk: Erasure.objects.filter(customer=pk).values_list("subject_ref"))
_ASKED: Standing[Any] = Standing(
    lambda pk: Request.archive.filter(customer=pk, subject_ref__isnull=False).values_list("subject_ref")
)
_POINTS: list[Standing[Any]] = [
    Standing(lambda pk: ContactPoint.objects.filter(customer=pk).values_list("value")[:MOST]),
    Standing(lambda pk: ContactPoint.history.filter(customer=pk).values_list("value")[:MOST]),
]
_NAMES: Standing[Any] = Standing(
    lambda pk: Customer.objects.filter(pk=pk).values_list("first_name", "last_name", "company")
)
_SPEAKERS: Standing[Any] = Standing(
    lambda pk: ContactPerson.objects.filter(customer=pk).values_list("first_name", "last_name")[:MOST]
)


def subject_of(customer: Customer, refs: tuple[UUID, ...] = ()) -> Person:
    """A customer as the person of a package, with whatever is blocked under marks that are surely theirs."""
    marks = {*refs, *_own_marks(customer)}
    return Person(customer.pk, customer.number, tuple(sorted(marks)), language_of(customer.language))


def erased_subject(refs: tuple[UUID, ...], language: str = "") -> Person:
    """An erased person, of whom only the marks are known: one for each time they were erased."""
    return Person(None, "", refs, language_of(language))


def subject_of_package(package: Package) -> Person:
    """The person of a package."""
    if package.contact_person is not None:
        # The number and the marks are the company's.
        case = package.request
        return Person(None, "", (), language_of(case.language if case else package.customer.language))  # type: ignore[union-attr]
    if package.customer is not None:
        return subject_of(package.customer, (package.subject_ref,) if package.subject_ref else ())
    assert package.subject_ref is not None
    case = package.request
    others = marks_of_asker(case) if case is not None and case.customer_id is None else ()
    subject = erased_subject(tuple(dict.fromkeys((package.subject_ref, *others))))
    return replace(subject, reached_by=tuple(_reached_by(case))) if case is not None else subject


def _reached_by(case: Request) -> Iterator[tuple[str, str]]:
    """The address and number somebody erased tells, once it is settled who asks."""
    if case.identity_method and case.person_email:
        yield "email", case.person_email
    if case.identity_method and case.contact_person is None and (number := read_phone(case.person_phone)):
        yield "phone", number


def marks_of_erased(*, email: str = "", phone: str = "") -> tuple[UUID, ...]:
    """The marks of all erasures under this e-mail, the latest first; of the phone where the e-mail tells of none.

    A family may share an address: whoever answers such a person checks who is asking.
    """
    return tuple(erasures_of(email=email) or erasures_of(phone=phone))


def marks_of_asker(case: Request) -> tuple[UUID, ...]:
    """Under which marks somebody who asks was erased, as soon as it is settled who asks.

    The number that somebody tells who speaks for a company may be the company's.
    """
    if not case.identity_method:
        return ()
    phone = case.person_phone if case.contact_person is None else ""
    erased = marks_of_erased(email=case.person_email, phone=phone)
    return tuple(dict.fromkeys((*erased, *_marks_of_files(case))))


def mark_unknown(case: Request) -> None:
    """Give the file of somebody of whom nothing else is known a mark, the same to all that tell one address: who asks
    again is told of it. In the caller's transaction, when the case closes."""
    if case.customer_id is None and case.subject_ref is None and email_key(case.person_email):
        case.subject_ref = next(iter(_marks_of_files(case)), None) or uuid4()


def _marks_of_files(case: Request) -> tuple[UUID, ...]:
    """The marks of closed files of unknown people who told this address."""
    if case.customer_id is not None or not email_key(case.person_email):
        return ()
    files = Request.objects.filter(
        person_email_index=case.person_email, customer=None, subject_ref__isnull=False, closed_at__isnull=False
    )
    return tuple(files.exclude(pk=case.pk).order_by("pk").values_list("subject_ref", flat=True).distinct())  # type: ignore[arg-type]


def asker_of(case: Request) -> Customer | ContactPerson | UUID | None:
    """Whose data a request is about: a customer, somebody who speaks for one, or the mark of somebody erased; None
    where nobody is known.

    Who was erased and asks again is noticed by the address or number they tell. Since that may be a relative's too, it
    counts only once identity is settled.
    """
    if case.contact_person is not None:
        return speaker_of(case) or case.subject_ref or next(iter(marks_of_asker(case)), None)
    return case.customer or case.subject_ref or next(iter(marks_of_asker(case)), None)


def holds_copy(case: Request) -> bool:
    """Whether there are data of which a request for a copy is answered with one.

    Of who was erased the access copy tells what is blocked; to portability belongs none of it (Art. 20), nor anything
    of who speaks for a company: that is held neither by consent nor for a contract of theirs.
    """
    if case.kind == Package.Kind.PORTABILITY:
        return case.customer is not None and case.contact_person is None
    return case.kind == Package.Kind.ACCESS and asker_of(case) is not None


def _own_marks(customer: Customer) -> set[UUID]:
    """Erasures of this very customer, and of whoever had the same id of the same platform before.

    An e-mail address alone is no proof: it may have been a relative's.
    """
    marks = [mark for _kind, mark in marks_of(external=_IDS(customer.pk))]
    found = {ref for _at, ref in erased_among(marks).values()}
    return found | {ref for standing in (_ERASED, _ASKED) for (ref,) in standing(customer.pk)}


def language_of(text: str) -> str:
    """The language of a copy: that of the person where the house speaks it, else German."""
    return text[:2] if text[:2] in LANGUAGES else "de"


def known_of(subject: Person) -> Known:
    """What a screen has to know about this person and those around them."""
    known = Known(number=subject.number, customer_id=subject.customer_id)
    who = controller()
    known.emails |= {key for text in (who.email, who.officer_email) if text and (key := email_key(text))}
    known.phones |= {key for text in (who.phone, who.officer_phone) if text and (key := phone_key(text))}
    # The officer is named to everybody (Art. 13(1)(b)), also in the letters to this person.
    named = words_of(who.officer_name)
    known.staff = words_of(*get_user_model()._default_manager.values_list("name", flat=True)) - named
    if subject.customer_id is None:
        return known
    for value in (value for standing in _POINTS for (value,) in standing(subject.customer_id)):
        key = (email_key(value) if "@" in value else phone_key(value)) if value else None
        if key:
            (known.own_emails if "@" in key else known.phones).add(key)
    known.emails |= known.own_emails
    known.own_words = words_of(*(name for row in _NAMES(subject.customer_id) for name in row))
    speakers = (name for row in _SPEAKERS(subject.customer_id) for name in row)
    known.others = words_of(*speakers, *_names_nearby(subject.customer_id))
    return known


def known_of_speaker(person: ContactPerson) -> Known:
    """The same about somebody who speaks for a company: whoever else speaks for it is another."""
    known = known_of(Person(None))
    for value in (person.email, person.phone, *(value for _channel, value in former_endpoints(person))):
        if key := email_key(value):
            known.own_emails.add(key)
        elif key := phone_key(value):
            known.phones.add(key)
    known.emails |= known.own_emails
    known.own_words = words_of(person.first_name, person.last_name, person.customer.company)
    colleagues = ContactPerson.objects.filter(customer=person.customer_id).exclude(pk=person.pk)
    known.others = words_of(*(name for row in colleagues.values_list("first_name", "last_name")[:MOST] for name in row))
    return known


def know_as_told(known: Known, case: Request | None) -> None:
    """The person is known by what they tell as well, once it is settled who asks; of somebody erased it is all."""
    if case is None or not case.identity_method:
        return
    if key := email_key(case.person_email):
        known.own_emails.add(key)
        known.emails.add(key)
    if (number := read_phone(case.person_phone)) and (key := phone_key(number)):
        known.phones.add(key)
    known.own_words |= words_of(case.person_name)


@lru_cache(maxsize=1)
def _shared() -> list[Standing[Any]]:
    """Of each table whose rows may name several customers: whom those do that name one of them and somebody else."""
    found: list[Standing[Any]] = []
    for declaration, group in registry:
        paths = group.subject_paths
        if len(paths) < 2 or any("__" in path for path in paths):
            continue
        model: Any = apps.get_model(declaration.label)
        columns = [path for path in paths if model._meta.get_field(path).related_model is Customer]
        found.append(Standing(partial(_people, model, columns)))
    return found


def _people(model: Any, columns: list[str], pk: int) -> QuerySet[Any]:
    found = Q()
    for column in columns:
        others = [Q(**{f"{other}__isnull": False}) for other in columns if other != column]
        found |= Q(**{column: pk}) & Q(*others, _connector=Q.OR)
    return model._base_manager.filter(found).order_by().values_list(*columns).distinct()[:MOST]


def _names_nearby(customer_id: int) -> list[str]:
    """Names of other customers whom rows of this person name: who got a present, who sent one."""
    near = {pk for standing in _shared() for people in standing(customer_id) for pk in people if pk is not None}
    near.discard(customer_id)
    if not near:
        return []
    rows = Customer.objects.filter(pk__in=near).values_list("first_name", "last_name")
    return [name for row in rows for name in row]
