"""Erases one person, or shows what an erasure would do."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from customers.models import Customer
from privacy.erasing import Refused, ask_erasure, erasure_of_number, result_of, run_erasure
from privacy.models import Erasure
from privacy.operating import BAD_ARGUMENTS, WANTS_A_PERSON, add_common_arguments, day_of, say
from privacy.planning import plan_erasure


class Command(BaseCommand):
    help = (
        "Erase the customer with this number everywhere (Art. 17 GDPR); what a statute keeps is blocked until its "
        "last day. --dry-run shows the plan. Asked again, the receipt of the first time is printed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", metavar="NUMBER", help="customer number")
        parser.add_argument("--deep", action="store_true", help="search sealed texts for traces, too: reads them all")
        add_common_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        day = day_of(options)
        number = options["number"]
        # PostgreSQL refuses a NUL in a parameter; no number holds one.
        customer = Customer.objects.filter(number=number).first() if "\0" not in number else None
        if customer is None:
            erasure = erasure_of_number(number)
            if erasure is None:
                raise CommandError(_("There is no customer with this number."), returncode=BAD_ARGUMENTS)
            if options["deep"] and erasure.needles is None:
                raise CommandError(
                    _("The erasure is finished: what could be searched for is gone with the person."),
                    returncode=BAD_ARGUMENTS,
                )
            if not options["dry_run"]:
                # Goes on where a killed process stopped.
                erasure = run_erasure(erasure.pk, now=True, deep=options["deep"])
        elif options["dry_run"]:
            plan = plan_erasure(customer, day)
            result: dict[str, Any] = {
                "receipt": None,
                "subject_ref": str(plan.subject_ref),
                "dry_run": True,
                "complete": plan.complete,
                "items": plan.as_dicts(),
                "holds": plan.holds,
                "traces": {},
            }
            say(self, options, result, words(result))
            return
        else:
            erasure = self._erase(customer, day, deep=options["deep"])
        result = result_of(erasure)
        say(self, options, result, words(result))

    def _erase(self, customer: Customer, day: Any, *, deep: bool) -> Erasure:
        asked = ask_erasure(customer, as_of=day)
        try:
            return run_erasure(asked.pk, now=True, deep=deep)
        except Refused as error:
            raise CommandError(str(error), returncode=WANTS_A_PERSON) from error


def words(result: dict[str, Any]) -> str:
    """The plan or the receipt line by line."""
    lines = [f"receipt: {result['receipt'] or '-'}", f"complete: {'yes' if result['complete'] else 'no'}"]
    for item in result["items"]:
        until = f" until {item['until']}" if item["until"] else ""
        statute = f" ({item['statute']})" if item["statute"] else ""
        lines.append(f"  {item['action']:<9} {item['count']:>6} {item['model']}{until}{statute}: {item['reason']}")
    lines += [f"  hold {hold['kind']}, {hold['scope']}: {hold['reason']}" for hold in result["holds"]]
    lines += [f"  trace in {place}: {count} rows to look at" for place, count in sorted(result["traces"].items())]
    return "\n".join(lines)
