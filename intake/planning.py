"""Decides how a file is read: its profile, its columns, its second file; everything that can be said before reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from intake.mapping import OWN, ColumnMapping, MappingError, read_mapping
from intake.people import Item, Reader, people_reader
from intake.profiles import UnknownProfile, detect, plain_profile, profile_for
from intake.profiles.declaring import CUSTOMERS, ORDERS, Columns, Profile, folded
from intake.profiles.plain import OWN_NUMBER
from intake.purchases import order_reader
from intake.reading import open_table
from intake.tables import Opener, Table, UnreadableFile


@dataclass(frozen=True)
class Plan:
    """How one file will be read."""

    root: str
    profile: Profile
    table: Table
    columns: Columns
    mapping: ColumnMapping
    reader: Reader
    lines_table: Table | None = None
    line_columns: Columns | None = None
    own_numbers: bool = False

    @property
    def platform(self) -> str:
        """The namespace of the ids in this file."""
        return self.mapping.platform or self.profile.platform

    def items(self) -> Iterator[Item]:
        """What becomes of the records, from the first."""
        return self.reader(self.table.records())


def choose_profile(root: str, header: list[str], key: str, mapping: Any) -> Profile:
    """The profile asked for, else the one the header shows, else plain where a mapping stands on its own.

    Raises UnknownProfile.
    """
    if key:
        return profile_for(key, root)
    plain = plain_profile(root)
    if isinstance(mapping, dict) and any(mapping.get(target) for target in plain.keys):
        return plain
    found = detect(header, root)
    if found is None and not mapping:
        raise UnknownProfile(_("These columns belong to no known export. A mapping must say what they mean."))
    return found or plain


def plan_import(
    root: str, opener: Opener, lines_opener: Opener | None = None, key: str = "", mapping: Any = None
) -> Plan:
    """How the file will be read. Raises UnreadableFile, UnknownProfile or MappingError, each with a clear sentence."""
    table = open_table(opener)
    lines_table = open_table(lines_opener) if lines_opener else None
    profile = choose_profile(root, table.header, key, mapping)
    found = read_mapping(mapping or {}, profile, table.header, lines_table.header if lines_table else None)
    columns = Columns(table.header, profile.fields, found.main)
    _refuse_missing(profile, columns, found, table.header)
    own = _has_own_numbers(profile, columns, found)
    if profile.kind == ORDERS:
        reader = order_reader(profile, columns, decimals=found.decimals)
    else:
        reader = people_reader(profile, columns, own_numbers=own)
    line_columns = None
    if lines_table:
        line_columns = Columns(lines_table.header, {}, found.lines)
        if "order_external_id" not in line_columns:
            raise MappingError(_("The mapping does not say which column of the lines names the order."))
    return Plan(root, profile, table, columns, found, reader, lines_table, line_columns, own)


def _has_own_numbers(profile: Profile, columns: Columns, mapping: ColumnMapping) -> bool:
    """Whether the numbers in a plain file of customers are those of this house (`profiles.plain`)."""
    if profile.key != "plain" or profile.kind != CUSTOMERS or "number" not in columns:
        return False
    return mapping.numbers == OWN if mapping.numbers else folded(columns.name("number")) in OWN_NUMBER


def _refuse_missing(profile: Profile, columns: Columns, mapping: ColumnMapping, header: list[str]) -> None:
    names = {folded(name) for name in header}
    missing = [
        spellings[0] for spellings in profile.signature if not any(folded(spelling) in names for spelling in spellings)
    ]
    if missing and not mapping.main:
        raise UnreadableFile(_("Columns are missing: %(columns)s.") % {"columns": ", ".join(missing)})
    needed = [profile.keys] + ([("placed_at",)] if profile.kind == ORDERS else [])
    for targets in needed:
        if not any(target in columns for target in targets):
            raise UnreadableFile(
                _("No column gives one of: %(targets)s. Without it no row can be stored.")
                % {"targets": ", ".join(targets)}
            )
