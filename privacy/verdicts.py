"""What the rules say on one day: for each category the last start that is over, and what then happens to a row."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from datamap.catalogue import AskAnotherKey, Explanation, cutoff, explain, rule_for
from datamap.controlling import controller, legal_zone
from datamap.models import Controller, RetentionRule
from privacy.holding import TAX_CATEGORIES, standing_holds
from privacy.models import Hold

# What happens to a row, by weight: the heaviest fate of its strands is the row's own.
DELETE, KEEP, ANONYMIZE, BLOCK = 1, 2, 3, 4
NAMES = {DELETE: "delete", KEEP: "keep", ANONYMIZE: "anonymize", BLOCK: "block"}
_ON_REQUEST = {
    RetentionRule.OnRequest.BLOCK: BLOCK,
    RetentionRule.OnRequest.ANONYMIZE: ANONYMIZE,
    RetentionRule.OnRequest.DELETE: DELETE,
    RetentionRule.OnRequest.KEEP: KEEP,
}


@dataclass(frozen=True)
class Verdict:
    """One category on one day."""

    key: str
    rule: RetentionRule
    cutoff: date | None
    over: int  # fate of a row whose period is over
    running: int  # fate of a row whose period still runs, when its person ends


@dataclass
class Book:
    """All rules as they stand on one day, asked once for a whole run.

    `night`: the person ends by their own period, not by a request; then the orders of guests stay blocked for the
    rest of ORDER (domain.md 5). `warns_first`: owners of accounts are told before it; who can be and was not stays.
    """

    as_of: date
    night: bool = False
    warns_first: bool = False
    who: Controller = field(default_factory=controller)

    @cached_property
    def tax_years(self) -> list[tuple[int, int, list[str]]]:
        """First and last year and the kinds of papers of every tax hold that stands (AO § 147(3))."""
        standing = standing_holds().filter(kind=Hold.Kind.TAX)
        return [
            (hold.first_year or 0, hold.last_year or 0, list(hold.categories or TAX_CATEGORIES)) for hold in standing
        ]

    @cached_property
    def rules(self) -> list[RetentionRule]:
        """Every version of every rule."""
        return list(RetentionRule.objects.all())

    @cached_property
    def zone(self) -> str:
        """The zone whose calendar counts (C1)."""
        return legal_zone(self.who).key

    @cached_property
    def _verdicts(self) -> dict[tuple[str, str], Verdict]:
        return {}

    def verdict(self, key: str, status: str = "") -> Verdict:
        """What this category means on the day; `status` is that of the person who ends."""
        known = self._verdicts.get((key, status))
        if known is None:
            known = self._verdicts[key, status] = self._read(key, status)
        return known

    def _read(self, key: str, status: str) -> Verdict:
        supervised = self.who.supervised_financial
        rule = rule_for(key, self.as_of, supervised=supervised, rules=self.rules)
        try:
            last = cutoff(
                key,
                self.as_of,
                margin_days=self.who.execution_margin_days,
                supervised=supervised,
                rules=self.rules,
            )
        except AskAnotherKey:
            last = None  # such rows go with another one
        over = ANONYMIZE if rule.action == RetentionRule.Action.ANONYMIZE else DELETE
        running = _ON_REQUEST[RetentionRule.OnRequest(rule.on_request)]
        if self.night and status == "guest" and key == "ORDER":
            running = BLOCK
        return Verdict(key, rule, last, over, running)

    def explain(self, key: str, start: date) -> Explanation | None:
        """The computed date with its reasons (C6); None for keys that live as long as another row."""
        try:
            return explain(
                key,
                start,
                as_of=self.as_of,
                supervised=self.who.supervised_financial,
                margin_days=self.who.execution_margin_days,
                rules=self.rules,
            )
        except AskAnotherKey:
            return None
