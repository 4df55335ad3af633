"""Checks a column mapping (`{"target": "header"}`) against a file before anything is read by it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from intake.profiles.declaring import (
    CUSTOMER_TARGETS,
    LINE_TARGETS,
    ORDER_TARGETS,
    ORDERS,
    Profile,
    folded,
    is_secret,
)
from intake.profiles.plain import GUESSES
from intake.values import COMMA, POINT

SHARE, AMOUNT = "share", "amount"
OWN, FOREIGN = "own", "foreign"
# What a mapping says beside its columns.
OPTIONS = {"numbers": (OWN, FOREIGN), "decimals": (COMMA, POINT), "discount_as": (SHARE, AMOUNT)}


class MappingError(Exception):
    """The mapping does not fit the file; the text says which entry."""


@dataclass(frozen=True)
class ColumnMapping:
    """Which header each target is read from; `lines` those of the second file.

    platform: namespace of the ids in a plain file, where two sources must not be taken for one.
    discount_as: whether line discounts are a share of the price (0.05) or an amount; by themselves they are taken for
      shares when all lie between 0 and 1.
    numbers: whether customer numbers are this house's own or foreign; by itself the name of the column says it.
    decimals: whether a comma or a point stands before the decimals of amounts; by itself each figure says it, and one
      that may be read in two ways is refused.
    """

    main: dict[str, str] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)
    platform: str = ""
    discount_as: str = ""
    numbers: str = ""
    decimals: str = ""

    def as_json(self) -> dict[str, Any]:
        """What `read_mapping` takes again."""
        more = {"lines": self.lines, "platform": self.platform, "discount_as": self.discount_as}
        more |= {"numbers": self.numbers, "decimals": self.decimals}
        return self.main | {key: value for key, value in more.items() if value}


def targets_of(profile: Profile) -> tuple[str, ...]:
    """The targets a mapping may name for this kind of file."""
    return ORDER_TARGETS if profile.kind == ORDERS else CUSTOMER_TARGETS


def read_mapping(data: Any, profile: Profile, header: list[str], lines_header: list[str] | None) -> ColumnMapping:
    """The mapping, checked. Raises MappingError with a sentence that names the entry."""
    if not isinstance(data, dict):
        raise MappingError(_('A mapping is one JSON object: {"target": "column", …}.'))
    rest = dict(data)
    lines = rest.pop("lines", {})
    platform = rest.pop("platform", "")
    discount_as = rest.pop("discount_as", "")
    if not isinstance(platform, str) or len(platform) > 40 or discount_as not in ("", SHARE, AMOUNT):
        raise MappingError(_("“platform” is a short word; “discount_as” is “share” or “amount”."))
    numbers = rest.pop("numbers", "")
    if numbers not in ("", OWN, FOREIGN):
        raise MappingError(_("“numbers” is “own” or “foreign”."))
    decimals = rest.pop("decimals", "")
    if decimals not in ("", COMMA, POINT):
        raise MappingError(_("“decimals” is “comma” or “point”."))
    if not isinstance(lines, dict) or (lines and lines_header is None):
        raise MappingError(_("The mapping names columns of a second file, but no file with lines was given."))
    # Profiles know more targets than a plain file; they may be moved to other columns, too.
    main = _checked(rest, {*targets_of(profile), *profile.fields}, header)
    checked = _checked(lines, set(LINE_TARGETS), lines_header or [])
    return ColumnMapping(main, checked, platform, discount_as, numbers, decimals)


def _checked(entries: dict[Any, Any], targets: set[str], header: list[str]) -> dict[str, str]:
    names = {folded(name): name for name in header if name}
    checked = {}
    for target, column in entries.items():
        if target not in targets:
            raise MappingError(
                _("“%(target)s” is no target. There are: %(targets)s.")
                % {"target": str(target)[:60], "targets": ", ".join(sorted(targets))}
            )
        if column in ("", None):
            checked[str(target)] = ""
            continue
        if not isinstance(column, str) or folded(column) not in names:
            raise MappingError(
                _("The file has no column “%(column)s” (mapped to %(target)s).")
                % {"column": str(column)[:60], "target": target}
            )
        if is_secret(column):
            raise MappingError(
                _("The column “%(column)s” holds secrets and is never stored.") % {"column": column[:60]}
            )
        checked[str(target)] = names[folded(column)]
    return checked


def suggestion(kind: str, header: list[str]) -> dict[str, str]:
    """What a person probably means by the columns of a file of customers, orders or lines: each by its usual name."""
    names = {folded(name): name for name in header if name and not is_secret(name)}
    found: dict[str, str] = {}
    for target, guesses in GUESSES[kind].items():
        for guess in guesses:
            name = names.get(folded(guess))
            if name is not None and name not in found.values():
                found[target] = name
                break
    for side in ("", "billing_", "shipping_"):
        if {f"{side}first_name", f"{side}full_name"} <= found.keys() and f"{side}last_name" not in found:
            # beside "Vorname" a column "Name" holds the rest of it
            found[f"{side}last_name"] = found.pop(f"{side}full_name")
    return found


def fingerprint(root: str, profile: str, header: list[str], lines_header: list[str] | None) -> str:
    """Which mapping belongs to which header: the same columns in any order have the same."""
    parts = [
        root,
        profile,
        *sorted(folded(name) for name in header),
        "|",
        *sorted(map(folded, lines_header or [])),
    ]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
