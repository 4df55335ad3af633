"""`restore`: the database and the sealed files of a backup, into quarantine until `reapply_erasures`."""

import json
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from datamap import quarantine
from datamap.journal import JournalError
from ops.pgclients import NoClients
from ops.restoring import Plan, RestoreFailed, plan, restore


class Command(BaseCommand):
    help = "Bring a backup back; nobody can work until `reapply_erasures` has replayed the journal."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--force", action="store_true", help="replace a database that holds tables already")
        parser.add_argument("--dry-run", action="store_true", help="only show what would be done")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            wanted = plan(options["path"].resolve())
            if not options["json"]:
                self._show(wanted)
            if options["dry_run"]:
                self._report(wanted, options["json"])
                return
            self._refuse(wanted, force=options["force"])
            restore(wanted)
        except (RestoreFailed, NoClients, JournalError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"The backup could not be restored: {error.strerror or error}.") from error
        self._report(wanted, options["json"])

    def _show(self, wanted: Plan) -> None:
        self.stdout.write(f"The backup of {_local(wanted.made_at)}, {wanted.bytes} bytes, replaces:")
        self.stdout.write(f"  {wanted.tables} tables of the database and {wanted.files} sealed files;")
        self.stdout.write(f"  {wanted.newer_entries} entries of the journal are newer and will have to be replayed.")

    def _refuse(self, wanted: Plan, *, force: bool) -> None:
        if wanted.tables and not force:
            raise CommandError(
                f"The database holds {wanted.tables} tables; say --force to replace them. Nothing was changed.",
                returncode=3,
            )
        if wanted.others:
            raise CommandError(
                f"{wanted.others} other connections use this database: stop web, workers and beat first.", returncode=3
            )

    def _report(self, wanted: Plan, as_json: bool) -> None:
        state = quarantine.examine()
        if as_json:
            facts = {"path": str(wanted.path), "bytes": wanted.bytes, "journal_position": wanted.journal_position}
            self.stdout.write(json.dumps(facts | {"quarantine": state.active}))
        elif state.active:
            self.stdout.write(state.sentence)


def _local(instant: str) -> str:
    """An instant of the file as the clock on the wall showed it, with its offset."""
    return timezone.localtime(datetime.fromisoformat(instant)).isoformat(timespec="seconds")
