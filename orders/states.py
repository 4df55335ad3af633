"""Moves an order on: paid, shipped, delivered, completed, cancelled; each step guarded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.documents import credit_under_lock, creditable, save_changed, standing
from orders.models import Document, Order
from orders.refusing import Refused, locked
from orders.selling import tell_cancelled, tell_paid
from orders.totals import refresh_totals

Status = Order.Status
SENT = {Status.SHIPPED, Status.COMPLETED, Status.RETURNED}


@dataclass(frozen=True)
class Step:
    """One thing that can be done to an order, as a button shows it."""

    key: str
    label: Any
    apply: Callable[[Order, datetime, int | None], None]
    fits: Callable[[Order], bool]
    refusal: Any
    icon: str = "check"
    destructive: bool = False


def _pay(order: Order, at: datetime, _user_id: int | None) -> None:
    order.paid_at = at
    order.settle_payment()
    if order.status == Status.OPEN:
        order.status = Status.PROCESSING
    if order.delivered_at and order.status == Status.SHIPPED:
        order.status = Status.COMPLETED


def _ship(order: Order, _at: datetime, _user_id: int | None) -> None:
    order.status = Status.SHIPPED


def _deliver(order: Order, at: datetime, _user_id: int | None) -> None:
    if at < order.placed_at:
        raise Refused(_("Nothing is delivered before it was ordered."))
    order.delivered_at = at
    order.status = Status.COMPLETED if order.paid_at else Status.SHIPPED


def _cancel(order: Order, at: datetime, user_id: int | None) -> None:
    invoice = standing(order, Document.Kind.INVOICE)
    if invoice and min(creditable(invoice), order.total - order.refunded) > 0:
        left = min(creditable(invoice), order.total - order.refunded)
        credit_under_lock(order, invoice, left, user_id=user_id, at=at, reason=_("Cancellation"))
    elif order.paid_at:
        order.refunded = order.total
        order.settle_payment()
    order.cancelled_at = at
    order.status = Status.CANCELLED


def _alive(order: Order) -> bool:
    return order.cancelled_at is None and order.status != Status.CANCELLED


STEPS = {
    step.key: step
    for step in (
        Step(
            "pay",
            gettext_lazy("Mark as paid"),
            _pay,
            lambda order: _alive(order) and order.paid_at is None,
            gettext_lazy("The order is paid or cancelled already."),
        ),
        Step(
            "ship",
            gettext_lazy("Mark as shipped"),
            _ship,
            lambda order: _alive(order) and order.status in {Status.OPEN, Status.PROCESSING},
            gettext_lazy("Only an open order can be shipped."),
            icon="bag",
        ),
        Step(
            "deliver",
            gettext_lazy("Mark as delivered"),
            _deliver,
            lambda order: _alive(order) and order.delivered_at is None and order.status != Status.RETURNED,
            gettext_lazy("The order is delivered or cancelled already."),
            icon="truck",
        ),
        Step(
            "cancel",
            gettext_lazy("Cancel order"),
            _cancel,
            lambda order: _alive(order) and order.status not in SENT and order.delivered_at is None,
            gettext_lazy("Goods that are on their way come back as a return."),
            icon="trash",
            destructive=True,
        ),
    )
}


def possible_steps(order: Order) -> list[Step]:
    """What can be done to this order now, in the order of its life."""
    return [step for step in STEPS.values() if step.fits(order)]


@transaction.atomic
def take_step(
    pk: int, key: str, *, version: int | None = None, user_id: int | None = None, at: datetime | None = None
) -> Order:
    """Move an order on by one step and bring its customer's totals in line.

    Atomic. Raises KeyError for an unknown step, Order.DoesNotExist, Stale when the order changed since
    `version`, and Refused when the step does not fit its state. Cancelling credits a standing invoice in
    full.
    """
    step = STEPS[key]
    order = locked(pk, version)
    if not step.fits(order):
        raise Refused(str(step.refusal))
    step.apply(order, at or timezone.now(), user_id)
    save_changed(order, user_id)
    refresh_totals([order.customer_id])
    if key == "pay":
        tell_paid(order)
    if order.cancelled_at is not None:
        tell_cancelled(order, order.cancelled_at)
    return order
