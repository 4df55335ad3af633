"""Writes one person as a vCard 4.0 (RFC 6350)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

WIDTH = 75  # octets of a line, RFC 6350 3.2


def vcard(
    person: Mapping[str, Any], points: Iterable[Mapping[str, Any]], addresses: Iterable[Mapping[str, Any]]
) -> str:
    """The card of a customer's row with their contact points and addresses."""
    company = person.get("company") or ""
    names = [person.get(name) or "" for name in ("last_name", "first_name", "title")]
    full = " ".join(filter(None, (names[2], names[1], names[0]))) or company or person["number"]
    lines = ["BEGIN:VCARD", "VERSION:4.0", f"UID:{escaped(person['number'])}", f"FN:{escaped(full)}"]
    if person.get("kind") == "company":
        lines.append("KIND:org")
    lines.append(f"N:{structured(names[0], names[1], '', names[2], '')}")
    lines += [f"ORG:{escaped(company)}"] if company else []
    lines += [f"EMAIL:{escaped(point['value'])}" for point in points if point.get("kind") == "email"]
    lines += [f"TEL;VALUE=text:{escaped(point['value'])}" for point in points if point.get("kind") == "phone"]
    for address in addresses:
        parts = [address.get(name) or "" for name in ("street", "city", "postcode", "country")]
        lines.append(f"ADR:{structured('', '', parts[0], parts[1], '', parts[2], parts[3])}")
    if person.get("birthday_day") and person.get("birthday_month"):
        lines.append(f"BDAY:--{person['birthday_month']:02}{person['birthday_day']:02}")
    lines += [f"LANG:{escaped(person['language'])}"] if person.get("language") else []
    return "".join(map(folded, [*lines, "END:VCARD"]))


def escaped(text: str) -> str:
    """A value as text (RFC 6350 3.4)."""
    text = text.replace("\\", "\\\\").replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    return text.replace(",", "\\,").replace(";", "\\;")


def structured(*parts: str) -> str:
    """A value of several parts."""
    return ";".join(map(escaped, parts))


def folded(line: str) -> str:
    """A line, and its continuation lines where it is too long; no character is cut."""
    pieces, held, room = [], "", WIDTH
    for char in line:
        size = len(char.encode(errors="replace"))
        if size > room:
            pieces.append(held)
            held, room = "", WIDTH - 1
        held, room = held + char, room - size
    return "\r\n ".join([*pieces, held]) + "\r\n"
