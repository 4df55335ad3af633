"""What the table of `make bench` says about each goal of performance.md, section 10."""

from __future__ import annotations

import pytest

from benchmarks.goals import verdict
from benchmarks.measure import row


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (1_000_000, "MISSED: times_usual >= 15"),
        (200_000, "asked of 1,000,000: times_usual >= 15"),
    ],
)
def test_a_goal_of_a_million_is_neither_reached_nor_missed_with_fewer(size: int, said: str) -> None:
    found = verdict(row("list page, by name", size, "req/s", 100.0, usual=10.0, limit=200.0))
    assert found == f"{said}; reached: share_of_limit >= 0.25"


def test_a_goal_that_names_no_size_is_asked_of_every_one() -> None:
    found = verdict(row("import customers", 200_000, "rows/s", 50.0, usual=2.0, limit=100.0))
    assert found == "MISSED: share_of_limit >= 0.6; MISSED: times_usual >= 50"


def test_a_figure_that_must_stay_below_is_compared_so() -> None:
    at_most = [verdict(row("search, a typo", 1_000_000, "ms", 5.0, p95=p95, faster_is="less")) for p95 in (20.0, 20.1)]
    assert at_most == ["reached: p95 <= 20", "MISSED: p95 <= 20"]
