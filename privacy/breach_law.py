"""What the law wants after a breach, in versions: that of the day on which it became known decides (Art. 33(1) GDPR).

The hours and the risk from which on the authority is told may change (domain.md 1.11, "pending reform"): then the
privacy role adds a version with its first day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db import IntegrityError, transaction

from datamap.controlling import legal_zone
from datamap.workdays import local_date
from privacy.models import BreachRule


class RuleChanged(Exception):
    """Somebody else has added a version meanwhile."""


def breach_rules() -> list[BreachRule]:
    """All versions, the law of 2018 first."""
    return [BreachRule(), *BreachRule.objects.order_by("version")]


def rule_of(aware_at: datetime, known: Sequence[BreachRule] | None = None) -> BreachRule:
    """The version in force when a breach became known; `known`: as `breach_rules` has answered before."""
    day = local_date(aware_at, legal_zone())
    return [one for one in known or breach_rules() if (one.valid_from or date.min) <= day][-1]


def successor() -> BreachRule:
    """An unsaved next version that still says what its predecessor says."""
    last = breach_rules()[-1]
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
