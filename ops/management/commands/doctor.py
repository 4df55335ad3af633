"""`doctor`: is everything as it should be? Exit code 1 when not."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from datamap.diagnosis import Finding, Options, as_json, diagnose


class Command(BaseCommand):
    help = "Check the database, keys, sealed values, files, journal, broker, beat and waiting jobs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--deep", action="store_true", help="open every sealed value and file, not a sample")
        parser.add_argument("--canary", default="", metavar="TEXT", help="search all files for this text, in any form")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        findings: list[tuple[str, Finding]] = []
        for name, finding in diagnose(Options(deep=options["deep"], canary=options["canary"])):
            findings.append((name, finding))
            if not options["json"]:
                self.stdout.write(f"{'ok  ' if finding.ok else 'FAIL'} {name:<14} {finding.detail}")
        report = as_json(findings)
        if options["json"]:
            self.stdout.write(json.dumps(report))
        if not report["ok"]:
            sys.exit(1)
