"""What is to be put together, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from datamap.packages import Person


@dataclass
class Order:
    """What is to be put together: for whom, which kind, and under which reference."""

    subject: Person
    kind: str
    reference: str
    asked_at: datetime | None = None
    released_files: Callable[[str, str, str], bool] = lambda _model, _row, _field: True
    progress: Callable[[int], None] = lambda _rows: None


@dataclass
class Assembly:
    """What came of it; filled while the pieces are read."""

    files: int = 0
    rows: int = 0
    without: list[str] = field(default_factory=list)
    redacted: int = 0
    pending: int = 0
