"""What a notice to a recipient tells (Art. 19 GDPR): kept under keys, said in the language of whoever reads it."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext_lazy

from privacy import rectifying
from privacy.models import Restriction

# Between the key and the value of a line; a line without one is said as it stands.
GAP = "\t"
PARTS = "parts"
LABELS = {
    "name": gettext_lazy("Name"),
    "number": gettext_lazy("Customer number"),
    "email": gettext_lazy("E-mail"),
    "others": gettext_lazy("Other numbers"),
    "contact": gettext_lazy("Contact person"),
    "speaks_for": gettext_lazy("Contact person of"),
}
FIELDS = ("customer:", "address:", "point:", "person:")


def line(key: str, value: str) -> str:
    """One line: a key of `LABELS` or of a field that is corrected, and what stands there."""
    return f"{key}{GAP}{value}"


def parts_line(parts: Iterable[str]) -> str:
    """The line that names what is restricted."""
    return line(PARTS, ",".join(parts))


def in_words(details: str) -> str:
    """The lines of a notice in the language that is spoken now."""
    return "\n".join(_said(*one.partition(GAP)) for one in details.split("\n"))


def _said(key: str, gap: str, value: str) -> str:
    if not gap:
        return key
    if key == PARTS:
        labels = dict(Restriction.Part.choices)
        return ", ".join(str(labels.get(part, part)) for part in value.split(","))
    if key in LABELS:
        return f"{LABELS[key]}: {value}"
    if key.startswith(FIELDS):
        return f"{rectifying.label_of(key)}: {value}"
    return f"{key}{gap}{value}"
