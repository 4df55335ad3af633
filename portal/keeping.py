"""Answers "why do we still have this?" about one customer: what, why, and its last day, by one SQL union."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db.models import (
    Count,
    F,
    IntegerField,
    Max,
    Min,
    Model,
    Q,
    QuerySet,
    TextField,
    Value,
)
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Customer
from customers.periods import CATEGORIES, began
from datamap.catalogue import AskAnotherKey, Explanation, UnknownRule, cited, explain, period_and_start, rule_for
from datamap.controlling import controller, legal_zone
from datamap.declarations import By, Group, Number, PersonalData, registry
from datamap.models import RetentionRule
from datamap.preparing import SOME_KEY, Standing, ask
from datamap.starts import start_of
from datamap.statutes import named
from privacy.forewarning import waits
from privacy.grounds import Grounds
from privacy.recipients import names_by_kind

_WITH_ACCOUNT = {*CATEGORIES.values(), "PREF"}
_RULES = Standing(lambda keys: RetentionRule.objects.filter(key__any_of=keys), ["\x01"])

# Stand for the customer in the statement, which is compiled once in a process.
_PK, _NUMBER = SOME_KEY, "\x01number"


@dataclass
class Kept(Grounds):
    """One line of the panel."""

    label: str
    count: int | None
    parts: str
    until: date | None = None
    first_until: date | None = None
    period: str = ""
    statute: str = ""
    law: str = ""
    why: str = ""
    waits_until: date | None = None
    """Whoever was told that the account ends has until this day to say a word."""

    @property
    def is_due(self) -> bool:
        """Whether the last day of all has come: the next retention run takes them."""
        return self.until is not None and self.until <= timezone.localdate()

    @property
    def oldest_is_due(self) -> bool:
        """Whether the next retention run takes the oldest, though not all."""
        return not self.is_due and self.first_until is not None and self.first_until <= timezone.localdate()


@dataclass
class _Held:
    """Rows of one category: how many, and the latest and earliest start of their periods."""

    groups: list[Group]
    branches: Counter[tuple[str, int]] = field(default_factory=Counter)
    """How many by model and branch of the statement."""
    last: date | None = None  # instants are dates, too
    first: date | None = None

    @property
    def parts(self) -> dict[str, int]:
        """How many rows of each model: two purposes with starts of their own are about the same rows."""
        found: dict[str, int] = {}
        for (model, _place), count in self.branches.items():
            found[model] = max(found.get(model, 0), count)
        return found


def kept_for(customer: Customer) -> list[Kept]:
    """Every category of data held about a customer, the account first, the others by their last day."""
    today = timezone.localdate()
    found = dict(_held(customer))
    account = CATEGORIES.get(customer.status, "ACCOUNT")
    rules = _RULES([account, *(key.partition(":")[0] for key in found)])
    who = controller()
    facts = {"as_of": today, "supervised": who.supervised_financial, "zone": legal_zone(who), "rules": rules}
    names = names_by_kind(today)
    first = _line(account, _Held(_of_account(), last=began(customer)), facts, names, counted=False)
    if first.is_due:
        first.waits_until = waits([customer.pk], today, legal_zone(who)).get(customer.pk)
    others = [_line(key, held, facts, names) for key, held in found.items()]
    return [first, *sorted(others, key=lambda line: (line.until is None, line.until or today, line.label))]


def _line(key: str, held: _Held, facts: dict[str, Any], names: dict[str, list[str]], counted: bool = True) -> Kept:
    parts = ", ".join(_named(number, label) for label, number in held.parts.items())
    line = Kept("", sum(held.parts.values()) if counted else None, parts)
    for group in held.groups:
        line.add(group, names, source=_("from the person, or arisen while serving them"))
    try:
        rule = rule_for(key, facts["as_of"], supervised=facts["supervised"], rules=facts["rules"])
    except UnknownRule:
        line.label = line.purposes[0]
        return line
    line.label, line.period = _(rule.category), period_and_start(rule)
    last, first = _explained(key, held.last, facts), _explained(key, held.first, facts)
    statute = cited(last.statute if last is not None else rule.statute)
    line.statute, line.law = "" if rule.policy else statute, named(statute)
    if last is not None:
        line.until, line.why = last.deletable_from, " ".join(last.why)
    if first is not None and first.deletable_from != line.until:
        line.first_until = first.deletable_from
    return line


def _explained(key: str, start: date | None, facts: dict[str, Any]) -> Explanation | None:
    """The computed date; None where there is none yet (no start, or it lives as long as another row)."""
    if start is None:
        return None
    try:
        return explain(key, start, **facts)
    except AskAnotherKey:
        return None


def _held(customer: Customer) -> Iterator[tuple[str, _Held]]:
    statement, params, groups, models = _statement()
    if not groups:
        return
    marks: dict[Any, Any] = {_PK: customer.pk, _NUMBER: customer.number}
    found: dict[str, _Held] = {}
    # A union of all models takes longer to plan than to answer.
    for branch, value, count, last, first in ask(statement, [marks.get(p, p) for p in params]):
        group = groups[branch][0]
        key = group.category.resolve(value) if isinstance(group.category, By) else group.category
        if not key or key in _WITH_ACCOUNT or not count:
            continue
        held = found.setdefault(key, _Held([]))
        held.groups += [one for one in groups[branch] if one not in held.groups]
        held.branches[models[branch], branch] += count
        held.last = max(filter(None, (held.last, last)), default=None)
        held.first = min(filter(None, (held.first, first)), default=None)
    yield from found.items()


@lru_cache(maxsize=1)
def _statement() -> tuple[str, tuple[Any, ...], list[list[Group]], list[str]]:
    """The union, its arguments, and of each branch the groups it counts and their model."""
    groups: list[list[Group]] = []
    models: list[str] = []
    branches: list[QuerySet[Any, Any]] = []
    seen: dict[tuple[str, ...], list[Group]] = {}
    for declaration, group in registry:
        if not _counts(declaration, group):
            continue
        mark = (declaration.label, repr(group.category), repr(group.start), repr(group.subject))
        if mark in seen:
            seen[mark].append(group)  # the same rows, for another purpose
            continue
        seen[mark] = [group]
        branches.append(_branch(len(groups), declaration, group))
        groups.append(seen[mark])
        models.append(declaration.label)
    for declaration, group in registry:
        if group.person != "customer" and "customer" in group.subject_paths:
            # Where an order goes to: its row is counted above, its purpose and recipients are told.
            for (label, category, *_rest), known in seen.items():
                known += [group] if (label, category) == (declaration.label, repr(group.category)) else []
    if not branches:
        return "", (), [], []
    statement, params = branches[0].union(*branches[1:], all=True).query.sql_with_params()
    return statement, tuple(params), groups, models


@lru_cache(maxsize=1)
def _of_account() -> list[Group]:
    """What ends with the account and stands in its line."""
    return [
        group for declaration, group in registry
        if group.person == "customer" and group.subject is not None and set(group.categories) <= _WITH_ACCOUNT
    ]  # fmt: skip


def _named(count: int, label: str) -> str:
    """So many rows in words: "12 orders"."""
    meta = apps.get_model(label)._meta
    return f"{count} {meta.verbose_name if count == 1 else meta.verbose_name_plural}"


def _counts(declaration: type[PersonalData], group: Group) -> bool:
    """Lines of an order live and die with it; what ends with the account stands in the account's own line."""
    if group.person != "customer" or declaration.parent or group.subject is None:
        return False
    return not set(group.categories) <= _WITH_ACCOUNT


def _branch(index: int, declaration: type[PersonalData], group: Group) -> QuerySet[Any, Any]:
    model = apps.get_model(declaration.label)
    value = Cast(F(group.category.field), TextField()) if isinstance(group.category, By) else Value("")
    return (
        model._default_manager.order_by()
        .filter(_subject(group), _filled(model, group))
        .annotate(
            branch_=Value(index, output_field=IntegerField()),
            value_=Cast(value, TextField()),
            start_=start_of(group),
        )
        .values("branch_", "value_")
        .annotate(count_=Count("pk"), last_=Max("start_"), first_=Min("start_"))
        .values_list("branch_", "value_", "count_", "last_", "first_")
    )


def _subject(group: Group) -> Q:
    if isinstance(group.subject, Number):
        return Q(**{group.subject.column: _NUMBER if group.subject.of == "number" else _PK})
    condition, unset = Q(), Q()
    for path in group.subject_paths:
        condition |= unset & Q(**{path: _PK})
        unset &= Q(**{f"{path}__isnull": True})
    return condition


def _filled(model: type[Model], group: Group) -> Q:
    """Rows that hold something in this group: a customer without a birthday holds none."""
    fields = [model._meta.get_field(name) for name in group.fields]
    if group.subject_paths != ("pk",) or not all(getattr(field, "null", False) for field in fields):
        return Q()
    filled = Q()
    for one in fields:
        filled |= Q(**{f"{one.name}__isnull": False})
    return filled
