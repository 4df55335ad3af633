"""A database that is older than the journal, or has lost it, is not worked with; a healthy one always is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery.exceptions import Ignore
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from datamap import journal, quarantine
from datamap.keeping import keep
from datamap.models import AccessLog, JournalMark, Quarantine
from datamap.replaying import reapply
from intake.tasks import resume_batches
from staff.models import User
from tests.datamap.test_journal import CRASHED, ROOT, kinds, process, written

pytestmark = pytest.mark.django_db(transaction=True)


class Erased:
    """The persons whom a replay erased, kept in rows: what fails leaves nothing."""

    def __eq__(self, persons: object) -> bool:
        numbers = AccessLog.objects.filter(page="replay").order_by("pk").values_list("customer_number", flat=True)
        return [int(number) for number in numbers] == persons

    def erase(self, payload: journal.Payload) -> str:
        """Finds a person erased the second time."""
        if AccessLog.objects.filter(page="replay", customer_number=payload["person"]).exists():
            return "already"
        if payload["person"] == 666:
            raise ZeroDivisionError
        AccessLog.objects.create(page="replay", customer_number=payload["person"])
        return "replayed"


@pytest.fixture
def erased(monkeypatch: pytest.MonkeyPatch) -> Erased:
    """Whom a replay erases, with a handler for that."""
    persons = Erased()
    monkeypatch.setitem(journal.replayers, "erasure", journal.Replayer(persons.erase, None, False))
    return persons


@pytest.fixture
def asked_anew(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes this process forget what it knows about the quarantine."""
    return lambda: monkeypatch.setattr(quarantine, "watch", quarantine.Watch())


def state() -> str:
    return quarantine.examine().reason


def backup() -> list[JournalMark]:
    """What a backup of this moment holds of the journal."""
    return list(JournalMark.objects.all())


def restored(marks: list[JournalMark]) -> None:
    """Put the database back to that moment."""
    JournalMark.objects.all().delete()
    JournalMark.objects.bulk_create(marks)


def test_a_fresh_installation_is_worked_with() -> None:
    assert state() == ""
    assert journal.position() == 0


def test_a_database_that_knows_everything_is_worked_with() -> None:
    for person in range(3):
        written(person=person)
    keep()
    assert state() == ""


def test_a_rollback_does_not_stop_the_house() -> None:
    written()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        journal.write("erasure", {"person": 7})
        raise ZeroDivisionError
    assert state() == ""


def test_a_crash_between_flush_and_commit_does_not_stop_the_house_and_is_voided_later() -> None:
    assert process(CRASHED).wait(60) == 9
    assert state() == ""
    assert keep() == 1
    assert kinds() == ["erasure", "void", "checkpoint", "commit"]


RUNNING = """
import django, sys
django.setup()
from django.db import transaction
from datamap import journal
with transaction.atomic():
    journal.write("erasure", {"person": 1})
    print("flushed", flush=True)
    sys.stdin.readline()
"""


def test_an_entry_whose_transaction_still_runs_is_neither_voided_nor_missed() -> None:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.datamap.process_settings",
        "PROCESS_DATABASE": connection.settings_dict["NAME"],
        "DEBUG": "1",
    }
    with subprocess.Popen(
        [sys.executable, "-c", RUNNING],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "flushed\n"
        assert state() == ""
        assert keep() == 0
        writer.communicate("\n", timeout=60)
    assert kinds() == ["erasure", "checkpoint", "commit", "commit"]
    assert state() == ""
    assert keep() == 0
    assert journal.store().newest("checkpoint", 1)[0].payload["settled"] == 4


def test_a_process_killed_between_commit_and_confirmation_is_confirmed_later(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(journal, "confirm", lambda first, last: None)
        written()
    assert kinds() == ["erasure"]
    assert keep() == 0
    assert kinds() == ["erasure", "commit", "checkpoint", "commit"]
    assert state() == ""


def test_an_older_database_is_in_quarantine_until_the_journal_is_replayed(erased: Erased) -> None:
    written(person=1)
    before = backup()
    written(person=2)
    written(person=3)
    restored(before)
    assert state() == quarantine.OLDER
    outcome = reapply()
    assert (outcome.replayed, outcome.already, outcome.failed, outcome.released) == (2, 0, 0, True)
    assert erased == [2, 3]
    assert state() == ""
    assert Quarantine.objects.get().ended_how == Quarantine.End.REPLAYED
    assert reapply().as_json() == {"replayed": 0, "already": 0, "failed": 0, "released": True}


def test_an_older_database_of_an_idle_shop_lacks_the_hourly_checkpoint() -> None:
    before = backup()
    keep()
    restored(before)
    assert state() == quarantine.OLDER


def test_a_new_empty_database_beside_an_old_journal_has_to_replay_it(erased: Erased) -> None:
    written(person=1)
    restored([])
    assert state() == quarantine.OLDER
    assert reapply().released
    assert erased == [1]


def test_what_was_rolled_back_is_not_replayed(erased: Erased) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        journal.write("erasure", {"person": 7})
        raise ZeroDivisionError
    keep()
    before = backup()
    written(person=8)
    restored(before)
    assert reapply().released
    assert erased == [8]


def test_an_open_entry_is_replayed_only_where_that_protects(erased: Erased, monkeypatch: pytest.MonkeyPatch) -> None:
    lifted: list[object] = []
    lift = journal.Replayer(lambda payload: lifted.append(payload) or "replayed", None, True)
    monkeypatch.setitem(journal.replayers, "restriction_lifted", lift)
    for kind in ("erasure", "restriction_lifted"):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            journal.write(kind, {"person": 7})
            raise ZeroDivisionError
    before = backup()
    written(person=8)
    restored(before)
    assert reapply().released
    assert erased == [7, 8]
    assert lifted == []


def test_a_failing_entry_keeps_the_quarantine_and_the_rest_is_replayed(erased: Erased) -> None:
    for person in (1, 666, 2):
        written(person=person)
    restored([])
    outcome = reapply()
    assert (outcome.replayed, outcome.already, outcome.failed, outcome.released) == (2, 0, 1, False)
    assert erased == [1, 2]
    assert state() == quarantine.OLDER
    again = reapply()
    assert (again.replayed, again.already, again.failed) == (0, 2, 1)


def test_a_replay_that_was_interrupted_does_the_rest_when_it_runs_again(
    erased: Erased, monkeypatch: pytest.MonkeyPatch
) -> None:
    for person in (1, 2, 3):
        written(person=person)
    restored([])

    def interrupted(payload: journal.Payload) -> str:
        if payload["person"] == 2:
            raise KeyboardInterrupt
        return erased.erase(payload)

    with monkeypatch.context() as once:
        once.setitem(journal.replayers, "erasure", journal.Replayer(interrupted, None, False))
        with pytest.raises(KeyboardInterrupt):
            reapply()
    assert erased == [1]
    assert state() == quarantine.OLDER
    assert reapply().as_json() == {"replayed": 2, "already": 1, "failed": 0, "released": True}
    assert erased == [1, 2, 3]


def test_a_kind_that_nobody_replays_keeps_the_quarantine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(journal.replayers, "objection", raising=False)
    written("objection", person=1)
    restored([])
    outcome = reapply()
    assert (outcome.failed, outcome.released) == (1, False)


def test_a_replay_can_be_tried_first(
    erased: Erased, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(journal.replayers, "objection", raising=False)
    written(person=1)
    marks = backup()
    for person in (2, 3):
        written(person=person)
    written("objection", person=4)
    restored(marks)
    call_command("reapply_erasures", "--dry-run", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "replayed": 2,
        "already": 0,
        "failed": 1,
        "released": False,
        "dry_run": True,
        "kinds": {"erasure": 2, "objection": 1},
    }
    call_command("reapply_erasures", "--dry-run")
    assert "2" in capsys.readouterr().out
    assert erased == []
    assert backup() == marks
    assert not Quarantine.objects.exists()
    assert state() == quarantine.OLDER


def test_a_database_that_knows_everything_has_nothing_to_replay(capsys: pytest.CaptureFixture[str]) -> None:
    written(person=1)
    call_command("reapply_erasures", "--dry-run", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["replayed"], told["kinds"], told["released"]) == (0, {}, True)


def test_a_lost_journal_is_noticed_and_nothing_more_is_written(journal_folder: Path) -> None:
    written()
    shutil.rmtree(journal_folder)
    assert state() == quarantine.LOST
    with pytest.raises(journal.JournalError, match="gone"):
        written()
    assert not reapply().released
    assert state() == quarantine.LOST


def test_the_journal_of_another_installation_is_noticed(journal_folder: Path) -> None:
    written(person=1)
    marks = backup()
    shutil.rmtree(journal_folder)
    restored([])
    written(person=2)
    restored(marks)
    assert state() == quarantine.LOST


def test_a_journal_cut_off_at_its_end_is_noticed(journal_folder: Path) -> None:
    for person in range(3):
        written(person=person)
    segment = next(journal_folder.glob("*.jsonl"))
    segment.write_text("".join(segment.read_text().splitlines(keepends=True)[:2]))
    assert state() == quarantine.LOST


def test_two_different_people_release_and_never_one(manager: User, agent: User, journal_folder: Path) -> None:
    written()
    shutil.rmtree(journal_folder)
    assert quarantine.release(manager.pk) is False
    assert quarantine.release(manager.pk) is False
    assert state() == quarantine.LOST
    assert quarantine.release(agent.pk) is True
    assert state() == ""
    row = Quarantine.objects.get()
    assert {row.first_release_by, row.second_release_by} == {manager.pk, agent.pk}
    # The new journal goes on above the old numbers, so that no old mark speaks for a new entry.
    assert written() > 2
    assert state() == ""


def test_a_release_of_an_older_database_waives_the_replay(manager: User, agent: User, erased: Erased) -> None:
    before = backup()
    written(person=1)
    restored(before)
    quarantine.release(manager.pk)
    assert quarantine.release(agent.pk)
    assert state() == ""
    assert reapply().replayed == 0
    assert erased == []
    written(person=2)
    assert state() == ""


def test_nobody_releases_what_is_not_in_quarantine(manager: User) -> None:
    with pytest.raises(quarantine.InQuarantine):
        quarantine.release(manager.pk)


@pytest.fixture
def older(erased: Erased, asked_anew: Callable[[], None]) -> Iterator[None]:
    """A database in quarantine, and a process that has to find that out."""
    written(person=1)
    restored([])
    asked_anew()
    yield


def test_pages_answer_503_until_the_replay(older: None, client: Client, asked_anew: Callable[[], None]) -> None:
    answer = client.get(reverse("account_login"), headers={"Accept-Language": "en"})
    assert answer.status_code == 503
    assert "restored from a backup" in answer.content.decode()
    assert client.get("/").status_code == 503
    health = client.get("/healthz")
    assert (health.status_code, health.content) == (503, b"quarantine: run reapply_erasures\n")
    assert reapply().released
    asked_anew()
    assert client.get(reverse("account_login")).status_code == 200
    assert client.get("/healthz").status_code == 200


def test_tasks_refuse(older: None) -> None:
    with pytest.raises(quarantine.InQuarantine):
        resume_batches()
    with pytest.raises(Ignore):
        resume_batches.request_stack.push(type("Request", (), {"called_directly": False})())
        resume_batches()


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.datamap.process_settings",
        "PROCESS_DATABASE": connection.settings_dict["NAME"],
        "DEBUG": "1",
    }
    return subprocess.run(
        arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_a_worker_does_not_start(older: None) -> None:
    done = command(sys.executable, "-m", "celery", "-A", "config", "worker", "-P", "solo", "-Q", "test-none")
    assert done.returncode != 0
    assert "reapply_erasures" in done.stderr


def test_commands_that_write_refuse_and_those_that_lead_out_run(older: None) -> None:
    refused = command(sys.executable, "manage.py", "create_staff", "a@obhut.example", "--role", "operator")
    assert refused.returncode == 3
    assert "reapply_erasures" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not User.objects.exists()
    assert command(sys.executable, "manage.py", "vault_status").returncode == 0


def test_the_hourly_task_writes_nothing_in_quarantine(older: None) -> None:
    before = kinds()
    assert keep() == 0
    call_command("check")
    assert kinds() == before
