"""The archive: rows that an erasure cut from their person, found by number, day or mark, and read for a purpose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.signing import BadSignature, Signer
from django.db import models
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from datamap.accesslog import name_pages, record
from datamap.controlling import legal_zone
from datamap.declarations import PersonalData, registry
from datamap.overview import field_label
from datamap.packages import reading_of
from datamap.workdays import day_begins
from orders.models import Document
from portal.facts import Fact, fact
from staff.models import User

PAGE = "portal:archive_open"
LOOKED_UP = "portal:archive"
MOST = 100
# Who reads these needs that permission, too: tax people have no business with requests under the GDPR.
ALSO = {"privacy": "privacy.view"}
_signer = Signer(salt="portal.archive")

name_pages({LOOKED_UP: _("Archive, list"), PAGE: _("Archive, paper")})


@dataclass(frozen=True)
class Found:
    """One blocked row in the list: what it is and from when, and the sealed way to open it."""

    label: str
    at: date | datetime | None
    key: str


@dataclass(frozen=True)
class Part:
    """A row that hangs on the one shown; `file` is the way to its file where it has one."""

    label: str
    facts: list[Fact]
    file: str = ""


@dataclass(frozen=True)
class Shown:
    """A blocked row as a page shows it."""

    row: Any
    label: str
    facts: list[Fact] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)


def find(user: User, wanted: dict[str, Any], purpose: str) -> tuple[list[Found], bool]:
    """The newest blocked rows that fit, at most `MOST`, and whether there are more.

    By number or days: papers. By mark: everything that was kept of one erased person, and a line in the access log,
    since the list alone says what is kept of whom.
    """
    if mark := wanted.get("mark"):
        record(user.pk, str(mark), LOOKED_UP, purpose)
        rows = [row for model in _blockable(user) for row in _marked(model, mark)]
    else:
        rows = list(_papers(wanted)[: MOST + 1])
    return [Found(_title(row), _day_of(row), _key(row)) for row in rows[:MOST]], len(rows) > MOST


def opened(user: User, key: str, purpose: str) -> Shown:
    """The row behind a key, and a line in the access log under its mark. Raises Http404."""
    row = _row(user, key)
    record(user.pk, str(row.subject_ref or ""), PAGE, purpose)
    if isinstance(row, Document):
        return Shown(row, _title(row))
    declaration = registry.declaration_for(type(row))
    assert declaration is not None
    return Shown(row, _title(row), list(_facts(row, declaration)), list(_parts(row)))


def file_of(user: User, key: str, purpose: str) -> Any:
    """The row that holds a file of a blocked row, and a line in the access log. Raises Http404."""
    label, pk = _unsigned(key)
    declaration = registry.declaration_for(label)
    if declaration is None or not declaration.parent or not declaration.files:
        raise Http404
    child = apps.get_model(label)._base_manager.filter(pk=pk).first()
    parent = getattr(child, declaration.parent, None)
    if child is None or parent is None:
        raise Http404
    owner = _row(user, _key(parent))
    record(user.pk, str(owner.subject_ref or ""), PAGE, purpose)
    return child


def _blockable(user: User) -> list[Any]:
    """Every model whose rows may be blocked and that this person may read."""
    found = [apps.get_model(declaration.label) for declaration in registry.declarations() if declaration.subject_ref]
    return [
        model
        for model in found
        if hasattr(model, "archive") and user.may(ALSO.get(model._meta.app_label, "documents.archive"))
    ]


def _marked(model: Any, mark: UUID) -> list[Any]:
    return list(model.archive.filter(subject_ref=mark, blocked_at__isnull=False).order_by("pk")[: MOST + 1])


def _papers(wanted: dict[str, Any]) -> models.QuerySet:
    papers = Document.archive.filter(blocked_at__isnull=False)
    zone = legal_zone()
    if number := wanted.get("number"):
        papers = papers.filter(number=number)
    if begin := wanted.get("begin"):
        papers = papers.filter(issued_at__gte=day_begins(begin, zone))
    if end := wanted.get("end"):
        papers = papers.filter(issued_at__lt=day_begins(end + timedelta(days=1), zone))
    return papers.order_by("-issued_at", "-pk")


def _row(user: User, key: str) -> Any:
    label, pk = _unsigned(key)
    model = apps.get_model(label)
    if model not in _blockable(user):
        raise Http404
    row = model.archive.filter(pk=pk, blocked_at__isnull=False).first()
    if row is None:
        raise Http404
    return row


def _key(row: Any) -> str:
    return _signer.sign(f"{row._meta.label}:{row.pk}")


def _unsigned(key: str) -> tuple[str, str]:
    try:
        label, _colon, pk = _signer.unsign(key).partition(":")
    except BadSignature:
        raise Http404 from None
    return label, pk


def _title(row: Any) -> str:
    if isinstance(row, Document):
        return f"{row.get_kind_display()} {row.number}"
    # What letters call it, where it has such a name.
    return f"{row._meta.verbose_name} {getattr(row, 'code', '')}".strip()


def _day_of(row: Any) -> date | datetime | None:
    """The day a row counts from, as its declaration says."""
    declaration = registry.declaration_for(type(row))
    for start in declaration.groups[0].starts if declaration else []:
        for path in start:
            value = getattr(row, path, None) if "__" not in path else None
            if value is not None:
                return value
    return row.blocked_at


def _facts(row: Any, declaration: type[PersonalData]) -> Iterator[Fact]:
    for group in declaration.groups:
        for name in group.fields:
            label = field_label(type(row), name)
            if name not in declaration.files and (said := fact(row, name, label)):
                read = None if row._meta.get_field(name).is_relation else reading_of(declaration.label, name)
                yield Fact(label, read(getattr(row, name))) if read else said


def _parts(row: Any) -> Iterator[Part]:
    """The rows that live and die with this one."""
    for declaration in registry.declarations():
        model = apps.get_model(declaration.label)
        if not declaration.parent or model._meta.get_field(declaration.parent).related_model is not type(row):
            continue
        for child in model._base_manager.filter(**{declaration.parent: row.pk}).order_by("pk")[:MOST]:
            has_file = any(getattr(child, name) for name in declaration.files)
            label = str(model._meta.verbose_name)
            yield Part(label, list(_facts(child, declaration)), _key(child) if has_file else "")
