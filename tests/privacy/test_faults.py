"""Faults with real processes: a kill at every step of an erasure, two at once, a run killed and taken over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import date
from time import monotonic, sleep
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from customers.models import Customer, Summary, Tombstone
from datamap import journal
from datamap.diagnosis import Options, diagnose
from orders.models import Document, Order
from privacy.erasing import STEPS, ask_erasure, cancel_erasure
from privacy.models import DeletionLog, Erasure, RetentionRun
from privacy.purging import plan_run, report_of, work
from privacy.tasks import work_on_erasure, work_on_run
from tests.privacy.making import make_contact, make_order, make_paper, make_person

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 90
KILLED = 9


def start(*arguments: str, **more: str) -> subprocess.Popen[str]:
    """A command as a process of its own, on this test's database, keys and journal."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.privacy.process_settings",
        "PROCESS_DATABASE": connection.settings_dict["NAME"],
        "PROCESS_SEALED_ROOT": str(settings.SEALED_ROOT),
        "JOURNAL_URL": settings.JOURNAL_URL,
        "DEBUG": "1",
        **more,
    }
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, error = process.communicate(timeout=PATIENCE)
    return process.returncode, out, error


def somebody(number: str = "4711") -> Customer:
    customer = make_person(number)
    order = make_order(customer, "2024-05-20")
    make_paper(order, "invoice", "2024-06-01")
    make_contact(customer, "2026-01-10")
    return customer


PROMISES = ("erased", "mails_once", "sealed_values", "files", "journal", "quarantine")


def promises_hold() -> None:
    """The invariants that `doctor` asks for, all sealed values and files among them."""
    found = dict(diagnose(Options(deep=True)))
    assert {name: found[name].detail for name in PROMISES if not found[name].ok} == {}


@pytest.mark.parametrize("step", list(STEPS))
def test_an_erasure_killed_after_any_step_is_ended_by_the_next_process(step: str) -> None:
    somebody()
    before = journal.position()
    code, _out, error = ended(start("erase_person", "4711", "--json", CRASH_AT=step))
    assert code == KILLED, error
    # The lease of the dead process runs out.
    Erasure.objects.update(lease_until="2026-01-01T00:00:00Z")
    code, out, error = ended(start("erase_person", "4711", "--json"))
    assert code == 0, error
    told = json.loads(out)
    assert told["complete"]
    erasure = Erasure.objects.get()
    assert str(erasure.receipt) == told["receipt"] and erasure.state == Erasure.State.DONE
    assert set(erasure.steps.filter(state="done").values_list("key", flat=True)) >= set(STEPS)
    assert not Customer.objects.exists()
    assert {entry.kind for entry in journal.entries(before)} >= {"erasure", "tombstone", "suppression"}
    assert sum(entry.kind == "erasure" for entry in journal.entries(before)) == 1
    assert Document.archive.get().subject_ref == erasure.subject_ref
    assert Order.objects.get().customer_id is None
    promises_hold()


def test_two_erasures_of_one_person_at_once_have_one_winner_and_one_receipt() -> None:
    somebody()
    both = [start("erase_person", "4711", "--json") for _ in range(2)]
    results = [ended(process) for process in both]
    assert {code for code, _out, _error in results} == {0}, results
    receipts = {json.loads(out)["receipt"] for _code, out, _error in results}
    assert len(receipts) == 1
    assert Erasure.objects.count() == 1
    assert Erasure.objects.get().steps.filter(key="rows").count() == 1
    assert len(set(Tombstone.objects.values_list("subject_ref", flat=True))) == 1
    promises_hold()


def test_asked_again_the_command_prints_the_receipt_of_the_first_time() -> None:
    somebody()
    first = json.loads(ended(start("erase_person", "4711", "--json"))[1])
    again = json.loads(ended(start("erase_person", "4711", "--json"))[1])
    assert again == first
    code, _out, error = ended(start("erase_person", "4712", "--json"))
    assert code == 2 and "Nummer" in error


def test_a_retention_run_killed_in_the_middle_is_ended_by_another_worker() -> None:
    for number in range(30):
        make_person(str(number), last_activity="2023-01-01")
    run = plan_run(date(2026, 11, 24))
    ids = list(Customer.objects.order_by("pk").values_list("pk", flat=True))
    run.batches.filter(category="ACCOUNT").delete()
    for pk in ids:  # many small batches, so that the kill falls between two of them
        run.batches.create(category="ACCOUNT", model="customers.Customer", ids=[str(pk)])
    code = f"import django; django.setup(); from privacy.purging import work; work('{run.pk}')"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.privacy.process_settings",
        "PROCESS_DATABASE": connection.settings_dict["NAME"],
        "JOURNAL_URL": settings.JOURNAL_URL,
    }
    worker = subprocess.Popen([sys.executable, "-c", code], cwd=settings.BASE_DIR, env=environment)
    deadline = monotonic() + PATIENCE
    while Customer.objects.count() == len(ids):
        assert worker.poll() is None and monotonic() < deadline
        sleep(0.01)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    left = Customer.objects.count()
    assert left < len(ids)
    work(run.pk)
    told: dict[str, Any] = report_of(run).as_dict()
    assert told["complete"] and told["categories"]["ACCOUNT"]["deleted"] == len(ids)
    assert not Customer.objects.exists()
    erased = DeletionLog.objects.filter(run=run, model="customers.Customer")
    assert sorted(pk for entry in erased for pk in entry.ids) == sorted(map(str, ids))
    promises_hold()


def test_a_run_done_twice_deletes_nothing_more() -> None:
    make_person("1", last_activity="2023-01-01")
    run = plan_run(date(2026, 11, 24))
    work(run.pk)
    before = report_of(run).as_dict()
    assert work(run.pk) == 0
    assert report_of(run).as_dict() == before
    assert RetentionRun.objects.get(pk=run.pk).state == RetentionRun.State.DONE


def test_a_task_that_comes_hours_late_and_twice_asks_the_rule_again() -> None:
    """Fault 14: whoever was active meanwhile is not due any more."""
    back, gone = (make_person(number, last_activity="2023-01-01") for number in ("1", "2"))
    run = plan_run(date(2026, 11, 24), only="ACCOUNT")
    assert report_of(run).categories["ACCOUNT"]["due"] == 2
    Summary.objects.filter(customer=back).update(last_activity="2026-11-24T02:00:00+01:00")
    for _delivery in range(2):
        work_on_run(str(run.pk))
    assert list(Customer.objects.values_list("pk", flat=True)) == [back.pk]
    assert back.contact_points.count() == 2
    told = report_of(run)
    assert told.complete
    assert (told.categories["ACCOUNT"]["deleted"], told.categories["ACCOUNT"]["failed"]) == (1, 0)
    assert DeletionLog.objects.get(run=run, model="customers.Customer").ids == [str(gone.pk)]
    promises_hold()


def test_an_erasure_whose_task_comes_twice_is_done_once() -> None:
    erasure = ask_erasure(somebody())
    before = journal.position()
    work_on_erasure(erasure.pk)
    done = list(DeletionLog.objects.order_by("pk").values_list("pk", "model", "count"))
    work_on_erasure(erasure.pk)
    assert list(DeletionLog.objects.order_by("pk").values_list("pk", "model", "count")) == done
    assert set(erasure.steps.values_list("attempts", flat=True)) == {1}
    assert sum(entry.kind == "erasure" for entry in journal.entries(before)) == 1
    promises_hold()


def test_an_erasure_cancelled_before_its_late_task_comes_is_not_run() -> None:
    erasure = ask_erasure(somebody())
    cancel_erasure(erasure)
    work_on_erasure(erasure.pk)
    assert Customer.objects.count() == 1 and not Tombstone.objects.exists()
