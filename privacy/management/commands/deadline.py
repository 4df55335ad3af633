"""Shows an operator when a request must be answered, or a breach notified."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from datamap.controlling import controller, legal_zone
from datamap.models import Controller
from datamap.workdays import LANDS, local_date
from privacy.breach_law import breach_law
from privacy.deadlines import BreachDeadline, Deadline, UnfitDates, breach_deadline, calendar_day, instant
from privacy.deadlines import request_deadline as deadline_of

UTC = ZoneInfo("UTC")
ONLY_REQUESTS = ("extended_on", "asked_on", "answered_on", "regional")


class Command(BaseCommand):
    help = "Print the last day of a request (Art. 12(3) GDPR) or the last instant of a breach (Art. 33(1)), and why."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--received", required=True, metavar="INSTANT", help="receipt, or when the breach was known"
        )
        parser.add_argument("--kind", choices=["request", "breach"], default="request")
        parser.add_argument("--extended-on", metavar="DAY", help="the notice of extension with reasons went out")
        parser.add_argument("--asked-on", metavar="DAY", help="a question about identity or extent was asked")
        parser.add_argument("--answered-on", metavar="DAY", help="that question was answered")
        parser.add_argument(
            "--regional",
            type=str.upper,
            choices=[key for key, _name in LANDS],
            metavar="LAND",
            help="holidays of this federal state count, too, such as BY",
        )
        parser.add_argument("--as-of", metavar="DAY", help="judge as of this day (default: today)")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            _refuse_unreadable(options)
            who = controller()
            found = self._breach(options, who) if options["kind"] == "breach" else self._request(options, who)
        except UnfitDates as error:
            raise CommandError(str(error), returncode=2) from error
        said = found.as_dict()
        if options["json"]:
            self.stdout.write(json.dumps(said, ensure_ascii=False))
            return
        for key, value in said.items():
            if isinstance(value, list):
                value = "; ".join(f"{shift['date']} {shift['why']}" for shift in value)
            self.stdout.write(f"{key}: {'-' if value in (None, '') else value}")

    def _request(self, options: dict[str, Any], who: Controller) -> Deadline:
        zone = legal_zone(who)
        return deadline_of(
            local_date(instant(options["received"], zone), zone),
            as_of=_day(options["as_of"], zone) or local_date(timezone.now(), zone),
            extended_on=_day(options["extended_on"], zone),
            asked_on=_day(options["asked_on"], zone),
            answered_on=_day(options["answered_on"], zone),
            land=options["regional"] or (who.land if who.regional_holidays else None),
            zone=zone,
        )

    def _breach(self, options: dict[str, Any], who: Controller) -> BreachDeadline:
        if any(options[name] is not None for name in ONLY_REQUESTS):
            raise UnfitDates("The hours of a breach know no extension, no suspension and no holidays.")
        zone = legal_zone(who)
        aware_at = instant(options["received"], zone)
        as_of = _day(options["as_of"], zone) or timezone.now()
        return breach_deadline(aware_at, as_of=as_of, hours=breach_law().at(aware_at).hours, zone=zone)


def _refuse_unreadable(options: dict[str, Any]) -> None:
    """Before anything is asked of the database; whether a local time exists depends on its zone and comes later."""
    for name in ("received", "as_of", *ONLY_REQUESTS[:3]):
        if options[name] is not None:
            calendar_day(options[name], UTC)


def _day(text: str | None, zone: ZoneInfo) -> date | None:
    return None if text is None else calendar_day(text, zone)
