"""Put back the state before an import."""

import json
import sys
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from intake.models import Batch
from intake.running import work_on
from intake.undoing import preview_undo, request_undo


class Command(BaseCommand):
    help = (
        "Undo an import: remove what it created and restore what it changed. Rows that somebody edited since are left "
        "and named; an erased person never comes back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("batch", metavar="BATCH", type=UUID)
        parser.add_argument("--dry-run", action="store_true", help="say what would be, change nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        batch = Batch.objects.filter(pk=options["batch"]).first()
        if batch is None:
            raise CommandError("There is no such import.", returncode=2)
        if options["dry_run"]:
            found = preview_undo(batch)
        else:
            if not request_undo(batch.pk):
                raise CommandError("This import is not done, or was undone before.", returncode=1)
            with tqdm(unit=" steps", disable=options["json"] or None, delay=1, file=sys.stderr) as bar:
                worked = work_on(batch.pk, progress=bar.update)
            if worked is None or worked.state != Batch.State.UNDONE:
                raise CommandError((worked and worked.failure) or "The undo did not finish.", returncode=1)
            found = worked.undo
        result = {"batch": str(batch.pk), **found}
        text = json.dumps(result) if options["json"] else "\n".join(f"{k}: {v}" for k, v in result.items())
        self.stdout.write(text)
