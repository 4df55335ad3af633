"""Adds a version of a retention rule, and says beforehand whose last day it moves; law changes are new rows (C7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from datamap import journal
from datamap.catalogue import SUPERVISED, cutoff, explain
from datamap.declarations import By, Group, registry
from datamap.hanging import own_keys
from datamap.models import RetentionRule
from datamap.starts import start_of
from datamap.workdays import BERLIN, day_begins

COPIED = (
    "key", "variant", "category", "purpose", "basis", "start_event", "start_label", "lives_as", "cap_months",
    "jurisdiction", "owner", "note",
)  # fmt: skip
KIND = "rule_version"
DAYS = ("valid_from", "review_on")
LONGEST_AGO = timedelta(days=150 * 365)

Counted = tuple[str, date, int]
"""`app_label.Model`, start day, so many rows."""
Counter = Callable[[str, date, ZoneInfo], Iterable[Counted]]


class RuleChanged(Exception):
    """Somebody else has added a version meanwhile."""


@dataclass
class Shift:
    """What a new version does to the rows of one model."""

    label: str
    earlier: int = 0
    later: int = 0

    @property
    def name(self) -> str:
        """The kind of row as people call it."""
        return str(capfirst(str(apps.get_model(self.label)._meta.verbose_name_plural)))


def newest(full_key: str) -> RetentionRule | None:
    """The last version of a key with or without `:variant`, in force or still to come."""
    key, _colon, variant = full_key.partition(":")
    return RetentionRule.objects.ladder(key, variant).last()


def successor(of: RetentionRule) -> RetentionRule:
    """An unsaved next version that still says what its predecessor says."""
    kept = ("number", "unit", "year_end", "action", "on_request", "statute", "review_on")
    said = {name: getattr(of, name) for name in (*COPIED, *kept)}
    return RetentionRule(version=of.version + 1, transition=RetentionRule.Transition.NOT_YET_EXPIRED, **said)


def add_version(rule: RetentionRule, *, user_id: int | None) -> RetentionRule:
    """Write a validated new version.

    Atomic, and in the journal: a restored database must not delete by a shorter period of then. Raises RuleChanged when
    its predecessor is no longer the last one, ImmutableRule when it is stored already, and what the journal raises.
    """
    rule.created_by = user_id
    # The catalogue marks what no statute demands.
    rule.policy = "POLICY" in rule.statute
    try:
        with transaction.atomic():
            last = RetentionRule.objects.select_for_update().ladder(rule.key, rule.variant).last()
            if last is None or last.version + 1 != rule.version:
                raise RuleChanged(_("Somebody else has added a version meanwhile."))
            rule.save()
            journal.write(KIND, _remembered(rule))
    except IntegrityError as error:
        raise RuleChanged(_("Somebody else has added a version meanwhile.")) from error
    return rule


def _remembered(rule: RetentionRule) -> dict[str, Any]:
    """What of a version the journal holds: what a last day is reckoned by, and no word."""
    days = {name: day.isoformat() if (day := getattr(rule, name)) else None for name in DAYS}
    return {
        "key": rule.key.lower(), "variant": rule.variant, "version": rule.version, "number": rule.number,
        "unit": rule.unit, "year_end": rule.year_end, "action": rule.action, "on_request": rule.on_request,
        "transition": rule.transition, "policy": rule.policy, "by": rule.created_by,
        "at": rule.created_at.isoformat(), **days,
    }  # fmt: skip


def replay_version(entry: Mapping[str, Any]) -> str:
    """Add a version again that was made after the backup; "already" where there is one of this number.

    Statute and reason were not in the journal: those of the version before stand in their place, until somebody
    corrects them by another version. Raises RuleChanged where the version before is missing.
    """
    ladder = RetentionRule.objects.select_for_update().filter(key__iexact=entry["key"], variant=entry["variant"])
    last = ladder.order_by("version").last()
    if last is not None and last.version >= entry["version"]:
        return "already"
    if last is None or last.version + 1 != entry["version"]:
        raise RuleChanged("The version before is missing.")
    rule = successor(last)
    for name in ("number", "unit", "year_end", "action", "on_request", "transition", "policy"):
        setattr(rule, name, entry[name])
    for name in DAYS:
        setattr(rule, name, date.fromisoformat(entry[name]) if entry[name] else None)
    rule.transition_statute = last.transition_statute
    rule.reason = _("Made before the database was restored: statute and reason have to be looked at again.")
    rule.created_by, rule.created_at = entry["by"], datetime.fromisoformat(entry["at"])
    rule.save()
    return "replayed"


def shifts(rule: RetentionRule, today: date, zone: ZoneInfo = BERLIN, *, supervised: bool = False) -> list[Shift]:
    """Per model: how many rows of today may go earlier, and how many later, once this version is in force.

    Compared on the first day of the new version (or today, when it began before): what may be deleted by then under
    both is left as it is. Rules that live as long as another move nothing themselves.
    """
    before = list(RetentionRule.objects.filter(key=rule.key))
    after = [*before, rule]
    key = _declared_key(rule, before, supervised)
    if key is None or rule.lives_as:
        return []
    ladder = [one.valid_from for one in after if one.variant == rule.variant and one.valid_from]
    day = max([today, *ladder])
    limits = [cutoff(rule.full_key, day, rules=rules) or day - LONGEST_AGO for rules in (before, after)]
    moved: dict[str, Shift] = {}
    for label, start, count in _counters[-1](key, min(limits), zone):
        old, new = (_last_day(rule.full_key, start, day, rules) for rules in (before, after))
        shift = moved.setdefault(label, Shift(label))
        shift.earlier += count if new < old else 0
        shift.later += count if new > old else 0
    return [shift for shift in moved.values() if shift.earlier or shift.later]


def rows_by_start(key: str, since: date, zone: ZoneInfo) -> Iterator[Counted]:
    """All rows that fall under a declared key and began on or after a day, counted by that day; one query a model."""
    seen = set()
    for declaration, group in registry:
        if (
            key not in group.categories
            or not group.start
            or declaration.label in seen
            or key not in own_keys(declaration)
        ):
            continue
        seen.add(declaration.label)
        rows = _of_category(apps.get_model(declaration.label), group, key).annotate(row_began=start_of(group))
        rows = rows.filter(row_began__gte=day_begins(since, zone)).order_by()
        days = (
            rows.annotate(row_day=TruncDate("row_began", tzinfo=zone)).values("row_day").annotate(row_count=Count("pk"))
        )
        for day, count in days.values_list("row_day", "row_count"):
            yield declaration.label, day, count


_counters: list[Counter] = [rows_by_start]


def count_with(counter: Counter) -> None:
    """Let a floor above count, which knows more than the declarations say; called from its `ready`."""
    if counter not in _counters:
        _counters.append(counter)


def _declared_key(rule: RetentionRule, known: list[RetentionRule], supervised: bool) -> str | None:
    """The key by which declarations name the rows of this rule; None where the shop has no such rows."""
    if rule.variant == SUPERVISED:
        return rule.key if supervised else None
    if not rule.variant and supervised and any(one.variant == SUPERVISED for one in known):
        return None
    return rule.full_key


def _last_day(key: str, start: date, day: date, rules: list[RetentionRule]) -> date:
    due = explain(key, start, as_of=day, rules=rules).deletable_from
    return date.max if due is None else max(due, day)


def _of_category(model: Any, group: Group, key: str) -> QuerySet[Any]:
    rows = model._base_manager.all()
    if not isinstance(group.category, By):
        return rows
    by = group.category
    meant = [value for value, name in by.choices.items() if name == key]
    if by.default != key:
        return rows.filter(**{f"{by.field}__in": meant})
    return rows.exclude(**{f"{by.field}__in": [value for value in by.choices if value not in meant]})
