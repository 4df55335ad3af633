"""Builds the database of the benchmarks once, keeps it as a template, and gives each measurement a fresh copy."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
BASE, COPY = "obhut_bench_base", "obhut_bench"
SEED = 1


def server_url(settings: Any) -> str:
    """The address of the server as the owner of the tables reaches it; the database in it is not used."""
    if settings.EMBEDDED_DATABASE:
        return f"postgres://obhut_owner@/postgres?{urlencode({'host': settings.EMBEDDED_SOCKET_DIR})}"
    return os.environ.get("OWNER_DATABASE_URL") or os.environ["DATABASE_URL"]


def database_url(server: str, name: str) -> str:
    """The address of one database on this server."""
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


class Workshop:
    """The benchmark databases on one server."""

    def __init__(self, server: str, broker: str, folder: Path) -> None:
        self.server, self.broker = server, broker
        # A database without its journal waits in quarantine, and ours may not put another there.
        self.folder = folder

    def prepare(self, size: int) -> bool:
        """Have the template of this size; True when it was built, False when the one there fits."""
        wanted = json.dumps({"customers": size, "seed": SEED, "made_by": _sources()})
        with self._admin() as connection:
            row = connection.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [BASE]
            ).fetchone()
            if row and row[0] == wanted and (self.folder / BASE).is_dir():
                return False
            for name in (COPY, BASE):
                drop(connection, name)
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(BASE)))
        shutil.rmtree(self.folder / BASE, ignore_errors=True)
        (self.folder / BASE).mkdir(parents=True)
        self._manage("migrate", "--verbosity", "0")
        self._manage("demo", "--customers", str(size), "--seed", str(SEED))
        with psycopg.connect(database_url(self.server, BASE), autocommit=True) as connection:
            # What a night's autovacuum would have done: nothing measured should wait for it.
            connection.execute("VACUUM (ANALYZE)")
        with self._admin() as connection:
            # Only a complete template carries the note.
            comment = sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(BASE), sql.Literal(wanted))
            connection.execute(comment)
        return True

    def fresh(self) -> None:
        """Replace the working copy by a new one of the template."""
        with self._admin() as connection:
            drop(connection, COPY)
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                    sql.Identifier(COPY), sql.Identifier(BASE)
                )
            )

        shutil.rmtree(self.folder / COPY, ignore_errors=True)
        shutil.copytree(self.folder / BASE, self.folder / COPY)

    def clear(self) -> None:
        """Remove the working copy; the template stays for the next time."""
        with self._admin() as connection:
            drop(connection, COPY)
        shutil.rmtree(self.folder / COPY, ignore_errors=True)

    def environment(self, name: str) -> dict[str, str]:
        """What a process needs to work in one of the databases as its owner."""
        url = database_url(self.server, name)
        return {
            "DEBUG": "1",
            "OBHUT_DB_ROLE": "owner",
            "DATABASE_URL": url,
            "OWNER_DATABASE_URL": url,
            "REDIS_URL": self.broker,
            "JOURNAL_URL": (self.folder / name / "journal").as_uri(),
            "SEALED_ROOT": str(self.folder / name / "sealed"),
            "CHECKPOINT_FILE": str(self.folder / name / "checkpoints.txt"),
        }

    def _admin(self) -> psycopg.Connection[Any]:
        return psycopg.connect(database_url(self.server, "postgres"), autocommit=True)

    def _manage(self, *arguments: str) -> None:
        environment = os.environ | self.environment(BASE)
        environment.pop("DJANGO_SETTINGS_MODULE", None)
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=True)


def drop(connection: psycopg.Connection[Any], name: str) -> None:
    """Remove a database, if it is there, whoever of our role is connected to it."""
    # WITH (FORCE) may not end an autovacuum where we are no superuser; the plain statement does that by itself,
    # and waits five seconds for the sessions that were told to end here.
    connection.execute(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = %s AND pg_has_role(usesysid, 'MEMBER') AND pid <> pg_backend_pid()
        """,
        [name],
    )
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def _sources() -> str:
    """A digest of the migrations and of the demo: when either changes, the template is built anew."""
    digest = hashlib.sha256()
    for path in sorted([*ROOT.glob("*/migrations/*.py"), *ROOT.glob("ops/demo/*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
