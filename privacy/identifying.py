"""Settles who asks: proportionate to doubt, and a copy of an identity card is gone with its check (Art. 12(6))."""

from __future__ import annotations

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from privacy import letters
from privacy.clearing import queue_files
from privacy.compiling import tables
from privacy.models import IdentityCopy, Request, RequestLetter
from privacy.removing import remove_files
from privacy.steps import State, Step, StepRefused, move, refuse_unless_open, stamp, step_of, working_state
from staff.models import User

# What is handed out or changed needs a person; an objection to advertising and a withdrawal need none.
NEED_IDENTITY = (
    Request.Kind.ACCESS,
    Request.Kind.PORTABILITY,
    Request.Kind.ERASURE,
    Request.Kind.RECTIFICATION,
)
SHOWN_TYPES = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def ask(request: Request, doubt: str, *, way: str, version: int | None, by: User) -> None:
    """Ask the person to show who they are, with the reason for the doubt; the clock stands if that was prompt.

    Raises StepRefused without a reason, or where identity is settled or was asked for.
    """
    with step_of(request, version) as locked:
        refuse_unless_open(locked)
        if not doubt.strip():
            raise StepRefused(_("Identity is asked for only with a reason for the doubt (Art. 12(6))."))
        if locked.identity_method or locked.identity_asked_at:
            raise StepRefused(_("Identity is settled already, or the question is out."))
        locked.identity_doubt, locked.identity_asked_at = doubt, timezone.now()
        move(locked, State.IDENTITY_PENDING, Step.IDENTITY_ASKED, by=by, reason=doubt)
        letters.write(locked, RequestLetter.Kind.IDENTITY, way=way, by=by, reason=doubt)


def settle(request: Request, method: str, *, version: int | None, by: User, reason: str = "") -> None:
    """Note how identity was settled; copies of identity cards go in the same transaction. The clock runs on.

    Raises StepRefused where it is settled already, where a copy is named and none is there, and without a remark where
    nothing is in doubt any more though it was asked for.
    """
    with step_of(request, version) as locked:
        refuse_unless_open(locked)
        if locked.identity_method:
            raise StepRefused(_("Identity is settled already."))
        if method == Request.Method.ID_COPY and not locked.identity_copies.exists():
            raise StepRefused(_("There is no copy of an identity card here."))
        if method == Request.Method.NOT_NEEDED and locked.identity_asked_at and not reason.strip():
            raise StepRefused(_("Identity was asked for: say in the remark why nothing is in doubt any more."))
        locked.identity_method, locked.identity_proven_at = method, timezone.now()
        after = working_state(locked) if locked.state in (State.IDENTITY_PENDING, State.RECEIVED) else locked.state
        move(locked, after, Step.IDENTITY_SETTLED, by=by, reason=reason)
        drop_copies(locked, by=by)


def add_copy(request: Request, upload: UploadedFile, *, by: User) -> IdentityCopy:
    """Take a copy of an identity card in, sealed. Raises StepRefused for other files and too large ones."""
    head = upload.read(8)
    upload.seek(0)
    kind = next((kind for magic, kind in SHOWN_TYPES.items() if head.startswith(magic)), None)
    if kind is None:
        raise StepRefused(_("A copy is a PDF, PNG or JPEG file."))
    if (upload.size or 0) > settings.ATTACHMENT_MAX_BYTES:
        raise StepRefused(_("This file is too large."))
    with step_of(request, None) as locked:
        refuse_unless_open(locked)
        if locked.state != State.IDENTITY_PENDING:
            raise StepRefused(_("A copy is taken in only after identity was asked for."))
        copy = IdentityCopy(request=locked, name=upload.name or "", content_type=kind, size=upload.size or 0)
        copy.file.save("copy", upload, save=False)
        copy.save()
    return copy


def drop_copies(request: Request, *, by: User | None) -> int:
    """Delete the copies of a request: the rows now, the files as soon as that is committed, or when they can be."""
    copies = request.identity_copies.all()
    ids = list(copies.values_list("pk", flat=True))
    if ids:
        queue_files(tables()[IdentityCopy._meta.label], ids)
        copies.filter(pk__in=ids).delete()
        transaction.on_commit(remove_files, robust=True)
        stamp(request, Step.COPY_DELETED, by=by)
    return len(ids)


def is_settled(request: Request) -> bool:
    """Whether the request may be answered as far as identity goes."""
    return bool(request.identity_method) or request.kind not in NEED_IDENTITY
