"""Drops unproven opt-ins of imports whose period is over."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.claims import drop_expired_claims
from datamap.workdays import local_date


class Command(BaseCommand):
    """Call the story, print the number."""

    help = "Drop opt-ins that imports asserted and nobody proved within their period (CLAIM-OPTIN)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as-of", type=date.fromisoformat, help="evaluate as of this day (default: today)")
        parser.add_argument("--dry-run", action="store_true", help="say how many would go, change nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        today = local_date(timezone.now())
        as_of = options["as_of"] or today
        dry_run = options["dry_run"]
        if as_of > today and not (dry_run or settings.DEBUG):
            raise CommandError(_("A future day deletes nothing here: only with --dry-run."), returncode=2)
        with transaction.atomic():
            dropped = drop_expired_claims(as_of)
            transaction.set_rollback(dry_run)
        if options["json"]:
            self.stdout.write(json.dumps({"as_of": as_of.isoformat(), "dry_run": dry_run, "dropped": dropped}))
        else:
            self.stdout.write(f"{dropped} unproven opt-ins {'would be ' if dry_run else ''}dropped.")
