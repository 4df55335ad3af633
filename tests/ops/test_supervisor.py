"""Several processes as one: none outlives the others, and none outlives its supervisor."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ops.supervisor import Child, Supervisor

WAITING = [sys.executable, "-c", "import signal; signal.pause()"]
PATIENCE = 30


def _supervisor(folder: Path) -> Supervisor:
    return Supervisor(os.environ, folder)


def _eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def _written(path: Path) -> bool:
    return path.exists() and bool(path.read_text())


def _gone(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def test_the_end_of_one_child_ends_all_and_says_which(tmp_path: Path) -> None:
    with _supervisor(tmp_path) as supervisor:
        supervisor.start(Child("web", WAITING, tmp_path / "web.log"))
        supervisor.start(Child("worker", WAITING, tmp_path / "worker.log"))
        web, worker = (process for _child, process in supervisor.running.values())
        web.kill()
        reason = supervisor.wait()
    assert reason.startswith("The web process ended")
    assert worker.poll() is not None


def test_a_child_that_fails_at_once_is_reported_with_what_it_printed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('the port is taken')"]
    with _supervisor(tmp_path) as supervisor:
        supervisor.start(Child("web", command, tmp_path / "web.log"))
        reason = supervisor.wait(until=lambda: False, seconds=PATIENCE)
    assert "the port is taken" in reason


def test_a_signal_ends_the_waiting(tmp_path: Path) -> None:
    with _supervisor(tmp_path) as supervisor:
        supervisor.start(Child("web", WAITING, tmp_path / "web.log"))
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        assert supervisor.wait() == "SIGINT received."


def test_what_a_child_started_ends_with_it(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    nested = (
        "import pathlib, signal, subprocess, sys\n"
        f"child = subprocess.Popen({WAITING!r})\n"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(child.pid))\n"
        "signal.pause()\n"
    )
    with _supervisor(tmp_path) as supervisor:
        supervisor.start(Child("web", [sys.executable, "-c", nested], tmp_path / "web.log"))
        assert supervisor.wait(until=lambda: pid_file.exists() and bool(pid_file.read_text()), seconds=PATIENCE) == ""
    assert _eventually(lambda: _gone(int(pid_file.read_text())))


def test_a_killed_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, sys\n"
        "from ops.supervisor import Child, Supervisor\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "with Supervisor(os.environ, folder) as supervisor:\n"
        f"    supervisor.start(Child('web', {WAITING!r}, folder / 'web.log'))\n"
        "    print(supervisor.running['web'][1].pid, flush=True)\n"
        "    supervisor.wait()\n"
    )
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.kill()
    assert _eventually(lambda: _gone(pid))
