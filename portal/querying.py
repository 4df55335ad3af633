"""Asks the database for one page of the customer list: keyset order, capped count, no model instances."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from django.core import signing
from django.db import connection
from django.utils import timezone

from customers.indexing import alike, alike_sql
from datamap.preparing import ask

PER_PAGE = 50
COUNTED = 1000
"""Lists longer than this are "more than 1,000"."""

ORDERS = ("name", "-name", "number", "-number", "activity", "-activity", "revenue", "-revenue")
DEFAULT_ORDER = "-activity"

_SIGNER = signing.Signer(salt="portal.cursor")

# Where an order reads from: the table its index stands on goes first, so that a page is a piece of an index.
_CUSTOMER_FIRST = "customers_customer c left join customers_summary s on s.customer_id = c.id"
_SUMMARY_FIRST = "customers_summary s join customers_customer c on c.id = s.customer_id"
_WITHOUT_SUMMARY = (
    "(select c.* from customers_customer c where not exists "
    "(select 1 from customers_summary x where x.customer_id = c.id)) c "
    "left join customers_summary s on s.customer_id = c.id"
)
_SOURCES = {
    "name": (_CUSTOMER_FIRST, "c.sort_name", "c.id"),
    "number": (_CUSTOMER_FIRST, "c.sort_number", "c.id"),
    "activity": (_SUMMARY_FIRST, "s.last_activity", "s.customer_id"),
    "revenue": (_SUMMARY_FIRST, "s.revenue", "s.customer_id"),
}
_KEY_OF = "select {key} from {source} where c.id = %s"
_IDS = "select c.id from {source} where {where} order by {key} {way}, {id} {way} limit {limit}"
_COUNT = "select count(*) from (select 1 from {source} where {where} limit {limit}) found"
_SEARCHED = "exists (select 1 from customers_searchentry e where e.customer_id = c.id and {where})"
_LIVES = "exists (select 1 from customers_address a where a.customer_id = c.id and {where})"
_TOWN = alike_sql("a.city")
_PAGE = """
with page as materialized ({ids})
select c.id, c.number, c.kind, c.status, c.first_name, c.last_name, c.company, c.language,
       (c.registered_at at time zone '{zone}')::date, c.deactivated_at is not null, c.restricted_at is not null,
       coalesce(s.orders, 0), coalesce(s.revenue, 0), (s.last_activity at time zone '{zone}')::date,
       coalesce(s.open_complaints, 0), s.advertising_stopped_at is not null,
       a.city, a.postcode, a.country,
       exists (select 1 from customers_flag f
               where f.customer_id = c.id and f.kind = 'minor' and f.lifted_at is null),
       {count}
from page
join customers_customer c on c.id = page.id
left join customers_summary s on s.customer_id = c.id
left join lateral (
    select a.city, a.postcode, a.country from customers_address a
    where a.customer_id = c.id order by {sought}a.is_default desc, a.id limit 1
) a on true
order by {key} {way}, {id} {way}
"""


class Row(NamedTuple):
    """What one line of the list shows."""

    id: int
    number: str
    kind: str
    status: str
    first_name: str
    last_name: str
    company: str
    language: str
    registered_on: date | None
    deactivated: bool
    restricted: bool
    orders: int
    revenue: Any
    active_on: date | None
    open_complaints: int
    advertising_stop: bool
    city: str | None
    postcode: str | None
    country: str | None
    minor: bool
    of: int | None  # customers in the whole list, capped, where they were counted with the page


class ForgedCursor(Exception):
    """The cursor of an address was not made by this house, or its customer is gone."""


class _Zone(NamedTuple):
    """One part of a list with an order of its own."""

    source: str
    key: str
    identity: str
    descending: bool


@dataclass(frozen=True)
class Page:
    """Rows of one page, the signed cursors of its neighbors ("" where there is none), and how many customers the
    whole list holds (`capped_count`) where that was asked."""

    rows: list[Row]
    previous: str = ""
    next: str = ""
    of: int | None = None


@dataclass
class Selection:
    """Whom a list is about: stored filters, what the person may see, ids that the searched words found, and
    whether they found more than those."""

    stored: dict[str, Any] = field(default_factory=dict)
    restricted_too: bool = False
    found: list[int] | None = None
    more: bool = False

    @property
    def needs_summary(self) -> bool:
        """Whether a filter leaves out everyone without a summary."""
        ranges = {"revenue_from", "revenue_to", "active_from", "active_to"} & set(self.stored)
        return bool(ranges) or "yes" in (self.stored.get("complaints"), self.stored.get("advertising_stop"))

    def conditions(self) -> tuple[str, list[Any]]:
        """The WHERE of this selection and its parameters."""
        parts: list[tuple[str, list[Any]]] = list(_conditions(self.stored))
        if not self.restricted_too:
            parts.append(("c.restricted_at is null", []))
        if self.found is not None:
            parts.append(("c.id = any(%s::bigint[])", [self.found]))
        if not parts:
            return "true", []
        return " and ".join(part for part, _params in parts), [p for _part, ps in parts for p in ps]

    def sought(self) -> tuple[str, list[Any]]:
        """Which of somebody's addresses a list by place shows, as the beginning of an ORDER BY: the one it found."""
        where, params = _lives(self.stored)
        return (f"({where}) desc, " if where else ""), params


def _conditions(stored: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    for name in ("status", "kind"):
        if name in stored:
            yield "c.status = %s" if name == "status" else "c.kind = %s", [stored[name]]
    if "tag" in stored:
        yield (
            "exists (select 1 from customers_customertag t where t.customer_id = c.id and t.tag_id = %s)",
            [stored["tag"]],
        )
    yield from _place(stored)
    if "revenue_from" in stored:
        yield "s.revenue >= %s", [stored["revenue_from"]]
    if "revenue_to" in stored:
        yield "s.revenue <= %s", [stored["revenue_to"]]
    if "active_from" in stored:
        yield "s.last_activity >= %s", [_midnight(stored["active_from"])]
    if "active_to" in stored:
        yield "s.last_activity < %s", [_midnight(stored["active_to"], 1)]
    yield from _states(stored)


def _place(stored: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    if "city" in stored:
        # The search text holds the town's words, too: its trigram index narrows before towns are compared.
        words = alike(stored["city"]).split()
        texts = " and ".join(["e.text like %s"] * len(words) or ["true"])
        yield _SEARCHED.format(where=texts), [f"%{_like(word)}%" for word in words]
    where, params = _lives(stored)
    if where:
        yield _LIVES.format(where=where), params


def _lives(stored: dict[str, Any]) -> tuple[str, list[Any]]:
    """What an address has to be for these filters; "" where they ask for no place."""
    parts: list[str] = []
    params: list[Any] = []
    if "postcode" in stored:
        parts.append("postcode")
        # A range, because LIKE finds an index only under the C collation.
        params += [stored["postcode"], stored["postcode"] + "\U0010ffff"]
    if "country" in stored:
        parts.append("country")
        params.append(stored["country"])
    if "city" in stored:
        parts.append("city")
        params.append(f"{_like(alike(stored['city']))}%")
    tests = {
        "postcode": "a.postcode >= %s and a.postcode < %s",
        "country": "a.country = %s",
        "city": f"{_TOWN} like %s",
    }
    return " and ".join(tests[part] for part in parts), params


def _states(stored: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    yes_no = {
        "complaints": ("s.open_complaints > 0", "coalesce(s.open_complaints, 0) = 0"),
        "advertising_stop": (
            "s.advertising_stopped_at is not null",
            "s.advertising_stopped_at is null",
        ),
        "deactivated": ("c.deactivated_at is not null", "c.deactivated_at is null"),
    }
    for name, (yes, no) in yes_no.items():
        if name in stored:
            yield (yes if stored[name] == "yes" else no), []


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


def _midnight(day: str, later: int = 0) -> datetime:
    # The calendar ends before the day after its last one.
    begun = min(date.fromisoformat(day), date.max - timedelta(days=later))
    return timezone.make_aware(datetime.combine(begun + timedelta(days=later), time.min))


def read_page(
    selection: Selection, order: str, cursor: str = "", per_page: int = PER_PAGE, *, counted: bool = False
) -> Page:
    """One page in keyset order; the sort key of the cursor's id is looked up. Raises ForgedCursor.

    `counted` has the list counted too, by the same statement: asking twice takes longer than the counting.
    """
    backward, mark = _unsign(cursor)
    zones = _zones(selection, order)
    start: list[Any] = []
    if mark:
        key = _key_of(mark, zones[0])
        if key is None:
            zones, start = zones[1:] if not backward else zones, [mark, mark]
        else:
            zones, start = zones if not backward else zones[:1], [key, mark]
    rows: list[Row] = []
    for zone in reversed(zones) if backward else zones:
        if len(rows) <= per_page:
            rows += _read_zone(zone, selection, start, backward, per_page + 1 - len(rows), counted)
            start = []
    more, rows = len(rows) > per_page, rows[:per_page]
    if backward:
        rows.reverse()
    page = _with_cursors(rows, backward, more, bool(mark))
    return replace(page, of=rows[0].of if rows else capped_count(selection)) if counted else page


def _zones(selection: Selection, order: str) -> list[_Zone]:
    """The parts a list consists of: customers without a summary have no activity or revenue and come last."""
    source, key, identity = _SOURCES[order.lstrip("-")]
    zones = [_Zone(source, key, identity, order.startswith("-"))]
    if source is _SUMMARY_FIRST and not selection.needs_summary:
        zones.append(_Zone(_WITHOUT_SUMMARY, "c.id", "c.id", False))
    return zones


def _read_zone(
    zone: _Zone, selection: Selection, start: list[Any], backward: bool, limit: int, counted: bool
) -> list[Row]:
    where, params = selection.conditions()
    sought, places = selection.sought()
    statement = _page_statement(zone, where, bool(start), zone.descending != backward, limit, counted, sought)
    again = params if counted else []
    return list(map(Row._make, _rows(statement, selection, [*params, *start, *again, *places])))


def _rows(statement: str, selection: Selection, params: list[Any]) -> list[tuple[Any, ...]]:
    """With filters the best plan depends on their values; without, one plan serves every page."""
    if selection.conditions()[1]:
        with connection.cursor() as handle:
            handle.execute(statement, params)
            return handle.fetchall()
    return ask(statement, params)


@lru_cache(maxsize=128)
def _page_statement(
    zone: _Zone, where: str, after: bool, descending: bool, limit: int, counted: bool, sought: str
) -> str:
    """The statement of one page. Its limit stands in it, for a plan made for any limit is made for a tenth of all."""
    way = "desc" if descending else "asc"
    count = f"({_COUNT.format(source=_CUSTOMER_FIRST, where=where, limit=COUNTED + 1)})" if counted else "null::bigint"
    if after:
        where += f" and ({zone.key}, {zone.identity}) {'<' if descending else '>'} (%s, %s)"
    ids = _IDS.format(source=zone.source, where=where, key=zone.key, id=zone.identity, way=way, limit=limit)
    zone_name = timezone.get_default_timezone_name()
    return _PAGE.format(ids=ids, key=zone.key, id="c.id", way=way, zone=zone_name, count=count, sought=sought)


def _with_cursors(rows: list[Row], backward: bool, more: bool, inside: bool) -> Page:
    if not rows:
        return Page(rows)
    earlier = more if backward else inside
    later = inside if backward else more
    return Page(
        rows,
        previous=_SIGNER.sign(f"p{rows[0].id}") if earlier else "",
        next=_SIGNER.sign(f"n{rows[-1].id}") if later else "",
    )


def _unsign(cursor: str) -> tuple[bool, int]:
    if not cursor:
        return False, 0
    try:
        plain = _SIGNER.unsign(cursor)
        return plain.startswith("p"), int(plain[1:])
    except (signing.BadSignature, ValueError):
        raise ForgedCursor from None


def _key_of(customer_id: int, zone: _Zone) -> Any:
    """The sort key of a customer, None where it has no summary to sort by. Raises ForgedCursor."""
    found = ask(_KEY_OF.format(key=zone.key, source=_CUSTOMER_FIRST), [customer_id])
    if not found:
        raise ForgedCursor
    return found[0][0]


def capped_count(selection: Selection, cap: int = COUNTED) -> int:
    """How many customers the selection holds; `cap + 1` stands for "more than cap"."""
    where, params = selection.conditions()
    return _rows(_COUNT.format(source=_CUSTOMER_FIRST, where=where, limit=cap + 1), selection, params)[0][0]


def selected_ids(selection: Selection, cap: int) -> list[int]:
    """The ids of the first `cap` customers of a selection in the order of numbers."""
    source, key, identity = _SOURCES["number"]
    where, params = selection.conditions()
    with connection.cursor() as handle:
        handle.execute(_IDS.format(source=source, where=where, key=key, id=identity, way="asc", limit=cap), params)
        return [row[0] for row in handle.fetchall()]
