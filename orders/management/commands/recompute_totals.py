"""Checks or recomputes the totals of all customers."""

import json
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from tqdm import tqdm

from customers.models import Customer
from orders.totals import differing_totals, recompute_totals


class Command(BaseCommand):
    help = "Recompute what every customer bought from the orders; with --check only say how many totals are wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when any total is wrong")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        begun = time.monotonic()
        wrong = differing_totals() if options["check"] else self._recompute(options)
        seconds = round(time.monotonic() - begun, 3)
        if options["json"]:
            self.stdout.write(json.dumps({"wrong": wrong, "checked_only": options["check"], "seconds": seconds}))
        else:
            self.stdout.write(f"{wrong} totals were wrong{'' if options['check'] else ' and are right now'}.")
        if options["check"] and wrong:
            sys.exit(1)

    def _recompute(self, options: dict[str, Any]) -> int:
        hidden = options["json"] or not sys.stderr.isatty()
        total = None if hidden else Customer.objects.count()
        with tqdm(total=total, unit=" customers", disable=hidden, delay=1) as bar:
            return recompute_totals(bar.update)
