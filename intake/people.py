"""Turns records of a customer file into `CustomerRow`s and `SuppressionRow`s, by what the profile says of columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from customers.cells import original
from customers.known import MAIN
from customers.rows import AddressRow, CustomerRow, OptInRow, Problem, SuppressionRow
from intake.profiles.declaring import Columns, Profile, Values
from intake.tables import Broken, Record
from intake.values import (
    first_of,
    is_ahead,
    is_set,
    read_moment,
    read_opt_in,
    split_address,
    split_name,
    split_tags,
    without_apostrophe,
)

MAX_ID = 120


@dataclass(slots=True)
class Item:
    """What became of `records` records of a file: a row, or the problem why there is none; warnings in any case."""

    records: int
    row: object | None = None
    problem: Problem | None = None
    warnings: list[Problem] = field(default_factory=list)


Reader = Callable[[Iterator[Record]], Iterator[Item]]


@dataclass(slots=True)
class _Cells:
    """The cells of one record by target, and what is to be said about them."""

    line: int
    cells: list[str]
    columns: Columns
    values: Values
    warnings: list[Problem]
    # The number of a source that gives no other id.
    number_is_id: bool = False
    # An export of this house: it shows one address of each customer and not of what kind it is.
    is_own: bool = False

    def warn(self, target: str, message: str) -> None:
        self.warnings.append(Problem(self.line, self.columns.name(target), message))

    def single(self, *targets: str) -> str:
        """The first filled of these columns; of several values joined in it the first."""
        for target in targets:
            value = self.values[target]
            if value and not self.is_own and (":::" in value or ";" in value):
                value, more = first_of(value)
                if more:
                    self.warn(target, _("Several values stand here; only the first is imported."))
            if value:
                return value
        return ""

    def moment(self, target: str) -> datetime | None:
        value = self.values[target]
        if not value:
            return None
        found = read_moment(value)
        if found is None:
            self.warn(target, _("The date cannot be read and is left out."))
        elif is_ahead(found):
            self.warn(target, _("This day has not come yet; please check it."))
        return found


def tidy_for(profile: Profile) -> Callable[[str], str]:
    """How a cell of this profile is cleaned before anything else."""
    return _tidy_shopify if profile.apostrophes else str.strip


def _tidy_shopify(value: str) -> str:
    return without_apostrophe(value.strip())


def _tidy_own(value: str) -> str:
    return original(value.strip())


def people_reader(profile: Profile, columns: Columns, *, own_numbers: bool = False) -> Reader:
    """A reader of customer or suppression records; one item for each record."""
    build = _suppression if profile.kind == "suppressions" else _customer
    tidy = _tidy_own if own_numbers else tidy_for(profile)
    evidence = _evidence_places(profile, columns)
    number_is_id = profile.key == "plain" and "external_id" not in columns and not own_numbers
    refused = {name: columns.header.index(name) for name in columns.refused}

    def read(records: Iterator[Record]) -> Iterator[Item]:
        for line, cells in records:
            if isinstance(cells, Broken):
                yield Item(1, problem=Problem(line, cells.field, cells.message))
                continue
            cells.append("")
            told = _Cells(line, cells, columns, columns.values(cells, tidy), [], number_is_id, own_numbers)
            item = build(told, profile, evidence)
            for name in [name for name, place in refused.items() if cells[place].strip()]:
                # Said once a column: the first row with one speaks for all.
                refused.pop(name)
                message = _("Password hashes are refused: this column is not stored.")
                item.warnings.append(Problem(line, name, message))
            yield item

    return read


def _evidence_places(profile: Profile, columns: Columns) -> dict[str, int]:
    return {name: columns.header.index(name) for name in profile.evidence if name in columns.header}


def _suppression(cells: _Cells, profile: Profile, _evidence: dict[str, int]) -> Item:
    endpoint = cells.single("email")
    if not endpoint:
        return Item(1, problem=_no_key(cells, "email"))
    cleaned = cells.moment("cleaned_at")
    row = SuppressionRow(
        line=cells.line,
        endpoint=endpoint,
        reason="bounced" if "cleaned_at" in cells.columns and "since" not in cells.columns else profile.reason,
        since=cells.moment("since") or cleaned,
    )
    return Item(1, row, warnings=cells.warnings)


def _no_key(cells: _Cells, target: str) -> Problem:
    return Problem(cells.line, cells.columns.name(target), _("The row has neither an id nor an e-mail address."))


def _customer(cells: _Cells, profile: Profile, evidence: dict[str, int]) -> Item:
    get = cells.values.__getitem__
    row = CustomerRow(line=cells.line, external_id=get("external_id"), email=cells.single("email"))
    row.number = get("number")
    if cells.number_is_id:
        row.external_id = row.number
    if not any(get(key) for key in profile.keys):
        return Item(1, problem=_no_key(cells, profile.keys[-1]))
    if len(row.external_id) > MAX_ID:
        return Item(1, problem=Problem(cells.line, cells.columns.name("external_id"), _("The id is too long.")))
    if is_set(get("guest")):
        row.status = "guest"
    elif "username" in cells.columns and not get("username") and not get("registered_at"):
        message = _("A guest without an id of their own comes in with their orders, not with this file.")
        return Item(1, problem=Problem(cells.line, cells.columns.name("username"), message))
    _name(row, cells)
    row.kind = get("kind")
    row.company = get("company")
    row.vat_id = get("vat_id")
    row.phone = cells.single("phone", "phone2")
    row.birthday = get("birthday")
    row.registered_at = cells.moment("registered_at")
    row.last_activity = cells.moment("last_activity")
    row.note = get("note")
    if tags := get("tags"):
        row.tags = split_tags(tags)
    row.addresses = _addresses(row, cells)
    row.opt_ins = tuple(_opt_ins(cells, profile, evidence))
    return Item(1, row, warnings=cells.warnings)


def _name(row: CustomerRow, cells: _Cells) -> None:
    get = cells.values.__getitem__
    row.salutation, row.title = get("salutation"), get("title")
    row.first_name, row.last_name = get("first_name"), get("last_name")
    if middle := get("middle_name"):
        row.first_name = f"{row.first_name} {middle}".strip()
    full = get("full_name")
    if full and not row.last_name and row.first_name:
        row.last_name = full.removeprefix(row.first_name).strip() or full
    elif full and not row.last_name:
        salutation, title, row.first_name, row.last_name = split_name(full)
        row.salutation = row.salutation or salutation
        row.title = row.title or title


def _addresses(row: CustomerRow, cells: _Cells) -> list[AddressRow]:
    get = cells.values.__getitem__
    if line := get("address_line"):
        parts = split_address(cells.cells[cells.columns["address_line"]])
        if not parts[1]:
            cells.warn("address_line", _("The address cannot be taken apart; it stands in the street whole."))
            return [AddressRow(street=line)]
        return [AddressRow("billing", "", *_street_first(parts))]
    street = ", ".join(filter(None, (get("street").replace("\n", " "), get("street2"))))
    first = AddressRow(MAIN if cells.is_own else "billing", "", street, get("postcode"), get("city"), get("country"))
    if "default_billing" in cells.columns or "default_shipping" in cells.columns:
        first.kind = _magento_kind(cells)
    if not ("shipping_street" in cells.columns or "billing_last_name" in cells.columns):
        return [first] if first.street or first.postcode or first.city or first.country else []
    first.recipient = _recipient(row, get("billing_first_name"), get("billing_last_name"), "")
    second = AddressRow(
        "shipping",
        "",
        get("shipping_street"),
        get("shipping_postcode"),
        get("shipping_city"),
        get("shipping_country"),
    )
    second.recipient = _recipient(row, get("shipping_first_name"), get("shipping_last_name"), get("shipping_company"))
    found = [address for address in (first, second) if address.street or address.postcode or address.city]
    if len(found) == 2 and _place(first) == _place(second):
        return found[:1]
    return found


def _street_first(parts: tuple[str, str, str, str]) -> tuple[str, str, str, str]:
    street, city, postcode, country = parts
    return street, postcode, city, country


def _magento_kind(cells: _Cells) -> str:
    if is_set(cells.values["default_billing"]):
        return "billing"
    return "shipping" if is_set(cells.values["default_shipping"]) else "other"


def _recipient(row: CustomerRow, first: str, last: str, company: str) -> str:
    """The recipient line where it is not the customer's own name."""
    name = " ".join(filter(None, (first, last)))
    own = " ".join(filter(None, (row.first_name, row.last_name)))
    parts = [part for part in (company if company != row.company else "", name if name != own else "") if part]
    return ", ".join(parts)


def _place(address: AddressRow) -> tuple[str, ...]:
    return address.recipient, address.street, address.postcode, address.city, address.country


def _opt_ins(cells: _Cells, profile: Profile, evidence: dict[str, int]) -> Iterator[OptInRow]:
    for channel, target in profile.opt_ins.items():
        if word := cells.values[target]:
            state = read_opt_in(word)
            if state is None:
                cells.warn(target, _("This word says neither yes nor no; it is left out."))
            else:
                yield OptInRow(channel, state)
    if profile.asserts_opt_in:
        found = {name: cells.cells[place].strip() for name, place in evidence.items()}
        yield OptInRow(profile.asserts_opt_in, "yes", {name: value for name, value in found.items() if value})
