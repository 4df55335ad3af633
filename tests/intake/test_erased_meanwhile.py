"""Imports, and undos of them, beside the erasure of somebody they name: both come through, and nobody comes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from customers.models import Customer, ExternalId, HeldIntake, Summary
from datamap.diagnosis import Options
from intake.models import Batch
from orders.models import Order
from orders.totals import differing_totals
from privacy import clearing, ending, erasing
from privacy.erasing import ask_erasure, run_erasure
from privacy.invariants import check_erased
from privacy.models import Erasure
from privacy.purging import plan_run, work
from tests.intake.importing import import_file, undo_import, write_csv
from tests.privacy.beside import closing, somebody_waits, wait_for
from tests.privacy.making import at, make_person

pytestmark = pytest.mark.django_db(transaction=True)

CUSTOMERS = "Nr,Name,Mail,Ort\n7,Kanarienvogel,alma4711@laden.example,Kiel\n8,Zweig,zweig@laden.example,Bremen\n"
ORDERS = (
    "Bestellung,Kunde,Datum,Summe,Bezahlt,Geliefert\n"
    "1001,7,2022-03-01,10,2022-03-01,2022-03-03\n"
    "1002,8,2022-03-02,20,2022-03-02,2022-03-04\n"
)
OF_CUSTOMERS = {"external_id": "Nr", "last_name": "Name", "email": "Mail", "city": "Ort"}
OF_ORDERS = {
    "external_id": "Bestellung",
    "customer_external_id": "Kunde",
    "placed_at": "Datum",
    "total": "Summe",
    "paid_at": "Bezahlt",
    "delivered_at": "Geliefert",
}


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as workers:
        yield workers


@pytest.fixture
def alma(transactional_db: None) -> Customer:
    customer = make_person()
    ExternalId.objects.create(customer=customer, platform="plain", value="7")
    return customer


def _mapping(folder: Path, targets: dict[str, str]) -> Path:
    path = folder / f"{len(targets)}{'-'.join(targets)[:10]}.json"
    path.write_text(json.dumps(targets))
    return path


def _while_rows_go(story: Callable[[], Any], end: Callable[[], Any], pool: ThreadPoolExecutor, monkeypatch: Any) -> Any:
    """What a story answers that begins when the rows of somebody are gone and nobody else can know it yet."""
    begun: list[Future[Any]] = []
    clear = clearing.clear

    def clear_with_an_import(*given: Any) -> Any:
        done = clear(*given)
        if not begun:
            begun.append(pool.submit(closing(story)))
            wait_for(lambda: somebody_waits() or begun[0].done())
        return done

    for where in (erasing, ending):
        monkeypatch.setattr(where, "clear", clear_with_an_import)
    end()
    return begun[0].result(timeout=60)


@pytest.mark.parametrize("by", ["erasure", "night"])
@pytest.mark.parametrize("kind", ["customers", "orders"])
def test_an_import_that_meets_somebody_whose_rows_go_comes_through(kind, by, alma, pool, monkeypatch, tmp_path) -> None:
    """The row of whoever is gone is held, as one that came a moment later; all others come in (design.md 5)."""
    file = write_csv(tmp_path, CUSTOMERS if kind == "customers" else ORDERS)
    mapping = _mapping(tmp_path, OF_CUSTOMERS if kind == "customers" else OF_ORDERS)
    if kind == "orders":
        ExternalId.objects.create(customer=make_person("4712"), platform="plain", value="8")
    asked = None
    if by == "erasure":
        asked = ask_erasure(alma)
    else:
        Summary.objects.filter(customer=alma).update(last_activity=at("2020-01-01"))
    told = _while_rows_go(
        lambda: import_file(kind, file, mapping=mapping),
        lambda: run_erasure(asked.pk, now=True) if asked else work(plan_run(date.today()).pk),
        pool,
        monkeypatch,
    )
    assert (told["rows"], told["created"], told["held"], told["error_count"]) == (2, 1, 1, 0)
    assert Batch.objects.get().state == "done"
    assert [one.state for one in Erasure.objects.all()] == (["done"] if asked else [])
    assert HeldIntake.objects.get().reason == "tombstone"
    assert not Customer.objects.filter(number="4711").exists()
    assert differing_totals() == 0
    assert check_erased(Options()).ok


@pytest.mark.parametrize("kind", ["customers", "orders"])
def test_an_undo_that_meets_somebody_whose_rows_go_comes_through(kind, alma, pool, monkeypatch, tmp_path) -> None:
    if kind == "orders":
        ExternalId.objects.create(customer=make_person("4712"), platform="plain", value="8")
    file = write_csv(tmp_path, CUSTOMERS if kind == "customers" else ORDERS)
    told = import_file(kind, file, mapping=_mapping(tmp_path, OF_CUSTOMERS if kind == "customers" else OF_ORDERS))
    asked = ask_erasure(Customer.objects.get(pk=alma.pk))
    back = _while_rows_go(
        lambda: undo_import(told["batch"]), lambda: run_erasure(asked.pk, now=True), pool, monkeypatch
    )
    assert (back["left"], back["removed"]) == ([], 1)
    assert Batch.objects.get().state == "undone"
    assert Erasure.objects.get().state == "done", Erasure.objects.get().hints
    assert not Customer.objects.filter(number="4711").exists()
    # What was too old to name anybody stays as a figure about nobody.
    assert not Order.objects.filter(customer__isnull=False).exists()
    assert differing_totals() == 0
    assert check_erased(Options()).ok
