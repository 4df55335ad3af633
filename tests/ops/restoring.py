"""Backup and restore with real programs, real processes and a second database."""

from __future__ import annotations

import json
import os
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
from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120


@contextmanager
def server(dbname: str = "postgres") -> Iterator[psycopg.Connection]:
    parameters = connection.get_connection_params()
    wanted = {key: parameters[key] for key in ("host", "user", "password", "port") if parameters.get(key)}
    with psycopg.connect(**wanted, dbname=dbname, autocommit=True) as opened:
        yield opened


def environment(database: str, folder: Path) -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.privacy.process_settings",
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
