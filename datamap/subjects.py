"""One person as stores outside the models are asked about: what may lead to them there."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

# An id of so many signs is no other number by chance; one of so few stands in any text.
SURE, TOO_SHORT = 10, 4


@dataclass(frozen=True)
class Subject:
    """What a person may be found by. Lives in memory, and sealed while an erasure runs; never in a log."""

    subject_ref: UUID
    customer_id: int | None = None
    number: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    external_ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def sure(self) -> list[str]:
        """Texts that lead to this person and to nobody else."""
        return [*self.emails, *self.phones, *(value for value in self.external_ids if len(value) >= SURE)]

    def possible(self) -> list[str]:
        """Texts that may stand for somebody else, too: a namesake, a postcode like the number."""
        short = [value for value in self.external_ids if len(value) < SURE]
        return [text for text in (*self.names, self.number, *short) if len(text) > TOO_SHORT]

    def joined(self, other: Subject) -> Subject:
        """The same with what only the other is found by, after its own."""
        return replace(
            self,
            emails=_once(self.emails, other.emails),
            phones=_once(self.phones, other.phones),
            external_ids=_once(self.external_ids, other.external_ids),
            names=_once(self.names, other.names),
        )

    def as_dict(self) -> dict[str, Any]:
        """For sealing."""
        return {
            "customer_id": self.customer_id,
            "number": self.number,
            "emails": list(self.emails),
            "phones": list(self.phones),
            "external_ids": list(self.external_ids),
            "names": list(self.names),
        }

    @classmethod
    def from_dict(cls, subject_ref: UUID, kept: dict[str, Any] | None) -> Subject:
        """From what was sealed."""
        kept = kept or {}
        many = {name: tuple(kept.get(name, ())) for name in ("emails", "phones", "external_ids", "names")}
        return cls(subject_ref, kept.get("customer_id"), kept.get("number", ""), **many)


def _once(*several: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for texts in several for text in texts))


def spellings(text: str) -> set[str]:
    """A text in small letters, in capitals and as it is, each in both ways that Unicode composes its letters.

    Of ASCII the text alone, which whoever searches compares whatever its case: of other letters a database or a file
    may know no capitals, and capital words write ß as SS, as it is, or as ẞ.
    """
    if text.isascii():
        return {text}
    composed = {text, *(unicodedata.normalize(form, text) for form in ("NFC", "NFD"))}
    capitals = {kept.join(map(str.upper, one.split("ß"))) for one in composed for kept in ("SS", "ß", "ẞ")}
    return {*composed, *map(str.lower, composed), *capitals}
