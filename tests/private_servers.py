"""A PostgreSQL and a Valkey of one test's own, to be stopped, killed and emptied while others use theirs."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import psycopg
import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from ops.embedded import postgres_binaries, valkey_binary
from ops.pgclients import client_environment, client_programs, connection_string
from ops.places import become, private_folder, readable_programs, unprivileged_account

PATIENCE = 60


class Postgres:
    """A server on a socket of its own that holds a copy of this test's database."""

    NAME = "copy"

    def __init__(self, folder: Path) -> None:
        self.account = unprivileged_account()
        binaries = postgres_binaries()
        major = next(part for part in binaries.parts[::-1] if part.isdigit()) if "postgresql" in binaries.parts else "x"
        self.programs = readable_programs(binaries, settings.EMBEDDED_STATE_DIR / f"programs-{major}", self.account)
        self.folder, self.data = folder, folder / "data"
        self.within: list[str] = []  # what its programs begin with, where they run in a namespace
        private_folder(folder, self.account)
        self._run("initdb", "-D", self.data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "-N")

    def _run(self, program: str, *arguments: str | Path) -> None:
        with (self.folder / "output.log").open("ab") as log:
            subprocess.run(
                [*self.within, self.programs / program, *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", check=True, start_new_session=True,
                **become(self.account),
            )  # fmt: skip

    def start(self) -> None:
        options = f"-h '' -k {self.folder} -c fsync=off -c log_min_error_statement=panic"
        self._run(
            "pg_ctl", "-D", self.data, "-w", "-t", str(PATIENCE), "-l", self.folder / "log", "-o", options, "start"
        )

    def stop(self, how: str = "immediate") -> None:
        self._run("pg_ctl", "-D", self.data, "-w", "-m", how, "stop")

    def copy_of_this_database(self) -> None:
        """Bring over what the test has committed so far."""
        with self.connect("postgres") as server:
            server.execute(f"CREATE DATABASE {self.NAME}")
        programs, environment = client_programs(), client_environment()
        target = f"host={self.folder} user=postgres dbname={self.NAME}"
        command = [programs / "pg_dump", "--no-owner", "--no-privileges", "--dbname", connection_string()]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as dump:
            subprocess.run(
                [programs / "psql", "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-d", target],
                stdin=dump.stdout, env=environment, check=True,
            )  # fmt: skip
        assert dump.returncode == 0

    def connect(self, name: str = NAME) -> psycopg.Connection:
        return psycopg.connect(host=str(self.folder), user="postgres", dbname=name, autocommit=True)

    @contextmanager
    def holding(self, table: str) -> Iterator[None]:
        """Every row of a table is locked until the server or this ends."""
        opened = self.connect()
        try:
            opened.execute(f"BEGIN; SELECT 1 FROM {table} FOR UPDATE")
            yield
        finally:
            opened.close()

    def value(self, statement: str) -> object:
        """The first field of an answer."""
        with self.connect() as opened:
            row = opened.execute(statement).fetchone()  # type: ignore[arg-type]
        assert row is not None
        return row[0]

    def wait_for(self, statement: str) -> None:
        """Until this SELECT answers true."""
        until(lambda: bool(self.value(statement)))

    @property
    def environment(self) -> dict[str, str]:
        """What leads a process there (tests.privacy.outage_settings)."""
        return {"PROCESS_HOST": str(self.folder), "PROCESS_DATABASE": self.NAME}


def until(condition: object) -> None:
    """Ask until it is so."""
    deadline = monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]
        assert monotonic() < deadline
        sleep(0.02)


@contextmanager
def private_postgres() -> Iterator[Postgres]:
    """The server with its copy; gone afterwards with everything in it."""
    # A socket's path must be short, and PostgreSQL's account must be let through to it.
    root = Path(tempfile.mkdtemp(prefix="obhut-pg-", dir="/tmp"))  # noqa: S108
    root.chmod(0o755)
    server = Postgres(root / "s")
    server.start()
    try:
        server.copy_of_this_database()
        yield server
    finally:
        with suppress(subprocess.CalledProcessError):  # the test has stopped it
            server.stop()
        shutil.rmtree(root, ignore_errors=True)


class Valkey:
    """A server on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, socket_timeout=5, retry=Retry(NoBackoff(), 0))

    def forget(self) -> None:
        """As after a crash without a copy on a disk."""
        with self._client() as client:
            client.flushall()

    def waiting(self, queue: str) -> int:
        """How many tasks wait there."""
        with self._client() as client:
            return int(client.llen(queue))

    def start(self) -> None:
        self._process = subprocess.Popen(
            [valkey_binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until(self._answers)

    def _answers(self) -> bool:
        try:
            with self._client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def private_valkey(folder: Path) -> Iterator[Valkey]:
    """The server; killed afterwards."""
    server = Valkey(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
