"""Shows which vault keys are loaded, which write, and how many values name each."""

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from vault.columns import index_uses, list_uses, places, seal_uses
from vault.keyring import keyring
from vault.proof import verify_keys


class Command(BaseCommand):
    help = "List the vault keys with their fingerprints and how many values name each."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        verify_keys()
        hidden = options["json"] or not sys.stderr.isatty()
        with tqdm(total=places(), unit=" places", disable=hidden, delay=1) as bar:
            uses: dict[str, Counter[int]] = {
                "seal": seal_uses(bar.update),
                "index": index_uses(bar.update),
                "list": list_uses(bar.update),
            }
        keys = [
            {
                "id": key.id,
                "kind": key.kind,
                "fingerprint": key.fingerprint,
                "writes": key.writes,
                "uses": uses[key.kind][key.id],
            }
            for key in keyring().keys
        ]
        loaded = {(key.kind, key.id) for key in keyring().keys}
        missing = [
            {"id": key_id, "kind": kind, "uses": count}
            for kind, counts in uses.items()
            for key_id, count in sorted(counts.items())
            if (kind, key_id) not in loaded
        ]
        if options["json"]:
            self.stdout.write(json.dumps({"keys": keys, "missing": missing}))
        else:
            self.stdout.write(f"{'key':<12}{'fingerprint':<20}{'writes':<8}uses")
            for key in keys:
                name = f"{key['kind']}:{key['id']}"
                writes = "yes" if key["writes"] else "no"
                self.stdout.write(f"{name:<12}{key['fingerprint']:<20}{writes:<8}{key['uses']}")
        if missing:
            named = ", ".join(f"{m['kind']}:{m['id']} ({m['uses']} values)" for m in missing)
            raise CommandError(f"Values name keys that are not loaded: {named}.")
