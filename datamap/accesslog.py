"""Notes who opened which customer; the doors call it, and the person can be told (Art. 15)."""

from collections.abc import Iterable

from datamap.models import AccessLog


def record(user_id: int | None, customer_number: str | int, page: str, purpose: str = "") -> None:
    """Write one line: one insert without foreign keys, in the caller's transaction."""
    AccessLog.objects.bulk_create(
        [AccessLog(user_id=user_id, customer_number=customer_number, page=page, purpose=purpose)]
    )


def record_many(user_id: int | None, numbers: Iterable[str | int], page: str, purpose: str = "") -> None:
    """Write one line for each customer, as an export of a list needs it; memory stays bounded."""
    batch: list[AccessLog] = []
    for number in numbers:
        batch.append(AccessLog(user_id=user_id, customer_number=number, page=page, purpose=purpose))
        if len(batch) == 5000:
            AccessLog.objects.bulk_create(batch)
            batch = []
    AccessLog.objects.bulk_create(batch)
