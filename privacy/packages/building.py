"""Builds a package in the background: asked for, claimed by one worker, whole or not at all, to be asked for again."""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import IO, Any, cast
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.core.files.base import File
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone, translation

from customers.models import ContactPerson, Customer
from datamap.catalogue import explain
from datamap.controlling import controller, legal_zone
from datamap.outages import is_full
from datamap.preparing import Standing, planned_once
from datamap.workdays import day_begins, local_date
from privacy.models import Package, Redaction, Request
from privacy.packages.assembling import Assembler
from privacy.packages.knowing import know_as_told, known_of, known_of_speaker, subject_of_package
from privacy.packages.ordering import Order
from privacy.packages.screening import Screen
from privacy.packages.speakers import SpeakersCopy
from privacy.packages.writing import Stream
from privacy.speaking import speaker_by_key

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)
MOST_ATTEMPTS = 5
CATEGORY = "DSARPKG"
TOLD_EVERY = 1.0
# What was written lies in memory until garbage is collected: many short statements are less than a few long ones.
AT_ONCE = 100
_PACKAGE = Standing(lambda pk: Package.objects.select_related("customer", "request").filter(pk=pk))
State, Kind = Package.State, Package.Kind


class NotProvidable(Exception):
    """The package cannot go out: it is not built, waits for a review, or its day has passed."""


def ask(
    who: Customer | ContactPerson | UUID, kind: str, *, request: Request | None = None, user_id: int | None = None
) -> Package:
    """Note that a package is wanted; a worker builds it. `who` is a customer, somebody who speaks for one, or the mark
    of an erased person."""
    of: dict[str, Any] = {"customer": who} if isinstance(who, Customer) else {"subject_ref": who}
    if isinstance(who, ContactPerson):
        of = {"customer": who.customer, "contact_person": who.pk}
    return Package.objects.create(kind=Kind(kind), request=request, asked_by_id=user_id, **of)


def build(
    who: Customer | ContactPerson | UUID, kind: str, *, request: Request | None = None, user_id: int | None = None
) -> Package:
    """Build a package here and now and answer it: ready, waiting for a review, or failed with the reason.

    The file is whole or not there. Raises OSError (a full disk), TypesettingFailed and database errors after the
    package was marked as failed; `work_on` may be called again for it.
    """
    package = ask(who, kind, request=request, user_id=user_id)
    built = work_on(package.pk, quietly=False)
    assert built is not None
    return built


def again(package: Package) -> bool:
    """Ask for a failed or reviewed package once more; False where that is not to be."""
    states = [State.FAILED, State.REVIEW, State.READY]
    return bool(
        Package.objects.filter(pk=package.pk, state__in=states).update(
            state=State.BUILDING, failure="", attempts=0, lease=None, lease_until=None
        )
    )


def work_on(package_id: int, *, quietly: bool = True) -> Package | None:
    """Build one package that is wanted; None where another worker has it or nothing is to be done.

    A lost database leaves the lease to run out, and the next sweep goes on. Anything else marks the package as failed
    with the class of the error; with `quietly` it is raised no further.
    """
    lease = _claim(package_id)
    if lease is None:
        return None
    package = _package(package_id)
    if package is None:
        return None
    if package.attempts > MOST_ATTEMPTS:
        _fail(package, lease, "attempts")
        package.refresh_from_db()
        return package
    try:
        _build(package, lease)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        # Its text may quote a row: the log gets the kind of error and the package, nothing else.
        log.error("package %s failed with %s", package.pk, type(error).__name__)
        _fail(package, lease, _reason(error))
        if not quietly:
            raise
    finally:
        cache.delete(_progress_key(package))
    return _package(package_id)


def _package(package_id: int) -> Package | None:
    return next(iter(_PACKAGE(package_id)), None)


def progress_of(package: Package) -> int:
    """How many rows have been read so far."""
    return int(cache.get(_progress_key(package)) or 0)


def _claim(package_id: int) -> UUID | None:
    lease = uuid.uuid4()
    free = Package.objects.filter(pk=package_id).resumable()
    taken = free.update(lease=lease, lease_until=timezone.now() + LEASE, attempts=F("attempts") + 1)
    return lease if taken else None


def _build(package: Package, lease: UUID) -> None:
    before = package.file.name
    subject = subject_of_package(package)
    if package.kind == Kind.PORTABILITY:
        # What is blocked is kept because a law wants it: no part of Art. 20.
        subject = replace(subject, refs=())
    storage = package.file.storage
    name = ""
    try:
        with translation.override(subject.language), _snapshot(), planned_once():
            package.redactions.filter(decision=Redaction.Decision.PENDING).delete()
            decided = _decisions(package)
            speaker = _speaker(package)
            known = known_of(subject) if speaker is None else known_of_speaker(speaker)
            know_as_told(known, package.request)
            screen = Screen(known, _noter(package), decided or _undecided, decided is not None)
            order = Order(
                subject,
                package.kind,
                str(package.request.ref if package.request else package.uuid),
                package.request.received_at if package.request else None,
                _file_releaser(package, decided or _undecided),
                _teller(package),
            )
            assembler = Assembler(order, screen) if speaker is None else SpeakersCopy(order, screen, speaker)
            pieces = assembler.pieces()
            try:
                name = storage.save("package", File(cast(IO[bytes], Stream(pieces)), "package"))
            finally:
                pieces.close()
            _finish(package, lease, name, assembler)
    except BaseException:
        if name:
            storage.delete(name)
        raise
    if before:
        storage.delete(before)


def _speaker(package: Package) -> ContactPerson | None:
    """Who speaks for the company, where it is their copy. Raises ContactPerson.DoesNotExist once they are erased."""
    if package.contact_person is None:
        return None
    person = speaker_by_key(package.contact_person)
    if person is None:
        raise ContactPerson.DoesNotExist
    return person


def _finish(package: Package, lease: UUID, name: str, assembler: Assembler | SpeakersCopy) -> None:
    now = timezone.now()
    pending = package.redactions.filter(decision=Redaction.Decision.PENDING).exists()
    changes: dict[str, Any] = {
        "state": State.REVIEW if pending else State.READY,
        "file": name,
        "bytes": package.file.storage.size(name),
        "files": assembler.result.files,
        "rows": assembler.result.rows,
        "built_at": now,
        "expires_at": last_moment(package.provided_at or now),
        "failure": "",
        "lease": None,
        "lease_until": None,
    }
    if not pending:
        changes |= {"released_at": now, "released_by_id": package.released_by_id or package.asked_by_id}
    if not Package.objects.filter(pk=package.pk, lease=lease).update(**changes):
        raise OperationalError("Another worker took the package over.")


def last_moment(start: datetime) -> datetime:
    """The first instant at which a package of this start may not be there any more (DSARPKG)."""
    who = controller()
    zone = legal_zone(who)
    end = explain(CATEGORY, start, as_of=local_date(timezone.now(), zone), zone=zone).deletable_from
    return day_begins(end or local_date(start, zone), zone)


def provide(package: Package) -> None:
    """Note that a package goes out now; its period counts from the first time. Raises NotProvidable."""
    if package.is_over or package.state != State.READY:
        raise NotProvidable
    if package.provided_at is None:
        now = timezone.now()
        Package.objects.filter(pk=package.pk).update(provided_at=now, expires_at=last_moment(now))
        package.refresh_from_db()


def new_link(package: Package, secret: str) -> None:
    """Let whoever has this secret fetch the package once; the one before counts no more. Raises NotProvidable."""
    if package.is_over or package.state != State.READY:
        raise NotProvidable
    Package.objects.filter(pk=package.pk).update(token_hash=token_hash(secret))


def link_to(package: Package) -> str:
    """A new address that opens the package once; it is kept nowhere but where the caller writes it. Raises as above."""
    secret = secrets.token_urlsafe(32)
    new_link(package, secret)
    return f"{settings.SITE_URL}{reverse('privacy:package_fetch', args=[secret])}"


def package_for_secret(secret: str) -> Package | None:
    """The package that this secret opens."""
    return Package.objects.filter(token_hash=token_hash(secret)).first()


def spend_link(package: Package, secret: str) -> bool:
    """Use a one-time link up; of two who come at once one wins."""
    found = Package.objects.filter(pk=package.pk, token_hash=token_hash(secret))
    return bool(found.update(token_hash=None))


def token_hash(secret: str) -> bytes:
    """What is kept of a link."""
    return hashlib.sha256(secret.encode()).digest()


@contextmanager
def _snapshot() -> Iterator[None]:
    """One state of the database for the whole package, whatever is written meanwhile."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                # A cursor is planned for its first tenth unless told that all of it is wanted; and to start others
                # that help to read one person takes longer than to read.
                cursor.execute(
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SET LOCAL cursor_tuple_fraction = 1; "
                    "SET LOCAL max_parallel_workers_per_gather = 0"
                )
        yield


def _fail(package: Package, lease: UUID, reason: str) -> None:
    Package.objects.filter(pk=package.pk, lease=lease).update(
        state=State.FAILED, failure=reason, lease=None, lease_until=None
    )


def _reason(error: Exception) -> str:
    return "disk" if is_full(error) else type(error).__name__


def _noter(package: Package) -> Callable[[list[Redaction]], None]:
    def note(found: list[Redaction]) -> None:
        for redaction in found:
            redaction.package = package
        Redaction.objects.bulk_create(found, ignore_conflicts=True, batch_size=AT_ONCE)

    return note


Decisions = Callable[[str, Iterable[str]], dict[tuple[Any, ...], str]]


def _undecided(_model: str, _rows: Iterable[str]) -> dict[tuple[Any, ...], str]:
    return {}


def _decisions(package: Package) -> Decisions | None:
    """What was decided about rows in any package of this person, if anything: nobody has to say it twice."""
    same = Q(pk=package.pk)
    if package.customer_id:
        same |= Q(customer_id=package.customer_id)
    if package.subject_ref:
        same |= Q(subject_ref=package.subject_ref)
    packages = Package.objects.filter(same)
    made = Redaction.objects.filter(package__in=packages).exclude(decision=Redaction.Decision.PENDING)
    if not made.exists():
        return None

    def decided(model: str, rows: Iterable[str]) -> dict[tuple[Any, ...], str]:
        found = made.filter(model=model, row__in=list(rows)).order_by("decided_at", "pk")
        values = found.values_list("model", "row", "field", "place", "begins", "ends", "digest", "decision")
        return {tuple(key): decision for *key, decision in values}

    return decided


def _file_releaser(package: Package, decided: Decisions) -> Callable[[str, str, str], bool]:
    """Files go with the package, and a person has to look at each before it goes out."""
    note = _noter(package)

    def released(model: str, row: str, field: str) -> bool:
        said = {key[2]: decision for key, decision in decided(model, [row]).items() if key[4] is None}
        if field not in said:
            note([Redaction(model=model, row=row, field=field, why=Redaction.Why.FILE, digest="")])
        return said.get(field) != Redaction.Decision.REDACT

    return released


def _teller(package: Package) -> Callable[[int], None]:
    told = [0.0]

    def tell(rows: int) -> None:
        if time.monotonic() - told[0] > TOLD_EVERY:
            told[0] = time.monotonic()
            cache.set(_progress_key(package), rows, 600)

    return tell


def _progress_key(package: Package) -> str:
    return f"privacy.package.{package.pk}"
