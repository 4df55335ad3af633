"""Tells an operator the public key by which anybody proves receipts and checkpoints."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from consents.checkpoints import newest, origin
from consents.receipts import public_key


class Command(BaseCommand):
    help = "Print the public key of the ledger of consents; publish it, so that receipts prove something."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        last, key = newest(), public_key()
        said = {"ledger": origin(), "key": key, "checkpoint": last.at if last else None}
        self.stdout.write(json.dumps(said) if options["json"] else key)
