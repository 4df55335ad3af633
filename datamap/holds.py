"""What must not be deleted while a matter runs (domain.md 4.2): apps tell their cases as SQL, the engine asks once.

A hold suspends deletion and adds no purpose. Those that follow from the data (an open order, a complaint) are told
here by the app that owns the rows; those that people set are rows of the app that keeps them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils.translation import gettext as _

from datamap.controlling import controller
from datamap.declarations import SELF, orm_path
from datamap.models import Controller
from datamap.workdays import add_months

Arguments = Callable[[date, Controller], Mapping[str, Any]]

COLUMNS = ("customer_id", "order_number", "complaint_id", "review_on")
"""What the SQL of a source selects: whose (bigint), the one order (text) and the one complaint (bigint) that stay or
null, and the day to look again (date) or null. Without order and complaint everything of the person stays. `everyone`
selects before them the `matter`: the key of the row that is the open matter (bigint)."""

LONGEST_MONTHS = 12
"""Somebody looks at each open matter again at least so often (domain.md 4.2)."""

FILE_ONLY = 0
"""In the place of a complaint: no row of daily work belongs to the matter, only the person's own file stays for it."""


@dataclass(frozen=True)
class CaseSource:
    """One kind of open matter; see `register_case_source`."""

    key: str
    label: Any
    sql: str
    reason: Any
    arguments: Arguments | None = None
    night_only: bool = False
    kind: str = ""
    everyone: str = ""

    @property
    def name(self) -> str:
        """What plans and explanations call it: the hold of domain.md 4.2."""
        return self.kind or self.key


@dataclass(frozen=True)
class CaseLink:
    """How the rows of a model are tied to a case: ORM paths to an order number and to a complaint ("pk": the row)."""

    model: str
    order: str | None = None
    complaint: str | None = None


@dataclass(frozen=True)
class StandingHold:
    """One open matter of one person on one day; without order number and complaint it holds the whole person, with
    `FILE_ONLY` nothing but the person's own file."""

    kind: str
    customer_id: int
    order_number: str | None
    complaint_id: int | None
    reason: Any
    review_on: date | None
    source: str = field(default="", compare=False)
    matter: int | None = field(default=None, compare=False)

    @property
    def is_whole(self) -> bool:
        """Whether it keeps everything of the person."""
        return self.order_number is None and self.complaint_id is None


class HoldRefused(ValueError):
    """A hold that names no reason, owner, scope or review; `field` says which."""

    def __init__(self, field: str, text: str) -> None:
        self.field = field
        super().__init__(text)


def refuse_review(review_on: date | None, today: date) -> None:
    """Raises HoldRefused where nobody looks again within twelve months."""
    if review_on is None:
        raise HoldRefused("review_on", _("Say when somebody looks at it again."))
    if review_on <= today:
        raise HoldRefused("review_on", _("The day of the review must lie ahead."))
    if review_on > add_months(today, LONGEST_MONTHS):
        raise HoldRefused("review_on", _("The day of the review may lie at most twelve months ahead."))


_NOTHING = """SELECT ''::text AS kind, 0::bigint AS customer_id, ''::text AS order_number, 0::bigint AS complaint_id,
    current_date AS review_on WHERE false"""
# Two returns of one order are one matter, as late as the earlier one.
_PAGE = """
    SELECT kind, customer_id, order_number, complaint_id, min(review_on) AS day, matter FROM ({cases}) AS c
    GROUP BY kind, customer_id, order_number, complaint_id, matter
    HAVING (min(review_on), kind COLLATE "C", matter)
        > (%(after_day)s::date, %(after_kind)s::text COLLATE "C", %(after_matter)s::bigint)
    ORDER BY day, kind COLLATE "C", matter LIMIT %(most)s
"""
_sources: dict[str, CaseSource] = {}
_links: dict[str, CaseLink] = {}


def register_case_source(
    key: str,
    label: Any,
    sql: str,
    reason: Any,
    arguments: Arguments | None = None,
    *,
    night_only: bool = False,
    kind: str = "",
    everyone: str = "",
) -> None:
    """Tell a kind of open matter; called from an app's `ready`.

    `sql` is a SELECT of exactly `COLUMNS` for the customers in `%(ids)s` (bigint[]) on the day `%(as_of)s`; `%(zone)s`
    is the zone of legal dates. `arguments(as_of, controller)` answers what else it names: cut-offs that one function
    computes once instead of once a row. Two sources that name the same cut-off mean the same.
    `night_only`: the matter stops the deletion of the night, not one that the person asked for. `kind`: the name of
    the hold in domain.md 4.2, where several sources tell the same or the key is another one. `everyone`: the same
    SELECT over all customers, each row with its `matter`, of those that wait for somebody; none where another list
    shows them late.
    """
    if "%(ids)s" not in sql:
        raise ImproperlyConfigured(f"The case source {key} does not ask for %(ids)s.")
    source = CaseSource(key, label, sql, reason, arguments, night_only, kind, everyone)
    if _sources.setdefault(key, source) != source:
        raise ImproperlyConfigured(f"The case source {key} is registered twice.")


def register_case_link(model: str, *, order: str | None = None, complaint: str | None = None) -> None:
    """Say how rows of `app_label.Model` are tied to a case ("self": the row is the complaint); what is tied to none
    goes although a case is open."""
    own = "pk" if complaint == SELF else complaint
    link = CaseLink(model, orm_path(order) if order else None, orm_path(own) if own else None)
    if _links.setdefault(model, link) != link:
        raise ImproperlyConfigured(f"The case link of {model} is registered twice.")


def sources() -> list[CaseSource]:
    """All kinds of open matters, in the order of their registration."""
    return list(_sources.values())


def reason_of(key: str) -> Any | None:
    """Why a kind of open matter holds what it holds, in the language of whoever reads; None for an unknown kind."""
    source = _sources.get(key)
    return source.reason if source else None


def links() -> dict[str, CaseLink]:
    """How rows are tied to cases, by model."""
    return dict(_links)


def cases(as_of: date, *, night: bool = False, who: Controller | None = None) -> tuple[str, dict[str, Any]]:
    """One SELECT of `kind` and `COLUMNS` over all sources, and its arguments but for `ids`: the caller gives those."""
    who = who or controller()
    arguments: dict[str, Any] = {"as_of": as_of, "zone": who.zone}
    asked = [source for source in _sources.values() if night or not source.night_only]
    for source in asked:
        arguments |= source.arguments(as_of, who) if source.arguments else {}
    names = ", ".join(COLUMNS)
    parts = [f"SELECT '{source.key}'::text AS kind, {names} FROM ({source.sql}) c" for source in asked]  # noqa: S608
    return " UNION ALL ".join(parts) or _NOTHING, arguments


def standing(ids: Sequence[int], as_of: date, *, night: bool = False) -> list[StandingHold]:
    """The open matters of these customers on a day, by customer; one query. `night`: those of the night, too."""
    if not ids:
        return []
    sql, arguments = cases(as_of, night=night)
    # Named once: thousands of ids that every source repeats take longer to plan than to look up.
    sql = sql.replace("= ANY(%(ids)s)", "IN (SELECT id FROM asked)")
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH asked AS MATERIALIZED (SELECT unnest(%(ids)s::bigint[]) AS id) {sql} ORDER BY 2, 1, 3, 4",
            {**arguments, "ids": list(ids)},
        )
        return [_standing(*row) for row in cursor.fetchall()]


Place = tuple[date, str, int]
"""Where a matter stands among the overdue ones: day of its review, kind, key."""


def place_of(case: StandingHold) -> Place:
    """The place of a matter that `overdue` has told."""
    assert case.review_on is not None and case.matter is not None  # what has neither is never overdue
    return case.review_on, case.source, case.matter


def overdue(as_of: date, most: int, after: Place | None = None) -> list[StandingHold]:
    """The open matters of all customers that somebody should have looked at by now, the oldest first, each once: no
    hold keeps a person without anybody being told (domain.md 4.2). `after`: those behind this place."""
    who = controller()
    day, kind, matter = after or (date.min, "", 0)
    arguments: dict[str, Any] = {"as_of": as_of, "zone": who.zone, "most": most}
    arguments |= {"after_day": day, "after_kind": kind, "after_matter": matter}
    asked = [source for source in _sources.values() if source.everyone]
    for source in asked:
        arguments |= source.arguments(as_of, who) if source.arguments else {}
    names = ", ".join(COLUMNS)
    parts = [
        f"SELECT '{source.key}'::text AS kind, matter, {names} FROM ({source.everyone}) c "  # noqa: S608
        "WHERE customer_id IS NOT NULL AND review_on < %(as_of)s"
        for source in asked
    ]
    with connection.cursor() as cursor:
        cursor.execute(_PAGE.format(cases=" UNION ALL ".join(parts)) if parts else _NOTHING, arguments)
        return [_standing(*row) for row in cursor.fetchall()]


def _standing(
    key: str,
    customer_id: int,
    order_number: str | None,
    complaint_id: int | None,
    review_on: date | None,
    matter: int | None = None,
) -> StandingHold:
    source = _sources[key]
    return StandingHold(source.name, customer_id, order_number, complaint_id, source.reason, review_on, key, matter)


def label_of(key: str) -> Any:
    """What a kind of open matter is called on screen."""
    return _sources[key].label


@contextmanager
def registered_temporarily() -> Iterator[None]:
    """For tests: whatever is registered inside is forgotten afterwards."""
    sources_before, links_before = dict(_sources), dict(_links)
    try:
        yield
    finally:
        _sources.clear()
        _sources.update(sources_before)
        _links.clear()
        _links.update(links_before)
