"""After an undo every table is as it was before the import, and a dry run says what the import does: random files."""

from __future__ import annotations

import random
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection

from customers.intake import write_customers
from customers.models import Origin
from customers.rows import AddressRow, CustomerRow, OptInRow, Outcome, Source
from customers.undoing import undo_customers
from orders.intake import write_orders
from orders.rows import LineRow, OrderRow, SnapshotRow
from orders.totals import differing_totals
from orders.undoing import undo_orders

pytestmark = pytest.mark.django_db

# Numbers once given stay given; words of the dictionary are counted down after the transaction and by night.
APART = {"customers.Origin", "customers.NumberRange", "customers.SearchWord"}
# Rows that are written anew have another id; a version and what a source said last only ever go on.
UNCOMPARED = {"version", "source_digest"}
NEW_IDS = {"orders.OrderLine", "orders.CustomerTotal"}


def house() -> dict[str, list[str]]:
    """Every row of customers, consents and orders."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        label = model._meta.label
        if model._meta.app_label not in ("customers", "consents", "orders") or label in APART:
            continue
        if label == "orders.HistoricalOrder":
            continue  # that an import came and went stays in the history of an order
        left_out = UNCOMPARED | ({"id"} if label in NEW_IDS else set())
        columns = ", ".join(str(f.column) for f in model._meta.concrete_fields if f.name not in left_out)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT md5(t::text), t::text FROM (SELECT {columns} FROM {model._meta.db_table}) t")
            found[label] = sorted(text for _mark, text in cursor.fetchall())
    return found


def source() -> Source:
    batch = uuid4()
    return Source(batch, "p", Origin.objects.create(kind="file", platform="p", batch=batch).pk)


def people(dice: random.Random) -> list[CustomerRow]:
    def day(month: int) -> datetime | None:
        return dice.choice([None, datetime(2025, month, dice.randint(1, 9), tzinfo=UTC)])

    return [
        CustomerRow(
            line=line,
            external_id=dice.choice(["", *"12345678"]),
            email=dice.choice(["", "kaputt", *(f"p{n}@x.example" for n in range(8))]),
            status=dice.choice(["account", "account", "guest", "prospect"]),
            first_name=dice.choice(["", "Anna", "Jürgen"]),
            last_name=dice.choice(["", "Müller", "Groß"]),
            company=dice.choice(["", "", "ACME"]),
            phone=dice.choice(["", "030 1234567", "quatsch"]),
            birthday=dice.choice(["", "1.2.1980"]),
            tags=tuple(dice.sample("abc", dice.randint(0, 2))),
            note=dice.choice(["", "hallo", "welt"]),
            registered_at=day(1),
            last_activity=day(6),
            addresses=[
                AddressRow(
                    kind=dice.choice(["billing", "shipping", "other", "main"]),
                    street=f"Weg {dice.randint(1, 3)}",
                    postcode=dice.choice(["01067", "1010", ""]),
                    city=dice.choice(["Köln", "Wien"]),
                    country=dice.choice(["", "DE", "AT"]),
                )
                for _n in range(dice.randint(0, 2))
            ],
            opt_ins=tuple(
                OptInRow(dice.choice(["email", "sms"]), dice.choice(["yes", "no", "pending"]))
                for _n in range(dice.randint(0, 1))
            ),
        )
        for line in range(2, dice.randint(3, 12))
    ]


def purchases(dice: random.Random) -> list[OrderRow]:
    anna, ida = (SnapshotRow(name=name, street="Weg 1", city="Köln") for name in ("Anna Groß", "Ida Klein"))
    return [
        OrderRow(
            line=n + 1,
            external_id=dice.choice([str(n), f"#{n}"]),
            number=f"#{n}",
            customer_external_id=dice.choice(["", "1", "2", "3"]),
            guest=dice.random() < 0.2,
            email=dice.choice(["", "p1@x.example", "p2@x.example"]),
            unknown_customer=dice.choice(["guest", "prospect"]),
            status=dice.choice(["", "open", "shipped", "cancelled", "returned"]),
            placed_at=datetime(2026, 1, n, tzinfo=UTC),
            paid_at=dice.choice([None, datetime(2026, 2, n, tzinfo=UTC)]),
            currency=dice.choice(["", "EUR", "CHF"]),
            total=Decimal(dice.randint(1, 99)),
            refunded=dice.choice([None, Decimal(1)]),
            billing=dice.choice([SnapshotRow(), deepcopy(anna)]),
            shipping=dice.choice([SnapshotRow(), deepcopy(ida)]),
            note=dice.choice(["", "n"]),
            lines=[LineRow(sku=dice.choice("abc"), unit_price=Decimal(3))] * dice.randint(0, 2),
        )
        for n in dice.sample(range(1, 13), dice.randint(1, 8))
    ]


def counts(outcome: Outcome) -> tuple[int, ...]:
    return outcome.created, outcome.updated, outcome.unchanged, outcome.held, outcome.customers_created


def brought(rows: list[CustomerRow] | list[OrderRow]) -> Source:
    """Import them, after a dry run that must say the same."""
    given = source()
    write = write_orders if isinstance(rows[0], OrderRow) else write_customers
    tried = write(deepcopy(rows), Source(uuid4(), "p", None), dry_run=True)  # type: ignore[operator]
    assert counts(tried) == counts(write(rows, given))  # type: ignore[operator]
    assert differing_totals() == 0
    return given


@pytest.mark.parametrize("seed", range(16))
def test_imports_that_are_taken_back_leave_every_table_as_it_was(seed: int) -> None:
    dice = random.Random(seed)
    for make in (people, people, purchases, purchases):
        brought(make(dice))  # type: ignore[operator]
    before = house()
    batches = [brought(dice.choice([people, purchases])(dice)).batch for _n in range(3)]
    for batch in reversed(batches):
        assert [*undo_orders(batch).left, *undo_customers(batch).left] == []
        assert differing_totals() == 0
    assert house() == before
