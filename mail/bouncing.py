"""What follows when an address takes no mail, or its owner wants none: noted with the address, and suppressed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import connection

from customers.models import ContactPoint, Customer, Suppression
from customers.suppression import suppress
from mail.models import Deliverability, Message

# Refused for now so often in a row is undeliverable: providers tell the two apart differently, or not at all.
SOFT_LIMIT = 5
Bounce = Message.Bounce
Unwanted = Callable[[str, datetime, str], Any]
"""(address, when, "complaint" or "unsubscribed"): its owner wants no advertising there, says the mail provider."""
_unwanted: list[Unwanted] = []

_NOTE = """
INSERT INTO mail_deliverability AS d (contact_point_id, soft_bounces, hard_bounced_at, complained_at, changed_at)
SELECT p.id, %(soft)s, %(hard)s::timestamptz, %(complained)s::timestamptz, %(at)s
FROM unnest(%(points)s::bigint[]) AS p (id)
ON CONFLICT (contact_point_id) DO UPDATE SET
    soft_bounces = least(d.soft_bounces + excluded.soft_bounces, 30000),
    hard_bounced_at = coalesce(d.hard_bounced_at, excluded.hard_bounced_at),
    complained_at = coalesce(d.complained_at, excluded.complained_at),
    changed_at = excluded.changed_at
RETURNING d.soft_bounces
"""


def register_unwanted(told: Unwanted) -> None:
    """For apps above: have `told` called when a provider reports a complaint or an unsubscription; from `ready`.

    It is called in the transaction that puts the address on the suppression list, afterwards.
    """
    if told not in _unwanted:
        _unwanted.append(told)


def note_bounce(address: str, bounce: str, at: datetime) -> None:
    """Note with every contact point of this address that a mail did not arrive or was not wanted.

    A hard bounce and a complaint stop advertising to the address, and so does the fifth soft bounce in a row.
    """
    _hold_owners(address)
    points = _points(address)
    marks: dict[str, Any] = {
        "points": points,
        "at": at,
        "soft": int(bounce == Bounce.SOFT),
        "hard": at if bounce == Bounce.HARD else None,
        "complained": at if bounce == Bounce.COMPLAINT else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, marks)
        in_a_row = max([count for (count,) in cursor.fetchall()], default=0)
    if bounce == Bounce.COMPLAINT:
        suppress("email", address, reason=Suppression.Reason.COMPLAINT, since=at)
        _tell(address, at, "complaint")
    elif bounce == Bounce.HARD or in_a_row >= SOFT_LIMIT:
        suppress("email", address, reason=Suppression.Reason.BOUNCED, since=at)


def note_unsubscribed(address: str, at: datetime) -> None:
    """Somebody has unsubscribed at the provider: as good as here (Art. 7(3) GDPR)."""
    _hold_owners(address)
    suppress("email", address, reason=Suppression.Reason.UNSUBSCRIBED, since=at)
    _tell(address, at, "unsubscribed")


def note_listed(address: str, at: datetime) -> None:
    """The provider's own list names the address: no news of the person, who may have agreed since."""
    _hold_owners(address)
    suppress("email", address, reason=Suppression.Reason.UNSUBSCRIBED, since=at)


def _tell(address: str, at: datetime, why: str) -> None:
    for told in _unwanted:
        told(address, at, why)


def note_arrival(address: str, at: datetime) -> None:
    """A mail arrived: what was refused before was passing."""
    known = Deliverability.objects.filter(contact_point__in=_points(address), soft_bounces__gt=0)
    known.update(soft_bounces=0, changed_at=at)


def _hold_owners(address: str) -> None:
    """Lock whom the list will be about before the list: in this order everybody else does."""
    owners = ContactPoint.objects.filter(pk__in=_points(address)).values("customer")
    list(Customer.objects.filter(pk__in=owners).order_by("pk").select_for_update(no_key=True, of=("self",)))


def _points(address: str) -> list[int]:
    """An address may belong to several customers: families share one."""
    found = ContactPoint.objects.filter(kind=ContactPoint.Kind.EMAIL, whole_index=address)
    return list(found.values_list("pk", flat=True))
