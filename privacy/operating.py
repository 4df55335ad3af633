"""What the commands of this app share: the day they evaluate, and when a future day may really delete."""

from __future__ import annotations

import argparse
import json
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from datamap.controlling import legal_zone
from datamap.days import is_slip
from datamap.workdays import local_date

BAD_ARGUMENTS, WANTS_A_PERSON = 2, 3


def add_common_arguments(parser: CommandParser, *, dry_run: bool = True) -> None:
    """`--as-of`, `--json` and, where something is destroyed, `--dry-run`."""
    parser.add_argument("--as-of", type=a_day, metavar="DATE", help="evaluate on this day (default: today)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    if dry_run:
        parser.add_argument("--dry-run", action="store_true", help="say what would be, change nothing")


def a_day(text: str) -> date:
    """A date of the command line; one that can only be a slip of the keys is none."""
    try:
        day = date.fromisoformat(text)
        if is_slip(day):
            raise ValueError
        return day
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2026-11-24") from None


def day_of(options: dict[str, Any]) -> date:
    """The day to evaluate. Raises CommandError for no date, and where a day to come would delete in production."""
    today = local_date(timezone.now(), legal_zone())
    given = options["as_of"]
    try:
        day = a_day(given) if isinstance(given, str) else given or today  # text where another program calls
    except argparse.ArgumentTypeError as error:
        raise CommandError(str(error), returncode=BAD_ARGUMENTS) from error
    if day > today and not options.get("dry_run") and not settings.DEBUG:
        raise CommandError(_("A future day deletes nothing here: only with --dry-run."), returncode=BAD_ARGUMENTS)
    return day


def say(command: BaseCommand, options: dict[str, Any], result: dict[str, Any], text: str) -> None:
    """The result as JSON, or in words."""
    command.stdout.write(json.dumps(result, ensure_ascii=False) if options["json"] else text)
