"""Draws figures as bars: geometry for inline SVG, which needs neither script nor style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Bar:
    """One bar and what it stands for."""

    x: int
    y: int
    width: int
    height: int
    label: str
    value: Decimal


@dataclass(frozen=True)
class Chart:
    """Bars on a ground of fixed size."""

    width: int
    height: int
    bars: list[Bar]


def bar_chart(figures: Sequence[tuple[str, Decimal]], width: int = 240, height: int = 56) -> Chart:
    """One bar for each figure, the largest as high as the ground; below zero is drawn as zero."""
    top = max((value for _label, value in figures), default=Decimal(0))
    step = width // max(len(figures), 1)
    bars = []
    for place, (label, value) in enumerate(figures):
        high = int(max(value, Decimal(0)) * (height - 2) / top) if top > 0 else 0
        high = max(high, 2 if value > 0 else 0)
        bars.append(Bar(place * step + step // 6, height - high, max(step * 2 // 3, 2), high, label, value))
    return Chart(width, height, bars)
