"""Runs several processes as one: the end of any, or a signal, ends all, and none is left behind."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ENDING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
GRACE_SECONDS = 20.0
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Child:
    """One process to run; what it prints goes to its log."""

    name: str
    command: Sequence[str]
    log: Path


class Supervisor:
    """Starts children in process groups of their own and waits; use as a context manager."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self.environment = dict(environment)
        self.folder = folder
        self.running: dict[str, tuple[Child, subprocess.Popen[bytes]]] = {}

    def __enter__(self) -> "Supervisor":
        # Blocked, the signals wait until sigtimedwait asks for them: none is lost between two looks.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING | {signal.SIGCHLD})
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
        while signal.sigtimedwait(ENDING | {signal.SIGCHLD}, 0):
            pass  # a second Ctrl+C has nothing left to say
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING | {signal.SIGCHLD})

    def start(self, child: Child) -> None:
        """Start one child. The kernel ends it too when this process is killed without a word."""
        child.log.parent.mkdir(parents=True, exist_ok=True)
        with child.log.open("wb") as log:
            process = subprocess.Popen(
                child.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self.environment,
                start_new_session=True,
                preexec_fn=_prepare_child,  # noqa: PLW1509 - this process has one thread
            )
        self.running[child.name] = (child, process)

    def wait(self, *, until: Callable[[], bool] | None = None, seconds: float | None = None) -> str:
        """Wait for a signal, the end of a child, or the condition.

        Returns "" when the condition holds, else a sentence saying why everything ends.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            received = signal.sigtimedwait(ENDING | {signal.SIGCHLD}, 0.2 if until else 1.0)
            if received and received.si_signo in ENDING:
                return f"{signal.Signals(received.si_signo).name} received."
            for child, process in self.running.values():
                if process.poll() is not None:
                    return f"The {child.name} process ended with {process.returncode}: {_tail(child.log)}"
            if until and until():
                return ""
            if deadline and time.monotonic() > deadline:
                return f"Not ready after {seconds:.0f} seconds; see {self.folder / 'var' / 'log'}."

    def stop(self) -> None:
        """End every child and whatever it started: politely, then by force after a while."""
        for _child, process in self.running.values():
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        for _child, process in self.running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
            _signal_group(process, signal.SIGKILL)
            process.wait()
        self.running.clear()


def _prepare_child() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return " | ".join(lines[-5:]) or "it printed nothing."
