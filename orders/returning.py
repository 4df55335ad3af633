"""Takes goods back: announced, received, refunded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.documents import credit_under_lock, save_changed, standing
from orders.models import CENT, Document, Order, OrderLine, Return, ReturnLine
from orders.refusing import Refused, locked
from orders.selling import tell_cancelled
from orders.totals import refresh_totals


@transaction.atomic
def announce_return(
    pk: int,
    quantities: Mapping[int, Decimal],
    *,
    reason: str = Return.Reason.WITHDRAWAL,
    note: str = "",
    version: int | None = None,
    user_id: int | None = None,
) -> Return:
    """Note that a customer sends goods back; `quantities` by line id, zero means the line stays.

    The amount proposed is what was paid for these goods; the withdrawal that leaves nothing of the order standing
    also gives the delivery back (§ 357(2) BGB).

    Atomic. Raises Order.DoesNotExist, Stale, and Refused when nothing is chosen, a line is not of this
    order, more would come back than went out, or the order is cancelled.
    """
    order = locked(pk, version)
    if order.cancelled_at:
        raise Refused(_("The order is cancelled; there is nothing to send back."))
    wanted = {line: quantity for line, quantity in quantities.items() if quantity}
    if not wanted:
        raise Refused(_("Say how many of which article come back."))
    left = returnable(order)
    for line, quantity in wanted.items():
        if quantity < 0 or quantity > left.get(line, Decimal(0)):
            raise Refused(_("No more comes back than was delivered and not yet returned."))
    lines = {line.pk: line for line in order.lines.all()}
    amount = sum((_share(lines[pk], quantity) for pk, quantity in wanted.items()), Decimal(0))
    amount = _less_discount(order, lines.values(), amount)
    withdrawn = _withdraws_from_all(order, reason, left, wanted)
    if withdrawn:
        amount += order.shipping_cost
    announced = Return.objects.create(
        order=order,
        order_number=order.number,
        customer_id=order.customer_id,
        reason=reason,
        note=note,
        amount=max(Decimal(0), min(amount, order.total - order.refunded)),
        entered_by_id=user_id,
    )
    ReturnLine.objects.bulk_create(
        ReturnLine(parent=announced, line_id=pk, sku=lines[pk].sku, name=lines[pk].name, quantity=quantity)
        for pk, quantity in wanted.items()
    )
    save_changed(order, user_id)
    if withdrawn:
        tell_cancelled(order, announced.requested_at)
    return announced


@transaction.atomic
def receive_return(pk: int, *, user_id: int | None = None, at: datetime | None = None) -> Return:
    """The goods are here. Atomic. Raises Return.DoesNotExist, and Refused when they were received before."""
    back, order = _locked_return(pk)
    if back.state != Return.State.REQUESTED:
        raise Refused(_("These goods were received before."))
    back.state, back.received_at = Return.State.RECEIVED, at or timezone.now()
    back.save()
    if not any(returnable(order).values()):
        order.status = Order.Status.RETURNED
    save_changed(order, user_id)
    return back


@transaction.atomic
def refund_return(
    pk: int, amount: Decimal | None = None, *, user_id: int | None = None, at: datetime | None = None
) -> Return:
    """Give the money back: with a credit note where an invoice stands; the customer's totals follow.

    Atomic. Raises Return.DoesNotExist, and Refused when it was refunded before or the amount is more than
    is left.
    """
    back, order = _locked_return(pk)
    if back.state == Return.State.REFUNDED:
        raise Refused(_("This return was refunded before."))
    amount = (back.amount if amount is None else amount).quantize(CENT, ROUND_HALF_UP)
    if amount < 0 or amount > order.total - order.refunded:
        raise Refused(_("The amount is more than is left of this order."))
    at = at or timezone.now()
    invoice = standing(order, Document.Kind.INVOICE)
    if invoice and amount:
        credit_under_lock(order, invoice, amount, user_id=user_id, at=at, reason=_("Return"))
    else:
        order.refunded += amount
        order.settle_payment()
    back.state, back.refunded_at, back.amount = Return.State.REFUNDED, at, amount
    back.received_at = back.received_at or at
    back.save()
    if not any(returnable(order).values()):
        order.status = Order.Status.RETURNED
    save_changed(order, user_id)
    refresh_totals([order.customer_id])
    if order.status == Order.Status.RETURNED and order.refunded >= order.total:
        tell_cancelled(order, at)
    return back


def gives_delivery_back(back: Return, order: Order) -> bool:
    """Whether the proposed amount holds the delivery costs: this return was the last of a withdrawal from all."""
    if order.shipping_cost <= 0 or order.returns.filter(pk__gt=back.pk).exists():
        return False
    return _only_withdrawals(order) and not any(returnable(order).values())


def _withdraws_from_all(order: Order, reason: str, left: Mapping[int, Decimal], wanted: Mapping[int, Decimal]) -> bool:
    """Whether with this return the consumer has withdrawn from all of the order: nobody is bound (§ 355(1) BGB)."""
    rest = any(quantity != wanted.get(line, 0) for line, quantity in left.items())
    return reason == Return.Reason.WITHDRAWAL and not rest and _only_withdrawals(order)


def _only_withdrawals(order: Order) -> bool:
    return not order.returns.exclude(reason=Return.Reason.WITHDRAWAL).exists()


def returnable(order: Order) -> dict[int, Decimal]:
    """How many of each line (by id) can still come back."""
    returned = dict(
        ReturnLine.objects.filter(parent__order=order).values_list("line").annotate(Sum("quantity")).order_by()
    )
    return {line.pk: line.quantity - returned.get(line.pk, Decimal(0)) for line in order.lines.all()}


def _locked_return(pk: int) -> tuple[Return, Order]:
    order = locked(Return.objects.values_list("order_id", flat=True).get(pk=pk), None)
    return Return.objects.select_for_update().get(pk=pk), order


def _less_discount(order: Order, lines: Iterable[OrderLine], amount: Decimal) -> Decimal:
    """What was paid for goods of this price: each bears its part of a discount on the whole order."""
    listed = sum((line.amount for line in lines), Decimal(0))
    if order.discount <= 0 or listed <= 0:
        return amount
    return (amount * max(listed - order.discount, Decimal(0)) / listed).quantize(CENT, ROUND_HALF_UP)


def _share(line: OrderLine, quantity: Decimal) -> Decimal:
    """What this many of a line cost."""
    return (line.amount * quantity / line.quantity).quantize(CENT, ROUND_HALF_UP) if line.quantity else Decimal(0)
