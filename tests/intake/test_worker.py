"""A real Celery worker on the real broker, killed in the middle of an import; and two that want the same one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from config.celery import app as celery_app
from customers.models import Customer
from intake.models import Batch
from intake.running import LEASE, NOTES, claim, work_on
from tests.intake.conftest import MAPPING, customers_csv
from tests.intake.importing import import_file, write_csv

ROWS = 30_000
PATIENCE = 120


def stored_batch(text: str, **more: object) -> Batch:
    batch = Batch(kind="customers", profile="plain", mapping=MAPPING, state=Batch.State.QUEUED, **more)
    batch.header = text.splitlines()[0].split(",")
    batch.file.save("file", ContentFile(text.encode()), save=False)
    batch.save()
    return batch


@contextmanager
def worker(queue: str, log: Path, sealed_root: Path) -> Iterator[subprocess.Popen]:
    """A worker process of its own, on this test's database, keys and files."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.intake.worker_settings",
        "WORKER_DATABASE": connection.settings_dict["NAME"],
        "WORKER_SEALED_ROOT": str(sealed_root),
        "DEBUG": "1",
    }
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-Q", queue, "-c", "1", "-P", "solo"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, "--without-gossip", "--without-mingle", "-l", "WARNING"],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(condition: Callable[[], bool], process: subprocess.Popen, log: Path) -> None:
    """Ask the database until it says so; PostgreSQL itself does the waiting between two looks."""
    deadline = monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, log.read_text()[-3000:]
        assert monotonic() < deadline, log.read_text()[-3000:]
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.02)")


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_mid_import_is_followed_by_one_that_ends_it_without_duplicates(
    tmp_path: Path, sealed_root: Path
) -> None:
    queue, log = f"test-intake-{uuid.uuid4().hex}", tmp_path / "worker.log"
    batch = stored_batch(customers_csv(ROWS))

    def position() -> int:
        return Batch.objects.values_list("position", flat=True).get(pk=batch.pk)

    with worker(queue, log, sealed_root) as process:
        celery_app.send_task("intake.tasks.work_on_batch", [str(batch.pk)], queue=queue)
        wait_for(lambda: position() > 0, process, log)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    batch.refresh_from_db()
    assert batch.state == Batch.State.RUNNING
    assert 0 < batch.position < ROWS
    # What is committed is exactly what `position` says.
    assert Customer.objects.count() == batch.position
    # The dead worker's lease has run out; the sweep finds the batch and wakes another worker.
    assert work_on(batch.pk) is None
    Batch.objects.update(lease_until=timezone.now())
    assert batch in Batch.objects.resumable()
    with worker(queue, log, sealed_root) as process:
        celery_app.send_task("intake.tasks.work_on_batch", [str(batch.pk)], queue=queue)
        wait_for(lambda: Batch.objects.get(pk=batch.pk).state == Batch.State.DONE, process, log)
    with celery_app.connection_or_acquire() as broker:
        broker.default_channel.queue_delete(queue)
    batch.refresh_from_db()
    assert (batch.position, batch.counts["created"], batch.counts["rows"]) == (ROWS, ROWS, ROWS)
    assert Customer.objects.count() == ROWS
    assert Customer.objects.values("external_ids__value").distinct().count() == ROWS


@pytest.mark.django_db
def test_one_lease_at_a_time() -> None:
    batch = stored_batch(customers_csv(1))
    assert claim(batch.pk) is not None
    assert claim(batch.pk) is None
    Batch.objects.update(lease_until=timezone.now() - LEASE)
    assert claim(batch.pk) is not None


@pytest.mark.django_db
def test_a_task_delivered_twice_does_nothing_the_second_time() -> None:
    batch = stored_batch(customers_csv(3))
    assert work_on(batch.pk) is not None
    assert work_on(batch.pk) is None
    assert Customer.objects.count() == 3
    batch.refresh_from_db()
    assert batch.counts["created"] == 3


@pytest.mark.django_db
def test_a_file_that_is_gone_stops_the_batch_with_a_sentence() -> None:
    batch = stored_batch(customers_csv(3))
    batch.discard_files()
    stopped = work_on(batch.pk)
    assert stopped is not None
    assert (stopped.state, bool(stopped.failure)) == (Batch.State.FAILED, True)


@pytest.mark.django_db
def test_a_file_that_lies_on_another_machine_stops_the_batch_with_its_own_sentence(sealed_root: Path) -> None:
    batch = stored_batch(customers_csv(3))
    sealed_root.rename(sealed_root.with_name("elsewhere"))
    stopped = work_on(batch.pk)
    assert stopped is not None
    assert stopped.state == Batch.State.FAILED
    assert "SEALED_ROOT" in stopped.failure
    # Once the folder is shared, the same batch can go on.
    assert stopped.may_start


def temporary_tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_run_leaves_no_temporary_table_in_the_connection(tmp_path: Path, *, dry_run: bool) -> None:
    orders = write_csv(tmp_path, "Nr,Datum,Mail\n1,2026-01-01,a@example.com\n", "orders.csv")
    lines = write_csv(tmp_path, "Bestellung,Art,Preis\n1,a,5.00\n", "lines.csv")
    mapping = tmp_path / "mapping.json"
    columns = {"external_id": "Nr", "placed_at": "Datum", "email": "Mail"}
    columns_of_lines = {"order_external_id": "Bestellung", "sku": "Art", "unit_price": "Preis"}
    mapping.write_text(json.dumps(columns | {"lines": columns_of_lines}))
    assert import_file("orders", orders, lines=str(lines), mapping=mapping, dry_run=dry_run)["created"] == 1
    # What PostgreSQL itself drops at the end of a transaction is not meant: a test is one.
    assert not temporary_tables() & set(NOTES)
    import_file("customers", write_csv(tmp_path, "Nr,Ort\n1,Köln\n"), mapping=plain(tmp_path), dry_run=dry_run)
    assert not temporary_tables() & set(NOTES)


def plain(folder: Path) -> Path:
    path = folder / "plain.json"
    path.write_text(json.dumps({"external_id": "Nr", "city": "Ort"}))
    return path
