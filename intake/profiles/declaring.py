"""The words in which a profile says which column of an export means what."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

CUSTOMERS = "customers"
SUPPRESSIONS = "suppressions"
ORDERS = "orders"
LINES = "lines"

CUSTOMER_TARGETS = (
    "external_id", "number", "kind", "salutation", "title", "first_name", "last_name", "full_name", "company", "vat_id",
    "email", "phone", "street", "postcode", "city", "country", "birthday", "tags", "note", "newsletter",
)  # fmt: skip
# What an address of an order keeps of its person; a mapping may name the rest, and nothing comes of it.
SNAPSHOT_TARGETS = (
    "title", "first_name", "last_name", "full_name", "company", "email", "phone", "street", "postcode", "city",
    "country",
)  # fmt: skip
_SIDES = ("billing", "shipping")
ORDER_TARGETS = (
    "external_id", "number", "customer_external_id", "email", "placed_at", "paid_at", "delivered_at", "cancelled_at",
    "currency", "total", *(f"{side}_{name}" for side in _SIDES for name in CUSTOMER_TARGETS),
)  # fmt: skip
# What the page of columns offers of them.
OFFERED_OF_ORDERS = tuple(
    name for name in ORDER_TARGETS if name.partition("_")[0] not in _SIDES or name.partition("_")[2] in SNAPSHOT_TARGETS
)
LINE_TARGETS = ("order_external_id", "sku", "name", "category", "quantity", "unit_price", "discount")

# What is never stored, whatever file it stands in (integrations.md 1b): secrets are no customer data.
_SECRET = re.compile(
    r"pass[ _-]?(?:word|wort|wd)|password_hash|^rp_token|kennwort|api[ _-]?key|cvv|cvc$", re.IGNORECASE
)


def folded(header: str) -> str:
    """A column name as it is compared: without case, blanks and underscores are alike."""
    return re.sub(r"[\s_]+", " ", header).strip().casefold()


def is_secret(header: str) -> bool:
    """Whether a column holds passwords, their hashes or tokens."""
    return bool(_SECRET.search(header))


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One kind of export.

    signature: columns it is recognized by; each entry names the spellings of one.
    fields: target -> spellings of its column, the first that is there counts. Beside the targets of `plain` there are
      some only profiles know (second phone, evidence, lines).
    opt_ins: channel -> target of the column that asserts an opt-in.
    grouped: several records may be one order (a row for each line item).
    """

    key: str
    label: Any
    kind: str
    platform: str
    signature: tuple[tuple[str, ...], ...] = ()
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    opt_ins: Mapping[str, str] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    asserts_opt_in: str = ""
    keys: tuple[str, ...] = ("external_id", "email")
    apostrophes: bool = False
    grouped: bool = False
    statuses: Mapping[str, str] = field(default_factory=dict)
    reason: str = "unsubscribed"
    currency: str = ""
    unknown_customer: str = "guest"

    @property
    def root(self) -> str:
        """The command that imports it: suppression entries come in with customers."""
        return ORDERS if self.kind == ORDERS else CUSTOMERS

    def fits(self, header: list[str]) -> int:
        """How many columns of the signature are there, or 0 where one is missing."""
        names = {folded(name) for name in header}
        found = all(any(folded(spelling) in names for spelling in spellings) for spellings in self.signature)
        return len(self.signature) if found else 0


class Values(dict[str, str]):
    """The cells of one record by target; a target without a column is empty."""

    def __missing__(self, target: str) -> str:
        return ""


class Columns:
    """Where each target stands in a record; a target without a column is -1, where an empty cell is appended."""

    def __init__(
        self,
        header: list[str],
        fields: Mapping[str, tuple[str, ...]],
        mapping: Mapping[str, str] | None = None,
    ) -> None:
        self.header = header
        places = {folded(name): place for place, name in enumerate(header) if name and not is_secret(name)}
        self._places: dict[str, int] = {}
        for target, spellings in fields.items():
            place = next((places[folded(name)] for name in spellings if folded(name) in places), None)
            if place is not None:
                self._places[target] = place
        for target, name in (mapping or {}).items():
            if name == "":
                self._places.pop(target, None)
            else:
                self._places[target] = places[folded(name)]

    def values(self, cells: list[str], tidy: Callable[[str], str]) -> Values:
        """The cells of one record by target, each cleaned by `tidy`."""
        return Values({target: tidy(cells[place]) for target, place in self._places.items()})

    def __contains__(self, target: str) -> bool:
        return target in self._places

    def __getitem__(self, target: str) -> int:
        return self._places.get(target, -1)

    def name(self, target: str) -> str:
        """The column a target is read from, as the file calls it."""
        return self.header[self._places[target]] if target in self._places else target

    @property
    def mapping(self) -> dict[str, str]:
        """Target -> column, as a mapping file writes it."""
        return {target: self.header[place] for target, place in self._places.items()}

    @property
    def unused(self) -> list[str]:
        """Columns that are not imported."""
        used = set(self._places.values())
        return [name for place, name in enumerate(self.header) if name and place not in used and not is_secret(name)]

    @property
    def refused(self) -> list[str]:
        """Columns that are never stored."""
        return [name for name in self.header if is_secret(name)]
