"""`demo`: a believable shop in an empty development database."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ops.demo.loading import DemoRefused, load_demo
from ops.demo.seasons import last_day
from ops.logins import demo_logins

BAR = 40
GUARD = 3


def _some(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 10_000_000:
        raise ArgumentTypeError("between 1 and 10000000")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError("a date such as 2026-11-22") from error


class Command(BaseCommand):
    help = "Fill an empty development database with a believable German shop; the same for the same seed and day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--customers", type=_some, default=2000, metavar="N", help="how many (default 2000)")
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="which shop (default 1)")
        parser.add_argument(
            "--as-of",
            type=_day,
            metavar="DATE",
            help="the day up to whose opening at six it has sold (default today, before six yesterday)",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = load_demo(
                options["customers"],
                options["seed"],
                options["as_of"] or last_day(timezone.now()),
                progress=self._progress if sys.stderr.isatty() else lambda share: None,
            )
        except DemoRefused as refusal:
            raise CommandError(str(refusal), returncode=GUARD) from refusal
        if options["json"]:
            self.stdout.write(json.dumps(asdict(loaded)))
            return
        self.stdout.write(
            f"{loaded.customers} customers, {loaded.orders} orders with {loaded.lines} lines, "
            f"{loaded.documents} papers, {loaded.interactions} contacts, "
            f"{loaded.complaints} complaints, {loaded.follow_ups} next steps "
            f"in {loaded.seconds:.1f} s. Sign in as {demo_logins()[0].email}."
        )

    def _progress(self, share: float) -> None:
        done = min(BAR, int(share * BAR))
        end = "\n" if share >= 1 else ""
        sys.stderr.write(f"\r[{'#' * done}{'.' * (BAR - done)}] {min(share, 1):4.0%}{end}")
        sys.stderr.flush()
