"""An import from the command line: in this process, from the operator's own file, to the JSON of commands.md."""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from tqdm import tqdm

from customers.rows import Outcome
from datamap.outages import is_outage
from intake.lines import LINES
from intake.mapping import MappingError
from intake.models import Batch
from intake.planning import Plan, plan_import
from intake.profiles import UnknownProfile
from intake.running import work_on
from intake.tables import Opener, UnreadableFile

BAD_ARGUMENTS = 2
INTERRUPTED = gettext_lazy(
    "The database was lost or has no room left. Importing the same file again goes on without doing anything twice."
)


def add_import_arguments(parser: CommandParser) -> None:
    """The arguments both import commands share."""
    parser.add_argument("file", metavar="FILE", type=Path, help="CSV, TSV or XLSX")
    parser.add_argument("--profile", default="", metavar="KEY", help="taken from the header when not given")
    parser.add_argument("--mapping", type=Path, metavar="FILE.json", help='{"target": "header", ...}')
    parser.add_argument("--dry-run", action="store_true", help="say what would be, write nothing")
    parser.add_argument("--as-of", type=_day, metavar="DATE", help="day on which periods are evaluated")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2026-11-21") from None


def import_file(command: BaseCommand, kind: str, options: dict[str, Any]) -> None:
    """Run one import command from its options and print what became of the file."""
    started = time.monotonic()
    options = _typed(options)
    path, lines = options["file"], options["lines"]
    plan = _plan(kind, options)
    dry_run = options["dry_run"]
    batch = Batch.objects.create(
        kind=kind,
        profile=plan.profile.key,
        platform=plan.platform,
        state=Batch.State.CHECKING if dry_run else Batch.State.QUEUED,
        header=plan.table.header,
        mapping=plan.columns.mapping,
        as_of=options["as_of"],
    )
    try:
        with tqdm(unit=" rows", disable=options["json"] or None, delay=1, file=sys.stderr) as bar:
            worked = work_on(batch.pk, plan, lambda records: _advance(bar, records))
        if worked is None:
            raise CommandError(_("Another process took the import over; see the list of imports."), returncode=1)
        if worked.state == Batch.State.FAILED:
            raise CommandError(f"{path.name}: {worked.failure}", returncode=1)
        names = {"": path.name, LINES: lines.name if lines else ""}
        result = _result(worked, names, dry_run, time.monotonic() - started)
    except (OperationalError, InterfaceError) as error:
        if not is_outage(error):
            raise
        raise CommandError(str(INTERRUPTED), returncode=1) from None
    finally:
        if dry_run:
            with suppress(OperationalError, InterfaceError):  # the next sweep closes what cannot be removed now
                batch.delete()
    command.stdout.write(json.dumps(result, ensure_ascii=False) if options["json"] else _text(result))


def _typed(options: dict[str, Any]) -> dict[str, Any]:
    """The options as argparse gives them, also where another program called the command with plain text."""
    paths = {name: Path(options[name]) if options.get(name) else None for name in ("file", "lines", "mapping")}
    day = options["as_of"]
    return options | paths | {"as_of": _day(day) if isinstance(day, str) else day}


def _advance(bar: Any, records: int) -> None:
    bar.update(records)


def _plan(kind: str, options: dict[str, Any]) -> Plan:
    lines = options["lines"]
    try:
        return plan_import(
            kind,
            _opener(options["file"]),
            _opener(lines) if lines else None,
            options["profile"],
            _mapping(options["mapping"]),
        )
    except UnreadableFile as error:
        text = f"{options['file'].name}, " + _("line %(line)d: %(message)s") % {
            "line": error.line,
            "message": error.message,
        }
        raise CommandError(text, returncode=1) from None
    except (UnknownProfile, MappingError) as error:
        raise CommandError(str(error), returncode=BAD_ARGUMENTS) from None


def _opener(path: Path) -> Opener:
    if not path.is_file():
        raise CommandError(_("There is no file %(path)s.") % {"path": path}, returncode=BAD_ARGUMENTS)
    try:
        path.open("rb").close()
    except OSError as error:
        why = _("%(path)s cannot be read: %(reason)s.") % {"path": path, "reason": error.strerror}
        raise CommandError(why, returncode=1) from None
    return lambda: path.open("rb")


def _mapping(path: Path | None) -> Any:
    if path is None:
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_each_once)
    except (OSError, ValueError):
        why = _("The mapping %(path)s cannot be read as JSON.") % {"path": path}
        raise CommandError(why, returncode=BAD_ARGUMENTS) from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON would quietly let the last of two columns win that are mapped to one target."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _column in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise CommandError(_("The mapping names %(name)s twice.") % {"name": twice[:60]}, returncode=BAD_ARGUMENTS)
    return found


def _result(batch: Batch, names: dict[str, str], dry_run: bool, seconds: float) -> dict[str, Any]:
    counts = dict(batch.preview if dry_run else batch.counts)
    for extra in ("unused", "refused"):
        counts.pop(extra, None)
    problems = batch.problems.filter(dry_run=dry_run).order_by("line", "id")

    def listed(severity: str) -> list[dict[str, Any]]:
        found = problems.filter(severity=severity)[: Outcome.LISTED]
        return [{"file": names.get(p.file, ""), "line": p.line, "field": p.field, "message": p.message} for p in found]

    return {
        "batch": None if dry_run else str(batch.pk),
        "profile": batch.profile,
        **counts,
        "errors": listed("error"),
        "warnings": listed("warning"),
        "seconds": round(seconds, 3),
    }


def _text(result: dict[str, Any]) -> str:
    """The same for people."""
    lines = [
        f"{name}: {'-' if value is None else value}"
        for name, value in result.items()
        if name not in ("errors", "warnings")
    ]
    for title in ("errors", "warnings"):
        lines += [
            f"  {title[:-1]} {p['file']} line {p['line']} {p['field']}: {p['message']}" for p in result[title][:20]
        ]
    return "\n".join(lines)
