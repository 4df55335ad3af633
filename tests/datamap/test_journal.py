"""The journal outside the database: what is written, flushed, chained, confirmed and refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from benchmarks.building import drop
from datamap import journal, quarantine
from datamap.chain import JournalDamaged, JournalError, in_chain
from datamap.diagnosis import Options, check_journal
from datamap.models import JournalMark
from datamap.segments import SegmentStore

ROOT = Path(__file__).resolve().parents[2]


def written(kind: str = "erasure", **payload: object) -> int:
    with transaction.atomic():
        return journal.write(kind, payload or {"person": 1})


def kinds() -> list[str]:
    return [line.kind for line in journal.store().lines()]


@pytest.mark.django_db(transaction=True)
def test_an_entry_is_flushed_before_its_transaction_commits_and_confirmed_after_it() -> None:
    with transaction.atomic():
        place = journal.write("erasure", {"person": 7})
        assert [entry.position for entry in journal.entries()] == [place]
        assert kinds() == ["erasure"]
    assert kinds() == ["erasure", "commit"]
    mark = JournalMark.objects.get()
    assert (mark.first, mark.last) == (place, place)
    line = journal.store().find(place)
    assert line is not None
    assert mark.hash == line.hash
    assert line.payload == {"person": 7}


@pytest.mark.django_db(transaction=True)
def test_a_rollback_leaves_an_entry_that_nobody_confirmed_and_no_mark() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        journal.write("erasure", {"person": 7})
        raise ZeroDivisionError
    assert kinds() == ["erasure"]
    assert not JournalMark.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_entries_are_one_append_one_mark_and_one_confirmation() -> None:
    with transaction.atomic():
        places = journal.write_many("suppression", [{"endpoint": f"{n:068x}"} for n in range(500)])
    assert places == list(range(1, 501))
    mark = JournalMark.objects.get()
    assert (mark.first, mark.last) == (1, 500)
    assert journal.position() == 501
    assert [entry.position for entry in journal.entries(after=498)] == [499, 500]


@pytest.mark.django_db
@pytest.mark.parametrize("value", ["anna@example.org", "Anna Muster", "Müller", "+49 40 1234567", ["ab", "A. B."], 1.5])
def test_whatever_could_name_a_person_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="ids and keyed hashes"), transaction.atomic():
        journal.write("erasure", {"person": value})
    assert kinds() == []


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_written() -> None:
    with pytest.raises(JournalError, match="transaction"):
        journal.write("erasure", {"person": 1})
    assert kinds() == []


@pytest.mark.django_db(transaction=True)
def test_a_journal_that_cannot_be_written_lets_nothing_commit(journal_folder: Path) -> None:
    journal_folder.parent.mkdir(parents=True, exist_ok=True)
    journal_folder.write_text("A file stands where the folder should be.")
    with pytest.raises(JournalError), transaction.atomic():
        JournalMark.objects.create(first=1, last=1, hash="x")
        journal.write("erasure", {"person": 1})
    assert not JournalMark.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_a_crashed_writer_left_half_written_is_not_there_and_is_overwritten(journal_folder: Path) -> None:
    written()
    segment = next(journal_folder.glob("*.jsonl"))
    with segment.open("ab") as file:
        file.write(b'{"seq": 3, "kind": "era')
    assert journal.position() == 2
    assert written() == 3
    assert [line.seq for line in in_chain(journal.store().lines())] == [1, 2, 3, 4]


@pytest.mark.django_db(transaction=True)
def test_an_altered_or_missing_line_is_noticed(journal_folder: Path) -> None:
    for person in range(1, 4):
        written(person=person)
    segment = next(journal_folder.glob("*.jsonl"))
    lines = segment.read_text().splitlines(keepends=True)
    segment.write_text("".join(lines[:2] + lines[3:]))
    with pytest.raises(JournalDamaged, match="follow"):
        list(in_chain(journal.store().lines()))
    altered = lines[2].replace('"person":2', '"person":9')
    assert altered != lines[2]
    segment.write_text("".join([*lines[:2], altered, *lines[3:]]))
    with pytest.raises(JournalDamaged, match="altered"):
        list(in_chain(journal.store().lines()))


WRITER = """
import django, sys
django.setup()
from django.db import connection, transaction
from datamap import journal
for number in range(int(sys.argv[1])):
    with transaction.atomic():
        journal.write("objection", {"person": number})
"""


def process(script: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.datamap.process_settings",
        "PROCESS_DATABASE": connection.settings_dict["NAME"],
        "DEBUG": "1",
    }
    return subprocess.Popen([sys.executable, "-c", script, *arguments], cwd=ROOT, env=environment)


def test_what_is_newest_is_told_right_when_lines_are_added_cut_off_or_exchanged(tmp_path: Path) -> None:
    store = SegmentStore(tmp_path / "journal")
    for kind in ("a", "b", "a", "b", "b"):
        store.append(kind, [{}])
    assert [line.seq for line in store.newest("a", 2)] == [3, 1]
    whole = {path: path.read_bytes() for path in store.folder.glob("*.jsonl")}
    store.append("a", [{}, {}])
    store.append("b", [{}])
    assert [line.seq for line in store.newest("a", 2)] == [7, 6]
    assert [line.seq for line in store.newest("a", 9)] == [7, 6, 3, 1]
    for path, content in whole.items():
        path.write_bytes(content)
    assert [line.seq for line in store.newest("a", 2)] == [3, 1]
    other = SegmentStore(tmp_path / "other")
    other.append("a", [{}])
    for path in other.folder.glob("*.jsonl"):
        (store.folder / path.name).write_bytes(path.read_bytes())
    assert [(line.seq, line.hash) for line in store.newest("a", 2)] == [(1, other.newest("a", 1)[0].hash)]


@pytest.mark.django_db(transaction=True)
def test_many_processes_write_one_unbroken_journal() -> None:
    writers = [process(WRITER, "50") for _ in range(4)]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0, 0]
    lines = list(in_chain(journal.store().lines()))
    assert [line.seq for line in lines] == list(range(1, 401))
    assert sum(line.kind == "objection" for line in lines) == 200
    known = set(JournalMark.objects.values_list("first", "last"))
    assert known == {(line.payload["first"], line.payload["last"]) for line in lines if line.kind == "commit"}
    assert len(known) == 200


CRASHED = """
import django, os
django.setup()
from django.db import transaction
from datamap import journal
with transaction.atomic():
    journal.write("erasure", {"person": 1})
    os._exit(9)
"""


@pytest.mark.django_db(transaction=True)
def test_a_crash_between_flush_and_commit_leaves_the_entry_and_no_mark() -> None:
    assert process(CRASHED).wait(60) == 9
    assert kinds() == ["erasure"]
    assert not JournalMark.objects.exists()


@pytest.mark.django_db
def test_segments_go_by_month_and_the_newest_stay(journal_folder: Path) -> None:
    journal_folder.mkdir(parents=True)
    today = timezone.localdate()
    assert written() == 1
    for month in ("2020-01", "2020-02", "2020-03"):
        (journal_folder / f"{month}.jsonl").touch()
    assert journal.store().trim(today) == 2
    assert [path.stem for path in sorted(journal_folder.glob("*.jsonl"))] == ["2020-03", f"{timezone.now():%Y-%m}"]


@pytest.mark.django_db(transaction=True)
def test_the_journal_may_be_a_table_of_another_database(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = connection.get_connection_params()
    name = f"{parameters['dbname']}_journal"
    place = {key: parameters[key] for key in ("host", "user", "password", "port") if parameters.get(key)}
    with psycopg.connect(**place, dbname="postgres", autocommit=True) as server:
        drop(server, name)
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = f"postgresql:///{name}?" + urlencode(place)
        monkeypatch.setattr(settings, "JOURNAL_URL", url)
        monkeypatch.setenv("JOURNAL_URL", url)
        try:
            writers = [process(WRITER, "20") for _ in range(3)]
            assert [writer.wait(120) for writer in writers] == [0, 0, 0]
            lines = list(in_chain(journal.store().lines()))
            assert [line.seq for line in lines] == list(range(1, 121))
            assert sum(line.kind == "objection" for line in lines) == 60
            assert not quarantine.examine().active
            place_of_one = written(person=5)
            found = journal.store().find(place_of_one)
            assert found is not None
            assert found.payload == {"person": 5}
            JournalMark.objects.all().delete()
            assert quarantine.examine().reason == quarantine.OLDER
            # Months are those of UTC: in the first hour of a German month the lines are of the one before.
            written_on = date.fromisoformat(lines[0].at[:10])
            assert journal.store().trim(written_on) == 0
            *older, newest = journal.store().lines()
            assert journal.store().trim(written_on + timedelta(days=62)) == len(older) >= 120
            assert list(journal.store().lines()) == [newest]
            drop(server, name)
            assert quarantine.examine().reason == quarantine.UNREACHABLE
            with pytest.raises(JournalError, match="cannot be reached"):
                written()
        finally:
            drop(server, name)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    """A journal in a table of another database, and a hand on it."""
    parameters = connection.get_connection_params()
    name = f"{parameters['dbname']}_journal"
    place = {key: parameters[key] for key in ("host", "user", "password", "port") if parameters.get(key)}
    with psycopg.connect(**place, dbname="postgres", autocommit=True) as server:
        drop(server, name)
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        monkeypatch.setattr(settings, "JOURNAL_URL", f"postgresql:///{name}?" + urlencode(place))
        try:
            with psycopg.connect(**place, dbname=name, autocommit=True) as hand:
                yield hand
        finally:
            drop(server, name)


@pytest.mark.django_db(transaction=True)
def test_a_cluster_that_was_restarted_is_written_to_again(table: psycopg.Connection) -> None:
    """Nobody's objection fails because the connection of an hour ago is no longer there."""
    written(person=1)
    table.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()"
    )
    written(person=2)
    assert [line.payload["person"] for line in journal.store().lines() if line.kind == "erasure"] == [1, 2]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("harm", "chain"),
    [
        ("TRUNCATE obhut_journal", True),
        ("DELETE FROM obhut_journal WHERE seq > 2", True),
        ("DELETE FROM obhut_journal WHERE seq = 3", False),
        ("UPDATE obhut_journal SET line = replace(line, '\"person\":1', '\"person\":7') WHERE seq = 1", False),
    ],
    ids=["emptied", "cut off", "one missing", "altered"],
)
def test_harm_to_a_journal_in_a_table_is_noticed(table: psycopg.Connection, harm: str, chain: bool) -> None:
    """As of files: what was cut off stops the house; what is missing or altered within is told by `doctor`."""
    for person in range(1, 4):
        written(person=person)
    assert not quarantine.examine().active and check_journal(Options()).ok
    table.execute(harm)
    assert (quarantine.examine().reason == quarantine.LOST) is chain
    assert check_journal(Options()).ok is chain
    if chain:
        # Nothing commits before somebody has looked.
        with pytest.raises(JournalError, match="gone|cut off"):
            written(person=9)
