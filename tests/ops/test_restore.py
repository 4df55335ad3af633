"""Backup and restore with real programs, real processes and a second database (scenario P19, fault case 23)."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection, transaction
from psycopg import sql

from customers import suppression
from customers.models import Customer
from datamap import journal
from interactions.models import Attachment
from staff.models import User
from tests.interactions.factories import make_contact
from tests.portal.factories import make_customer

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120
LETTER = b"Dear shop, the coat is torn."


@pytest.fixture
def target() -> Iterator[str]:
    """An empty database of its own on the same server."""
    name = f"{connection.settings_dict['NAME']}_restored"
    with server() as other:
        other.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        other.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield name
    with server() as other:
        other.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def server(dbname: str = "postgres") -> Iterator[psycopg.Connection]:
    parameters = connection.get_connection_params()
    wanted = {key: parameters[key] for key in ("host", "user", "password", "port") if parameters.get(key)}
    with psycopg.connect(**wanted, dbname=dbname, autocommit=True) as opened:
        yield opened


def environment(database: str, folder: Path) -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.datamap.process_settings",
        "PROCESS_DATABASE": database,
        "PROCESS_SEALED_ROOT": str(folder),
        "DEBUG": "1",
    }


def run(
    database: str, folder: Path, *arguments: str, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(database, folder),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        preexec_fn=before,  # noqa: PLW1509
    )


def said(done: subprocess.CompletedProcess[str], code: int = 0) -> dict[str, Any]:
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def source() -> str:
    return str(connection.settings_dict["NAME"])


def back_up(folder: Path) -> dict[str, Any]:
    return said(run(source(), Path(settings.SEALED_ROOT), "backup", "--output", str(folder), "--json"))


def found(database: str, statement: str) -> list[Any]:
    with server(database) as other:
        return [row[0] for row in other.execute(statement).fetchall()]  # type: ignore[arg-type]


@contextmanager
def served(database: str, folder: Path, log: Path) -> Iterator[Callable[[str], int]]:
    """A real web server on this database; asks a page for its status."""
    program = Path(sys.executable).parent / "gunicorn"
    port = 20000 + os.getpid() % 20000
    bind = ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "2", "--no-control-socket"]
    with log.open("wb") as output:
        web = subprocess.Popen(
            [program, "config.wsgi", *bind],
            cwd=ROOT,
            env=environment(database, folder),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def status(path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            return refusal.code
        except OSError:
            return 0

    try:
        deadline = monotonic() + PATIENCE
        while not status("/healthz"):
            assert web.poll() is None, log.read_text()
            assert monotonic() < deadline, log.read_text()
            sleep(0.1)
        yield status
    finally:
        os.killpg(web.pid, signal.SIGTERM)
        web.wait()


def erase(customer: Customer) -> None:
    """What an erasure leaves, as far as this test needs it."""
    with transaction.atomic():
        person = customer.pk
        Customer.objects.filter(pk=person).delete()
        suppression.suppress("email", "anna@example.org", reason="erasure")
        journal.write("erasure", {"person": person})


def test_an_erasure_holds_again_before_a_restored_database_is_served(
    tmp_path: Path, target: str, manager: User
) -> None:
    anna = make_customer("1001", email="anna@example.org")
    bert = make_customer("1002", first_name="Bert", last_name="Zweig")
    contact = make_contact(bert, by=manager, content="The coat is torn")
    letter = Attachment(interaction=contact, name="letter.txt", content_type="text/plain", size=len(LETTER))
    letter.file.save("letter", ContentFile(LETTER))
    made = back_up(tmp_path)
    path = Path(made["path"])
    assert made["bytes"] == path.stat().st_size
    assert made["journal_position"] >= 1
    assert made["quarantine"] is False
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"Zweig" not in path.read_bytes()

    erase(anna)
    sealed = tmp_path / "restored-files"
    report = said(run(target, sealed, "restore", str(path), "--json"))
    assert report == {key: made[key] for key in ("path", "bytes", "journal_position")} | {"quarantine": True}
    # The backup is older than the erasure: the person is there, and therefore nobody is served.
    assert found(target, "SELECT number FROM customers_customer ORDER BY number") == ["1001", "1002"]
    with served(target, sealed, tmp_path / "web.log") as status:
        assert (status("/healthz"), status("/accounts/login/")) == (503, 503)
        refused = run(target, sealed, "create_staff", "a@obhut.example", "--role", "operator")
        assert refused.returncode == 3

        outcome = said(run(target, sealed, "reapply_erasures", "--json"))
        assert outcome == {"replayed": 2, "already": 0, "failed": 0, "released": True}
        assert (status("/healthz"), status("/accounts/login/")) == (200, 200)
    assert found(target, "SELECT number FROM customers_customer") == ["1002"]
    assert found(target, "SELECT count(*) FROM customers_suppression WHERE ended_at IS NULL") == [1]
    # Files came back, and open under the same keys.
    doctor = {
        check["name"]: check for check in json.loads(run(target, sealed, "doctor", "--deep", "--json").stdout)["checks"]
    }
    assert doctor["files"] == {"name": "files", "ok": True, "detail": doctor["files"]["detail"]}
    assert doctor["files"]["detail"].startswith("1 files named, 0 missing, 0 without a row")
    for name in ("database", "keys", "sealed_values", "journal", "quarantine"):
        assert doctor[name]["ok"], doctor[name]

    # Whoever restores over a database that holds something has to say so, and is in quarantine again.
    again = run(target, sealed, "restore", str(path), "--json")
    assert again.returncode == 3
    assert "--force" in again.stderr
    assert found(target, "SELECT number FROM customers_customer") == ["1002"]
    assert said(run(target, sealed, "restore", str(path), "--force", "--json"))["quarantine"] is True
    assert found(target, "SELECT number FROM customers_customer ORDER BY number") == ["1001", "1002"]
    assert said(run(target, sealed, "reapply_erasures", "--json"))["replayed"] == 2


def test_a_damaged_or_foreign_backup_changes_nothing(tmp_path: Path, target: str) -> None:
    make_customer("1001")
    path = Path(back_up(tmp_path)["path"])
    whole = path.read_bytes()
    for name, content in {
        "altered": whole[: len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1 :],
        "cut": whole[:-1000],
        "foreign": b"PGDMP" + bytes(2000),
        "empty": b"",
    }.items():
        damaged = tmp_path / name
        damaged.write_bytes(content)
        done = run(target, tmp_path / "files", "restore", str(damaged), "--json")
        assert done.returncode == 1, (name, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, name
        assert found(target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [0], name
    missing = run(target, tmp_path / "files", "restore", str(tmp_path / "nowhere"))
    assert missing.returncode == 1
    assert "Traceback" not in missing.stderr


def test_a_restore_waits_for_nobody_who_still_works(tmp_path: Path, target: str) -> None:
    path = back_up(tmp_path)["path"]
    with server(target) as busy:
        busy.execute("SELECT 1")
        done = run(target, tmp_path / "files", "restore", path)
    assert done.returncode == 3
    assert "stop web, workers and beat" in done.stderr
    assert found(target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [0]


def test_a_full_disk_leaves_no_half_backup_and_one_sentence(tmp_path: Path) -> None:
    make_customer("1001")

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = run(source(), Path(settings.SEALED_ROOT), "backup", "--output", str(tmp_path), before=small_disk)
    assert done.returncode == 1
    assert "could not be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
    journal.store().check_reachable()


def test_a_backup_is_never_written_over_another_file(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    done = run(source(), Path(settings.SEALED_ROOT), "backup", "--output", str(tmp_path / "mine"))
    assert done.returncode == 1
    assert "exists already" in done.stderr
    assert (tmp_path / "mine").read_text() == "mine"
