"""Ends devices: a withdrawal, an objection or the last day cuts the link and deletes the linked history, at once.

The order of locks is that of whoever writes visits: the consents of a device first, then the device.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from consents.events import Event, Source
from datamap import holds, journal
from datamap.controlling import legal_zone
from datamap.workdays import local_date
from tracking.models import Device, DeviceConsent
from tracking.permitting import begins_params, begins_sql, without_consent

PAGE = 5_000
_END_CONSENTS = """
UPDATE tracking_deviceconsent c SET ended_at = greatest(%s, c.given_at)
FROM (SELECT key FROM tracking_device WHERE id = ANY (%s) AND key IS NOT NULL) d
WHERE c.key = d.key AND c.ended_at IS NULL
"""
_BEGIN = f"""
WITH bounded AS (
    UPDATE tracking_device d SET visits_from = coalesce({begins_sql("d.customer_id")}, d.linked_at)
    WHERE d.id = ANY (%(devices)s) AND d.customer_id IS NOT NULL AND d.visits_from IS NULL
    RETURNING d.id, d.visits_from
),
gone AS (
    DELETE FROM tracking_visit v USING bounded b WHERE v.device_id = b.id AND v.occurred_at < b.visits_from
    RETURNING v.device_id
)
SELECT b.id, count(g.device_id) FROM bounded b LEFT JOIN gone g ON g.device_id = b.id GROUP BY 1
"""  # noqa: S608
_FIRST = """
UPDATE tracking_device d SET first_seen = coalesce(
    (SELECT min(v.occurred_at) FROM tracking_visit v WHERE v.device_id = d.id), d.linked_at)
WHERE d.id = ANY (%s)
"""
_LEFT_OVER = """
SELECT d.id, d.customer_id FROM tracking_device d WHERE d.id > %s AND d.key IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM tracking_deviceconsent c WHERE c.key = d.key AND c.ended_at IS NULL)
ORDER BY d.id LIMIT %s
"""


def end_devices(ids: Sequence[int], *, at: datetime | None = None) -> int:
    """Delete these devices and all their visits, and end what was agreed to on them, in the caller's transaction.

    Answers how many devices went. Whatever their cookies report afterwards needs a consent that is younger than `at`.
    """
    with connection.cursor() as cursor:
        cursor.execute(_END_CONSENTS, [at or timezone.now(), list(ids)])
        # Whoever was writing visits has finished when the lock is ours: the next statement sees them.
        cursor.execute("SELECT 1 FROM tracking_device WHERE id = ANY (%s) ORDER BY id FOR UPDATE", [list(ids)])
        cursor.execute("DELETE FROM tracking_visit WHERE device_id = ANY (%s)", [list(ids)])
        cursor.execute("DELETE FROM tracking_device WHERE id = ANY (%s)", [list(ids)])
        return cursor.rowcount


def follow_consents(events: Sequence[Event]) -> int:
    """End the devices of those whose consent to tracking has ended; answers how many went.

    In the transaction of the withdrawal. Where the withdrawal is part of an erasure the devices go with the person, as
    declared, and stand in the receipt.
    """
    return cut({event.customer_id for event in events if event.source != Source.ERASURE})


def follow_objections(ids: Sequence[int], at: datetime) -> int:
    """Who objects to advertising objects to the profile that visits make (Art. 21(2), (3) GDPR): it goes."""
    return _cut_unless_held(set(ids))


def begin_visits(devices: Sequence[int]) -> int:
    """Say of tied devices from when on visits are their person's, and delete what is older; answers how many went.

    In the caller's transaction. What is a person's begins with their own consent, not with that on the device.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, begins_params() | {"devices": list(devices)})
        gone = dict(cursor.fetchall())
        cursor.execute(_FIRST, [[device for device, visits in gone.items() if visits]])
    return sum(gone.values())


def cut(customer_ids: Iterable[int]) -> int:
    """End the devices of those of the customers who have not consented; answers how many went."""
    linked = Device.objects.filter(customer__any_of=list(customer_ids)).values_list("customer", flat=True)
    return _cut_unless_held(without_consent(set(linked)))


def _cut_unless_held(customer_ids: set[int]) -> int:
    """Of whom nothing may be deleted now, nothing is: no visit is added, and `sweep` comes back."""
    free = customer_ids - held_among(sorted(customer_ids), night=False)
    devices = Device.objects.filter(customer__any_of=list(free)).order_by("pk").values_list("pk", flat=True)
    return end_devices(list(devices)) if free else 0


def sweep() -> int:
    """End every device that belongs to somebody without consent or has none of its own; answers how many went.

    The second line: of a hold that is over, of states that were built anew. Each page is a transaction of its own.
    """
    gone, last = 0, 0
    linked = Device.objects.filter(customer__isnull=False).order_by("customer").values_list("customer", flat=True)
    while page := list(linked.filter(customer__gt=last).distinct()[:PAGE]):
        last = page[-1]
        with transaction.atomic():
            gone += cut(page)
            begin_visits(_unbounded(page))
    return gone + sum(_sweep_left_over())


def _unbounded(customer_ids: Sequence[int]) -> list[int]:
    """Devices tied before it was kept from when on visits are the person's; not of whom nothing may go now."""
    devices = Device.objects.filter(customer__any_of=list(customer_ids), visits_from__isnull=True)
    found = dict(devices.values_list("pk", "customer"))
    held = held_among(sorted(set(found.values())), night=False)
    return [pk for pk, customer in found.items() if customer not in held]


def _sweep_left_over() -> Iterator[int]:
    last = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_LEFT_OVER, [last, PAGE])
            page = cursor.fetchall()
            if not page:
                return
            last = page[-1][0]
            held = held_among(sorted({customer for _pk, customer in page if customer}), night=False)
            yield end_devices([pk for pk, customer in page if customer not in held])


def held_among(customer_ids: Sequence[int], *, night: bool) -> set[int]:
    """Those of the customers of whom nothing may be deleted while a matter runs (domain.md 4.2)."""
    today = local_date(timezone.now(), legal_zone())
    found: set[int] = set()
    for begin in range(0, len(customer_ids), PAGE):
        for case in holds.standing(customer_ids[begin : begin + PAGE], today, night=night):
            if case.order_number is None and case.complaint_id is None:
                found.add(case.customer_id)
    return found


def end_consents_of(ids: Sequence[int]) -> None:
    """End what was agreed to on the devices of persons who are erased: their cookies bring nothing back."""
    devices = list(Device.objects.filter(customer__any_of=list(ids)).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_END_CONSENTS, [timezone.now(), devices])


@transaction.atomic
def withdraw_on_device(keys: Sequence[bytes], at: datetime) -> int:
    """Somebody says no on the device itself: what is known of it goes, linked or not; answers how many consents ended.

    The consent of the person, if there is one, is untouched: it is about all their devices.
    """
    standing = DeviceConsent.objects.filter(key__in=keys, ended_at__isnull=True)
    # A clock that is ahead dates the yes after the no: it ends all the same, and comes back by no report.
    at = max(at, standing.aggregate(last=Max("given_at"))["last"] or at)
    ended = standing.update(ended_at=at)
    devices = dict(Device.objects.filter(key__in=keys).values_list("pk", "customer"))
    held = held_among([customer for customer in devices.values() if customer], night=False)
    end_devices([pk for pk, customer in devices.items() if customer not in held], at=at)
    if ended or devices:
        journal.write_many("tracking_withdrawal", [{"device": key.hex(), "at": at.isoformat()} for key in keys])
    return ended


def replay(payloads: Sequence[journal.Payload]) -> int:
    """After a restore, end again what was ended on devices; answers how many were news. Younger consents stay."""
    news = 0
    for payload in payloads:
        key, at = bytes.fromhex(str(payload["device"])), datetime.fromisoformat(str(payload["at"]))
        consents = DeviceConsent.objects.filter(key=key, given_at__lte=at)
        news += consents.filter(ended_at__isnull=True).update(ended_at=at)
        if not DeviceConsent.objects.filter(key=key, ended_at__isnull=True).exists():
            end_devices(list(Device.objects.filter(key=key).values_list("pk", flat=True)), at=at)
    return news
