"""Every declared field of a person is found by nothing but reading the declaration."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models import Q, QuerySet
from django.test import Client

from customers.models import Customer
from datamap.declarations import Group, Number, PersonalData, history_base, registry
from staff.models import Role, User
from tests.shop import open_shop
from vault import fields as sealing

pytestmark = pytest.mark.django_db

# Declared models that a shop in use has no row of, and why.
WITHOUT_ROWS = {"account.EmailConfirmation": "this house proves addresses by invites and sends none of these"}
SEALED = (sealing.SealedTextField, sealing.SealedDateField, sealing.SealedJSONField)
PERSONS: dict[str, type[models.Model]] = {
    "customer": Customer,
    "contact": Customer,
    "recipient": Customer,
    "staff": User,
}
EMPTY: tuple[Any, ...] = (None, "", b"", [], {})
LOOKED_AT = 400


def rows_of(model: type[models.Model], group: Group, person: models.Model) -> QuerySet:
    """What the declaration alone says are this person's rows: no other knowledge of the model is used."""
    if isinstance(group.subject, Number):
        return QuerySet(model).filter(**{group.subject.column: getattr(person, group.subject.of)})
    found, unset = Q(), Q()
    for path in group.subject_paths:
        # A history row has a key of its own and keeps that of its model beside it.
        path = "id" if path == "pk" and history_base(model) else path
        found |= unset & Q(**{path: person.pk})
        unset &= Q(**{f"{path}__isnull": True})
    return QuerySet(model).filter(found)


def person_of(row: models.Model, group: Group) -> models.Model | None:
    """Whom a row is about, by walking from object to object."""
    kind = PERSONS[group.person]
    if isinstance(group.subject, Number):
        value = getattr(row, group.subject.column)
        return QuerySet(kind).filter(**{group.subject.of: value}).first() if value not in EMPTY else None
    for path in group.subject_paths:
        if path == "pk" and history_base(row):
            return QuerySet(kind).filter(pk=row.id).first()
        one: Any = row
        for step in path.split("__"):
            one = one if step == "pk" else getattr(one, step, None)
        if one is not None:
            return one
    return None


def telling(model: type[models.Model], group: Group, name: str) -> tuple[models.Model, models.Model] | None:
    """A row about somebody that has something in this field, and who it is; one that leaves it open if need be."""
    rows = list(QuerySet(model).order_by("-pk")[:LOOKED_AT])
    rows.sort(key=lambda row: getattr(row, name) in EMPTY)
    return next(((row, person) for row in rows if (person := person_of(row, group)) is not None), None)


def attach(model: type[models.Model], group: Group) -> bool:
    """Tie the latest row to somebody where the shop has none that is; no where other rows would have to be made."""
    by_number = isinstance(group.subject, Number)
    column = group.subject.column if by_number else group.subject_paths[0]
    person = QuerySet(PERSONS[group.person]).order_by("pk")[0]
    if "__" in column or column == "pk":
        return False
    value = getattr(person, group.subject.of) if by_number else person.pk
    latest = QuerySet(model).order_by("-pk").values_list("pk", flat=True)[0]
    return bool(QuerySet(model).filter(pk=latest).update(**{column: value}))


def sample(field: models.Field) -> Any:
    """Something that fits the field, for rows that leave it open."""
    if field.is_relation:
        return QuerySet(field.related_model).values_list("pk", flat=True)[0]
    if field.choices:
        return next(value for value, _label in field.flatchoices if value not in EMPTY)
    if isinstance(field, ArrayField):
        return [sample(field.base_field)]
    kinds: list[tuple[tuple[type, ...], Any]] = [
        ((models.JSONField, sealing.SealedJSONField), {"wort": "Ersatz"}),
        ((models.BooleanField,), True),
        ((models.DateTimeField,), datetime(2026, 1, 2, 3, 4, tzinfo=UTC)),
        ((models.DateField, sealing.SealedDateField), date(2026, 1, 2)),
        ((models.DecimalField,), Decimal(7)),
        ((models.IntegerField,), 7),
        ((models.UUIDField,), UUID(int=7)),
        ((models.BinaryField,), b"Ersatz"),
    ]
    return next((value for types, value in kinds if isinstance(field, types)), "Ersatz")


def unread(model: type[models.Model], group: Group) -> list[str]:
    """The fields of this group that its declaration does not lead to, or leads to as ciphertext."""
    columns = {field.name for field in model._meta.concrete_fields}
    # A history table may leave a column out, or alone have one; the model itself has every other.
    added = {f.name for other in apps.get_models() if history_base(other) is model for f in other._meta.concrete_fields}
    names = [name for name in group.fields if name in columns or not history_base(model) and name not in added]
    return [f"{model._meta.label}.{name}: {why}" for name in names if (why := why_unread(model, group, name))]


def why_unread(model: type[models.Model], group: Group, name: str) -> str:
    """Why this field is not found, "" when it is."""
    found = telling(model, group, name) or (attach(model, group) and telling(model, group, name))
    if not found:
        return f"no row of a {group.person}"
    row, person = found
    if not isinstance(person, PERSONS[group.person]):
        return f"{group.subject} leads to {type(person).__name__}"
    if getattr(row, name) in EMPTY:
        field = row._meta.get_field(name)
        QuerySet(model).filter(pk=row.pk).update(**{field.attname: sample(field)})
    read = rows_of(model, group, person).filter(pk=row.pk).first()
    if read is None:
        return f"{group.subject} does not find its row"
    if getattr(read, name) in EMPTY:
        return "nothing read"
    return "" if is_opened(read, name) else "not opened"


def is_opened(row: models.Model, name: str) -> bool:
    """Whether a sealed field answers plain while its column holds nothing of it; true of any other field."""
    field = row._meta.get_field(name)
    if not isinstance(field, SEALED):
        return True
    with connection.cursor() as cursor:
        table, key = row._meta.db_table, row._meta.pk.column
        cursor.execute(f'SELECT "{field.column}" FROM "{table}" WHERE "{key}" = %s', [row.pk])
        stored = bytes(cursor.fetchone()[0])
    value = getattr(row, name)
    return not isinstance(value, (bytes, memoryview)) and str(value).encode() not in stored


def declared_models() -> list[tuple[type[models.Model], type[PersonalData]]]:
    """Every model with a declaration, history tables with that of their model."""
    found = [(model, registry.declaration_for(model)) for model in apps.get_models()]
    return [(model, declaration) for model, declaration in found if declaration]


def test_every_declared_field_is_found_by_reading_its_declaration():
    user = User.objects.create_user("alle@laden.example", name="Alma", roles=list(Role.NAMES))
    open_shop(Client(), user)
    faults = []
    for model, declaration in declared_models():
        if not QuerySet(model).exists():
            if model._meta.label not in WITHOUT_ROWS:
                faults.append(f"{model._meta.label}: no row at all")
            continue
        for group in declaration.groups:
            if group.subject is not None:
                faults += unread(model, group)
    assert "\n".join(faults) == ""


def test_the_list_of_models_without_rows_names_only_declared_ones():
    assert {label for label in WITHOUT_ROWS if registry.declaration_for(label) is None} == set()
