"""Sums up what one customer bought: totals per currency and revenue per quarter as a small chart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import F, Sum
from django.db.models.functions import TruncQuarter
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Customer
from datamap.preparing import SOME_KEY, Standing
from orders.models import CustomerTotal, Order
from portal.cards import link
from portal.drawing import Chart, bar_chart

QUARTERS = 10
_TOTALS = Standing(lambda pk: CustomerTotal.objects.filter(customer=pk, orders__gt=0).order_by("-sum", "currency"))
_SUMS: Standing[Any] = Standing(
    lambda pk, currency, begin: (
        Order.objects.counted()
        .filter(customer=pk, currency=currency, placed_at__gte=begin)
        .annotate(quarter=TruncQuarter("placed_at"))
        .order_by()
        .values_list("quarter")
        .annotate(sum=Sum(F("total") - F("refunded")))
    ),
    SOME_KEY,
    "\x01",
    datetime(1, 1, 2, tzinfo=UTC),
)


@dataclass(frozen=True)
class Total:
    """What was bought in one currency, net of cancellations and refunds."""

    currency: str
    orders: int
    sum: Decimal
    average: Decimal
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Purchases:
    """The purchases panel."""

    totals: list[Total]
    chart: Chart | None
    currency: str
    span: str
    url: str


def purchases_of(customer: Customer) -> Purchases:
    """Totals, the currency with the largest sum first, and the last ten quarters in that currency."""
    totals = [Total(t.currency, t.orders, t.sum, t.sum / t.orders, t.first, t.last) for t in _TOTALS(customer.pk)]
    url = link("orders:customer", customer.number)
    if not totals:
        return Purchases([], None, "EUR", "", url)
    currency = totals[0].currency
    quarters = _quarters(timezone.localdate())
    sums = _sums(customer, currency, quarters[0])
    figures = [(_named(quarter), sums.get(quarter, Decimal(0))) for quarter in quarters]
    chart = bar_chart(figures) if any(value > 0 for _label, value in figures) else None
    return Purchases(totals, chart, currency, f"{figures[0][0]} – {figures[-1][0]}", url)


def _sums(customer: Customer, currency: str, since: date) -> dict[date, Decimal]:
    begin = timezone.make_aware(datetime(since.year, since.month, since.day))
    return {timezone.localtime(quarter).date(): total for quarter, total in _SUMS(customer.pk, currency, begin)}


def _quarters(today: date) -> list[date]:
    last = today.year * 4 + (today.month - 1) // 3
    return [date(n // 4, n % 4 * 3 + 1, 1) for n in range(last - QUARTERS + 1, last + 1)]


def _named(quarter: date) -> str:
    return _("Q%(quarter)d %(year)d") % {"quarter": (quarter.month + 2) // 3, "year": quarter.year}
