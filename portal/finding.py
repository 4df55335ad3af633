"""Finds customers, orders and papers by what was typed into the search box of every page."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models import Q
from django.urls import reverse

from customers.access import visible_customers
from customers.models import ContactPerson, ContactPoint
from customers.reading import read_phone
from customers.searching import search
from orders.models import Document, Order
from orders.numbering import spellings
from portal.cards import link
from portal.querying import Row, Selection, read_page
from staff.models import User

SHOWN = 10
REACHED = 100
"""So many customers of one address or number are looked at; more than one is a list, not a page, anyhow."""


@dataclass(frozen=True)
class FoundOrder:
    """An order as the results show it."""

    number: str
    url: str
    order: Order


@dataclass(frozen=True)
class FoundPaper:
    """A paper as the results show it."""

    number: str
    url: str
    paper: Document


@dataclass(frozen=True)
class Results:
    """What a search found: the first customers by name, how many there are, and orders and papers by number."""

    rows: list[Row] = field(default_factory=list)
    count: str = "0"
    fuzzy: bool = False
    orders: list[FoundOrder] = field(default_factory=list)
    papers: list[FoundPaper] = field(default_factory=list)


def exact_page(user: User, words: str) -> str:
    """The address of the one customer, order or paper with exactly this number, e-mail or phone; else ""."""
    hits = [reverse("portal:customer_detail", args=[number]) for number in _exact_customers(user, words)]
    hits += [order.url for order in _orders(user, words) if order.url]
    hits += [paper.url for paper in _papers(user, words) if paper.url]
    return hits[0] if len(hits) == 1 else ""


def find(user: User, words: str) -> Results:
    """Customers, orders and papers for the page of results."""
    customers_too = user.may("customers.view")
    found = search(words, restricted_too=user.may("customers.restricted")) if customers_too else None
    orders, papers = _orders(user, words), _papers(user, words)
    if found is None:
        return Results(orders=orders, papers=papers)
    best = found.ids[:SHOWN]
    selection = Selection(restricted_too=user.may("customers.restricted"), found=best)
    rows = read_page(selection, "name", per_page=SHOWN).rows if best else []
    # The search knows whom it means most; the page of a list is in the order of names.
    rows = sorted(rows, key=lambda row: best.index(row.id))
    return Results(rows, found.count, found.fuzzy, orders, papers)


def _exact_customers(user: User, words: str) -> list[str]:
    if not user.may("customers.view"):
        return []
    reached = words if "@" in words else read_phone(words)
    # An address or a phone number goes to the database as a keyed hash alone, never as the text that was typed.
    condition = Q(pk__in=[]) if "@" in words or words.startswith("+") else Q(number=words)
    if reached:
        points = ContactPoint.objects.filter(whole_index=reached).values_list("customer_id")
        persons = ContactPerson.objects.unrestricted().filter(Q(email_index=reached) | Q(phone_index=reached))
        # Asked first: as parts of one condition they would have every customer looked at.
        ids = points.union(persons.values_list("customer_id"))[:REACHED]
        condition |= Q(pk__any_of=[pk for (pk,) in ids])
    # Twice the number asked for, so that "exactly one" can be told.
    return list(_numbers(visible_customers(user).filter(condition))[:2])


def _numbers(customers: object) -> list[str]:
    return customers.order_by("pk").values_list("number", flat=True)  # type: ignore[attr-defined]


def _orders(user: User, words: str) -> list[FoundOrder]:
    if not _may_be_number(user, words):
        return []
    found = (
        Order.objects.visible_to(user)
        .filter(number__in=spellings(words))
        .select_related("customer")
        .latest_first()[:SHOWN]
    )
    return [FoundOrder(order.number, link("orders:detail", order.pk), order) for order in found]


def _papers(user: User, words: str) -> list[FoundPaper]:
    """Whoever calls about an invoice reads out its number, not that of the order."""
    if not _may_be_number(user, words):
        return []
    found = Document.objects.visible_to(user).numbered(spellings(words)).order_by("-issued_at", "-id")[:SHOWN]
    return [FoundPaper(paper.number, link("orders:document", paper.pk), paper) for paper in found]


def _may_be_number(user: User, words: str) -> bool:
    return bool(words) and user.may("orders.view") and "@" not in words and not words.startswith("+")
