"""Runs the retention: ends every row whose last day is over."""

from __future__ import annotations

import sys
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from tqdm import tqdm

from datamap.catalogue import UnknownRule, rules_of
from datamap.controlling import legal_zone
from datamap.workdays import local_date
from privacy.models import RetentionRun
from privacy.operating import BAD_ARGUMENTS, WANTS_A_PERSON, add_common_arguments, day_of, say
from privacy.purging import Report, plan_run, rehearse, report_of, work
from privacy.warning import warn_inactive


class Command(BaseCommand):
    help = (
        "End what is past its last day: delete, anonymize or block by the rules in force, history, files and every "
        "declared store included. Stops with exit code 3 where too many customers would go."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rule", metavar="KEY", default="", help="only this key of the catalogue")
        parser.add_argument("--allow-share", metavar="SHARE", help="share of customers that may go (default: settings)")
        parser.add_argument(
            "--warn-first", action="store_true",
            help="as the night: first tell owners of accounts that end, and leave them the days of the settings",
        )  # fmt: skip
        add_common_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        day, share = day_of(options), self._share(options["allow_share"])
        if options["rule"]:
            try:
                rules_of(options["rule"])
            except UnknownRule as error:
                raise CommandError(str(error), returncode=BAD_ARGUMENTS) from error
        if options["dry_run"]:
            report = rehearse(day, only=options["rule"], allow_share=share, warns_first=options["warn_first"])
        else:
            if options["warn_first"]:
                self._warn(day, options["rule"])
            run = plan_run(day, only=options["rule"], allow_share=share, warns_first=options["warn_first"])
            report = self._run(run, options)
        say(self, options, report.as_dict(), words(report))
        if report.guard:
            raise SystemExit(WANTS_A_PERSON)
        if not report.complete:
            raise SystemExit(1)

    def _warn(self, day: date, rule: str) -> None:
        if day != local_date(timezone.now(), legal_zone()):
            raise CommandError(
                _("People can be told today only: --warn-first takes no other day."), returncode=BAD_ARGUMENTS
            )
        if rule in ("", "ACCOUNT"):
            warn_inactive(day)

    def _run(self, run: RetentionRun, options: dict[str, Any]) -> Report:
        with tqdm(
            total=run.batches.count(), unit=" batches", disable=options["json"] or None, delay=1, file=sys.stderr
        ) as bar:
            while work(run.pk, batches=1):
                bar.update()
        return report_of(run)

    def _share(self, text: Any) -> Decimal | None:
        if text is None:
            return None
        try:
            share = Decimal(str(text))
        except InvalidOperation:
            share = Decimal(-1)
        if not share.is_finite() or not 0 <= share <= 1:
            raise CommandError(_("--allow-share takes a number from 0 to 1."), returncode=BAD_ARGUMENTS)
        return share


def words(report: Report) -> str:
    """The report line by line."""
    told = report.as_dict()
    lines = [f"run: {told['run'] or '-'}", f"as of: {told['as_of']}", f"complete: {'yes' if report.complete else 'no'}"]
    for key, counts in told["categories"].items():
        lines.append(f"  {key:<12} " + ", ".join(f"{name} {count}" for name, count in counts.items() if count))
    if report.guard:
        lines.append(f"guard: {report.guard['persons']} customers would go; a person has to agree.")
    return "\n".join(lines)
