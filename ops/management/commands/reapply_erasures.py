"""`reapply_erasures`: replay the journal after a restore; or let two people waive that."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from datamap import quarantine
from datamap.journal import JournalError
from datamap.replaying import Outcome, reapply, rehearse
from staff.models import Role, User

LOST = (
    "What was entered after the backup and the journal does not know is lost: requests and deadlines among it. {} "
    "before the next night deletes by them; `manage.py purge_expired --dry-run --warn-first` shows what it would take."
)
# Reasons and statutes are words, which the journal does not hold.
CAME_BACK = LOST.format("The journal brought holds and retention rules back without their words: look through them")
RELEASED = LOST.format("So are holds and versions of retention rules: enter them again")


class Command(BaseCommand):
    help = (
        "Replay erasures, objections and restrictions that a restored database does not know, and end its quarantine."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--release", action="store_true", help="waive the replay; two people say so within a day")
        parser.add_argument("--by", metavar="EMAIL", help="who releases: somebody of operations or privacy")
        parser.add_argument("--dry-run", action="store_true", help="say how much would be replayed, change nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["release"] != bool(options["by"]):
            raise CommandError("--release and --by EMAIL belong together.", returncode=2)
        if options["release"] and options["dry_run"]:
            raise CommandError("A release cannot be tried: leave --dry-run out.", returncode=2)
        try:
            if options["dry_run"]:
                self._rehearse(as_json=options["json"])
                return
            outcome = self._release(options["by"]) if options["release"] else reapply(_progress)
        except JournalError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(outcome.as_json()))
        else:
            self._tell(outcome, first=options["release"])
        if not (outcome.released or options["release"]):
            sys.exit(3 if not outcome.failed else 1)

    def _rehearse(self, *, as_json: bool) -> None:
        outcome, kinds = rehearse()
        if as_json:
            self.stdout.write(json.dumps(outcome.as_json() | {"dry_run": True, "kinds": kinds}))
            return
        for kind, number in sorted(kinds.items()):
            self.stdout.write(f"  {kind}: {number}")
        self.stdout.write(f"At most {outcome.replayed} entries would be replayed, {outcome.failed} cannot be.")

    def _release(self, email: str) -> Outcome:
        user = User.objects.filter(
            email=email.strip().lower(), is_active=True, roles__key__in=[Role.OPERATOR, Role.PRIVACY]
        ).first()
        if user is None:
            raise CommandError("Only somebody of operations or privacy can release.")
        return Outcome(released=quarantine.release(user.pk))

    def _tell(self, outcome: Outcome, *, first: bool) -> None:
        if first and not outcome.released:
            self.stdout.write("Noted. A second person of operations or privacy has to release within a day.")
            return
        self.stdout.write(f"{outcome.replayed} replayed, {outcome.already} were there, {outcome.failed} failed.")
        sentence = quarantine.examine().sentence
        self.stdout.write(
            f"The database may be worked with. {RELEASED if first else CAME_BACK}"
            if outcome.released
            else f"Still in quarantine. {sentence}"
        )


def _progress(position: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\rjournal position {position}")
        sys.stderr.flush()
