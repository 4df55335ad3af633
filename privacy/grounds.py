"""Why a kind of data is here: purposes, legal bases, sources and recipients, as its declarations say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from datamap.catalogue import cited
from datamap.declarations import Group
from datamap.receivers import Receiver

T = TypeVar("T")


@dataclass(kw_only=True)
class Grounds:
    """Of one kind of data; whatever several declarations say alike stands here once."""

    purposes: list[str] = field(default_factory=list)
    bases: list[tuple[str, str]] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    def add(self, group: Group, names: Mapping[str, list[str]], *, source: str) -> None:
        """What one declaration says: `names` of recipients by kind, and `source` where the declaration has none."""
        _once(self.purposes, str(group.purpose))
        for basis in group.bases:
            _once(self.bases, (cited(basis.citation), str(basis.label)))
        _once(self.sources, str(group.source) if group.source else source)
        for one in group.recipients:
            kind = str(getattr(one, "label", one))
            # By name where the list of recipients has one (C-154/21), else by kind.
            named = names.get(one.value, []) if isinstance(one, Receiver) else []
            _once(self.recipients, f"{kind}: {', '.join(named)}" if named else kind)


def _once(found: list[T], one: T) -> None:
    if one not in found:
        found.append(one)
