"""After an erasure nothing of the person is left but what a rule keeps blocked: found by reading, not by trusting.

Every declared field of every row about the person gets a word that stands nowhere else; after the run the word is
looked for in every column of every table (sealed ones opened), in the history, the files, the logs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.test import Client

from customers.models import Customer
from datamap.declarations import Number, history_base
from privacy.compiling import tables
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Erasure
from staff.models import Role, User
from tests.shop import open_shop
from vault import fields as sealing

pytestmark = pytest.mark.django_db

WORD = "Kanarienvogelspur"
# What the trigger lets nobody change: the shop's own words, the tax, and the number of the order.
STANDS = {("orders.Document", name) for name in ("seller", "rates", "order_number")}
# A consent is about an endpoint where its channel has one, and only there.
WHERE_SET = {("consents.Record", "endpoint"), ("consents.State", "endpoint")}
SEALED_TEXT = sealing.SealedTextField
SEALED_JSON = sealing.SealedJSONField


def rows_about(model: Any, path_or_number: Any, customer: Customer) -> models.QuerySet[Any]:
    base = models.QuerySet(model)
    if isinstance(path_or_number, Number):
        return base.filter(**{path_or_number.column: customer.number})
    key = "id" if path_or_number == "pk" and history_base(model) else path_or_number
    return base.filter(**{key: customer.pk})


def plant(customer: Customer) -> int:
    """Write the word into every text of every declared group about this person, live and history; how many columns."""
    planted = 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL obhut.erasing = 'on'")  # papers stand; here they are made anew
        for table in tables().values():
            for strand in table.strands:
                ways = [strand.number] if strand.number else list(strand.group.subject_paths)
                for way in ways:
                    for model in (table.model, *([table.history] if table.history and "__" not in str(way) else [])):
                        planted += _plant_in(model, _telling(strand), rows_about(model, way, customer))
    return planted


def _telling(strand: Any) -> list[str]:
    """Its fields; of rows that stay as figures those that the declaration calls telling: an article is a figure."""
    return list(strand.anonymized()) or strand.fields


def _plant_in(model: Any, names: list[str], rows: models.QuerySet[Any]) -> int:
    own = {field.name: field for field in model._meta.concrete_fields}
    ids = list(rows.values_list("pk", flat=True))
    planted = 0
    for name in names:
        field = own.get(name)
        if (
            field is None
            or not ids
            or (model._meta.label, name) in STANDS
            or field.unique
            or field.choices
            or field.generated
            or field.is_relation
        ):
            continue
        if isinstance(field, SEALED_TEXT):
            value: Any = field.seal(WORD)
        elif isinstance(field, SEALED_JSON):
            value = field.seal({"name": WORD})
        elif isinstance(field, models.JSONField):
            value = json.dumps([{"name": WORD}])
        elif isinstance(field, models.TextField | models.CharField) and (field.max_length or 99) > len(WORD) + 6:
            if name in ("number", "customer_number"):
                continue  # the way rows are found by
            value = WORD  # with the key behind it, for columns that are unique with others
        else:
            continue
        key = f" || '-' || \"{model._meta.pk.column}\"::text" if value == WORD else ""
        only = f' AND "{field.column}" IS NOT NULL' if (model._meta.label, name) in WHERE_SET else ""
        with connection.cursor() as cursor:
            cursor.execute(
                f'UPDATE "{model._meta.db_table}" SET "{field.column}" = %s{key} '
                f'WHERE "{model._meta.pk.column}" = ANY(%s){only}',
                [value, ids],
            )
        planted += 1
    return planted


def places(allowed_ref: Any) -> set[str]:
    """`table.column` of every value that still holds the word, outside rows blocked under this mark."""
    found = set()
    for model in apps.get_models(include_auto_created=True):
        table = tables().get(model._meta.label)
        mark = table.declaration.subject_ref if table else None
        names = [f.name for f in model._meta.local_concrete_fields]
        for row in model._base_manager.values(*names).iterator(chunk_size=500):
            if mark and row[mark] == allowed_ref:
                continue
            if table and table.parent and _parent_is_blocked(table, row, allowed_ref):
                continue
            for name, value in row.items():
                if WORD in str(value) or WORD.lower() in str(value).lower():
                    found.add(f"{model._meta.db_table}.{name}")
    return found


def _parent_is_blocked(table: Any, row: dict[str, Any], ref: Any) -> bool:
    parent = tables()[table.parent._meta.label]
    mark = parent.declaration.subject_ref
    if not mark:
        return False
    return parent.model._base_manager.filter(pk=row[table.declaration.parent], **{mark: ref}).exists()


def test_a_word_in_every_declared_field_is_found_afterwards_only_in_blocked_rows(client: Client, db: None) -> None:
    user = User.objects.create_user("alle@obhut.example", name="Alle", roles=list(Role.NAMES))
    open_shop(client, user, customers=40)
    customer = Customer.objects.filter(orders__documents__isnull=False, interactions__isnull=False).order_by("pk")[0]
    assert plant(customer) > 40
    assert "customers_customer.last_name" in places(None)

    erasure = run_erasure(ask_erasure(customer, user=user).pk)
    while erasure.holds:  # the shop of the tests left orders and complaints open: they end first
        _end_cases(customer)
        erasure = run_erasure(erasure.pk)

    assert erasure.state == Erasure.State.DONE, erasure.hints
    assert places(erasure.subject_ref) == set()
    for root in (settings.SEALED_ROOT, settings.MEDIA_ROOT):
        for path in Path(root).rglob("*"):
            assert not path.is_file() or WORD.encode() not in path.read_bytes(), path
    assert WORD not in json.dumps(erasure.items) + json.dumps(erasure.hints)


def _end_cases(customer: Customer) -> None:
    done = "2020-01-01T10:00:00+01:00"
    customer.orders.update(status="completed", payment="paid", paid_at=done, delivered_at=done, placed_at=done)
    customer.returns.update(state="refunded", refunded_at=done)
    customer.complaints.update(closed_at=done, state="settled")
    customer.privacy_requests.update(closed_at=done, state="closed")
    customer.restrictions.update(lifted_at=done)
    customer.holds.update(released_at=done)
