"""Times things and makes the rows of bench.json."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any


def seconds(work: Callable[[], Any]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def median_seconds(work: Callable[[], Any], times: int = 3) -> float:
    """The median of several calls."""
    return statistics.median(seconds(work) for _ in range(times))


def milliseconds(work: Callable[[], Any]) -> float:
    """The same in thousandths."""
    return seconds(work) * 1000


def p95(values: Sequence[float]) -> float:
    """The value that 95 of 100 stay below."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


def row(
    name: str,
    size: int,
    unit: str,
    ours: float,
    *,
    usual: float | None = None,
    limit: float | None = None,
    p95: float | None = None,
    faster_is: str = "more",
) -> dict[str, Any]:
    """One object of bench.json; `faster_is` says whether more (rows/s) or less (ms) is better."""
    more = faster_is == "more"
    return {
        "name": name,
        "size": size,
        "unit": unit,
        "ours": float(ours),
        "usual": usual,
        "limit": limit,
        "share_of_limit": (ours / limit if more else limit / ours) if limit else None,
        "times_usual": (ours / usual if more else usual / ours) if usual else None,
        "p95": p95,
    }
