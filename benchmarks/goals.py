"""Where we want to end (the figures of the design), beside what was measured; a missed goal is no failure."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

MILLION = 1_000_000


class Goal(NamedTuple):
    """The rows whose name begins so should reach these figures."""

    begins: str
    figure: str  # a key of the row
    at_least: float = -math.inf
    at_most: float = math.inf
    of_size: int = 0  # the number of customers the goal speaks of: what is measured with fewer answers it neither way

    @property
    def wanted(self) -> str:
        """The figure and its bound."""
        return f"{self.figure} " + (f"<= {self.at_most:.3g}" if self.at_most < math.inf else f">= {self.at_least:.3g}")

    def is_reached(self, value: float) -> bool:
        """Whether a measured figure keeps the bound."""
        return self.at_least <= value <= self.at_most


GOALS = (
    Goal("import customers, admin flow", "times_usual", at_least=75),
    Goal("import customers again", "share_of_limit", at_least=1.5),
    Goal("import customers", "share_of_limit", at_least=0.6),
    Goal("import customers", "times_usual", at_least=50),
    Goal("import orders", "times_usual", at_least=3),
    Goal("search, number", "p95", at_most=20, of_size=MILLION),
    Goal("search, 2 letters", "p95", at_most=20, of_size=MILLION),
    Goal("search page, whole request", "p95", at_most=60, of_size=MILLION),
    Goal("search", "p95", at_most=20, of_size=MILLION),
    Goal("search", "times_usual", at_least=50, of_size=MILLION),
    Goal("erase persons, cascade", "times_usual", at_least=5),
    Goal("erase persons", "share_of_limit", at_least=0.75),
    Goal("erase persons", "times_usual", at_least=20),
    Goal("anonymize orders", "share_of_limit", at_least=0.65),
    Goal("choose a batch of due rows", "p95", at_most=10, of_size=MILLION),
    Goal("purge with two workers", "times_usual", at_least=1.6),
    Goal("list page, whole request", "p95", at_most=60),
    Goal("list page", "times_usual", at_least=15, of_size=MILLION),
    Goal("list page", "share_of_limit", at_least=0.25),
    Goal("deep list page", "share_of_limit", at_least=1 / 1.3),
    Goal("customer", "share_of_limit", at_least=1 / 1.3),
    Goal("audience of the newsletter", "times_usual", at_least=10),
    Goal("audience of the newsletter", "share_of_limit", at_least=1 / 1.5),
    Goal("audience, ", "share_of_limit", at_least=0.8),
    Goal("consent, one answer", "share_of_limit", at_least=0.25),
    Goal("consent appends", "share_of_limit", at_least=0.8),
    Goal("consents in bulk", "share_of_limit", at_least=0.5),
    Goal("verify the ledger", "ours", at_most=10),
    Goal("package memory", "ours", at_most=10),
    Goal("package", "share_of_limit", at_least=0.5),
)
# These stand for themselves: the shorter names above would ask too much of them.
_ALONE = tuple(goal.begins for goal in GOALS if "," in goal.begins or goal.begins.endswith("again"))


def goals_of(name: str) -> list[Goal]:
    """The goals of one row."""
    own = max((begins for begins in _ALONE if name.startswith(begins)), key=len, default="")
    if own:
        return [goal for goal in GOALS if goal.begins == own]
    fitting = [goal for goal in GOALS if name.startswith(goal.begins)]
    longest = max((len(goal.begins) for goal in fitting), default=0)
    return [goal for goal in fitting if len(goal.begins) == longest]


def verdict(row: dict[str, Any]) -> str:
    """Each goal of a row: what was wanted, and whether it was reached; or of how many customers it would be asked."""
    said = []
    for goal in goals_of(row["name"]):
        value = row[goal.figure]
        if value is None:
            continue
        if row["size"] < goal.of_size:
            said.append(f"asked of {goal.of_size:,}: {goal.wanted}")
        else:
            said.append(f"{'reached' if goal.is_reached(value) else 'MISSED'}: {goal.wanted}")
    return "; ".join(said)
