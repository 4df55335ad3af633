"""Notes that somebody has shown an address to be theirs."""

from __future__ import annotations

from datetime import datetime

from customers.historying import write_history
from customers.models import ContactPoint, Customer


def note_confirmed(customer: Customer, address: str, at: datetime) -> bool:
    """Mark the customer's contact point with exactly this value as confirmed; False where there is none to mark.

    In the caller's transaction, which holds the customer. Data under a restriction stay as they are (Art. 18 GDPR).
    """
    if customer.restricted_at is not None:
        return False
    waiting = ContactPoint.objects.filter(customer=customer, whole_index=address, verified_at__isnull=True)
    ids = list(waiting.values_list("pk", flat=True))
    ContactPoint.objects.filter(pk__in=ids).update(verified_at=at)
    write_history(ContactPoint, ids, "~", reason="confirmed")
    return bool(ids)
