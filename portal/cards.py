"""What the dashboard shows: figures and short lists, each one cheap query behind its permission."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.access import visible_customers
from customers.deciders import overdue, waiting
from customers.models import Customer
from datamap.models import AccessLog
from interactions.models import Complaint, FollowUp
from orders.models import Order
from portal.columns import shown_name
from privacy.cockpit import waiting_count
from staff.models import User

SHOWN = 8
COUNTED = 1000
RECENT_DAYS = 7
READ_BACK = 200
"""So many lines of the access log are looked through for the customers opened last."""

_NEW_CUSTOMERS = """
select count(*) from (select created_at from customers_customer order by id desc limit %s) newest
where created_at >= %s
"""


@dataclass(frozen=True)
class Figure:
    """One number with where it leads."""

    label: str
    value: str
    url: str = ""
    late: bool = False


@dataclass(frozen=True)
class Line:
    """One line of a list: who, what, when."""

    name: str
    url: str
    text: str = ""
    on: Any = None
    late: bool = False


@dataclass(frozen=True)
class Card:
    """One list of the dashboard."""

    title: str
    icon: str
    lines: list[Line]
    empty: str
    url: str = ""


@dataclass(frozen=True)
class Cards:
    """The whole dashboard of one person."""

    figures: list[Figure] = field(default_factory=list)
    lists: list[Card] = field(default_factory=list)


def cards_for(user: User) -> Cards:
    """The figures and lists this person may see."""
    return Cards(list(_figures(user)), list(_lists(user)))


def link(name: str, *args: str | int) -> str:
    """The address of a page of another app, "" where it does not exist."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def _figures(user: User) -> Iterator[Figure]:
    today = timezone.localdate()
    week = timezone.now() - timedelta(days=RECENT_DAYS)
    if user.may("interactions.view"):
        due = _capped(_seen(user, FollowUp.objects.open().owned_by(user.pk).due_by(today)))
        yield Figure(_("My follow-ups due"), due, link("interactions:followups"), late=due != "0")
        complaints = _capped(_seen(user, Complaint.objects.open()))
        yield Figure(_("Open complaints"), complaints, link("interactions:complaints"))
    if user.may("customers.view"):
        yield Figure(_("New customers this week"), _new_customers(week), link("portal:customer_list"))
    if user.may("orders.view"):
        yield Figure(_("Orders this week"), _capped(Order.objects.filter(placed_at__gte=week)), link("orders:list"))
    if user.may("privacy.view"):
        tasks = waiting_count(user)
        yield Figure(_("Privacy tasks"), str(tasks), link("privacy:cockpit"), late=tasks > 0)
    if user.may("customers.held"):
        held, late = _capped(waiting(user)), _capped(overdue(waiting(user)))
        yield Figure(_("Rows waiting for a decision"), held, link("customers:held"), late=held != "0")
        if late != "0":
            yield Figure(_("Of these overdue"), late, link("customers:held"), late=True)


def _lists(user: User) -> Iterator[Card]:
    if user.may("interactions.view"):
        yield _follow_ups(user)
        yield _complaints(user)
    if user.may("customers.view"):
        yield _opened(user)


def _follow_ups(user: User) -> Card:
    today = timezone.localdate()
    steps = FollowUp.objects.open().owned_by(user.pk).select_related("customer").order_by("due_on", "pk")
    lines = [
        Line(_name(step.customer), _page(step.customer), step.step, step.due_on, step.due_on < today)
        for step in _seen(user, steps)[:SHOWN]
    ]
    return Card(_("My next steps"), "bell", lines, _("Nothing is due."), link("interactions:followups"))


def _complaints(user: User) -> Card:
    rows = Complaint.objects.open().select_related("customer").order_by("opened_at", "pk")
    lines = [
        Line(_name(row.customer), _page(row.customer), row.subject, row.opened_at)
        for row in _seen(user, rows)[:SHOWN]
        if row.customer
    ]
    return Card(_("Open complaints, oldest first"), "chat", lines, _("None."), link("interactions:complaints"))


def _opened(user: User) -> Card:
    since = timezone.now() - timedelta(days=RECENT_DAYS)
    opened = AccessLog.objects.filter(user_id=user.pk, at__gte=since, page="customer_detail").order_by("-at", "-id")
    last: dict[str, Any] = {}
    for number, at in opened.values_list("customer_number", "at")[:READ_BACK]:
        last.setdefault(number, at)
    numbers = list(last)[:SHOWN]
    found = {customer.number: customer for customer in visible_customers(user).filter(number__in=numbers)}
    lines = [Line(_name(found[n]), _page(found[n]), n, last[n]) for n in numbers if n in found]
    return Card(
        _("Opened last"),
        "clock",
        lines,
        _("You have opened no customer this week."),
        link("portal:customer_list"),
    )


def _seen(user: User, rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows if user.may("customers.restricted") else rows.filter(customer__restricted_at__isnull=True)


def _name(customer: Customer) -> str:
    return shown_name(customer) or str(_("Customer %s") % customer.number)


def _page(customer: Customer) -> str:
    return reverse("portal:customer_detail", args=[customer.number])


def _capped(rows: QuerySet[Any]) -> str:
    return _words(rows.order_by()[: COUNTED + 1].count())


def _new_customers(since: Any) -> str:
    # Along the primary key: an index on the day of entry would serve nothing but this figure.
    with connection.cursor() as handle:
        handle.execute(_NEW_CUSTOMERS, [COUNTED + 1, since])
        return _words(handle.fetchone()[0])


def _words(count: int) -> str:
    return _("over 1,000") if count > COUNTED else str(count)
