"""What a generated paper consists of, whatever it is shown as: sections with sentences, facts and a table."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Table:
    """Rows of cells under a head; every row has as many cells as the head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def labelled_rows(self) -> list[list[tuple[str, str]]]:
        """Every cell with its head before it: on a telephone the rows stand one below the other."""
        return [list(zip(self.head, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Section:
    """A heading with what stands below it, in this order: sentences, facts (label and value), points, table."""

    title: str
    text: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    points: tuple[str, ...] = ()
    table: Table | None = None
    level: int = 2

    @property
    def shown_facts(self) -> tuple[tuple[str, str], ...]:
        """The facts that say something."""
        return tuple((label, value) for label, value in self.facts if value)


@dataclass(frozen=True)
class Paper:
    """One paper in one language. It holds no date: what says the same is the same paper."""

    kind: str
    title: str
    subtitle: str
    sections: list[Section] = field(default_factory=list)
