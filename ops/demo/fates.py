"""What becomes of an order: paid, sent, cancelled, sent back; each only as far as the day of the demo has come."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from ops.demo.products import Basket
from ops.demo.seasons import DAY, WHOLE, Clock, Draws

ZERO = Decimal("0.00")
HOUR = 3600


@dataclass(slots=True)
class Fate:
    """The instants of one order; None for what has not happened."""

    placed: int
    invoiced: int | None = None
    paid: int | None = None
    sent: int | None = None
    delivered: int | None = None
    cancelled: int | None = None
    asked_back: int | None = None
    came_back: int | None = None
    refunded_at: int | None = None
    whole: bool = True
    refunded: Decimal = ZERO
    status: str = "open"
    payment: str = "open"


def fate_of(at: int, basket: Basket, draws: Draws, clock: Clock) -> Fate:
    """How an order placed then went on."""
    fate = Fate(at)
    share = draws[1] / WHOLE
    morning = clock.next_morning(at)
    # Half of the cancellations come before the invoice of the next morning, half after it.
    if share < 0.015:
        fate.cancelled = at + 600 + draws[3] // 12
    elif share < 0.03:
        fate.cancelled = morning + 2 * HOUR + draws[3] // 12
    pays = at + 120 if draws[2] < 0.72 * WHOLE else at + 8 * HOUR + 3 * DAY * draws[4] // WHOLE
    if 0.85 * WHOLE < draws[2] < 0.993 * WHOLE:
        pays = at + 5 * DAY + 15 * DAY * draws[4] // WHOLE
    elif draws[2] >= 0.993 * WHOLE:
        pays = clock.now + 1
    fate.paid = pays
    sends = max(morning + 4 * HOUR, pays) if 0.72 * WHOLE <= draws[2] <= 0.85 * WHOLE else morning + 4 * HOUR
    if fate.cancelled is None:
        fate.sent, fate.delivered = sends, sends + DAY + 2 * DAY * draws[6] // WHOLE
    if fate.cancelled is None or fate.cancelled > morning:
        fate.invoiced = morning
    if fate.cancelled is None and share > 0.95:
        _send_back(fate, basket, draws)
    _stop_at(fate, clock.now)
    _settle(fate, basket)
    return fate


def _send_back(fate: Fate, basket: Basket, draws: Draws) -> None:
    assert fate.delivered is not None
    fate.asked_back = fate.delivered + DAY + 10 * DAY * draws[7] // WHOLE
    fate.came_back = fate.asked_back + 2 * DAY + 4 * DAY * draws[8] // WHOLE
    fate.refunded_at = max(fate.came_back, fate.paid or 0) + 20 * HOUR
    fate.whole = len(basket.lines) == 1 or draws[5] % 2 == 0


def _stop_at(fate: Fate, now: int) -> None:
    for name in ("invoiced", "paid", "sent", "delivered", "cancelled", "asked_back", "came_back", "refunded_at"):
        at = getattr(fate, name)
        if at is not None and at > now:
            setattr(fate, name, None)
    if fate.cancelled and fate.paid and fate.paid > fate.cancelled:
        fate.paid = None


def _settle(fate: Fate, basket: Basket) -> None:
    """Status, payment and refund, as the steps of orders.states and orders.returning leave them."""
    if fate.cancelled:
        fate.status = "cancelled"
        if fate.paid or fate.invoiced:
            fate.refunded = basket.total
    elif fate.refunded_at:
        fate.refunded = basket.back_all.gross if fate.whole else basket.back_first.gross
    if fate.cancelled is None:
        if fate.came_back and fate.whole:
            fate.status = "returned"
        elif fate.delivered and fate.paid:
            fate.status = "completed"
        elif fate.sent:
            fate.status = "shipped"
        elif fate.paid:
            fate.status = "processing"
    if fate.refunded:
        fate.payment = "refunded" if fate.refunded >= basket.total else "part_refund"
    elif fate.paid:
        fate.payment = "paid"
