"""Brings a backup back: whole or not at all, and into quarantine until the journal has been replayed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO

from django.conf import settings
from django.db import connection

from datamap import journal
from ops.archiving import DATABASE, FILES, VERSION, opened_archive
from ops.pgclients import client_environment, client_programs, connection_string
from vault.keyring import SealError

# The end of the same transaction that brings the rows: there is no moment in which somebody could work with them.
# Sessions of that day would sign in people who have left since.
ENDING = b"""
INSERT INTO public.datamap_quarantine (reason, began_at, ended_how, replayed)
    SELECT 'restored', now(), '', 0
    WHERE NOT EXISTS (SELECT 1 FROM public.datamap_quarantine WHERE ended_at IS NULL);
DELETE FROM public.django_session;
"""
EMPTYING = b"DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC;\n"
HEAD = 64 * 1024


class RestoreFailed(Exception):
    """Nothing was restored; the text is one sentence for the operator."""


@dataclass(frozen=True)
class Plan:
    """What a restore would do, shown before it does."""

    path: Path
    bytes: int
    made_at: str
    journal_position: int
    newer_entries: int
    tables: int
    others: int
    files: int


def plan(path: Path) -> Plan:
    """Look at the backup and at what stands in its way; changes nothing. Raises RestoreFailed."""
    with _readable(path) as (manifest, _parts):
        facts = manifest
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        tables = cursor.fetchone()[0]
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND usename IS NOT NULL"
        )
        others = cursor.fetchone()[0]
    root = Path(settings.SEALED_ROOT)
    return Plan(
        path=path,
        bytes=path.stat().st_size,
        made_at=facts["made_at"],
        journal_position=facts["journal_position"],
        newer_entries=sum(1 for entry in journal.entries(facts["journal_position"]) if entry.kind in journal.KINDS),
        tables=tables,
        others=others,
        files=sum(1 for file in root.rglob("*") if file.is_file()),
    )


@contextmanager
def _readable(path: Path) -> Iterator[tuple[dict[str, Any], Iterator[tuple[str, BinaryIO]]]]:
    try:
        with opened_archive(path) as (manifest, parts):
            if manifest.get("version") != VERSION:
                raise RestoreFailed(f"{path} was made by another version of Obhut (form {manifest.get('version')}).")
            yield manifest, parts
    except OSError as error:
        raise RestoreFailed(f"{path}: {error.strerror or error}.") from None
    except (SealError, ValueError, EOFError, tarfile.TarError) as error:
        raise RestoreFailed(str(error)) from None


def restore(wanted: Plan) -> None:
    """Replace the database and the sealed files by those of the backup.

    The database changes in one transaction, which commits only when the archive has proven itself to its end; the
    files take their place right after it. Raises RestoreFailed, with the database as it was.
    """
    programs, place, environment = client_programs(), connection_string(), client_environment()
    connection.close()
    root = Path(settings.SEALED_ROOT)
    fresh = root.with_name(f"{root.name}.restoring")
    shutil.rmtree(fresh, ignore_errors=True)
    with _readable(wanted.path) as (_manifest, parts), _Reader(programs, place, environment) as reader:
        if wanted.tables:
            reader.say(EMPTYING)
        for name, content in parts:
            kind, _, rest = name.partition("/")
            if kind == DATABASE:
                reader.feed(content.read())
            elif kind == FILES:
                reader.end_of_dump()
                _store(fresh, rest, content)
        reader.end_of_dump()
        reader.say(ENDING)
        reader.commit()
    _take_place(root, fresh)


def _store(folder: Path, name: str, content: BinaryIO) -> None:
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts:
        raise RestoreFailed("The backup holds a file with an impossible name.")
    target = folder / place
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        shutil.copyfileobj(content, file)
        file.flush()
        os.fsync(file.fileno())


def _take_place(root: Path, fresh: Path) -> None:
    _belong_to(fresh, (root if root.exists() else root.parent).stat())
    before = root.with_name(f"{root.name}.before")
    shutil.rmtree(before, ignore_errors=True)
    if root.exists():
        root.rename(before)
    if fresh.exists():
        fresh.rename(root)
    shutil.rmtree(before, ignore_errors=True)


def _belong_to(folder: Path, owner: os.stat_result) -> None:
    """What root restores, the service's account must read."""
    if os.geteuid() == 0 and folder.exists():
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)


class _Reader:
    """pg_restore turns the dump into SQL, psql runs it in one transaction; between them stands this process."""

    def __init__(self, programs: Path, place: str, environment: dict[str, str]) -> None:
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        self._restore = subprocess.Popen(
            [programs / "pg_restore", "--file=-", "--no-owner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
        )
        self._psql = subprocess.Popen(
            [programs / "psql", "--no-psqlrc", "--quiet", "--single-transaction", "-v", "ON_ERROR_STOP=1",
             "--output=/dev/null", "--dbname", place],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            env=environment,
        )  # fmt: skip
        self._copier = threading.Thread(target=self._copy, name="restore-sql")
        self._ended = False

    def __enter__(self) -> _Reader:
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        for process in (self._psql, self._restore):
            if process.poll() is None:
                process.kill()
            process.wait()
        if self._copier.ident:
            self._copier.join()
        for pipe in (self._psql.stdin, self._restore.stdin, self._restore.stdout):
            if pipe:
                _close(pipe)
        self._said.close()

    def say(self, statements: bytes) -> None:
        """Run statements of ours, before or after those of the dump."""
        self._write(self._psql, statements)

    def feed(self, piece: bytes) -> None:
        """The next piece of the dump."""
        if not self._copier.ident:
            self._copier.start()
        self._write(self._restore, piece)

    def _write(self, process: subprocess.Popen[bytes], data: bytes) -> None:
        assert process.stdin  # noqa: S101 - told to Popen above
        try:
            process.stdin.write(data)
            process.stdin.flush()
        except BrokenPipeError:
            process.wait()
            raise RestoreFailed(self._complaint()) from None

    def _copy(self) -> None:
        """Pass the SQL on; a newer pg_restore sets a parameter that an older server does not know."""
        assert self._restore.stdout and self._psql.stdin  # noqa: S101 - told to Popen above
        try:
            head = self._restore.stdout.read(HEAD)
            self._psql.stdin.write(head.replace(b"SET transaction_timeout = 0;\n", b""))
            shutil.copyfileobj(self._restore.stdout, self._psql.stdin)
        except (BrokenPipeError, ValueError):
            self._restore.kill()  # psql has stopped and said why

    def end_of_dump(self) -> None:
        """All pieces were fed: wait until psql has taken the last statement. Raises RestoreFailed."""
        if self._ended:
            return
        self._ended = True
        if self._restore.stdin:
            _close(self._restore.stdin)
        if self._copier.ident:
            self._copier.join()
        if self._restore.wait():
            raise RestoreFailed(self._complaint())

    def commit(self) -> None:
        """Let psql commit. Raises RestoreFailed where a statement failed; nothing was changed then."""
        assert self._psql.stdin  # noqa: S101 - told to Popen above
        _close(self._psql.stdin)
        if self._psql.wait():
            raise RestoreFailed(self._complaint())

    def _complaint(self) -> str:
        """What the programs said first; their later lines follow from it."""
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        errors = [line for line in lines if "ERROR" in line or "error" in line] or lines or ["no reason given"]
        return f"PostgreSQL's programs could not restore: {errors[0]}"


def _close(pipe: IO[bytes]) -> None:
    with suppress(BrokenPipeError):
        pipe.close()
