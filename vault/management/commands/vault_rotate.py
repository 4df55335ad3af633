"""Brings all sealed values under the writing key, recomputes blind indexes, and retires keys."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from vault.columns import index_uses, seal_uses
from vault.keyring import keyring
from vault.proof import verify_keys
from vault.rotation import Outcome, Refused, retire, rotate_indexes, rotate_seals


class Command(BaseCommand):
    help = (
        "Re-seal every value that names an older seal key. May be interrupted and started again; "
        "old and new values stay readable meanwhile."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--dry-run", action="store_true", help="only count what is to be done")
        parser.add_argument("--index", action="store_true", help="work on the index key: recompute every blind index")
        parser.add_argument(
            "--retire",
            type=int,
            metavar="ID",
            help="let a key go that nothing names any more; rotates nothing",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        verify_keys()
        kind = "index" if options["index"] else "seal"
        try:
            if options["retire"] is not None:
                self._retire(kind, options)
            elif options["dry_run"]:
                self._report(self._planned(kind), options)
            else:
                self._rotate(kind, options)
        except Refused as refusal:
            raise CommandError(str(refusal), returncode=3) from None

    def _uses(self, kind: str) -> dict[int, int]:
        return dict(index_uses() if kind == "index" else seal_uses())

    def _planned(self, kind: str) -> Outcome:
        to = keyring().writing(kind)
        uses = self._uses(kind)
        left = {key_id: count for key_id, count in uses.items() if key_id != to.id}
        return Outcome(to, sorted(left), left=sum(left.values()))

    def _retire(self, kind: str, options: dict[str, Any]) -> None:
        key_id = options["retire"]
        if key_id not in {key.id for key in keyring().of_kind(kind)}:
            raise CommandError(f"There is no key {kind}:{key_id} here.", returncode=2)
        retire(kind, key_id, self._uses(kind).get(key_id, 0), dry_run=options["dry_run"])
        outcome = Outcome(keyring().writing(kind), [key_id])
        self._report(outcome, options, retired=None if options["dry_run"] else key_id)

    def _rotate(self, kind: str, options: dict[str, Any]) -> None:
        hidden = options["json"] or not sys.stderr.isatty()
        total = None if hidden else self._planned(kind).left or None
        with tqdm(total=total, unit=" values", disable=hidden, delay=1) as bar:
            outcome = (rotate_indexes if kind == "index" else rotate_seals)(bar.update)
        self._report(outcome, options)
        for place in outcome.unreadable:
            self.stderr.write(f"Does not open: {place}")
        if outcome.left:
            raise CommandError(f"{outcome.left} values are left; run vault_rotate again.")

    def _report(self, outcome: Outcome, options: dict[str, Any], retired: int | None = None) -> None:
        older = outcome.from_ids or [k.id for k in keyring().of_kind(outcome.to.kind) if not k.writes]
        result = {
            "from": min(older, default=None),
            "to": outcome.to.id,
            "done": outcome.done,
            "left": outcome.left,
            "kind": outcome.to.kind,
            "retired": retired,
        }
        if options["json"]:
            self.stdout.write(json.dumps(result))
        elif options["dry_run"]:
            self.stdout.write(_tried(outcome, options["retire"]))
        elif retired is not None:
            self.stdout.write(f"Retired {outcome.to.kind}:{retired}; its line may be taken out of the key file.")
        else:
            self.stdout.write(f"{outcome.done} values are now under {outcome.to}, {outcome.left} are left.")


def _tried(outcome: Outcome, key_id: int | None) -> str:
    if key_id is not None:
        return f"Nothing names {outcome.to.kind}:{key_id} any more; it may be retired."
    return f"{outcome.left} values would come under {outcome.to}."
