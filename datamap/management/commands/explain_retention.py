"""Shows an operator one retention rule applied to one date."""

import json
from argparse import ArgumentParser
from contextlib import suppress
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from datamap.catalogue import AskAnotherKey, UnfitFacts, UnknownRule, explain
from datamap.controlling import controller, legal_zone
from datamap.models import RetentionRule
from datamap.standing import UnknownSubject, holds_on
from datamap.workdays import local_date

DAYS = ("start", "last_use", "contract", "repaired", "as_of")


class Command(BaseCommand):
    help = "Apply one retention rule to a start date and print until when the datum is kept, and why."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", metavar="KEY", help="key of the retention catalogue, such as INV or STAFF:session")
        parser.add_argument("--start", type=day, required=True, help="day of the start event")
        parser.add_argument("--last-use", type=day, help="CONSENT-TEL: day of the last call")
        parser.add_argument("--contract", type=day, help="WARR: day of the contract")
        parser.add_argument("--repaired", type=day, help="WARR: day of the first repair")
        parser.add_argument("--supervised", action="store_true", help="as a supervised financial business")
        parser.add_argument("--customer", metavar="NUMBER", help="list the holds of this customer, too")
        parser.add_argument("--as-of", type=day, help="law as of this day (default: today)")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        who = controller()
        zone = legal_zone(who)
        try:
            for name in DAYS:
                options[name] = _local(options[name], zone)
        except OverflowError as error:  # an instant whose local day no calendar has
            raise CommandError(_("This day has no date here."), returncode=2) from error
        as_of = options["as_of"] or local_date(timezone.now(), zone)
        try:
            found = explain(
                options["key"],
                options["start"],
                holds=holds_on(options["key"], options["start"], as_of, options["customer"]),
                as_of=as_of,
                last_use=options["last_use"],
                contract=options["contract"],
                repaired=options["repaired"],
                supervised=options["supervised"] or who.supervised_financial,
                margin_days=who.execution_margin_days,
                zone=zone,
            )
        except UnknownRule as error:
            keys = ", ".join(RetentionRule.objects.order_by("key").values_list("key", flat=True).distinct())
            known = _("The catalogue knows: %s.") % keys
            raise CommandError(f"{error} {known}", returncode=2) from error
        except (AskAnotherKey, UnfitFacts, UnknownSubject) as error:
            raise CommandError(str(error), returncode=2) from error
        said = found.as_dict()
        if options["json"]:
            self.stdout.write(json.dumps(said, ensure_ascii=False))
            return
        for key, value in said.items():
            # Reasons are sentences, holds are not.
            between = " " if key == "why" else "; "
            shown = between.join(map(_line, value)) if isinstance(value, list) else value
            self.stdout.write(f"{key}: {'-' if shown in (None, '') else shown}")


def _line(said: Any) -> str:
    return ", ".join(str(part) for part in said.values() if part) if isinstance(said, dict) else str(said)


def day(text: str) -> date:
    """A date, or an instant: with its offset, or as the clock of the shop shows it."""
    with suppress(ValueError):
        return date.fromisoformat(text)
    return datetime.fromisoformat(text)


def _local(value: date | None, zone: ZoneInfo) -> date | None:
    """The legal date is the local one (C1, P07), where the shop has its seat."""
    if not isinstance(value, datetime):
        return value
    return local_date(value if value.tzinfo else value.replace(tzinfo=zone), zone)
