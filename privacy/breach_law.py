"""What the law wants after a breach, in versions: that of the day on which it became known decides (Art. 33(1) GDPR).

The hours and the risk from which on the authority is told may change (domain.md 1.11, "pending reform"): then the
privacy role adds a version with its first day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from datamap.controlling import legal_zone
from datamap.workdays import local_date
from privacy.models import BreachRule


class RuleChanged(Exception):
    """Somebody else has added a version meanwhile."""


@dataclass(frozen=True)
class BreachLaw:
    """All versions, the law of 2018 first, and the zone whose days count."""

    versions: list[BreachRule]
    zone: ZoneInfo

    def at(self, aware_at: datetime) -> BreachRule:
        """The version in force when a breach became known."""
        day = local_date(aware_at, self.zone)
        return [one for one in self.versions if (one.valid_from or date.min) <= day][-1]


def breach_law() -> BreachLaw:
    """The law as it is known here, read once for as many breaches as one likes."""
    return BreachLaw([BreachRule(), *BreachRule.objects.order_by("version")], legal_zone())


def successor() -> BreachRule:
    """An unsaved next version that still says what its predecessor says."""
    last = breach_law().versions[-1]
    return BreachRule(version=last.version + 1, hours=last.hours, told_from=last.told_from, statute=last.statute)


def add_rule(rule: BreachRule, *, user_id: int | None) -> BreachRule:
    """Write a validated next version. Raises RuleChanged where another has taken its number."""
    rule.created_by = user_id
    try:
        with transaction.atomic():
            rule.save()
    except IntegrityError as error:
        raise RuleChanged from error
    return rule
