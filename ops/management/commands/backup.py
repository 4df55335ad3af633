"""`backup`: database and sealed files into one sealed archive; `--rotate` ends what is past its last day."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from datamap import quarantine
from datamap.journal import JournalError
from ops.backing_up import BackupFailed, as_json, back_up, past_last_day, rotate
from ops.pgclients import NoClients


class Command(BaseCommand):
    help = "Write the database and the sealed files into one sealed archive, without the keys and the journal."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", type=Path, help="file or folder (default: a dated file in BACKUP_DIR)")
        parser.add_argument("--rotate", action="store_true", help="afterwards delete backups past their last day")
        parser.add_argument("--dry-run", action="store_true", help="with --rotate: only name the backups that would go")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            self._name_the_old(options)
            return
        done = 0

        def progress(size: int) -> None:
            nonlocal done
            done += size
            self.stderr.write(f"\r{done // 2**20:>8} MB of the dump", ending="")
            self.stderr.flush()

        shown = sys.stderr.isatty() and not options["json"]
        try:
            made = back_up(options["output"], progress if shown else lambda size: None)
        except (BackupFailed, NoClients, JournalError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"The backup could not be written: {error.strerror or error}.") from error
        gone = rotate() if options["rotate"] else []
        if options["json"]:
            self.stdout.write(json.dumps(as_json(made) | {"rotated": len(gone)}))
            return
        self.stdout.write(f"{made.path}: {made.bytes} bytes, journal position {made.journal_position}.")
        if options["rotate"]:
            self.stdout.write(f"{len(gone)} backups were past their last day and are gone.")

    def _name_the_old(self, options: dict[str, Any]) -> None:
        if not options["rotate"]:
            raise CommandError("--dry-run belongs to --rotate: a backup itself ends nothing.", returncode=2)
        old = past_last_day()
        if options["json"]:
            none = {"path": None, "bytes": 0, "journal_position": None, "quarantine": quarantine.current().active}
            self.stdout.write(json.dumps(none | {"rotated": len(old), "dry_run": True}))
            return
        for path in old:
            self.stdout.write(f"  {path}")
        self.stdout.write(f"{len(old)} backups are past their last day and would go.")
