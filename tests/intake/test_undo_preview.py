"""What the page of an undo says before it is done: exact where that is quick, counted elsewhere, waiting for nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.intake import LOCK
from customers.models import Customer
from intake import undoing
from intake.models import Batch
from intake.undoing import preview_undo
from orders.models import Order
from tests.intake.conftest import MAPPING, customers_csv
from tests.intake.importing import import_file, undo_import, write_csv

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customers_batch(tmp_path: Path) -> Batch:
    """Two known customers, one of them moved, and three new ones."""
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps(MAPPING))
    import_file("customers", write_csv(tmp_path, customers_csv(2)), mapping=mapping)
    later = customers_csv(5).replace("Weg 2,50667,Köln", "Weg 2,10115,Berlin")
    found = import_file("customers", write_csv(tmp_path, later), mapping=mapping)
    assert (found["created"], found["updated"]) == (3, 1)
    return Batch.objects.get(pk=found["batch"])


@pytest.fixture
def orders_batch(tmp_path: Path) -> Batch:
    """One known order that costs more now, and two new ones."""
    mapping = tmp_path / "orders.json"
    mapping.write_text(
        json.dumps({"external_id": "Nr", "placed_at": "Datum", "total": "Summe", "customer_external_id": "Kunde"})
    )
    head = "Nr,Datum,Summe,Kunde\n"
    import_file("orders", write_csv(tmp_path, f"{head}1,2026-01-01,5.00,K1\n"), mapping=mapping)
    rows = "1,2026-01-01,7.00,K1\n2,2026-01-02,5.00,K1\n3,2026-01-02,5.00,K2\n"
    found = import_file("orders", write_csv(tmp_path, head + rows), mapping=mapping)
    assert (found["created"], found["updated"]) == (2, 1)
    return Batch.objects.get(pk=found["batch"])


@pytest.mark.parametrize(("which", "expected"), [("customers_batch", (3, 1)), ("orders_batch", (2, 1))])
def test_counting_says_the_same_as_trying(
    which: str, expected: tuple[int, int], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = request.getfixturevalue(which)
    tried = preview_undo(batch)
    assert (tried["removed"], tried["restored"], tried["exact"]) == (*expected, True)
    monkeypatch.setattr(undoing, "TRIED", 0)
    with CaptureQueriesContext(connection) as asked:
        counted = preview_undo(batch)
    assert (counted["removed"], counted["restored"], counted["exact"]) == (*expected, False)
    statements = [query["sql"] for query in asked]
    assert all(sql.startswith("SELECT") for sql in statements)
    assert not [sql for sql in statements if "FOR UPDATE" in sql or "pg_advisory" in sql]


@contextmanager
def somebody_importing() -> Iterator[None]:
    """Another connection holds what every import of customers holds while it writes."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        yield
    finally:
        other.close()


def test_a_look_at_an_undo_waits_for_no_import_and_changes_nothing(customers_batch: Batch) -> None:
    before = Customer.objects.count()
    with somebody_importing():
        found = preview_undo(customers_batch)
    assert (found["removed"], found["restored"], found["exact"]) == (3, 1, False)
    assert Customer.objects.count() == before


def test_an_undo_locks_the_customers_before_the_orders_as_imports_do(orders_batch: Batch) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert undo_import(str(orders_batch.pk))["removed"] == 2
    statements = [query["sql"] for query in asked]
    mark = f"pg_advisory_xact_lock({LOCK})"
    customers = next(place for place, sql in enumerate(statements) if mark in sql)
    orders = next(place for place, sql in enumerate(statements) if "orders_order" in sql)
    assert customers < orders
    assert Order.objects.get().total == 5
