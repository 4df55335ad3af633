"""Makes backups of the database and the sealed files, and ends those that are past their last day.

The keys and the journal are not in a backup: the keys would open it, and the journal must be newer than it.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from datamap import journal, quarantine
from datamap.catalogue import cutoff
from datamap.workdays import local_date
from ops.archiving import ArchiveWriter, write_archive
from ops.pgclients import client_environment, client_programs, connection_string, server_major

NAME = "obhut-%Y-%m-%dT%H%M%S.backup"


class BackupFailed(Exception):
    """The backup could not be made; the text is one sentence for the operator."""


@dataclass(frozen=True)
class Made:
    """A backup that lies whole on the disk."""

    path: Path
    bytes: int
    journal_position: int
    quarantine: bool


def back_up(output: Path | None = None, progress: Callable[[int], None] = lambda size: None) -> Made:
    """Write one sealed archive; the portal may go on working meanwhile.

    The dump holds the checkpoint written before it and lacks the one written after it: a database restored from it
    therefore always knows that it is older than the journal. Raises BackupFailed, NoClients, JournalError, OSError.
    """
    began = timezone.now()
    target = _target(output, began)
    state = quarantine.current()
    position = journal.position() if state.active else _checkpoint()
    facts = {
        "made_at": began.isoformat(),
        "journal_position": position,
        "server": server_major(),
        "migrations": sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations()),
    }

    def fill(archive: ArchiveWriter) -> None:
        archive.manifest(facts)
        _dump(archive, progress)
        # After the dump: a file that a row of the dump names is there, unless it was deleted meanwhile.
        for path in sealed_files():
            archive.file(Path(settings.SEALED_ROOT), path)

    size = write_archive(target, fill)
    if not state.active:
        _checkpoint()
    return Made(target, size, position, state.active)


def _target(output: Path | None, now: datetime) -> Path:
    name = timezone.localtime(now).strftime(NAME)
    target = Path(settings.BACKUP_DIR) / name if output is None else output / name if output.is_dir() else output
    if target.exists():
        raise BackupFailed(f"{target} exists already; a backup is never written over another file.")
    return target.resolve()


def _checkpoint() -> int:
    with transaction.atomic():
        (line,) = journal.append(journal.CHECKPOINT, [{}])
    return line.seq


def _dump(archive: ArchiveWriter, progress: Callable[[int], None]) -> None:
    command = [str(client_programs() / "pg_dump"), "--format=custom", "--no-owner", "--dbname", connection_string()]
    with tempfile.TemporaryFile() as complaints:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints, env=client_environment()
        ) as dump:
            try:
                archive.database(cast(BinaryIO, dump.stdout), progress)
            except BaseException:
                dump.kill()
                raise
        complaints.seek(0)
        said = complaints.read().decode(errors="replace").strip().splitlines()
    if dump.returncode:
        raise BackupFailed(f"pg_dump failed: {said[-1] if said else dump.returncode}")


def sealed_files() -> list[Path]:
    """Every sealed file, drafts of running uploads left out."""
    root = Path(settings.SEALED_ROOT)
    return sorted(path for path in root.rglob("*") if path.is_file() and not path.name.startswith("."))


def backups() -> dict[Path, datetime]:
    """The backups of BACKUP_DIR and when they were made."""
    found = {path: _made_at(path) for path in sorted(Path(settings.BACKUP_DIR).glob("obhut-*.backup"))}
    return {path: made for path, made in found.items() if made is not None}


def _made_at(path: Path) -> datetime | None:
    try:
        return timezone.make_aware(datetime.strptime(path.name, NAME))
    except ValueError:
        return None


def past_last_day() -> list[Path]:
    """The backups of BACKUP_DIR that are past the last day of the category BACKUP."""
    last = cutoff("BACKUP", timezone.localdate())
    return [path for path, made in backups().items() if last is not None and local_date(made) <= last]


def rotate() -> list[Path]:
    """Delete the backups that are past their last day; returns them."""
    gone = past_last_day()
    for path in gone:
        path.unlink(missing_ok=True)
    return gone


def as_json(made: Made) -> dict[str, Any]:
    """The keys of the contract."""
    return {
        "path": str(made.path),
        "bytes": made.bytes,
        "journal_position": made.journal_position,
        "quarantine": made.quarantine,
    }
