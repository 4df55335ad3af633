"""`dev` and `services` with real processes, in a state folder of their own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def var_dir() -> Iterator[Path]:
    """A state folder that PostgreSQL's account can enter, which pytest's own folders do not allow as root."""
    folder = Path(tempfile.mkdtemp(prefix="obhut-dev-"))
    folder.chmod(0o755)
    yield folder
    _manage(folder, "services", "--stop")
    shutil.rmtree(folder, ignore_errors=True)


def _environment(var_dir: Path) -> dict[str, str]:
    left_out = ("DATABASE_URL", "OWNER_DATABASE_URL", "REDIS_URL", "OBHUT_DB_ROLE", "DJANGO_SETTINGS_MODULE")
    kept = {key: value for key, value in os.environ.items() if key not in left_out}
    return kept | {"DEBUG": "1", "VAR_DIR": str(var_dir), "PYTHONUNBUFFERED": "1"}


def _manage(var_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=_environment(var_dir),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def _processes(var_dir: Path) -> list[str]:
    """Command lines of the living processes that belong to this state folder."""
    mark, found = os.fsencode(var_dir), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            belongs = mark in command or b"VAR_DIR=" + mark in (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if belongs and command:
            found.append(command.replace(b"\0", b" ").decode())
    return found


def _environments(var_dir: Path) -> list[str]:
    """The variables of all programs that belong to this state folder."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = (process / "environ").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if f"VAR_DIR={var_dir}" in variables:
            found += variables
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_services_start_once_and_stop(var_dir: Path) -> None:
    first = _manage(var_dir, "services")
    assert first.returncode == 0, first.stderr
    assert len(_processes(var_dir)) >= 2
    again = _manage(var_dir, "services")
    assert again.returncode == 0
    assert len([line for line in _processes(var_dir) if " -D " in line]) == 1
    assert _manage(var_dir, "services", "--stop").returncode == 0
    assert _processes(var_dir) == []
    assert _manage(var_dir, "services", "--stop").returncode == 0


def test_the_app_role_may_change_rows_and_not_tables(var_dir: Path) -> None:
    assert _manage(var_dir, "services").returncode == 0
    script = (
        "from django.db import connection, ProgrammingError\n"
        "cursor = connection.cursor()\n"
        "try:\n"
        "    cursor.execute('CREATE TABLE mine (a int)')\n"
        "except ProgrammingError:\n"
        "    print('refused')\n"
    )
    assert _manage(var_dir, "shell", "--no-imports", "-c", script).stdout.strip() == "refused"


def _serve(var_dir: Path, port: int) -> str:
    """What `dev` prints until it serves; it is interrupted then and has to end well."""
    with subprocess.Popen(
        [sys.executable, "manage.py", "dev", "--port", str(port), "--customers", "50"],
        cwd=ROOT,
        env=_environment(var_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as dev:
        try:
            assert dev.stdout
            printed = []
            for line in dev.stdout:
                printed.append(line)
                if line.startswith("Logs:"):
                    break
            said = "".join(printed)
            assert f"http://127.0.0.1:{port}/" in said, said
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
                assert answer.status == 200
            # Links of mails are written by web and worker alike; they have to lead to where this portal answers.
            assert f"SITE_URL=http://127.0.0.1:{port}" in _environments(var_dir)
            dev.send_signal(signal.SIGINT)
            rest = dev.stdout.read()
            assert dev.wait(60) == 0, rest
        finally:
            if dev.poll() is None:
                dev.terminate()
    return said


def test_dev_serves_until_interrupted_and_leaves_nothing_behind_the_second_time_as_well(var_dir: Path) -> None:
    port = _free_port()
    first = _serve(var_dir, port)
    assert "Loading the demo shop with 50 customers" in first
    assert "privacy2@obhut.example" in first
    assert _processes(var_dir) == []
    again = _serve(var_dir, port)
    assert "Loading" not in again
    assert "privacy2@obhut.example" in again
    assert _processes(var_dir) == []


def test_dev_says_which_port_is_taken(var_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = _manage(var_dir, "dev", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert str(taken) and "Port" in done.stderr
    assert _processes(var_dir) == []
