"""Applies a retention rule to a date: pure evaluation over rule rows, with the reasons (C1 to C7)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from datamap.models import RetentionRule
from datamap.preparing import Standing
from datamap.workdays import BERLIN, add_months, local_date

SUPERVISED = "supervised"
# BGB § 475e(5) with Art. 229 § 72 EGBGB: the longer period after a repair is for contracts from this day on.
REPAIR_EXTENDS_FROM = date(2026, 7, 31)
REPAIR_MONTHS = 12
# How the catalogue marks a statute that reads otherwise since.
_FORMER = re.compile(r"\(text until (\d{4}-\d\d-\d\d)\)")
LONGEST_BACK = 150 * 366
_RULES_OF = Standing(lambda key: RetentionRule.objects.filter(key=key).order_by("variant", "version"), "\x01")


class UnknownRule(LookupError):
    """The catalogue has no such key."""


class AskAnotherKey(ValueError):
    """The key has no period of its own: the rows live as long as those of `ask`."""

    def __init__(self, key: str, ask: str) -> None:
        self.key, self.ask = key, ask
        where = _("the key of the row whose history it is") if ask == "row" else ask
        super().__init__(_("%(key)s lives as long as another row: ask %(ask)s.") % {"key": key, "ask": where})


class UnfitFacts(ValueError):
    """Facts were given that the rule does not use or that contradict each other."""


@dataclass(frozen=True)
class Explanation:
    """A computed date with everything it rests on (C6). OPEN has neither end nor deletable_from."""

    rule_key: str
    rule_version: int
    variant: str | None
    start_event: str
    start_date: date
    end: date | None
    deletable_from: date | None
    statute: str
    why: list[str] = field(default_factory=list)
    holds: list[dict[str, Any]] = field(default_factory=list)
    executable_from: date | None = None

    def as_dict(self) -> dict[str, Any]:
        """What `explain_retention --json` prints: ISO dates, keys in the order of the contract."""
        found = asdict(self)
        statute, executable = found.pop("statute"), found.pop("executable_from")
        found = {key: value.isoformat() if isinstance(value, date) else value for key, value in found.items()}
        executable = executable.isoformat() if executable else None
        return {**found, "statute": statute, "executable_from": executable}


@dataclass(frozen=True)
class _Outcome:
    rule: RetentionRule
    end: date | None
    deletable_from: date | None
    transitional: bool = False
    kept: bool = False


def rules_of(key: str) -> list[RetentionRule]:
    """All versions and variants of a key (with or without `:variant`), oldest first; UnknownRule when there
    is none."""
    found = _RULES_OF(key.partition(":")[0])
    if key not in {name for rule in found for name in (rule.key, rule.full_key)}:
        raise UnknownRule(_("The catalogue has no key %s.") % key)
    return found


def rule_for(
    key: str, as_of: date, *, supervised: bool = False, rules: Iterable[RetentionRule] | None = None
) -> RetentionRule:
    """The version of a rule in force on a day; the first version holds from ever. `supervised` as in `explain`."""
    return _in_force(_ladder(key, rules_of(key) if rules is None else rules, supervised=supervised), as_of)[-1]


def explain(
    key: str,
    start: date | datetime,
    *,
    as_of: date,
    last_use: date | datetime | None = None,
    contract: date | None = None,
    repaired: date | None = None,
    supervised: bool = False,
    holds: Sequence[dict[str, Any]] = (),
    margin_days: int = 0,
    zone: ZoneInfo = BERLIN,
    rules: Iterable[RetentionRule] | None = None,
) -> Explanation:
    """Say until when a datum of category `key` that started on `start` is kept, as the law stood or stands on
    `as_of`.

    `key` may name a variant (`STAFF:session`); `supervised` takes the variant of a supervised financial
    business where the rule has one. Raises UnknownRule, UnfitFacts and AskAnotherKey (PREF, HISTORY, MINOR,
    redeemed vouchers). Holds are listed and do not move the date (4.2).
    """
    ladder = _ladder(key, rules_of(key) if rules is None else rules, supervised=supervised)
    name = ladder[0].key
    if ladder[0].lives_as:
        raise AskAnotherKey(ladder[0].full_key, ladder[0].lives_as)
    begun = local_date(start, zone)
    used = local_date(last_use, zone) if last_use else None
    if used and name != "CONSENT-TEL":
        raise UnfitFacts(_("A last use counts for CONSENT-TEL only."))
    if used:
        begun = max(begun, used)  # UWG § 7a: five years from the grant and again from each use
    extra = _repair_months(name, contract, repaired)
    outcome = _effective(ladder, begun, as_of, extra)
    if extra and repaired and not begun <= repaired <= (_plain(outcome.rule, begun, 0)[0] or repaired):
        # A period that is over is not extended by a repair out of goodwill.
        extra, outcome = 0, _effective(ladder, begun, as_of, 0)
    due = outcome.deletable_from
    return Explanation(
        rule_key=name,
        rule_version=outcome.rule.version,
        variant=outcome.rule.variant or None,
        start_event=outcome.rule.start_event,
        start_date=begun,
        end=outcome.end,
        deletable_from=due,
        statute=_statute(outcome, extra),
        why=_reasons(outcome, begun, used, extra),
        holds=list(holds),
        executable_from=due + timedelta(days=margin_days) if due else None,
    )


def cutoff(
    key: str,
    as_of: date,
    *,
    margin_days: int = 0,
    supervised: bool = False,
    extra_months: int = 0,
    rules: Iterable[RetentionRule] | None = None,
) -> date | None:
    """The latest start date whose rows may be deleted on `as_of`; None for OPEN.

    The inverse of `explain` for sets: `start <= cutoff` is what an index can answer. It is found by halving,
    since a later start never ends earlier, whatever versions and transitions the rule has. `extra_months`
    serves rows with a period of their own (a repair under WARR).
    """
    ladder = _ladder(key, rules_of(key) if rules is None else rules, supervised=supervised)
    if ladder[0].lives_as:
        raise AskAnotherKey(ladder[0].full_key, ladder[0].lives_as)
    margin = timedelta(days=margin_days)

    def is_due(begun: date) -> bool:
        due = _effective(ladder, begun, as_of, extra_months).deletable_from
        return due is not None and due + margin <= as_of

    early, late = date.fromordinal(max(1, as_of.toordinal() - LONGEST_BACK)), as_of
    if not is_due(early):
        return None
    while early < late:
        middle = early + timedelta(days=((late - early).days + 1) // 2)
        if is_due(middle):
            early = middle
        else:
            late = middle - timedelta(days=1)
    return early


def cited(statute: str) -> str:
    """A statute as people of this language cite it; the catalogue keeps the short form."""
    return _cited(statute, get_language())


# A page that says why everything is there cites the same few some forty times.
@lru_cache(maxsize=1024)
def _cited(statute: str, _language: str | None) -> str:
    words = {"GDPR": _("GDPR"), "POLICY": _("rule of the shop"), " no. ": _(" no. "), " s. ": _(" s. ")}
    for short, cited_as in words.items():
        statute = statute.replace(short, cited_as)
    return _FORMER.sub(lambda found: _("(text until %s)") % _day(date.fromisoformat(found[1])), statute)


def period_in_words(rule: RetentionRule) -> str:
    """The period of a rule as people say it."""
    if rule.lives_as == "row":
        return _("as long as the row, at most %d months") % (rule.cap_months or 0)
    if rule.lives_as:
        return _("as long as %s") % rule.lives_as
    if rule.number is None:
        return _("open, reviewed every year")
    if rule.number == 0:
        return _("at once")
    words = {
        "d": ngettext("%d day", "%d days", rule.number),
        "m": ngettext("%d month", "%d months", rule.number),
        "y": ngettext("%d year", "%d years", rule.number),
    }[rule.unit]
    said = words % rule.number
    return _("%s from the end of the year") % said if rule.year_end else said


def period_and_start(rule: RetentionRule) -> str:
    """The period of a rule, and what it counts from; of one that lives as long as another, as what it lives."""
    if rule.lives_as and rule.lives_as != "row" and rule.start_label:
        return _(rule.start_label)
    period = period_in_words(rule)
    if rule.lives_as:
        return period
    return f"{period} ({_(rule.start_label)})" if rule.start_label else period


def _ladder(key: str, rules: Iterable[RetentionRule], *, supervised: bool = False) -> list[RetentionRule]:
    name, _sep, variant = key.partition(":")
    mine = [rule for rule in rules if rule.key == name]
    if supervised and not variant and any(rule.variant == SUPERVISED for rule in mine):
        variant = SUPERVISED
    ladder = sorted((rule for rule in mine if rule.variant == variant), key=lambda rule: rule.version)
    if not ladder:
        raise UnknownRule(_("The catalogue has no key %s.") % key)
    return ladder


def _in_force(ladder: list[RetentionRule], as_of: date) -> list[RetentionRule]:
    # The first version holds from ever: its valid_from neither caps nor refuses.
    return [ladder[0], *(rule for rule in ladder[1:] if rule.valid_from and rule.valid_from <= as_of)]


def _effective(ladder: list[RetentionRule], begun: date, as_of: date, extra: int) -> _Outcome:
    """The newest version in force, unless the period had run out before it began: that stays so (no
    revival)."""
    in_force = _in_force(ladder, as_of)
    rule = in_force[-1]
    end, due = _plain(rule, begun, extra)
    if len(in_force) == 1:
        return _Outcome(rule, end, due)
    assert rule.valid_from is not None
    before = _effective(ladder, begun, rule.valid_from - timedelta(days=1), extra)
    if rule.transition and before.end and before.end < rule.valid_from:
        return _Outcome(before.rule, before.end, before.deletable_from, before.transitional, kept=True)
    if due is None:
        return _Outcome(rule, None, None)
    existed = begun < rule.valid_from
    return _Outcome(rule, end, max(due, rule.valid_from), transitional=existed and bool(rule.transition))


def _plain(rule: RetentionRule, begun: date, extra: int) -> tuple[date | None, date | None]:
    """End and first deletable day under one version alone (C3)."""
    if rule.number is None:
        return None, None
    if rule.number == 0:
        return begun, begun
    try:
        if rule.unit == RetentionRule.Unit.DAYS:
            end = begun + timedelta(days=rule.number)
        else:
            months = rule.number * (12 if rule.unit == RetentionRule.Unit.YEARS else 1) + extra
            end = add_months(begun, months)
        end = date(end.year, 12, 31) if rule.year_end else end
        return end, end + timedelta(days=1)
    except (OverflowError, ValueError) as error:
        raise UnfitFacts(_("This date is too far away.")) from error


def _repair_months(key: str, contract: date | None, repaired: date | None) -> int:
    if contract is None and repaired is None:
        return 0
    if key != "WARR":
        raise UnfitFacts(_("Contract and repair count for WARR only."))
    if repaired is None:
        return 0
    if contract is None:
        raise UnfitFacts(_("Whether a repair extends the period depends on the day of the contract."))
    if repaired < contract:
        raise UnfitFacts(_("The repair lies before the contract."))
    return REPAIR_MONTHS if contract >= REPAIR_EXTENDS_FROM else 0


def _statute(outcome: _Outcome, extra: int) -> str:
    rule = outcome.rule
    if (outcome.transitional or extra) and rule.transition_statute:
        return f"{rule.statute}; {rule.transition_statute}"
    return rule.statute


def _reasons(outcome: _Outcome, begun: date, used: date | None, extra: int) -> list[str]:
    rule = outcome.rule
    event = _(rule.start_label) if rule.start_label else rule.start_event
    why = [_("Counts from %(day)s (%(event)s).") % {"day": _day(begun), "event": event}]
    if used == begun:
        why.append(_("Each use starts the period again."))
    period = {"key": rule.full_key, "version": rule.version, "period": period_in_words(rule)}
    why.append(_("Rule %(key)s, version %(version)d: %(period)s.") % period)
    if extra:
        why.append(_("One repair extends the period once by twelve months."))
    if outcome.kept:
        why.append(_("This period had run out before a newer version began; it is not revived."))
    elif outcome.transitional:
        day = _day(rule.valid_from)
        why.append(_("The old period still ran on %s, so the newer version applies, not before that day.") % day)
    if outcome.end is None:
        why.append(_("There is no last day; the entry is reviewed."))
    return why


def _day(day: date | None) -> str:
    return date_format(day, "SHORT_DATE_FORMAT") if day else ""
