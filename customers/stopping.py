"""An objection to advertising is kept with its day: the last one says what holds now, each of them what held before."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone

from customers.models import AdvertisingStop, Summary
from customers.summary import ensure, set_advertising_stops


def stop_advertising(ids: Collection[int], at: datetime) -> None:
    """These customers want no advertising from then on; in the caller's transaction, idempotent.

    An objection that is told late does not put back a later one, and counts for the time between all the same.
    """
    ensure(ids)
    known = Summary.objects.filter(customer__in=ids).values_list("customer", "advertising_stopped_at")
    set_advertising_stops({pk: max(at, stopped or at) for pk, stopped in known})
    AdvertisingStop.objects.bulk_create(
        (AdvertisingStop(customer_id=pk, since=at) for pk in sorted(ids)), ignore_conflicts=True
    )


def is_known(customer: int, at: datetime) -> bool:
    """Whether this objection stands, to the second: the journal of former versions knew no finer time."""
    stops = AdvertisingStop.objects.filter(customer=customer, since__gte=at, since__lt=at + timedelta(seconds=1))
    return stops.filter(ended_at__isnull=True).exists()


def take_back(customer: int, at: datetime) -> bool:
    """End an objection that was somebody else's; in the caller's transaction. Answers whether it was there.

    Whatever else this customer objected to stands: the last of it says since when.
    """
    standing = AdvertisingStop.objects.filter(customer=customer, ended_at__isnull=True)
    ended = standing.filter(since=at).update(ended_at=max(timezone.now(), at))
    set_advertising_stops({customer: standing.aggregate(last=Max("since"))["last"]})
    return bool(ended)


def other_stops(customer: int, at: datetime) -> bool:
    """Whether this customer's advertising is stopped by more than the objection of that instant."""
    stops = AdvertisingStop.objects.filter(customer=customer, ended_at__isnull=True)
    return stops.exclude(since=at).exists()
