"""Builds the table of current consents anew from the ledger, or compares the two."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from consents.models import Record
from consents.rebuilding import compare_states, rebuild_states


class Command(BaseCommand):
    help = "Build the states of all consents anew from the ledger."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare only; exit code 1 where they differ")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        hidden = options["json"] or not sys.stderr.isatty()
        total = None if hidden else Record.archive.filter(customer__isnull=False).count()
        with tqdm(total=total, unit=" records", disable=hidden, delay=1) as bar:
            found = (compare_states if options["check"] else rebuild_states)(bar.update)
        if options["json"]:
            self.stdout.write(json.dumps(found.as_json()))
        else:
            for key, value in found.as_json().items():
                self.stdout.write(f"{key}: {value}")
        if options["check"] and not found.ok:
            sys.exit(1)
