"""Proves to an operator that the ledger of consents is as it was written, or names the first broken entry."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from consents.models import Position
from consents.verifying import verify


class Command(BaseCommand):
    help = "Verify every entry, record, seal and checkpoint of the ledger of consents."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        hidden = options["json"] or not sys.stderr.isatty()
        total = None if hidden else Position.objects.order_by("-pk").values_list("pk", flat=True).first()
        with tqdm(total=total, unit=" entries", disable=hidden, delay=1) as bar:
            found = verify(os.cpu_count() or 1, bar.update)
        said = found.as_json()
        if options["json"]:
            self.stdout.write(json.dumps(said, ensure_ascii=False))
        else:
            for key, value in said.items():
                self.stdout.write(f"{key}: {'-' if value in (None, '') else value}")
        if not found.ok:
            sys.exit(1)
