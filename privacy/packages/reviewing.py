"""The look at a package before it goes out: each passage that names somebody else is blackened or shown by a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import capfirst

from datamap.controlling import legal_zone
from datamap.words import column_label
from privacy.models import Package, Redaction
from privacy.packages.building import again
from privacy.packages.collecting import model_of, text_at
from privacy.packages.screening import digest_of
from privacy.packages.showing import words
from vault.fields import SealedField

AROUND = 120
Decision = Redaction.Decision


class NothingToReview(Exception):
    """The package does not wait for a review, or not any more."""


@dataclass(frozen=True)
class Passage:
    """One passage as the reviewer sees it: what stands before, itself, what follows; `gone` when the row changed."""

    redaction: Redaction
    where: str
    before: str
    words: str
    after: str
    gone: bool = False


def passages(found: Iterable[Redaction]) -> list[Passage]:
    """These redactions with the words around them, read from the rows themselves: no copy of them is kept."""
    found = list(found)
    rows: dict[tuple[str, str], Any] = {}
    for label in {one.model for one in found}:
        model = model_of(label)
        keys = {one.row for one in found if one.model == label}
        found_rows: QuerySet[Any] = QuerySet(model).filter(pk__in=keys)
        rows |= {(label, str(row.pk)): row for row in found_rows}
    return [_passage(one, rows.get((one.model, one.row))) for one in found]


def _passage(redaction: Redaction, row: Any) -> Passage:
    # A note holds a note: said once.
    where = " · ".join(dict.fromkeys([capfirst(str(_name(redaction.model))), _field(redaction)]))
    if row is None:
        return Passage(redaction, where, "", "", "", gone=True)
    text = _text_of(redaction, row)
    if redaction.digest and digest_of(text) != redaction.digest:
        return Passage(redaction, where, "", "", "", gone=True)
    if redaction.begins is None or redaction.ends is None:
        return Passage(redaction, where, "", _said(redaction, row, text)[: 4 * AROUND], "")
    start = max(0, redaction.begins - AROUND)
    return Passage(
        redaction,
        where,
        ("…" if start else "") + text[start : redaction.begins],
        text[redaction.begins : redaction.ends],
        text[redaction.ends : redaction.ends + AROUND] + ("…" if len(text) > redaction.ends + AROUND else ""),
    )


def _said(redaction: Redaction, row: Any, text: str) -> str:
    """The text as people read it: an address and no Python, where the whole of a JSON value is in question."""
    value = None if redaction.place else getattr(row, redaction.field, None)
    return words(value, legal_zone()) if isinstance(value, dict | list) else text


def _text_of(redaction: Redaction, row: Any) -> str:
    value = getattr(row, redaction.field, "")
    if redaction.why == Redaction.Why.FILE:
        return str(getattr(row, "name", "") or "")
    if redaction.begins is None and not redaction.place:
        return str(value)
    return text_at(value, redaction.place)


def _name(label: str) -> Any:
    model = model_of(label)
    return getattr(model, "instance_type", model)._meta.verbose_name


def _field(redaction: Redaction) -> str:
    try:
        field = model_of(redaction.model)._meta.get_field(redaction.field)
    except FieldDoesNotExist:
        return redaction.field
    return capfirst(column_label(field, redaction.field))


@transaction.atomic
def decide(package: Package, decisions: dict[int, str], user_id: int) -> int:
    """Note what a person decided about these passages. Raises NothingToReview; answers how many were noted."""
    _waiting(package)
    noted = 0
    for said in (Decision.REDACT, Decision.RELEASE):
        ids = [pk for pk, decision in decisions.items() if decision == said]
        changes = {"decision": said, "decided_by_id": user_id, "decided_at": timezone.now()}
        noted += package.redactions.filter(pk__in=ids).update(**changes)
    return noted


@transaction.atomic
def blacken(package: Package, near: int, words: str, user_id: int) -> int:
    """Blacken these words wherever they stand in the text of a passage; answers how often they do."""
    _waiting(package)
    one = package.redactions.filter(pk=near).first()
    row: Any = QuerySet(model_of(one.model)).filter(pk=one.row).first() if one else None
    if one is None or row is None or not words or one.why == Redaction.Why.FILE or not _is_text(one, row):
        return 0
    text = _text_of(one, row)
    places, at = [], text.find(words)
    while at >= 0:
        places.append(at)
        at = text.find(words, at + len(words))
    made = [
        Redaction(
            package=package, model=one.model, row=one.row, field=one.field, place=one.place, begins=place,
            ends=place + len(words), why=Redaction.Why.OWN, digest=digest_of(text), decision=Decision.REDACT,
            decided_by_id=user_id, decided_at=timezone.now(),
        )
        for place in places
    ]  # fmt: skip
    Redaction.objects.bulk_create(made, ignore_conflicts=True)
    return len(places)


def _is_text(redaction: Redaction, row: Any) -> bool:
    field = row._meta.get_field(redaction.field)
    return bool(redaction.place) or isinstance(field, SealedField) or isinstance(getattr(row, redaction.field), str)


def finish(package: Package, user_id: int) -> bool:
    """End the review: whatever was not decided stays blackened, and the package is built as decided.

    Raises NothingToReview. The worker makes it ready; passages that came up meanwhile ask for another look.
    """
    _waiting(package)
    with transaction.atomic():
        pending = package.redactions.filter(decision=Decision.PENDING)
        files = pending.filter(why=Redaction.Why.FILE)
        if files.exists():
            raise FilesUndecided
        pending.update(decision=Decision.REDACT, decided_by_id=user_id, decided_at=timezone.now())
        Package.objects.filter(pk=package.pk).update(released_by_id=user_id)
        return again(package)


class FilesUndecided(Exception):
    """A file cannot be blackened in part: somebody has to say whether it goes along."""


def _waiting(package: Package) -> None:
    if package.is_over or package.state != Package.State.REVIEW:
        raise NothingToReview
