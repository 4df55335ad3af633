"""Drops unproven opt-ins of imports whose period is over."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from customers.claims import drop_expired_claims
from datamap.workdays import local_date


class Command(BaseCommand):
    """Call the story, print the number."""

    help = "Drop opt-ins that imports asserted and nobody proved within their period (CLAIM-OPTIN)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as-of", type=date.fromisoformat, help="evaluate as of this day (default: today)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        today = local_date(timezone.now())
        as_of = options["as_of"] or today
        if as_of > today and not settings.DEBUG:
            raise CommandError("A future --as-of deletes only with DEBUG.", returncode=2)
        dropped = drop_expired_claims(as_of)
        if options["json"]:
            self.stdout.write(json.dumps({"as_of": as_of.isoformat(), "dropped": dropped}))
        else:
            self.stdout.write(f"{dropped} unproven opt-ins dropped.")
