"""The shapes in which people come in from files, forms and platforms, before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID


@dataclass(slots=True)
class AddressRow:
    """One postal address as it came in; country is an ISO 3166 code or what the source wrote."""

    kind: str = "billing"  # Address.Kind
    recipient: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""


@dataclass(slots=True)
class OptInRow:
    """An opt-in (or opt-out) the source asserts; only a present column makes one: absent means "no news"."""

    channel: str  # email | sms | whatsapp | phone
    state: str  # yes | no | pending
    evidence: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class CustomerRow:
    """One customer as a source describes them; an empty value is "no news" and never erases what is known."""

    line: int
    external_id: str = ""
    status: str = "account"  # Customer.Status; guests and prospects are never matched by e-mail
    number: str = ""
    kind: str = ""
    salutation: str = ""
    title: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    vat_id: str = ""
    language: str = ""
    birthday: str = ""  # any readable date or month/day; only day and month are kept
    registered_at: datetime | None = None
    last_activity: datetime | None = None
    email: str = ""
    phone: str = ""
    addresses: list[AddressRow] = field(default_factory=list)
    tags: tuple[str, ...] = ()
    note: str = ""
    opt_ins: tuple[OptInRow, ...] = ()


@dataclass(slots=True)
class SuppressionRow:
    """One endpoint of an unsubscribed or cleaned list."""

    line: int
    endpoint: str
    channel: str = "email"
    reason: str = "unsubscribed"
    since: datetime | None = None


@dataclass(slots=True, frozen=True)
class Problem:
    """What is wrong with one record, in words for the person who brought the file."""

    line: int
    field: str
    message: str
    file: str = ""


@dataclass(slots=True)
class Source:
    """Which batch rows belong to; `platform` is the namespace of external ids ("shopify", "cdnow", …).

    own_numbers: the numbers of the rows are those of this house, as in its own export.
    """

    batch: UUID
    platform: str
    origin_id: int | None  # None in a dry run
    user_id: int | None = None
    as_of: date | None = None
    own_numbers: bool = False


_COUNTS = (
    "created",
    "updated",
    "unchanged",
    "held",
    "overdue",
    "customers_created",
    "lines",
    "error_count",
    "warning_count",
)


@dataclass(slots=True)
class Outcome:
    """Counts of one written (or tried) chunk; chunks add up with `add`."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    held: int = 0
    overdue: int = 0
    customers_created: int = 0
    lines: int = 0
    error_count: int = 0
    warning_count: int = 0
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    LISTED: ClassVar[int] = 1000

    def reject(self, problem: Problem) -> None:
        """Count a record that cannot be stored."""
        self.error_count += 1
        if len(self.errors) < self.LISTED:
            self.errors.append(problem)

    def warn(self, problem: Problem) -> None:
        """Count an optional value that could not be read."""
        self.warning_count += 1
        if len(self.warnings) < self.LISTED:
            self.warnings.append(problem)

    def add(self, other: Outcome) -> None:
        """Add the counts of another chunk; lists stay capped, counts do not."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.errors += other.errors[: self.LISTED - len(self.errors)]
        self.warnings += other.warnings[: self.LISTED - len(self.warnings)]
