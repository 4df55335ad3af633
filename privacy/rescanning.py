"""Looks through every text and JSON column for traces of an erased person, in each form a copy may have taken."""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.apps import apps
from django.db import connection, models

from customers.models import ContactPerson, ContactPoint
from customers.reading import phone_pattern
from datamap.declarations import history_base
from datamap.subjects import Subject, spellings
from privacy.compiling import Joins, tables
from vault.fields import SealedField

PAGE = 2_000


@dataclass(frozen=True)
class Needles:
    """What is searched for: texts, whatever their case, and regular expressions of phone numbers."""

    texts: list[str]
    numbers: list[str]

    def __bool__(self) -> bool:
        return bool(self.texts or self.numbers)

    def condition(self, column: str) -> tuple[str, list[Any]]:
        """SQL that is true where a column holds one of them."""
        # ILIKE would write the column in small letters anew for each of them, which takes seven times as long.
        where = f"lower({column}) LIKE ANY(ARRAY(SELECT lower(one) FROM unnest(%s::text[]) AS one))"  # noqa: S608
        params: list[Any] = [[f"%{_like(text)}%" for text in self.texts]]
        return (f"({where} OR {column} ~ ANY(%s))", [*params, self.numbers]) if self.numbers else (where, params)

    def stand_in(self, text: str) -> bool:
        """Whether a text holds one of them."""
        folded = text.casefold()
        return any(one in folded for one in self._folded) or any(re.search(one, text) for one in self.numbers)

    @cached_property
    def _folded(self) -> list[str]:
        return [one.casefold() for one in self.texts]


def needles_of(texts: Iterable[str]) -> Needles:
    """Each text as it is, in base64 (at each of the three offsets), in hex and escaped for JSON; letters beyond ASCII
    in both ways that Unicode composes them and in capitals; phone numbers as people write them."""
    found: set[str] = set()
    texts = list(texts)
    for text in texts:
        for form in spellings(text):
            found |= {form, json.dumps(form)[1:-1], json.dumps(form, ensure_ascii=False)[1:-1]}
        for raw in {unicodedata.normalize(form, text).encode() for form in ("NFC", "NFD")} | {text.encode()}:
            found.add(raw.hex())
            for offset in range(3):
                found |= {(plain := _base64(raw, offset)), plain.translate(_IN_ADDRESSES)}
    numbers = {pattern for text in texts if (pattern := phone_pattern(text))}
    return Needles(sorted(one for one in found if len(one) > 4), sorted(numbers))


# Base64 as it stands in addresses (RFC 4648 section 5).
_IN_ADDRESSES = str.maketrans("+/", "-_")


def _base64(raw: bytes, offset: int) -> str:
    """The part of the base64 text that is the same whatever stands before and behind."""
    encoded = base64.b64encode(b"\0" * offset + raw).decode()
    first = (0, 2, 3)[offset]
    last = len(encoded) - {0: 0, 1: 3, 2: 2}[(offset + len(raw)) % 3]
    return encoded[first:last].rstrip("=")


def traces_of(subject: Subject, texts: Iterable[str], *, deep: bool = False) -> dict[str, int]:
    """`table.column` -> rows in which one of these texts stands, outside rows kept blocked under the person's mark.

    Reads every table once; with `deep` sealed texts are opened and searched as well, but for contact data.
    """
    needles = needles_of(texts)
    if not needles:
        return {}
    found: dict[str, int] = {}
    for model in _models():
        found |= _in_table(model, subject, needles)
        if deep:
            found |= _in_sealed(model, subject, needles, [one for one in _sealed(model) if not _is_contact(one)])
    return found


def rows_with(text: str) -> dict[str, int]:
    """`table.column` -> rows of any table in which the text stands unsealed, in one of its forms; blocked ones, too."""
    needles = needles_of([text])
    found: dict[str, int] = {}
    for model in _models() if needles else ():
        found |= _in_columns(model, needles)
    return found


def shared_contacts(subject: Subject, texts: Iterable[str]) -> dict[str, int]:
    """`table.column` -> rows of others with the same e-mail or phone: a family shares them, and each owns them."""
    needles = needles_of(texts)
    found: dict[str, int] = {}
    for model in _models() if needles else ():
        found |= _in_sealed(model, subject, needles, [one for one in _sealed(model) if _is_contact(one)])
    return found


def _models() -> list[Any]:
    models_ = apps.get_models(include_auto_created=True)
    return [model for model in models_ if model._meta.managed and not model._meta.proxy]


def _sealed(model: Any) -> list[SealedField]:
    return [field for field in model._meta.local_concrete_fields if isinstance(field, SealedField)]


def _is_contact(field: SealedField) -> bool:
    """Whether it is how somebody else is reached, and thereby their own; history counts as its table."""
    return (history_base(field.model) or field.model) in (ContactPoint, ContactPerson)


def _in_table(model: Any, subject: Subject, needles: Needles) -> dict[str, int]:
    return _in_columns(model, needles, *_not_blocked(model, subject))


def _in_columns(
    model: Any, needles: Needles, joins: str = "", where: str = "", params: Sequence[Any] = ()
) -> dict[str, int]:
    columns = [field.column for field in model._meta.local_concrete_fields if _is_text(field)]
    if not columns:
        return {}
    asked = [needles.condition(f'r."{column}"::text') for column in columns]
    counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition, _params in asked)
    either = " OR ".join(condition for condition, _params in asked)
    statement = f'SELECT {counts} FROM "{model._meta.db_table}" r {joins} WHERE ({either}){where}'  # noqa: S608
    values = [value for _condition, own in asked for value in own]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, *values, *params])
        row = cursor.fetchone()
    return {f"{model._meta.db_table}.{column}": count for column, count in zip(columns, row, strict=True) if count}


def _in_sealed(model: Any, subject: Subject, needles: Needles, fields: list[SealedField]) -> dict[str, int]:
    if not fields:
        return {}
    found: dict[str, int] = {}
    for row in _pages(model, subject, [field.name for field in fields]):
        for field, value in zip(fields, row, strict=True):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
            if needles.stand_in(text):
                name = f"{model._meta.db_table}.{field.column}"
                found[name] = found.get(name, 0) + 1
    return found


def _pages(model: Any, subject: Subject, names: list[str]) -> Iterator[list[Any]]:
    """The sealed values of every row, a page at a time along the key."""
    rows = model._base_manager.order_by("pk")
    if path := _mark_path(model):
        rows = rows.exclude(**{path: subject.subject_ref})
    last = None
    while True:
        page = list((rows.filter(pk__gt=last) if last is not None else rows).values_list("pk", *names)[:PAGE])
        if not page:
            return
        last = page[-1][0]
        yield from (list(values) for _pk, *values in page)


def _not_blocked(model: Any, subject: Subject) -> tuple[str, str, list[Any]]:
    """Joins and condition that leave out what a rule keeps blocked under the person's mark, children included."""
    path = _mark_path(model)
    if not path:
        return "", "", []
    joins = Joins(model)
    column = joins.column(path)
    return joins.sql, f" AND {column} IS DISTINCT FROM %s", [subject.subject_ref]


def _mark_path(model: Any) -> str | None:
    """The way from a row to the mark it, or the row it hangs on, is blocked under."""
    table = tables().get(model._meta.label)
    steps: list[str] = []
    while table is not None:
        if table.declaration.subject_ref:
            return "__".join([*steps, table.declaration.subject_ref])
        if table.parent is None:
            return None
        steps.append(str(table.declaration.parent))
        table = tables().get(table.parent._meta.label)
    return None


def _is_text(field: Any) -> bool:
    if isinstance(field, SealedField):
        return False
    return isinstance(field, models.CharField | models.TextField | models.JSONField) or bool(
        getattr(field, "base_field", None)
    )


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
