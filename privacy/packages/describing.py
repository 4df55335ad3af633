"""Answers Art. 15(1)(a) to (h) about one person: for each kind of data why it is here, who got it, its last day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import (
    BooleanField,
    Count,
    DateTimeField,
    ExpressionWrapper,
    F,
    IntegerField,
    Max,
    Min,
    Q,
    TextField,
    Value,
)
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from customers.models import Customer
from customers.periods import CATEGORIES
from datamap.catalogue import (
    AskAnotherKey,
    Explanation,
    UnfitFacts,
    UnknownRule,
    cited,
    explain,
    period_and_start,
    rule_for,
)
from datamap.controlling import controller, legal_zone
from datamap.declarations import By, Group, Store, registry
from datamap.models import Controller, RetentionRule
from datamap.packages import ACCESS, Person, finder_for
from datamap.preparing import Standing, ask
from datamap.starts import no_start, start_of
from datamap.words import column_label
from datamap.workdays import add_months, local_date
from privacy.grounds import Grounds
from privacy.holding import TAX_CATEGORIES
from privacy.models import Hold
from privacy.outliving import TOMB
from privacy.packages.compiling import Section, fill, owned, ref_path, rows_of, sections
from privacy.recipients import names_by_kind, recipients_of, recipients_of_ref

HISTORY = "HISTORY"
_RULES = Standing(lambda _none: RetentionRule.objects.all())
_STATUS: Standing[Any] = Standing(lambda pk: Customer.objects.filter(pk=pk).values_list("status"))
_HOLDS = Standing(lambda pk: Hold.objects.filter(customer=pk, released_at__isnull=True).order_by("pk"))


@dataclass
class Held:
    """Rows of one group that end by one rule."""

    section: Section
    group: Group
    key: str
    blocked: bool
    count: int
    last: date | None
    first: date | None


@dataclass
class Line(Grounds):
    """What people read about one kind of data."""

    key: str
    label: str
    blocked: bool
    counts: dict[str, int] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)
    until: date | None = None
    first_until: date | None = None
    open_end: bool = False
    period: str = ""
    statute: str = ""
    policy: bool = False
    why: list[str] = field(default_factory=list)

    @property
    def parts(self) -> str:
        """How many of what: "12 orders, 3 papers"."""
        return ", ".join(f"{count} {name}" for name, count in self.counts.items())


@dataclass
class Description:
    """Everything Art. 15(1) asks for besides the data themselves."""

    lines: list[Line]
    counts: dict[str, int]
    recipients: list[dict[str, Any]]
    holds: list[dict[str, Any]]
    controller: Controller
    has_figures: bool = True
    """Whether figures are made up about the person, as about every customer."""


def described(subject: Person, kind: str) -> Description:
    """What is held about this person, in the language that is active."""
    held = list(held_by(subject, kind))
    sums: dict[tuple[str, int], int] = {}
    for one in held:
        place = one.section.label, one.section.groups.index(one.group)
        sums[place] = sums.get(place, 0) + one.count
    # A row may be about the person in one of its groups alone.
    counts: dict[str, int] = {}
    for (label, _place), count in sums.items():
        counts[label] = max(counts.get(label, 0), count)
    facts = _Facts(subject)
    lines = facts.lines(held)
    if kind == ACCESS:
        lines += facts.store_lines(store for store in registry.stores() if store.export is not None)
    return Description(lines, counts, told_of_person(subject), _holds(subject), facts.who)


def lines_about(subject: Person, held: Iterable[Held]) -> list[Line]:
    """What is told of these rows, in the language that is active."""
    return _Facts(subject).lines(held)


def held_by(subject: Person, kind: str) -> Iterable[Held]:
    """How many rows of which group end by which rule, with the latest and earliest start of their periods."""
    blocked = bool(subject.refs)
    statement, params, branches = _statement(kind, blocked)
    # Two copies of one state are alike; a union has no order.
    found = sorted(ask(statement, fill(params, subject)), key=lambda row: (row[0], str(row[1]), bool(row[2])))
    for branch, value, is_blocked, count, last, first in found:
        section, group = branches[branch]
        if count:
            yield Held(section, group, _key(section, group, value), bool(is_blocked), count, last, first)
    for section in sections(kind):
        find = finder_for(section.declaration.label)
        condition = find(subject) if find and not section.history else None
        if condition is not None:
            for group in section.groups:
                rows = rows_of(section).filter(condition).order_by().annotate(start_=start_of(group))
                found_ = rows.aggregate(count=Count("pk"), last=Max("start_"), first=Min("start_"))
                if found_["count"]:
                    yield Held(section, group, _key(section, group, ""), False, **found_)


def _key(section: Section, group: Group, value: str) -> str:
    if section.history:
        return HISTORY
    return group.category.resolve(value) or "" if isinstance(group.category, By) else group.category


@lru_cache(maxsize=4)
def _statement(kind: str, blocked: bool) -> tuple[str, tuple[Any, ...], list[tuple[Section, Group]]]:
    branches: list[tuple[Section, Group]] = []
    queries = []
    for section in sections(kind):
        if finder_for(section.declaration.label):
            continue
        seen = set()
        for group in section.groups[:1] if section.history and not section.owners else section.groups:
            mark = (repr(group.category), repr(group.start), repr(group.subject), str(group.purpose))
            if mark in seen and not section.history:
                continue
            seen.add(mark)
            queries.append(_branch(len(branches), section, group, blocked))
            branches.append((section, group))
    sql, params = queries[0].union(*queries[1:], all=True).query.sql_with_params()
    return sql, tuple(params), branches


def _branch(index: int, section: Section, group: Group, blocked: bool) -> Any:
    path = ref_path(section.declaration) if blocked else ""
    by = group.category if isinstance(group.category, By) and not section.history else None
    mark = ExpressionWrapper(Q(**{f"{path}__isnull": False}), BooleanField()) if path else Value(False)
    start = _start_of_history(section) if section.history else start_of(group)
    return (
        rows_of(section)
        .order_by()
        .filter(owned(section, group, blocked=blocked), _said(section, group))
        .annotate(
            branch_=Value(index, output_field=IntegerField()),
            value_=Cast(F(by.field), TextField()) if by else Cast(Value(""), TextField()),
            blocked_=mark,
            start_=start,
        )
        .values("branch_", "value_", "blocked_")
        .annotate(count_=Count("*"), last_=Max("start_"), first_=Min("start_"))
        .values_list("branch_", "value_", "blocked_", "count_", "last_", "first_")
    )


def _start_of_history(section: Section) -> Any:
    """From when the longest time of a former version counts; papers for taxes have none (`ending.end_history`)."""
    categories = {key for group in section.declaration.groups for key in group.categories}
    return no_start() if categories & set(TAX_CATEGORIES) else Cast(F("history_date"), DateTimeField())


def _said(section: Section, group: Group) -> Q:
    """Only rows that say something here: who never told a birthday is not told that theirs is kept."""
    if section.history or len(section.groups) == 1:
        return Q()
    fields = [section.base._meta.get_field(name) for name in group.fields]
    if not fields or not all(getattr(field, "null", False) for field in fields):
        return Q()
    return Q(*(Q(**{f"{field.name}__isnull": False}) for field in fields), _connector=Q.OR)


class _Facts:
    """Applies the catalogue to what is held by one person."""

    def __init__(self, subject: Person) -> None:
        self.who = controller()
        self.today = timezone.localdate()
        self.rules = _RULES()
        ((status,),) = _STATUS(subject.customer_id) or [("",)]
        self.account = CATEGORIES.get(status, "ACCOUNT")
        self.zone = legal_zone(self.who)
        self.names = names_by_kind(self.today)

    def lines(self, held: Iterable[Held]) -> list[Line]:
        """One line for each rule, the account first, then by last day."""
        held = list(held)
        counts = _counted(held)
        found: dict[tuple[str, bool], Line] = {}
        ends: dict[tuple[str, bool], list[Explanation]] = {}
        endless: set[tuple[str, bool]] = set()
        for one in held:
            mark = one.key, one.blocked
            line = found.get(mark) or found.setdefault(mark, self._line(*mark))
            _add(line, one, counts[(one.section.label, *mark)])
            line.add(one.group, self.names, source=_("from you, or arisen while serving you"))
            days = [self.explained(one.key, day) for day in (one.last, one.first)]
            ends.setdefault(mark, []).extend(filter(None, days))
            if one.key == HISTORY and None in days:
                endless.add(mark)
        for mark, line in found.items():
            _finish(line, ends[mark] if mark not in endless else [])
        _outlive(found)
        return sorted(
            found.values(),
            key=lambda line: (line.key != self.account, line.until is None, line.until or self.today, line.label),
        )

    def _line(self, key: str, blocked: bool) -> Line:
        try:
            rule = rule_for(key, self.today, supervised=self.who.supervised_financial, rules=self.rules)
        except UnknownRule:
            return Line(key, key, blocked)
        return Line(
            key,
            _(rule.category),
            blocked,
            period=period_and_start(rule),
            statute=cited(rule.statute),
            policy=rule.policy,
            open_end=rule.number is None and not rule.lives_as,
        )

    def store_lines(self, stores: Iterable[Store]) -> list[Line]:
        """What lies outside the tables."""
        found = []
        for store in stores:
            line = self._line(store.category, False)
            line.purposes, line.counts = [str(store.purpose)], {str(store.label): 1}
            line.bases = [(cited(basis.citation), str(basis.label)) for basis in store.bases]
            found.append(line)
        return found

    def explained(self, key: str, start: date | None) -> Explanation | None:
        """The computed date; None where there is none yet, or where the row lives as long as another."""
        if start is None or not key:
            return None
        try:
            return explain(
                key,
                start,
                as_of=self.today,
                supervised=self.who.supervised_financial,
                zone=self.zone,
                rules=self.rules,
            )
        except AskAnotherKey as error:
            if key == HISTORY:
                return self._history(start)
            return self.explained(self.account, start) if error.ask == "ACCOUNT" else None
        except (UnknownRule, UnfitFacts):
            return None

    def _history(self, start: date) -> Explanation | None:
        """When a former version goes at the latest; it goes with its row before."""
        rule = rule_for(HISTORY, self.today, rules=self.rules)
        if not rule.cap_months:
            return None
        begun = local_date(start, self.zone)
        end = add_months(begun, rule.cap_months)
        return Explanation(
            HISTORY, rule.version, None, rule.start_event, begun, end, end + timedelta(days=1), rule.statute
        )


def _counted(held: Iterable[Held]) -> dict[tuple[str, str, bool], int]:
    """How many rows of a section end by a rule: invoices and credit notes together; several groups of a model are
    about the same rows."""
    sums: dict[tuple[str, str, bool], dict[int, int]] = {}
    for one in held:
        of_groups = sums.setdefault((one.section.label, one.key, one.blocked), {})
        place = one.section.groups.index(one.group)
        of_groups[place] = of_groups.get(place, 0) + one.count
    return {mark: max(of_groups.values()) for mark, of_groups in sums.items()}


def _add(line: Line, one: Held, count: int) -> None:
    meta = one.section.base._meta
    single, many = str(meta.verbose_name), str(meta.verbose_name_plural)
    if one.section.history:
        single = many = _("former versions of %s") % meta.verbose_name_plural
    line.counts[single if count == 1 else many] = count
    for label in _labels(one):
        if label not in line.fields:
            line.fields.append(label)


def told_of_person(person: Person) -> list[dict[str, Any]]:
    """Every recipient with what they got and when, first and last."""
    told = recipients_of([person.customer_id])[person.customer_id] if person.customer_id else []
    for ref in person.refs:
        told = [*told, *recipients_of_ref(ref)]
    return [
        {
            "name": one.recipient.name,
            "data": one.data,
            "purpose": one.purpose,
            "basis": one.basis,
            "first": one.first_at.isoformat(timespec="seconds"),
            "last": one.last_at.isoformat(timespec="seconds"),
            "country": one.country,
            "safeguard": one.safeguard_words,
        }
        for one in told
    ]


def _labels(one: Held) -> list[str]:
    place = one.section.groups.index(one.group)
    return [label_of(column) for column in one.section.columns if column.group == place]


def label_of(column: Any) -> str:
    """What people call a column."""
    return capfirst(column_label(column.field, column.name))


def _finish(line: Line, ends: list[Explanation]) -> None:
    days = [end for end in ends if end.deletable_from is not None]
    if not days:
        return
    last = max(days, key=lambda end: end.deletable_from or date.min)
    line.until = last.deletable_from
    line.first_until = min(end.deletable_from for end in days if end.deletable_from is not None)
    line.why, line.statute = last.why, cited(last.statute)


def _outlive(lines: dict[tuple[str, bool], Line]) -> None:
    """The marks of somebody erased stay as long as what is blocked under them (TOMB, `privacy.outliving`)."""
    marks = lines.get((TOMB, False))
    blocked = [line.until for (_key, is_blocked), line in lines.items() if is_blocked]
    if marks is None or marks.until is None or not blocked:
        return
    marks.until = None if None in blocked else max([marks.until, *(day for day in blocked if day)])
    marks.first_until = marks.until


def _holds(subject: Person) -> list[dict[str, Any]]:
    if subject.customer_id is None:
        return []
    return [
        {"kind": str(hold.get_kind_display()), "order_number": hold.order_number, "review": hold.review_on.isoformat()}
        for hold in _HOLDS(subject.customer_id)
    ]


def processing(description: Description) -> dict[str, Any]:
    """`meta/processing.json`: the answers of Art. 15(1)(a) to (h) and (2)."""
    who = description.controller
    return {
        "controller": controller_facts(who),
        "privacy_officer": {"name": who.officer_name, "email": who.officer_email, "phone": who.officer_phone},
        "data": [
            {
                "category": line.label,
                "rule": line.key,
                "kept_under_a_block": line.blocked,
                "held": line.counts,
                "fields": line.fields,
                "purposes": line.purposes,
                "legal_bases": [{"article": article, "basis": words} for article, words in line.bases],
                "recipients": line.recipients,
                "source": line.sources,
                "period": line.period,
                "last_day": line.until.isoformat() if line.until else None,
                "earliest_last_day": line.first_until.isoformat() if line.first_until else None,
                "statute": line.statute,
                "set_by_the_shop": line.policy,
                "why": line.why,
            }
            for line in description.lines
        ],
        "recipients": description.recipients,
        "kept_longer_because_of": description.holds,
        "rights": rights(),
        "complaint_authority": {"name": who.authority_name, "contact": who.authority_contact},
        "automated_decisions": automated(description),
        "third_countries": third_countries(description),
    }


def controller_facts(who: Controller) -> dict[str, str]:
    """Who is answerable (Art. 4(7))."""
    return {name: getattr(who, name) for name in ("name", "street", "postcode", "city", "country", "email", "phone")}


def rights() -> list[dict[str, str]]:
    """Art. 15(1)(e) and (f)."""
    found = {
        "Art. 16 GDPR": _("You can have wrong data corrected and incomplete data completed."),
        "Art. 17 GDPR": _("You can have data erased that no law or open matter keeps."),
        "Art. 18 GDPR": _("You can have your data restricted while something is in dispute."),
        "Art. 20 GDPR": _("You can take the data you gave us elsewhere, in files that machines read."),
        "Art. 21 GDPR": _("You can object: to advertising at any time and without reasons."),
        "Art. 7(3) GDPR": _("You can withdraw a consent at any time, with effect from then on."),
        "Art. 77 GDPR": _("You can complain to a supervisory authority."),
    }
    return [{"article": cited(article), "right": right} for article, right in found.items()]


def automated(description: Description) -> dict[str, Any]:
    """Art. 15(1)(h): decisions without a person, and how figures about a person come about (C-203/22)."""
    return {
        "decisions_without_a_person": False,
        "text": _("No decision with legal or similar effect on you is made by a machine alone (Art. 22 GDPR)."),
        "figures": [
            {
                "name": _("Totals and summary"),
                "logic": _(
                    "Added up from your orders that were not cancelled, less what was refunded; the dates are those of "
                    "your last order, contact and payment. They are shown to staff and decide nothing."
                ),
            }
        ]
        if description.has_figures
        else [],
    }


def third_countries(description: Description) -> list[dict[str, Any]]:
    """Art. 15(2): recipients outside the EEA with their safeguard, as far as disclosures name a country."""
    return [one for one in description.recipients if one.get("safeguard")]
