"""Says what an erasure would do before it does it: so many rows deleted, anonymized, blocked until when, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Customer
from datamap import holds
from datamap.catalogue import cited
from datamap.holds import FILE_ONLY, StandingHold
from privacy.classifying import HELD, Found, People, classify, people_of
from privacy.clearing import column_of
from privacy.compiling import Table, children, tables
from privacy.models import Erasure
from privacy.verdicts import ANONYMIZE, BLOCK, DELETE, KEEP, NAMES, Book

Why = tuple[str, str]
"""Why something happens to rows: a key of `_REASONS`, and the words of the catalogue that go into it."""
NEEDLESS: Why = ("needless", "")
WITH_ITS_ROW: Why = ("history", "")
FIGURE: Why = ("figure", "")
RUNNING: Why = ("running", "")
_REASONS = {
    "running": gettext_lazy("A running matter needs it."),
    "asked": gettext_lazy("Asked for."),
    "kept": gettext_lazy("Kept for: %s."),
    "over": gettext_lazy("The period is over (%s)."),
    "figure": gettext_lazy("Stays as a figure about nobody."),
    "nameless": gettext_lazy("Holds no name."),
    "needless": gettext_lazy("Nothing requires it any longer."),
    "history": gettext_lazy("History goes with its row."),
}


@dataclass(frozen=True)
class Item:
    """So many rows of one model that share what happens to them, until when and why."""

    model: str
    action: str  # delete | anonymize | block | keep
    count: int
    until: date | None
    statute: str
    why: Why
    rule: tuple[str, int | None] = ("", None)

    def as_dict(self) -> dict[str, Any]:
        """As commands.md prints it."""
        return {
            "model": self.model,
            "action": self.action,
            "count": self.count,
            "until": self.until.isoformat() if self.until else None,
            "statute": self.statute,
            "reason": _said(self.why),
            # A receipt says it again in the language of whoever reads it.
            "why": [[*self.why, self.count]],
        }


@dataclass
class Plan:
    """What an erasure on one day does, and what is in its way."""

    subject_ref: UUID
    items: list[Item] = field(default_factory=list)
    holds: list[dict[str, Any]] = field(default_factory=list)

    def as_dicts(self) -> list[dict[str, Any]]:
        """The items as commands.md prints them."""
        return merged(item.as_dict() for item in self.items)

    @property
    def complete(self) -> bool:
        """Whether nothing but blocked papers and marks is left afterwards."""
        return not self.holds


def merged(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One item per model, action, until and statute, whichever rules they follow; each reason is said once, and of how
    many rows."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for item in items:
        key = tuple(item[name] for name in ("model", "action", "until", "statute"))
        if (known := found.get(key)) is None:
            found[key] = dict(item)
            continue
        known["count"] += item["count"]
        known["why"] = _together([*known.get("why", []), *item.get("why", [])])
        known["reason"] = _all_said(known["why"]) or known["reason"]
    return list(found.values())


def _together(why: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """Each reason once with its rows; receipts of before counted none."""
    found: dict[tuple[str, str], int] = {}
    for key, words, *count in why:
        found[key, words] = found.get((key, words), 0) + sum(count)
    return [[key, words, count] for (key, words), count in found.items()]


def said_items(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items of a plan or a receipt in the language of whoever reads them; those of a receipt that knows no keys, as
    they were said then."""
    return [item | ({"reason": _all_said(item["why"])} if item.get("why") else {}) for item in items]


def _all_said(why: Sequence[Sequence[Any]]) -> str:
    """The reasons as sentences; where there are several, of how many rows each is true."""
    said = [(_said((key, words)), sum(count)) for key, words, *count in why]
    if len(said) == 1:
        return said[0][0]
    return " ".join(
        _("%(count)d of them: %(reason)s") % {"count": count, "reason": words} if count else words
        for words, count in said
    )


def _said(why: Why) -> str:
    key, words = why
    if words:
        return str(_REASONS[key]) % (cited(words) if key == "over" else _(words))
    return str(_REASONS[key])


def plan_erasure(customer: Customer, as_of: date) -> Plan:
    """The plan for one person on one day; nothing is changed. Locks the person for the moment of reading."""
    with transaction.atomic():
        book = Book(as_of)
        ref = uuid4()
        (people,) = people_of([customer.pk], {customer.pk: ref})
        people.ask_cases(book)
        return plan_of(book, people, list(classify(book, people, detail=True)), ref)


def plan_of(book: Book, people: People, found: Iterable[Found], ref: UUID) -> Plan:
    """The plan from what was found about one person."""
    found = list(_but_itself(people, found))
    counted: dict[tuple[Any, ...], int] = defaultdict(int)
    history: dict[str, int] = defaultdict(int)
    kept: dict[str, list[Any]] = defaultdict(list)
    for one in found:
        fate = one.fate or ANONYMIZE
        action = "keep" if one.fate == HELD else NAMES[fate]
        if fate == ANONYMIZE and one.owned and not one.table.can_be_cut:
            fate, action = DELETE, NAMES[DELETE]
        until, statute = _until(book, one, fate)
        told = (until, statute, _why(book, one, fate), _rule(book, one))
        counted[one.table.label, action, *told] += one.count
        for child in children(one.table):
            _count_child(child, one.ids, fate, action, told, counted)
        if one.fate == HELD:
            kept[one.table.label] += one.ids
        elif one.owned:
            _count_history(one.table, one.ids, history)
    _count_old_history(people, kept, history, found)
    _count_numbers(people, counted)
    plan = Plan(ref)
    plan.items = [
        Item(model, action, count, until, statute, why, rule)
        for (model, action, until, statute, why, rule), count in counted.items()
    ]
    plan.items += [Item(model, "delete", count, None, "", WITH_ITS_ROW) for model, count in history.items() if count]
    plan.items.sort(key=lambda item: (item.action, item.model, item.until or date.min))
    plan.holds = describe_cases(people.cases)
    return plan


def _but_itself(people: People, found: Iterable[Found]) -> Iterator[Found]:
    """Without the record of the erasure that is about to run: the plan before it and its receipt say the same."""
    own = set(
        Erasure.objects.filter(customer__in=people.ids, state__in=Erasure.OPEN_STATES).values_list("pk", flat=True)
    )
    for one in found:
        if one.table.model is not Erasure:
            yield one
        elif ids := [pk for pk in one.ids if pk not in own]:
            yield replace(one, ids=ids, count=len(ids))


def describe_cases(cases: Iterable[StandingHold]) -> list[dict[str, Any]]:
    """The matters in the way as commands.md prints them, each once."""
    found: list[dict[str, Any]] = []
    for case in cases:
        review = case.review_on.isoformat() if case.review_on else None
        hold = {
            "kind": case.kind,
            "scope": scope_of(case.order_number, case.complaint_id),
            "reason": str(case.reason),
            "review": review,
            # A letter says it again in the language of the person.
            "source": case.source,
            "order": case.order_number,
            "complaint": case.complaint_id,
        }
        if hold not in found:
            found.append(hold)
    return found


def said_holds(told: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The matters of a receipt in the language of whoever reads it; one of a kind that is gone, as it was said then."""
    found = []
    for hold in told:
        reason = holds.reason_of(hold.get("source", ""))
        now = {} if reason is None else {"reason": str(reason), "scope": scope_of(hold["order"], hold["complaint"])}
        found.append(hold | now)
    return found


def scope_of(order: str | None, complaint: int | None) -> str:
    """What a matter keeps, in words."""
    if order:
        return _("order %s") % order
    if complaint == FILE_ONLY:
        return _("the person's own file")
    if complaint:
        return _("complaint %d") % complaint
    return _("person")


def _until(book: Book, found: Found, fate: int) -> tuple[date | None, str]:
    """The last day of a row that stays, and the statute: the latest of all rules that keep it (C5)."""
    if fate not in (BLOCK, KEEP):
        return None, ""
    latest: tuple[date | None, str] = (None, "")
    for strand_fate, (category, start) in zip(found.fates, found.details, strict=True):
        if strand_fate != fate or not category:
            continue
        rule = book.verdict(category).rule
        explained = book.explain(category, start) if start else None
        until = explained.deletable_from if explained else None
        statute = explained.statute if explained else rule.statute
        if not latest[1] or (until or date.min) > (latest[0] or date.min):
            latest = until, statute
    return latest


def _decisive(found: Found) -> tuple[str, date | None]:
    """Category and start of the strand whose fate decided."""
    return found.details[next(place for place, fate in enumerate(found.fates) if fate == max(found.fates))]


def _rule(book: Book, found: Found) -> tuple[str, int | None]:
    category, _start = _decisive(found)
    return (category, book.verdict(category).rule.version) if category else ("", None)


def _why(book: Book, found: Found, fate: int) -> Why:
    if found.fate == HELD:
        return RUNNING
    category, start = _decisive(found)
    rule = book.verdict(category).rule if category else None
    if rule is None:
        return "asked", ""
    if fate == BLOCK:
        return "kept", rule.purpose
    verdict = book.verdict(rule.full_key)
    if start and verdict.cutoff and start <= verdict.cutoff:
        return "over", rule.statute
    if fate == ANONYMIZE:
        return FIGURE
    return ("nameless", "") if fate == KEEP else NEEDLESS


def _count_child(
    child: Table, ids: list[Any], fate: int, action: str, told: tuple[Any, ...], counted: dict[tuple[Any, ...], int]
) -> None:
    rows = column_of(f"SELECT {child.key} FROM {child.name} WHERE {child.parent_column} = ANY(%s)", [ids])  # noqa: S608
    if not rows:
        return
    if fate == ANONYMIZE and not any(strand.anonymized() for strand in child.strands):
        fate, action = DELETE, NAMES[DELETE]
    counted[child.label, action, *told] += len(rows)
    for grandchild in children(child):
        _count_child(grandchild, rows, fate, action, told, counted)


def _count_history(table: Table, ids: list[Any], history: dict[str, int]) -> None:
    if table.history is None:
        return
    key = table.history._meta.get_field(table.model._meta.pk.name).column
    name = table.history._meta.db_table
    history[table.history._meta.label] += column_of(
        f'SELECT count(*) FROM "{name}" WHERE "{key}" = ANY(%s)',  # noqa: S608
        [ids],
    )[0]


def _count_old_history(people: People, kept: dict[str, list[Any]], history: dict[str, int], found: list[Found]) -> None:
    """History about the person whose rows went long ago."""
    ids: dict[str, list[Any]] = defaultdict(list)
    for one in found:
        ids[one.table.label] += one.ids
    for table in tables().values():
        owner = table.owner
        if table.history is None or owner is None or "__" in owner or owner == "pk":
            continue
        meta = table.history._meta
        key, column = meta.get_field(table.model._meta.pk.name).column, meta.get_field(owner).column
        history[meta.label] += column_of(
            f'SELECT count(*) FROM "{meta.db_table}" WHERE "{column}" = ANY(%s) AND NOT ("{key}" = ANY(%s))',  # noqa: S608
            [people.ids, [*ids[table.label], *kept[table.label]]],
        )[0]


def _count_numbers(people: People, counted: dict[tuple[Any, ...], int]) -> None:
    for table in tables().values():
        for strand in table.strands:
            if strand.number is None or strand.number.of != "number":
                continue
            column = table.model._meta.get_field(strand.number.column).column
            count = column_of(
                f'SELECT count(*) FROM {table.name} WHERE "{column}" = ANY(%s)',  # noqa: S608
                [people.numbers],
            )[0]
            # A plan is about one person: everything of theirs stays, or their number goes out of it.
            action, why = ("keep", RUNNING) if people.kept_whole else ("anonymize", FIGURE)
            if count:
                counted[table.label, action, None, "", why, ("", None)] += count
