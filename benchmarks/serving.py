"""Serves the portal as in production and asks it for pages, with clients as plain as they can be."""

from __future__ import annotations

import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection

from benchmarks.measure import milliseconds
from staff.models import Role, User

SECONDS = 1.0
ROUNDS = 9
CLIENTS = 4
TOUCHED = 30
# Any secret of this length is one: what counts is that cookie and form carry the same.
CSRF = "b" * 32
LOCATION = re.compile(rb"^Location: (\S+)\r$", re.MULTILINE)


def sign_in() -> str:
    """The cookies of a manager, as signing in and the first page would leave them."""
    user = User.objects.filter(email="bench@obhut.example").first()
    user = user or User.objects.create_user("bench@obhut.example", name="Bench", roles=[Role.MANAGER])
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session["_auth_user_backend"] = settings.AUTHENTICATION_BACKENDS[-1]
    session["_auth_user_hash"] = user.get_session_auth_hash()
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}; {settings.CSRF_COOKIE_NAME}={CSRF}"


@contextmanager
def server() -> Iterator[int]:
    """The portal under gunicorn with two workers on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "benchmarks.page_settings",
        "BENCH_DATABASE": str(connection.settings_dict["NAME"]),
    }
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "-w", "2", "-b", f"127.0.0.1:{port}"]
    process = subprocess.Popen([*command, "--log-level", "warning", "--backlog", "512"], env=environment)
    try:
        for _time in range(200):
            if process.poll() is not None:
                raise RuntimeError("gunicorn did not start.")
            try:
                get(port, "/healthz", "")
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def get(port: int, path: str, cookie: str) -> bytes:
    """One request on one connection, as sync workers want it; the whole answer."""
    return _exchange(port, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n")


def follow(port: int, path: str, fields: dict[str, str], cookie: str) -> bytes:
    """Send a form as a browser does, and the page to which its answer leads."""
    body = urlencode({**fields, "csrfmiddlewaretoken": CSRF})
    answer = _exchange(
        port,
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        f"Connection: close\r\n\r\n{body}",
    )
    found = LOCATION.search(answer)
    if not found:
        raise RuntimeError(f"{path} answered {answer[:60]!r} to a form.")
    page = get(port, found[1].decode(), cookie)
    if not page.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"The page after {path} answered {page[:60]!r}.")
    return page


def _exchange(port: int, request: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        line.sendall(request.encode())
        parts = []
        while part := line.recv(65536):
            parts.append(part)
    return b"".join(parts)


def checked(port: int, path: str, cookie: str) -> None:
    """Ask for a page that must be there."""
    answer = get(port, path, cookie)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"{path} answered {answer[:60]!r}.")


def rates(port: int, cookie: str, paths: dict[str, str]) -> dict[str, float]:
    """Answered requests per second of each page: the median of short rounds that take turns, so that whatever else the
    machine did at one moment falls on none of them alone."""
    for path in paths.values():
        for _time in range(4):
            checked(port, path, cookie)
    found: dict[str, list[float]] = {name: [] for name in paths}
    for _round in range(ROUNDS):
        for name, path in paths.items():
            found[name].append(_rate(port, path, cookie))
    return {name: statistics.median(rounds) for name, rounds in found.items()}


def _rate(port: int, path: str, cookie: str) -> float:
    """Answered requests per second under a few clients."""
    done, end = [0] * CLIENTS, time.perf_counter() + SECONDS

    def ask(place: int) -> None:
        while time.perf_counter() < end:
            get(port, path, cookie)
            done[place] += 1

    start = time.perf_counter()
    clients = [threading.Thread(target=ask, args=(place,)) for place in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return sum(done) / (time.perf_counter() - start)


def latencies(port: int, cookie: str, paths: dict[str, str]) -> dict[str, list[float]]:
    """Milliseconds of single requests, the pages taking turns."""
    for path in paths.values():
        for _time in range(4):
            checked(port, path, cookie)
    times: dict[str, list[float]] = {name: [] for name in paths}
    for _time in range(TOUCHED):
        for name, path in paths.items():
            times[name].append(milliseconds(lambda p=path: get(port, p, cookie)))
    return times
